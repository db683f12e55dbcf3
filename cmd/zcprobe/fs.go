package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/zcprobe/zcprobe/internal/screen"
	"github.com/zcprobe/zcprobe/matrix"
	"github.com/zcprobe/zcprobe/matrix/driver"
	"github.com/zcprobe/zcprobe/probe/mount"
)

type fsCommand struct {
	Check   fsCheck   `cmd:"" default:"withargs" help:"Ask about the mounts of paths (the default; a path that is called like a command is written ./prepare)."`
	Prepare fsPrepare `cmd:"" help:"Make files in a shared folder, to be changed from the other side."`
	Change  fsChange  `cmd:"" help:"Change the prepared files: to be run on the other side."`
	Verify  fsVerify  `cmd:"" help:"Tell which ways of reading serve stale bytes, and remove the files."`
}

// fsHow is the flags of all of them.
type fsHow struct {
	Timeout duration `help:"How long one call may take (20s)." placeholder:"D"`
}

// with hands f what asks about mounts. A wrong path is wrong usage.
func (h fsHow) with(f func(*mount.Runner) error) error {
	runner, end, err := driver.Mounts(time.Duration(h.Timeout))
	if err != nil {
		return err
	}
	defer end()
	err = f(runner)
	var input *mount.InputError
	if errors.As(err, &input) {
		return usage(err)
	}
	return err
}

type fsCheck struct {
	fsHow
	Path []string `arg:"" help:"Directories to write into, or files, which are only read."`
	JSON output   `name:"json" help:"Write the result as JSON." placeholder:"FILE"`
}

// Run checks mounts.
func (c *fsCheck) Run(ctx context.Context, s streams) error {
	return c.with(func(r *mount.Runner) error {
		progress := screen.NewProgress(s.err, 0)
		r.Step = progress.Step
		result, err := r.Check(ctx, c.Path)
		progress.Stop()
		if len(result.Mounts) > 0 {
			err = errors.Join(c.JSON.show(result, func() error { return screen.Mounts(s.out, result) }), err)
		}
		if err != nil {
			return err
		}
		return verdict(result.Mounts...)
	})
}

// show writes a value where --json says, or else the screen.
func (o output) show(value any, screen func() error) error {
	var err error
	if o != "" {
		err = matrix.WriteJSON(string(o), value)
	}
	if o != "-" {
		err = errors.Join(err, screen())
	}
	return err
}

// verdict is the exit status that reports deserve.
func verdict(reports ...mount.Report) error {
	status := exitOK
	for _, r := range reports {
		switch r.Verdict {
		case mount.Wrong:
			status = exitDeviates
		case mount.Untried:
			if status == exitOK {
				status = exitBroken
			}
		}
	}
	if status != exitOK {
		return &statusError{status: status}
	}
	return nil
}

// fsState is where the state of the two steps is.
type fsState struct {
	State string `help:"Keep what verify has to know in this file, not in the directory (zcprobe-fs.json)." placeholder:"FILE"`
}

type fsPrepare struct {
	fsHow
	fsState
	Path string `arg:"" help:"The shared folder, as it is seen here."`
}

// Run prepares, and says what to do on the other side.
func (c *fsPrepare) Run(ctx context.Context, s streams) error {
	return c.with(func(r *mount.Runner) error {
		report, lines, err := r.Prepare(ctx, c.Path, c.State)
		if err != nil {
			return err
		}
		if lines == nil {
			if err := screen.Mounts(s.out, mount.Result{Mounts: []mount.Report{report}}); err != nil {
				return err
			}
			return verdict(report)
		}
		_, err = fmt.Fprintln(s.out, strings.Join(lines, "\n"))
		return err
	})
}

type fsChange struct {
	fsHow
	fsState
	Path string `arg:"" help:"The shared folder, as it is seen there."`
}

// Run changes the prepared files.
func (c *fsChange) Run(ctx context.Context, s streams) error {
	return c.with(func(r *mount.Runner) error {
		notes, err := r.Change(ctx, c.Path, c.State)
		if err != nil {
			return err
		}
		for _, note := range notes {
			fmt.Fprintln(s.err, "zcprobe: "+note)
		}
		_, err = fmt.Fprintf(s.out, "Changed the prepared files in %s. On the side where they were prepared, zcprobe fs verify comes next.\n", c.Path)
		return err
	})
}

type fsVerify struct {
	fsHow
	fsState
	Path   string `arg:"" help:"The shared folder, as it was prepared."`
	Forget bool   `help:"Only remove what was prepared."`
	JSON   output `name:"json" help:"Write the result as JSON." placeholder:"FILE"`
}

// Run verifies.
func (c *fsVerify) Run(ctx context.Context, s streams) error {
	return c.with(func(r *mount.Runner) error {
		if c.Forget {
			if err := r.Forget(ctx, c.Path, c.State); err != nil {
				return err
			}
			_, err := fmt.Fprintf(s.out, "Removed what was prepared in %s.\n", c.Path)
			return err
		}
		report, err := r.Verify(ctx, c.Path, c.State)
		if err != nil {
			return err
		}
		result := mount.Result{Schema: mount.Schema, Mounts: []mount.Report{report}}
		if err := c.JSON.show(result, func() error { return screen.Mounts(s.out, result) }); err != nil {
			return err
		}
		return verdict(report)
	})
}
