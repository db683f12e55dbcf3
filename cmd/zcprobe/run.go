package main

import (
	"context"
	"errors"
	"io"
	"runtime"
	"time"

	"github.com/zcprobe/zcprobe/cases"
	"github.com/zcprobe/zcprobe/internal/screen"
	"github.com/zcprobe/zcprobe/matrix"
	"github.com/zcprobe/zcprobe/matrix/driver"
	"github.com/zcprobe/zcprobe/probe"
)

// how is the flags of everything that runs on this host.
type how struct {
	Jobs         count    `help:"Workers at a time; chosen from the processors by default." placeholder:"N"`
	Timeout      duration `help:"How long one case may take (10s)." placeholder:"D"`
	Require      []string `help:"Features that must be available, or the exit status says so." placeholder:"FEATURE,…" sep:","`
	Unprivileged bool     `help:"As root: see what an ordinary user gets."`
	JSON         output   `name:"json" help:"Write the run record to FILE; - is standard output, also where FILE is left out." placeholder:"FILE"`
}

// reports is the flags of what runs cases.
type reports struct {
	JUnit output `name:"junit" help:"Write the cases as JUnit XML." placeholder:"FILE"`
	KTAP  output `name:"ktap" help:"Write the cases as KTAP." placeholder:"FILE"`
}

type runCommand struct {
	how
	reports
	Filter []string `help:"Only cases with these ids." placeholder:"PATTERN" sep:"none"`
	Grid   bool     `help:"Also try sendfile, splice, copy_file_range and io_uring's splice from every kind of end to every other."`
}

// Run probes this host and runs every case.
func (c *runCommand) Run(ctx context.Context, s streams) error {
	chosen, err := choose(c.Filter)
	if err != nil {
		return err
	}
	ways := ways{paths: probe.Paths(runtime.GOOS)}
	if c.Grid {
		ways.grid = probe.Grid(runtime.GOOS)
	}
	return c.how.run(ctx, s, chosen, ways, c.reports, screen.Run)
}

// ways are the ways for bytes that a run tries.
type ways struct{ paths, grid []probe.Path }

// choose is the cases of this system that patterns choose.
func choose(texts []string) ([]*cases.Case, error) {
	list, err := patterns(texts)
	if err != nil {
		return nil, err
	}
	chosen, err := cases.Choose(cases.All(runtime.GOOS), func(c *cases.Case) string { return c.ID }, list)
	if err != nil {
		return nil, usage(err)
	}
	return chosen, nil
}

// run is what run, probe and cases run share.
func (h *how) run(ctx context.Context, s streams, chosen []*cases.Case, ways ways, reports reports, screens screen.Show) error {
	required, err := h.required()
	if err != nil {
		return err
	}
	local := &driver.Local{
		Features: probe.Features(runtime.GOOS), Cases: chosen, Paths: ways.paths, Grid: ways.grid,
		Jobs: int(h.Jobs), Timeout: time.Duration(h.Timeout),
	}
	if h.Unprivileged && driver.Privileged() {
		local.As = &driver.Nobody
	}
	progress := screen.NewProgress(s.err, len(local.Features)+len(chosen)+len(ways.paths)+len(ways.grid))
	local.Step = progress.Step
	record, err := local.Run(ctx)
	progress.Stop()
	if record == nil {
		return err
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	show := func(to io.Writer) error { return screens(to, record, local.Headroom) }
	if err := h.write(s, record, reports, show); err != nil {
		return err
	}
	return outcome(record, required)
}

// write shows the record in every form that was asked for. The screen gives
// way where another form goes to standard output.
func (h *how) write(s streams, record *matrix.Record, reports reports, show func(io.Writer) error) error {
	var errs []error
	taken := false
	for _, form := range []struct {
		to    output
		write func(path string) error
	}{
		{h.JSON, func(path string) error { return matrix.WriteJSON(path, record) }},
		{reports.JUnit, func(path string) error { return matrix.WriteJUnit(path, record) }},
		{reports.KTAP, func(path string) error { return matrix.WriteKTAP(path, record) }},
	} {
		if form.to != "" {
			errs = append(errs, form.write(string(form.to)))
			taken = taken || form.to == "-"
		}
	}
	if !taken {
		errs = append(errs, show(s.out))
	}
	if err := errors.Join(errs...); err != nil {
		return usage(err)
	}
	return nil
}

// required is the features that must be available.
func (h *how) required() (map[string]bool, error) {
	list, err := patterns(h.Require)
	if err != nil {
		return nil, err
	}
	required := map[string]bool{}
	if len(list) == 0 {
		return required, nil
	}
	features, err := cases.Choose(probe.Features(runtime.GOOS), func(f *probe.Feature) string { return f.ID }, list)
	if err != nil {
		return nil, usage(err)
	}
	for _, f := range features {
		required[f.ID] = true
	}
	return required, nil
}

// outcome is the exit status that a record deserves.
func outcome(r *matrix.Record, required map[string]bool) error {
	missing, unknown := false, false
	for _, f := range r.Features {
		if required[f.ID] && !f.Works() {
			missing = missing || f.State != probe.Inconclusive
			unknown = unknown || f.State == probe.Inconclusive
		}
	}
	switch {
	case !r.Complete:
		return &statusError{exitInterrupted, "interrupted: these are the results so far"}
	case missing || r.Count(cases.Deviates)+r.Count(cases.TimedOut)+r.Count(cases.Crashed) > 0:
		return &statusError{status: exitDeviates}
	case unknown || r.Count(cases.Broken) > 0:
		return &statusError{status: exitBroken}
	}
	return nil
}
