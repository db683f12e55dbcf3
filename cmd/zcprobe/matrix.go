package main

import (
	"context"

	"github.com/zcprobe/zcprobe/internal/screen"
	"github.com/zcprobe/zcprobe/matrix"
	"github.com/zcprobe/zcprobe/matrix/driver"
)

type matrixCommand struct {
	List    matrixList    `cmd:"" help:"List the targets."`
	Prepare matrixPrepare `cmd:"" help:"Fetch and build what targets need, so that a run can begin at once."`
	Run     matrixRun     `cmd:"" help:"Run the suite and the library's tests on targets, or on a kernel of your own (--kernel)."`
	Plan    matrixPlan    `cmd:"" help:"Where each target runs."`
	Import  matrixImport  `cmd:"" help:"Take in records that others made."`
	Summary matrixSummary `cmd:"" help:"A table of records as Markdown, with the targets that did not report and what changed."`
}

type matrixList struct {
	Target []string `arg:"" optional:"" help:"Ids, or globs on them."`
	JSON   output   `name:"json" help:"Write the list as JSON." placeholder:"FILE"`
}

// Run lists targets.
func (c *matrixList) Run(s streams) error {
	list, err := targets(c.Target, "all")
	if err != nil {
		return err
	}
	if c.JSON != "" {
		return matrix.WriteJSON(string(c.JSON), list)
	}
	return screen.Targets(s.out, list)
}

// targets is the targets that words choose, or those of others when there are
// none.
func targets(words []string, others ...string) ([]*matrix.Target, error) {
	list, err := matrix.Targets()
	if err != nil {
		return nil, err
	}
	if len(words) == 0 {
		words = others
	}
	chosen, err := matrix.ChooseTargets(list, words)
	if err != nil {
		return nil, usage(err)
	}
	return chosen, nil
}

// labTargets is every target that needs nothing but this machine.
func labTargets() ([]*matrix.Target, error) {
	all, err := targets(nil, "all")
	var list []*matrix.Target
	for _, t := range all {
		if t.Lab() {
			list = append(list, t)
		}
	}
	return list, err
}

// labFlags is the flags of what fetches and builds.
type labFlags struct {
	Cache    string `help:"Where packages and tools are kept; the user's cache directory by default." type:"path" placeholder:"DIR"`
	Mirror   string `help:"Mirror of the Debian archive; that of the host's apt sources by default." placeholder:"URL"`
	Binaries string `help:"Take the targets' programs (zcprobe-GOOS-GOARCH, zerocopy.test-GOOS-GOARCH) from here instead of building them." type:"existingdir" placeholder:"DIR"`
}

func (f *labFlags) lab() (*driver.Lab, error) {
	cache := f.Cache
	if cache == "" {
		var err error
		if cache, err = driver.DefaultCache(); err != nil {
			return nil, usage(err)
		}
	}
	return &driver.Lab{Cache: cache, Mirror: f.Mirror, Binaries: f.Binaries}, nil
}

type matrixPlan struct {
	Target []string `arg:"" optional:"" help:"Ids, or globs on them."`
	GitHub bool     `name:"github" help:"Print the JSON matrix of a workflow's legs."`
	JSON   output   `name:"json" help:"Write the plan as JSON." placeholder:"FILE"`
}

// Run shows the plan.
func (c *matrixPlan) Run(_ context.Context, s streams) error {
	list, err := targets(c.Target, "all")
	if err != nil {
		return err
	}
	switch {
	case c.GitHub:
		return matrix.WriteGitHub(s.out, list)
	case c.JSON != "":
		return matrix.WriteJSON(string(c.JSON), matrix.GitHubLegs(list))
	}
	return screen.Plan(s.out, list)
}
