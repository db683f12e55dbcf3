package main

import (
	"context"
	"fmt"
	"time"
)

type matrixPrepare struct {
	labFlags
	Target []string `arg:"" optional:"" help:"Ids, or globs on them; by default all that need nothing but this machine."`
}

// Run prepares targets, one after another, and says what is missing for those
// that cannot be had.
func (c *matrixPrepare) Run(ctx context.Context, s streams) error {
	list, err := targets(c.Target, "all")
	if err == nil && len(c.Target) == 0 {
		list, err = labTargets()
	}
	if err != nil {
		return err
	}
	lab, err := c.lab()
	if err != nil {
		return err
	}
	defer lab.Close()
	begun := time.Now()
	for _, t := range list {
		start := time.Now()
		words := "ready"
		if err := lab.Prepare(ctx, t); ctx.Err() != nil {
			return ctx.Err()
		} else if err != nil {
			words = "unavailable: " + err.Error()
		}
		fmt.Fprintf(s.out, "%-24s %5.1f s  %s\n", t.ID, time.Since(start).Seconds(), words)
	}
	fmt.Fprintf(s.out, "%d targets prepared in %.0f s\n", len(list), time.Since(begun).Seconds())
	return nil
}
