package main

import (
	"github.com/zcprobe/zcprobe/internal/screen"
	"github.com/zcprobe/zcprobe/matrix"
)

type diffCommand struct {
	Before string `arg:"" help:"A run record."`
	After  string `arg:"" help:"A later one, or one of another host."`
	JSON   output `name:"json" help:"Write the comparison as JSON." placeholder:"FILE"`
}

// Run compares two records; a regression is exit status 1.
func (c *diffCommand) Run(s streams) error {
	before, err := matrix.ReadFile(c.Before)
	if err != nil {
		return usage(err)
	}
	after, err := matrix.ReadFile(c.After)
	if err != nil {
		return usage(err)
	}
	comparison := matrix.Compare(before, after)
	if c.JSON != "" {
		err = matrix.WriteJSON(string(c.JSON), comparison)
	} else {
		err = screen.Diff(s.out, before, after, comparison)
	}
	if err == nil && comparison.Regressed() {
		return &statusError{status: exitDeviates}
	}
	return err
}
