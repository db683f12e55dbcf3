package driver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/zcprobe/zcprobe/matrix"
)

// shell is how a program of the target's is run: the words that go before it,
// and more environment.
type shell struct {
	before      []string
	environment []string
	way         matrix.Way
	suiteOnly   bool // the library's tests take for granted what is not there
	close       func()
}

// tool is the shell for a target of the exec driver, fetched and built where
// the cache does not have it.
func (l *Lab) tool(ctx context.Context, t *matrix.Target) (*shell, error) {
	switch t.Tool {
	case "gvisor", "gvisor-host":
		return l.gvisor(ctx, t)
	case "qemu-user":
		return l.qemuUser(ctx, t)
	}
	return nil, missing("%s cannot be run from here yet", t.Tool)
}

// exec runs the suite in a program that answers its calls.
func (l *Lab) exec(ctx context.Context, t *matrix.Target, stage func(string)) *matrix.Outcome {
	s, err := l.tool(ctx, t)
	if err != nil {
		return failed(err)
	}
	return l.under(ctx, t, s, stage)
}

// local runs the suite on this host, as a program like any other, so that it
// is the same that targets run.
func (l *Lab) local(ctx context.Context, t *matrix.Target, stage func(string)) *matrix.Outcome {
	s := &shell{}
	if t.Sandbox != "" {
		var err error
		if s, err = l.sandbox(ctx, t); err != nil {
			return failed(err)
		}
	}
	return l.under(ctx, t, s, stage)
}

// execLimit is how long the suite, and then the library's tests, may take.
const execLimit = 3 * time.Minute

// under runs the suite and the library's tests in a shell.
func (l *Lab) under(ctx context.Context, t *matrix.Target, s *shell, stage func(string)) *matrix.Outcome {
	if s.close != nil {
		defer s.close()
	}
	program, tests, err := l.built.get(ctx, t.System, l.arch(t))
	if err != nil {
		return failed(err)
	}
	if s.suiteOnly {
		tests = ""
	}
	return l.both(t, s.way, tests != "", stage, func(test bool, arguments []string) (said, error) {
		if test {
			program = tests
		}
		return l.execute(ctx, s, program, arguments)
	})
}

// both runs the suite, and then the library's tests where they are to be had,
// and makes an outcome of what they said.
func (l *Lab) both(t *matrix.Target, way matrix.Way, tests bool, stage func(string), run func(test bool, arguments []string) (said, error)) *matrix.Outcome {
	stage("suite")
	suite, err := run(false, append(slices.Clone(l.Run), "--json=-"))
	switch {
	case errors.Is(err, errLimit):
		return &matrix.Outcome{State: matrix.TimedOut, Reason: "no end of the suite in time", Console: suite.lines()}
	case len(suite.out) == 0:
		reason := "no record"
		if err != nil {
			reason += ", " + err.Error()
		}
		return &matrix.Outcome{State: matrix.Crashed, Reason: reason, Console: suite.lines()}
	}
	var output []byte
	if tests {
		stage("library tests")
		ran, err := run(true, l.testArguments())
		output = append(ran.out, ran.said...)
		if err != nil {
			output = fmt.Appendf(output, "\nended with %v\n", err)
		}
	}
	o := l.reported(t, suite.out, output, way)
	if o.State != matrix.Reported {
		o.Console = suite.lines()
	}
	return o
}

// testArguments gives the tests the time that was asked for: an emulated machine
// of Vagrant is many times slower than the one that emulates it.
func (l *Lab) testArguments() []string {
	if l.Limit < execLimit {
		return testArguments
	}
	return append(slices.Clone(testArguments), "-test.timeout="+(l.Limit-l.Limit/10).String())
}

// said is what a program wrote.
type said struct{ out, said []byte }

// lines is the last lines that were not the result.
func (s said) lines() []string {
	lines := strings.Split(strings.TrimSpace(string(s.said)), "\n")
	return lines[max(0, len(lines)-40):]
}

// execute runs a program of the target's to its end.
func (l *Lab) execute(ctx context.Context, s *shell, program string, arguments []string) (said, error) {
	limit := execLimit
	if l.Limit > 0 {
		limit = l.Limit
	}
	ctx, stop := context.WithTimeoutCause(ctx, limit, errLimit)
	defer stop()
	dir, remove, err := privateDir("", "zcprobe-run-")
	if err != nil {
		return said{}, err
	}
	defer remove()
	words := append(slices.Clone(s.before), program)
	cmd := exec.CommandContext(ctx, words[0], append(words[1:], arguments...)...)
	alone(cmd)
	cmd.Cancel = func() error { return askToEnd(cmd) } // it has fixtures to remove
	cmd.WaitDelay = 5 * time.Second
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TMPDIR="+dir)
	cmd.Env = append(cmd.Env, s.environment...)
	var out, err2 bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &err2
	if err := cmd.Start(); err != nil {
		return said{}, err
	}
	over := watch(cmd)
	err = cmd.Wait()
	over()
	if stopped := context.Cause(ctx); stopped != nil {
		err = stopped
	}
	return said{out.Bytes(), err2.Bytes()}, err
}
