package driver

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"time"

	"github.com/zcprobe/zcprobe/matrix"
)

// sshPrefix begins the word that names a host instead of a target of the list:
// "ssh:user@host".
const sshPrefix = "ssh:"

// SSHTarget is the target that a word such as "ssh:user@host" names; nil where
// it names none. Its system and architecture are found out when it is tried.
func SSHTarget(word string) (*matrix.Target, error) {
	host, named := strings.CutPrefix(word, sshPrefix)
	switch {
	case !named:
		return nil, nil
	case host == "" || strings.HasPrefix(host, "-") || strings.ContainsAny(host, "/ \t\r\n'\""):
		return nil, errors.New(word + ": write ssh:HOST, as in ssh HOST; a port belongs into the configuration of ssh")
	}
	return &matrix.Target{ID: word, Driver: matrix.BySSH, Host: host, Why: "a host that was named"}, nil
}

// ssh runs the suite and the library's tests on another machine, and leaves
// nothing there.
func (l *Lab) ssh(ctx context.Context, t *matrix.Target, stage func(string)) *matrix.Outcome {
	h, on, err := l.reach(ctx, t)
	if err != nil {
		return failed(err)
	}
	described := *t
	if t.ID == sshPrefix+t.Host {
		described.ID = on.id() // who made a record is nobody's business
	}
	described.System, described.Arch = on.system, on.arch
	o := l.overSSH(ctx, &described, h, on, stage)
	o.Target = described.ID
	return o
}

// reach connects to a target's host for the first time.
func (l *Lab) reach(ctx context.Context, t *matrix.Target) (*host, remote, error) {
	h := &host{name: t.Host, config: l.SSHConfig, ssh: l.sshProgram, scp: l.scpProgram}
	on, err := h.identify(ctx)
	switch {
	case err != nil:
		return nil, on, err
	case t.System != "" && t.System != on.system, t.Arch != "" && t.Arch != on.arch:
		return nil, on, missing("it is %s on %s, the target is %s on %s", on.system, on.arch, t.System, t.Arch)
	}
	return h, on, nil
}

func (l *Lab) overSSH(ctx context.Context, t *matrix.Target, h *host, on remote, stage func(string)) *matrix.Outcome {
	program, tests, err := l.built.get(ctx, on.system, on.arch)
	if err != nil {
		return failed(err)
	}
	stage("copy")
	place, err := h.place(ctx, on, strings.ToLower(rand.Text()[:12]))
	if err != nil {
		return failed(err)
	}
	defer h.remove(ctx, on, place)
	if err := h.copy(ctx, on, place, program, suiteProgram); err != nil {
		return failed(err)
	}
	if tests != "" {
		if err := h.copy(ctx, on, place, tests, testProgram); err != nil {
			return failed(err)
		}
	}
	limit := execLimit
	if l.Limit > 0 {
		limit = l.Limit
	}
	return l.both(t, matrix.Way{Machine: on.words}, tests != "", stage, func(test bool, arguments []string) (said, error) {
		program := suiteProgram
		if test {
			program = testProgram
		}
		return h.execute(ctx, on, place, program, arguments, limit)
	})
}

// The programs' names in the directory on the host.
const (
	suiteProgram = "zcprobe"
	testProgram  = "zerocopy.test"
)

// farewell is how long the removal may take after all else has ended.
const farewell = 30 * time.Second
