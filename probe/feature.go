// Package probe finds out which zero-copy calls this host has by trying them on
// tiny fixtures and checking the bytes. Nothing is decided from a version
// number; versions, sysctls and filters are evidence beside an answer.
package probe

import (
	"fmt"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// Feature is one thing that a system can do. To add one, add a value to the
// list of its mechanism's file.
type Feature struct {
	ID       string   // "sendfile/file-tcp": mechanism and what is tried
	Facility string   // the facility of the vocabulary that it serves
	Title    string   // a sentence without a full stop
	Since    string   // the first kernel release that has it, "2.6.33"; "" where that is not known
	Source   string   // man page section, or the commit that brought it
	Systems  []string // values of GOOS
	Ends     Reason   // what it means when the kernel has the call and does not take these two ends
	Alone    bool     // no other probe may run at the same time: it uses up what a user's processes share
	Try      func(*Env)
}

// Applies tells whether the feature can be asked about on a system.
func (f *Feature) Applies(goos string) bool { return slices.Contains(f.Systems, goos) }

var linuxOnly = []string{"linux"}

// Features lists the features of a system, by id.
func Features(goos string) []*Feature {
	var list []*Feature
	for _, f := range all() {
		if f.Applies(goos) {
			list = append(list, f)
		}
	}
	slices.SortFunc(list, func(a, b *Feature) int { return compare(a.ID, b.ID) })
	return list
}

// Env is what the body of a probe works with. A body that returns has found the
// feature available; the methods that end a body say what else it is.
type Env struct {
	*fixture.Scope
	Kernel  *sys.Kernel
	feature *Feature
	finding Finding
	last    string // the call that said last that it moved bytes
}

// Evidence notes a fact for the reader. It must be the same in two runs.
func (e *Env) Evidence(format string, arguments ...any) {
	e.finding.Evidence = append(e.finding.Evidence, fmt.Sprintf(format, arguments...))
}

// Calls names the call that the feature stands for, for the finding.
func (e *Env) Calls(call string) { e.finding.Call = call }

// Answered notes which call answered, and how.
func (e *Env) Answered(call string, errno sys.Errno) {
	e.finding.Call, e.finding.Errno = call, sys.ErrnoName(errno)
}

// waitFor waits until bytes have arrived at fd. Loopback hands them on before
// the call that sends them returns, but an emulator may take its time.
func (e *Env) waitFor(fd *fixture.FD) {
	ready, errno := sys.Poll(fd.Int(), false, int(patience.Milliseconds()))
	if errno != 0 {
		e.Fatalf("poll: %w", error(errno))
	}
	if !ready {
		e.Fatalf("nothing arrived within %s", patience)
	}
}

// patience is less than the deadline of a probe.
const patience = 3 * time.Second

// Must ends the body when errno is not zero: the call was refused, and what is
// known about this host tells why.
func (e *Env) Must(call string, errno sys.Errno) {
	if errno == 0 {
		return
	}
	e.Answered(call, errno)
	diagnose(e, call, errno)
	e.Stop()
}

// Moved ends the body when a call failed or moved another number of bytes.
func (e *Env) Moved(call string, n int, errno sys.Errno, want int) {
	e.Must(call, errno)
	e.last = call
	if n != want {
		e.wrong(fmt.Sprintf("%s moved %d of %d bytes", call, n, want))
	}
}

// Moves has step move want bytes, by as many calls as it takes: a call may move
// fewer bytes than it was asked for, and the rest must follow.
func (e *Env) Moves(call string, want int, step func(left int) (int, sys.Errno)) {
	for done := 0; done < want; {
		n, errno := step(want - done)
		if errno == syscall.EINTR {
			continue
		}
		e.Must(call, errno)
		e.last = call
		if n <= 0 || n > want-done {
			e.wrong(fmt.Sprintf("%s moved %d bytes where %d were left of %d", call, n, want-done, want))
		}
		done += n
	}
}

// Arrives ends the body when what arrives at fd is not what was sent, no more
// and no less.
func (e *Env) Arrives(fd *fixture.FD, want []byte) {
	got := fixture.ReadN(e, fd, len(want))
	e.Same(append(got, fixture.ReadReady(e, fd, 64)...), want)
}

// Same ends the body when the bytes that arrived are not those that were sent.
func (e *Env) Same(got, want []byte) {
	if verdict := fixture.Compare(got, want); verdict != fixture.Right {
		e.wrong("bytes " + verdict)
	}
}

// wrong ends the body of a call that says that it worked and did not: it is as
// good as absent, whatever stands in its place.
func (e *Env) wrong(how string) {
	e.finding.Call = e.last
	reason := OSLacksCall
	if host().Emulator != "" || thisProcess().Traced {
		reason = EmulatedKernel
	}
	e.Is(Absent, reason, how, "do not use this call here: copy through user space")
}

// Is ends the body with a finding.
func (e *Env) Is(state State, reason Reason, evidence, remedy string) {
	e.finding.State, e.finding.Reason, e.finding.Remedy = state, reason, remedy
	if evidence != "" {
		e.Evidence("%s", evidence)
	}
	e.Stop()
}

// try runs the body of a feature.
func try(f *Feature, kernel *sys.Kernel, scratch string) Finding {
	e := &Env{Kernel: kernel, feature: f, finding: Finding{ID: f.ID, State: Available}}
	err := fixture.Run(scratch, func(s *fixture.Scope) {
		e.Scope = s
		f.Try(e)
	})
	if err != nil {
		e.finding.setUp(err)
	}
	return e.finding
}

// byID finds a feature of this system.
func byID(id string) (*Feature, bool) {
	for _, f := range all() {
		if f.ID == id && f.Applies(runtime.GOOS) {
			return f, true
		}
	}
	return nil, false
}
