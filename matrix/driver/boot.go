package driver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/zcprobe/zcprobe/internal/guest"
	"github.com/zcprobe/zcprobe/matrix"
)

// silent is the reason of a machine that did not come up at all.
const silent = "no word from the guest"

// powerOff is how long a machine may take to end after its closing line.
const powerOff = 10 * time.Second

// initramfs makes the guest's file system, without a name in any directory
// once a command has it.
func (l *Lab) initramfs(ctx context.Context, dir string, t *matrix.Target, k *kernel, restart bool) (*os.File, error) {
	program, tests, err := l.built.get(ctx, t.System, t.Arch)
	if err != nil {
		return nil, err
	}
	image := &guest.Image{Program: program, Tests: tests, Modules: k.modules, Job: guest.Job{
		Run: l.patient(k), Tests: l.testArguments(), Disk: t.Filesystem, Restart: restart,
	}}
	file, err := os.CreateTemp(dir, "initramfs-")
	if err != nil {
		return nil, err
	}
	if _, err := image.WriteTo(file); err != nil {
		file.Close()
		return nil, fmt.Errorf("write initramfs: %w", err)
	}
	return file, nil
}

// patient is the suite's arguments for a machine that emulates each
// instruction: a case has longer to answer there.
func (l *Lab) patient(k *kernel) []string {
	told := slices.ContainsFunc(l.Run, func(a string) bool { return strings.HasPrefix(a, "--timeout") })
	if k.way.Accelerator != "tcg" || told {
		return l.Run
	}
	return append(slices.Clone(l.Run), "--timeout=60s")
}

// testArguments is how the library's tests run on a target. They wait more than
// they work, so many of them run at a time, whatever the processors.
var testArguments = []string{"-test.v=test2json", "-test.short", "-test.parallel=8", "-test.timeout=150s"}

// boot is how a kernel is started.
type boot struct {
	kernel    *kernel
	program   string
	arguments func(initramfs, disk string) []string // disk is "" where there is none
	restart   bool                                  // the guest ends by a restart
	up        time.Duration                         // until the guest's first word
	limit     time.Duration                         // for all of it
}

// boot runs an emulator until its guest has sent its closing line and powered
// off, and makes an outcome of what came over the console.
func (l *Lab) boot(ctx context.Context, t *matrix.Target, b boot, stage func(string)) *matrix.Outcome {
	dir, remove, err := privateDir("", "zcprobe-boot-")
	if err != nil {
		return failed(err)
	}
	defer remove()
	image, err := l.initramfs(ctx, dir, t, b.kernel, b.restart)
	if err != nil {
		return failed(err)
	}
	defer image.Close()
	storage, err := disk(ctx, dir, t)
	if err != nil {
		return failed(err)
	}
	if storage != nil {
		defer storage.Close()
	}
	if l.Limit > 0 {
		b.limit = l.Limit
	}
	console := guest.NewConsole()
	console.Changed = stage
	ctx, stop := context.WithTimeoutCause(ctx, b.limit, errLimit)
	defer stop()
	cmd := exec.CommandContext(ctx, b.program)
	initramfs, err := hand(cmd, image)
	place := ""
	if err == nil && storage != nil {
		place, err = hand(cmd, storage)
	}
	if err != nil {
		return failed(err)
	}
	cmd.Args = append(cmd.Args, b.arguments(initramfs, place)...)
	alone(cmd)
	cmd.Stdout, cmd.Stderr = console, console
	cmd.WaitDelay = 2 * time.Second
	stage("boot")
	if err := cmd.Start(); err != nil {
		return failed(err)
	}
	defer watch(cmd)()
	// A machine that has said nothing by now will not come up any more, and one
	// that has said all need not linger.
	up := time.AfterFunc(min(b.up, b.limit/2), func() {
		if console.Stage() == "" {
			stop()
		}
	})
	defer up.Stop()
	go func() {
		select {
		case <-console.Ended():
			defer time.AfterFunc(powerOff, stop).Stop()
			<-ctx.Done()
		case <-ctx.Done():
		}
	}()
	cmd.Wait() // its status says nothing: a guest that panics exits with 0 too
	console.Close()
	return l.verdict(t, console, context.Cause(ctx), b.limit, b.kernel.way)
}

var errLimit = errors.New("limit reached")

// verdict judges what came over a console. Only a report with all its lines is
// a record.
func (l *Lab) verdict(t *matrix.Target, console *guest.Console, stopped error, limit time.Duration, way matrix.Way) *matrix.Outcome {
	report, err := console.Report()
	o := &matrix.Outcome{Console: console.Tail()}
	died := console.Death()
	switch {
	case err == nil && report.Record == nil:
		o.State, o.Reason, o.Notes = matrix.Crashed, "the suite died in the guest", report.Notes
	case err == nil:
		o = l.reported(t, report.Record, report.Tests, way)
		o.Notes = append(o.Notes, report.Notes...)
	case died != "":
		o.State, o.Reason = matrix.Crashed, died
	case console.Stage() == "" && stopped != nil:
		o.State, o.Reason = matrix.TimedOut, silent
	case !errors.Is(err, guest.ErrNoEnd):
		o.State, o.Reason = matrix.Truncated, err.Error()
	case errors.Is(stopped, errLimit) && console.Record() != nil:
		o = l.reported(t, console.Record(), fmt.Appendf(nil, "\nended with no time left after %v", limit), way)
	case errors.Is(stopped, errLimit):
		o.State, o.Reason = matrix.TimedOut, fmt.Sprintf("no end within %v, in stage %q", limit, console.Stage())
	case console.Sending():
		o.State, o.Reason = matrix.Truncated, err.Error()
	case console.Stage() == "":
		o.State, o.Reason = matrix.Crashed, "it ended before the guest said a word"
		if n := len(o.Console); n > 0 {
			o.Reason += ": " + o.Console[n-1]
		}
	default:
		o.State, o.Reason = matrix.Crashed, fmt.Sprintf("it ended in stage %q", console.Stage())
	}
	return o
}
