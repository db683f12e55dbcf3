package driver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/zcprobe/zcprobe/internal/debian"
	"github.com/zcprobe/zcprobe/matrix"
)

// Lab runs the suite on targets of the list. Its drivers are in files of their
// own; all of them give an outcome.
type Lab struct {
	Cache       string        // where fetched and built things are kept
	Mirror      string        // of the Debian archive; "" is the host's own
	Binaries    string        // a directory with zcprobe-GOOS-GOARCH; "" builds them
	Run         []string      // arguments for zcprobe on the target
	Command     string        // what the record says it was asked for with
	Limit       time.Duration // for one attempt; zero is the driver's own
	Memory      int           // of a guest, MiB; zero is 1024
	CPUs        int           // of a guest; zero is 1
	Accelerator string        // of QEMU; "" is tcg
	Append      string        // more words for a guest's command line
	Kernel      string        // boot this file and not a target's package
	Modules     string        // the directory of that kernel's modules; "" is none
	SSHConfig   string        // configuration for ssh; "" is the user's own

	sshProgram, scpProgram string // "" is those of the path

	once    sync.Once
	archive *debian.Archive
	built   *builds
}

// unavailable is why a target cannot be had on this machine.
type unavailable struct{ reason string }

func (u *unavailable) Error() string { return u.reason }

func missing(format string, arguments ...any) error {
	return &unavailable{fmt.Sprintf(format, arguments...)}
}

// DefaultCache is where a user's cache is.
func DefaultCache() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "zcprobe"), nil
}

func (l *Lab) open() {
	l.once.Do(func() {
		l.archive = &debian.Archive{Cache: l.Cache, Mirror: l.Mirror}
		l.built = &builds{given: l.Binaries}
	})
}

// Close removes what was built for this lab.
func (l *Lab) Close() {
	if l.built != nil {
		l.built.close()
	}
}

// Prepare fetches and builds what a target needs, as far as the cache does not
// have it. The error is why the target is unavailable.
func (l *Lab) Prepare(ctx context.Context, t *matrix.Target) error {
	l.open()
	if t.Driver == matrix.BySSH {
		_, on, err := l.reach(ctx, t)
		if err == nil {
			_, _, err = l.built.get(ctx, on.system, on.arch)
		}
		return err
	}
	if _, _, err := l.built.get(ctx, t.System, l.arch(t)); err != nil {
		return err
	}
	switch t.Driver {
	case matrix.ByLocal:
		if t.Sandbox == "" {
			return nil
		}
		_, err := l.sandbox(ctx, t)
		return err
	case matrix.ByQEMU:
		if _, err := emulator(l.arch(t)); err != nil {
			return err
		}
		_, err := l.kernel(ctx, t)
		return err
	case matrix.ByUML:
		_, err := l.kernel(ctx, t)
		return err
	case matrix.ByExec:
		s, err := l.tool(ctx, t)
		if err == nil && s.close != nil {
			s.close()
		}
		return err
	}
	return elsewhere(t)
}

func elsewhere(t *matrix.Target) error {
	return missing("reached by %s, not from this machine", t.Driver)
}

// Try has the suite run on a target. stage is told what it is doing.
func (l *Lab) Try(ctx context.Context, t *matrix.Target, stage func(string)) *matrix.Outcome {
	l.open()
	begun := time.Now()
	o := l.try(ctx, t, stage)
	if o.Took = time.Since(begun); o.Target == "" {
		o.Target = t.ID
	}
	if ctx.Err() != nil && o.State != matrix.Reported {
		o.State, o.Reason, o.Console = matrix.Interrupted, "", nil
	}
	return o
}

func (l *Lab) try(ctx context.Context, t *matrix.Target, stage func(string)) *matrix.Outcome {
	stage("prepare")
	var run func(context.Context, *matrix.Target, func(string)) *matrix.Outcome
	switch t.Driver {
	case matrix.ByQEMU:
		run = l.qemu
	case matrix.ByUML:
		run = l.uml
	case matrix.ByExec:
		run = l.exec
	case matrix.ByLocal:
		run = l.local
	case matrix.BySSH:
		run = l.ssh
	default:
		return failed(elsewhere(t))
	}
	o := run(ctx, t, stage)
	if !retries(o) || ctx.Err() != nil {
		o.Attempts = 1
		return o
	}
	first := string(o.State) + ": " + o.Reason
	o = run(ctx, t, func(s string) { stage("again: " + s) })
	o.Attempts = 2
	o.Notes = append(o.Notes, "second attempt; the first "+first)
	if o.Record != nil {
		o.Record.Target.Run.Attempts = 2
		if err := o.Record.Seal(); err != nil {
			return failed(err)
		}
	}
	return o
}

// retries tells whether a second attempt is worth it: emulated machines hang or
// die once in a while. What hangs in the middle of the suite hangs again.
func retries(o *matrix.Outcome) bool {
	return o.State == matrix.Crashed || o.State == matrix.Truncated || o.State == matrix.TimedOut && o.Reason == silent
}

// failed is the outcome of an error: the target cannot be had, or the harness
// could not try.
func failed(err error) *matrix.Outcome {
	var not *unavailable
	if errors.As(err, &not) {
		return &matrix.Outcome{State: matrix.Unavailable, Reason: not.reason}
	}
	return &matrix.Outcome{State: matrix.Broken, Reason: strings.Join(strings.Fields(err.Error()), " ")}
}

// reported makes an outcome of a record that came home. It is the target's now:
// it bears the target's id and says how it was got.
func (l *Lab) reported(t *matrix.Target, record, tests []byte, way matrix.Way) *matrix.Outcome {
	r, err := matrix.Read(bytes.NewReader(record))
	switch {
	case err != nil:
		return &matrix.Outcome{State: matrix.Truncated, Reason: err.Error()}
	case !r.Complete:
		return &matrix.Outcome{State: matrix.Truncated, Reason: "the run on the target was cut short"}
	}
	way.Driver, way.Command, way.Attempts = t.Driver, l.Command, 1
	if t.ID != "" {
		r.Target.ID = t.ID
	}
	r.Target.Run = &way
	o := &matrix.Outcome{State: matrix.Reported, Record: r}
	if tests != nil {
		output, ended := howEnded(tests)
		r.Target.LibraryTests = matrix.ParseTests(output, ended)
		if r.Target.LibraryTests.Failed > 0 {
			o.Tests = string(output)
		}
	}
	if err := r.Seal(); err != nil {
		return failed(err)
	}
	if len(l.Run) == 1 { // the whole suite
		o.Reason = t.Short(r)
	}
	return o
}

// howEnded parts what tests printed from the line that says how they ended.
func howEnded(tests []byte) (output []byte, ended string) {
	const mark = "\nended with "
	if at := bytes.LastIndex(tests, []byte(mark)); at >= 0 {
		return tests[:at], strings.TrimSpace(string(tests[at+len(mark):]))
	}
	return tests, ""
}

func (l *Lab) arch(t *matrix.Target) string {
	if t.Driver == matrix.ByLocal {
		return hostArch
	}
	return t.Arch
}
