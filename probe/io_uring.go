package probe

import (
	"syscall"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

var ioUringFeatures = []*Feature{
	{
		ID:       "io_uring/setup",
		Facility: "io_uring",
		Title:    "io_uring_setup(2) and the memory of a ring",
		Since:    "5.1",
		Source:   "io_uring(7)",
		Systems:  linuxOnly,
		Try:      func(e *Env) { ring(e) },
	},
	{
		ID:       "io_uring/splice",
		Facility: "io_uring",
		Title:    "IORING_OP_SPLICE from a pipe to a TCP socket",
		Since:    "5.7",
		Source:   "commit 7d67af2c0134 (io_uring: add splice(2) support)",
		Systems:  linuxOnly,
		Try: func(e *Env) {
			want := fixture.Pattern(1, pageful)
			a, b := fixture.TCP(e)
			r := ring(e)
			in := filledPipe(e, want)
			e.Moves("io_uring IORING_OP_SPLICE", len(want), func(left int) (int, sys.Errno) {
				return perform(e, r, sys.Request{Op: sys.RingSplice, FD: a.Int(), In: in.Int(), Count: left})
			})
			e.Arrives(b, want)
		},
	},
	{
		ID:       "io_uring/tee",
		Facility: "io_uring",
		Title:    "IORING_OP_TEE from a pipe to a pipe",
		Since:    "5.8",
		Source:   "io_uring_enter(2), IORING_OP_TEE; commit f2a8d5c7a218",
		Systems:  linuxOnly,
		Try: func(e *Env) {
			want := fixture.Pattern(1, pageful)
			first := filledPipe(e, want)
			second, w := fixture.Pipe(e)
			r := ring(e)
			n, errno := perform(e, r, sys.Request{Op: sys.RingTee, FD: w.Int(), In: first.Int(), Count: len(want)})
			e.Moved("io_uring IORING_OP_TEE", n, errno, len(want))
			e.Arrives(second, want)
			e.Arrives(first, want)
		},
	},
	{
		ID:       "io_uring/send-zc",
		Facility: "io_uring",
		Title:    "IORING_OP_SEND_ZC on a TCP socket: the result, then the notification",
		Since:    "6.0",
		Source:   "io_uring_enter(2), IORING_OP_SEND_ZC",
		Systems:  linuxOnly,
		Try: func(e *Env) {
			want := fixture.Pattern(1, 20_000)
			memory := fixture.Memory(e, len(want))
			copy(memory, want)
			a, b := fixture.TCP(e)
			r := ring(e)
			// Linux 6.2 and some before it tell whether they copied (commit e307e6698165).
			request := sys.Request{Op: sys.RingSendZC, FD: a.Int(), Buffer: memory, Count: len(memory), Priority: sys.RingReportUsage}
			done, errno := r.Do(request)
			e.Must("io_uring_enter", errno)
			asked := done.Errno != syscall.EINVAL
			if !asked {
				request.Priority = 0
				done, errno = r.Do(request)
				e.Must("io_uring_enter", errno)
			}
			noteSupport(e, r, sys.RingSendZC, done.Errno)
			e.Moved("io_uring IORING_OP_SEND_ZC", done.Result, done.Errno, len(want))
			e.Arrives(b, want)
			if !done.More {
				e.Calls("io_uring IORING_OP_SEND_ZC")
				e.Is(Inconclusive, "", "the result does not announce a notification", "")
			}
			notice, errno := r.Next()
			e.Must("io_uring_enter", errno)
			switch {
			case !notice.Notice:
				e.Calls("io_uring IORING_OP_SEND_ZC")
				e.Is(Inconclusive, "", "the second completion is no notification", "")
			case notice.Copied:
				e.Calls("io_uring IORING_OP_SEND_ZC")
				e.Is(Degraded, SilentlyCopied, "the notification says IORING_NOTIF_USAGE_ZC_COPIED", loopbackCopies)
			case !asked:
				e.Evidence("this kernel does not tell whether it copied (IORING_SEND_ZC_REPORT_USAGE is refused)")
			}
		},
	},
}

// ring is an io_uring.
func ring(e *Env) *sys.Ring {
	r, call, errno := sys.NewRing()
	e.Must(call, errno)
	e.Cleanup(r.Close)
	return r
}

// perform is one operation of a ring, as a call.
func perform(e *Env, r *sys.Ring, request sys.Request) (int, sys.Errno) {
	done, errno := r.Do(request)
	e.Must("io_uring_enter", errno)
	noteSupport(e, r, request.Op, done.Errno)
	return done.Result, done.Errno
}

// noteSupport notes, for an operation that was refused, what the kernel itself
// says of it.
func noteSupport(e *Env, r *sys.Ring, op int, refused sys.Errno) {
	if refused == 0 {
		return
	}
	supported, errno := r.Supports(op)
	switch {
	case errno != 0:
		e.Evidence("IORING_REGISTER_PROBE: %s", sys.ErrnoName(errno))
	case supported:
		e.Evidence("IORING_REGISTER_PROBE: the kernel has the operation")
	default:
		e.Evidence("IORING_REGISTER_PROBE: the kernel does not have the operation")
	}
}
