package main

import (
	"context"
	"fmt"

	"github.com/zcprobe/zcprobe/cases"
	"github.com/zcprobe/zcprobe/internal/screen"
	"github.com/zcprobe/zcprobe/matrix"
)

type casesCommand struct {
	List casesList `cmd:"" help:"List the cases of every system."`
	Show casesShow `cmd:"" help:"What one case requires, from which sources, and how to reproduce it."`
	Run  casesRun  `cmd:"" help:"Run the cases that patterns choose."`

	Coverage casesCoverage `cmd:"" help:"Which rows of the behaviour catalogue cases cover, and why the others are not."`
}

type casesList struct {
	Filter []string `help:"Only cases with these ids." placeholder:"PATTERN" sep:"none"`
	JSON   output   `name:"json" help:"Write the list as JSON." placeholder:"FILE"`
}

// Run lists the cases.
func (c *casesList) Run(s streams) error {
	chosen, err := patterns(c.Filter)
	if err != nil {
		return err
	}
	list, err := cases.Choose(cases.All(""), func(c *cases.Case) string { return c.ID }, chosen)
	if err != nil {
		return usage(err)
	}
	if c.JSON != "" {
		return matrix.WriteJSON(string(c.JSON), cases.Entries(list))
	}
	return screen.Cases(s.out, list)
}

type casesShow struct {
	ID   string `arg:"" help:"The id of a case."`
	JSON output `name:"json" help:"Write the case as JSON." placeholder:"FILE"`
}

// Run shows one case.
func (c *casesShow) Run(s streams) error {
	for _, known := range cases.All("") {
		switch {
		case known.ID != c.ID:
		case c.JSON != "":
			return matrix.WriteJSON(string(c.JSON), cases.Detailed(known))
		default:
			return screen.Case(s.out, known)
		}
	}
	return usage(fmt.Errorf("no case %q: zcprobe cases list shows the ids", c.ID))
}

type casesCoverage struct {
	JSON output `name:"json" help:"Write the coverage as JSON." placeholder:"FILE"`
}

// Run compares all cases with the catalogue.
func (c *casesCoverage) Run(s streams) error {
	coverage := cases.Cover(cases.All(""))
	if c.JSON != "" {
		return matrix.WriteJSON(string(c.JSON), coverage)
	}
	return screen.Coverage(s.out, coverage)
}

type casesRun struct {
	how
	reports
	Pattern []string `arg:"" help:"Globs on ids, segment by segment, or their first segments."`
}

// Run runs the chosen cases and writes the same record as a whole run.
func (c *casesRun) Run(ctx context.Context, s streams) error {
	chosen, err := choose(c.Pattern)
	if err != nil {
		return err
	}
	return c.how.run(ctx, s, chosen, ways{}, c.reports, screen.CasesRun)
}
