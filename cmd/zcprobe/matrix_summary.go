package main

import (
	"fmt"

	"github.com/zcprobe/zcprobe/matrix"
)

type matrixSummary struct {
	Path   []string `arg:"" help:"Run records, or directories of them."`
	Target []string `help:"Targets that were to report: ids, or globs on them." placeholder:"TARGET"`
	GitHub bool     `name:"github" help:"All targets with a leg in GitHub Actions were to report."`
	Before string   `help:"Records of an earlier run: say what changed." type:"existingdir" placeholder:"DIR"`
}

// Run writes the summary as Markdown. A target that did not report, deviates or
// falls short of what is expected of it is exit status 1.
func (c *matrixSummary) Run(s streams) error {
	var planned []*matrix.Target
	if len(c.Target) > 0 || c.GitHub {
		list, err := targets(c.Target, "all")
		if err != nil {
			return err
		}
		for _, t := range list {
			if !c.GitHub || t.GitHub != nil {
				planned = append(planned, t)
			}
		}
	}
	summary, err := matrix.Summarize(planned, c.Path)
	if err != nil {
		return usage(err)
	}
	if c.Before != "" {
		summary.Before(c.Before)
	}
	if err := summary.WriteMarkdown(s.out); err != nil {
		return err
	}
	if n := summary.Problems(); n > 0 {
		return &statusError{exitDeviates, fmt.Sprintf("%d of %d targets did not report, deviate or fall short", n, len(summary.Rows))}
	}
	return nil
}
