package zerocopy

import (
	"slices"
	"strings"
	"syscall"
)

// The answers of [BackendName].
const (
	BackendFull = "sendfile+splice" // file→socket and socket→socket avoid user space
	BackendFile = "sendfile"        // only file→socket does
	BackendNone = "none"            // neither, or socket→socket alone
)

// BackendInfo is what this process can really use, found by trying.
type BackendInfo struct {
	// Name is the answer of [BackendName].
	Name string
	// Mechanisms lists every way of avoiding user space that this module knows
	// for this system, whether or not it works, the best one first.
	Mechanisms []Mechanism
}

// Mechanism is one way from a kind of source to a socket.
type Mechanism struct {
	Path   Path
	Source string // "file" or "socket"
	Works  bool
	// Reason, Call and Errno say why it does not work.
	Reason Reason
	Call   string
	Errno  syscall.Errno
}

// Why puts the reason in words, such as "splice: denied (EPERM)"; "" for a
// mechanism that works.
func (m Mechanism) Why() string { return because(m.Reason, m.Call, m.Errno) }

// String is a line such as "splice socket→socket: denied (EPERM)".
func (m Mechanism) String() string {
	s := string(m.Path) + " " + m.Source + "→socket: "
	if m.Works {
		return s + "works"
	}
	return s + strings.TrimPrefix(m.Why(), string(m.Path)+": ")
}

// String gives the name, and a line for each mechanism.
func (b BackendInfo) String() string {
	lines := []string{b.Name}
	for _, m := range b.Mechanisms {
		lines = append(lines, m.String())
	}
	return strings.Join(lines, "\n")
}

// BackendName says in one of three strings what this process can really use
// here: "sendfile+splice" where neither file→socket nor socket→socket goes
// through user space, "sendfile" where only file→socket avoids it (by whatever
// call), else "none". It is found by moving a few bytes between fixtures of its
// own the first time, and kept.
func BackendName() string { return standard().BackendName() }

// Backend is [BackendName] with the mechanisms, and why some do not work.
func Backend() BackendInfo { return standard().Backend() }

// BackendName is the function [BackendName] for this engine.
func (e *Engine) BackendName() string { return e.tryBackend().Name }

// Backend is the function [Backend] for this engine.
func (e *Engine) Backend() BackendInfo {
	info := *e.tryBackend()
	info.Mechanisms = slices.Clone(info.Mechanisms)
	return info
}

func (e *Engine) tryBackend() *BackendInfo {
	e.backendOnce.Do(func() {
		// Trials are no transfers of this engine: they have counters and
		// pipes of their own.
		trial := &Engine{kernel: e.kernel, pipes: newPipePool(1), trial: true}
		defer trial.CloseIdlePipes()
		e.backend.Mechanisms = trial.mechanisms()
		works := func(source string) bool {
			return slices.ContainsFunc(e.backend.Mechanisms, func(m Mechanism) bool {
				return m.Works && m.Source == source
			})
		}
		switch file, socket := works("file"), works("socket"); {
		case file && socket:
			e.backend.Name = BackendFull
		case file:
			e.backend.Name = BackendFile
		default:
			e.backend.Name = BackendNone
		}
	})
	return &e.backend
}

// trialSize is how many bytes a trial moves: a page, which every socket and pipe
// takes at once.
const trialSize = 4096

// tried makes a mechanism out of what a trial came to.
func tried(path Path, source string, res Result, err error) Mechanism {
	m := Mechanism{Path: path, Source: source, Reason: res.Reason, Call: res.Call, Errno: res.Errno}
	m.Works = err == nil && res.N == trialSize && res.Path == path && res.Copied == 0
	if m.Works {
		m.Reason, m.Call, m.Errno = ReasonNone, "", 0
	} else if m.Reason == ReasonNone {
		m.Reason = ReasonUntried
	}
	return m
}
