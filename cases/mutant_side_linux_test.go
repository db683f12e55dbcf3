package cases

import (
	"sync/atomic"
	"syscall"
	"time"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// Lies about what a call does beside its work.
var sideLies = []transferLie{
	{everyTransfer, "an error drops a byte of the source", afterwards(func(t *transfer, n int) {
		if n < 0 {
			steal(t.in, 1)
		}
	})},
	{everyTransfer, "an error drops a byte of what waits in the destination", afterwards(func(t *transfer, n int) {
		if n < 0 {
			takeBack(t.out, 1)
		}
	})},
	{everyTransfer, "an error writes a byte", afterwards(func(t *transfer, n int) {
		if n < 0 {
			inject(t.out, []byte{0x55})
		}
	})},
	{withInOffset, "an error changes a byte of the source", afterwards(func(t *transfer, n int) {
		if n < 0 {
			spoil(t.in, atNow(t.in, t.inOffset))
		}
	})},
	{withInOffset, "an error changes a byte of the destination", afterwards(func(t *transfer, n int) {
		if n < 0 {
			spoil(t.out, 0)
		}
	})},
	{withInOffset, "an error cuts a byte off the destination", afterwards(func(t *transfer, n int) {
		if st, _ := sys.Fstat(t.out); n < 0 && isOurs(t.out) && st.Size > 0 {
			sys.Ftruncate(t.out, st.Size-1)
		}
	})},
	{[]string{"sendfile"}, "an error sets the source to wait", afterwards(func(t *transfer, n int) {
		if n < 0 {
			sys.SetNonblock(t.in, false)
		}
	})},
	{everyTransfer, "a call that moves nothing writes a byte", afterwards(func(t *transfer, n int) {
		if n == 0 {
			inject(t.out, []byte{0x55})
		}
	})},
	{[]string{"sendfile"}, "a call that moves nothing sends an empty message", afterwards(func(t *transfer, n int) {
		if n == 0 && isSocket(t.out) {
			honest.Send(t.out, nil, syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL)
		}
	})},
	{everyTransfer, "a byte more is written than reported", afterwards(func(t *transfer, n int) {
		if n > 0 {
			inject(t.out, []byte{0x55})
		}
	})},
	{ofPipes, "a byte more is taken than reported", afterwards(func(t *transfer, n int) {
		if n > 0 {
			steal(t.in, 1)
		}
	})},
	{[]string{"sendfile"}, "a byte goes to the other connections", afterwards(func(t *transfer, _ int) {
		astray(t.out)
	})},
	{everyTransfer, "a byte of the source is lost before the rest is moved", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			if n, errno := sys.Queued(t.in); errno == 0 && n > 1 {
				steal(t.in, 1)
			}
			return call(t)
		}
	}},
	{withInOffset, "the first byte of the source is changed by the call", afterwards(func(t *transfer, n int) {
		if n > 0 {
			spoil(t.in, 0)
		}
	})},
	{withInOffset, "the first byte of the destination is changed by the call", afterwards(func(t *transfer, n int) {
		if n > 0 {
			spoil(t.out, 0)
		}
	})},
	{everyTransfer, "no signal is raised", func(call transferring) transferring {
		return func(t *transfer) (n int, errno sys.Errno) {
			sys.Raised(sys.BrokenPipe, func() {
				sys.Raised(sys.FileSizeLimit, func() { n, errno = call(t) })
			})
			return n, errno
		}
	}},
	{[]string{"sendfile"}, "a success raises SIGPIPE", afterwards(func(_ *transfer, n int) {
		if n > 0 {
			raiseSIGPIPE()
		}
	})},
	{[]string{"sendfile", "splice"}, "an error raises SIGPIPE", afterwards(func(_ *transfer, n int) {
		if n < 0 {
			raiseSIGPIPE()
		}
	})},
}

// Lies about waiting.
var waitLies = []transferLie{
	{everyTransfer, "no call waits", func(call transferring) transferring {
		return call.unwaiting
	}},
	{[]string{"sendfile", "splice", "tee"}, "a call that waits spins instead", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) { return spin(func() (int, sys.Errno) { return call.unwaiting(t) }) }
	}},
	{[]string{"sendfile", "splice", "tee"}, "a call takes a nap", func(call transferring) transferring {
		var times atomic.Int32
		return func(t *transfer) (int, sys.Errno) {
			if times.Add(1) < 10 {
				doze(nap)
			}
			return call(t)
		}
	}},
	{[]string{"sendfile", "splice", "tee"}, "O_NONBLOCK is ignored", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			for _, fd := range []int{t.in, t.out} {
				if was, errno := sys.Nonblocking(fd); errno == 0 && was {
					sys.SetNonblock(fd, false)
					defer sys.SetNonblock(fd, true)
				}
			}
			return call(t)
		}
	}},
	{[]string{"splice", "tee"}, "the flag to not wait is ignored", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			own := *t
			own.flags &^= sys.SpliceNonblock
			return call(&own)
		}
	}},
}

// unwaiting makes a call that does not wait.
func (call transferring) unwaiting(t *transfer) (int, sys.Errno) {
	for _, fd := range []int{t.in, t.out} {
		if was, errno := sys.Nonblocking(fd); errno == 0 && !was {
			sys.SetNonblock(fd, true)
			defer sys.SetNonblock(fd, false)
		}
	}
	own := *t
	if own.flags&^0xf == 0 {
		own.flags |= sys.SpliceNonblock
	}
	return call(&own)
}

// spin makes a call again and again while it has to wait, for longer than a
// case looks whether its thread sleeps.
func spin(call func() (int, sys.Errno)) (int, sys.Errno) {
	for end := time.Now().Add(2 * shortPatience); ; {
		n, errno := call()
		if errno != syscall.EAGAIN {
			return n, errno
		}
		if time.Now().After(end) {
			return -1, syscall.EINTR
		}
	}
}

// nap is longer than a case looks for a call that waits.
const nap = 120 * time.Millisecond

// raiseSIGPIPE raises it in this thread; Go lets it pass unless somebody asks.
func raiseSIGPIPE() {
	r, w, _ := honest.Pipe(false)
	sys.Close(r)
	honest.Write(w, []byte{0})
	sys.Close(w)
}

// astray sends a byte over the connections that were made beside this one.
func astray(socket int) {
	for fd := max(3, socket-8); fd < socket+8; fd++ {
		if fd != socket && isSocket(fd) {
			inject(fd, []byte{0x55})
		}
	}
}

// takeBack takes n bytes out of a pipe by its other end, which only /proc knows.
func takeBack(w, n int) {
	if !isPipe(w) {
		return
	}
	if r, errno := sys.Open(procLink(w), syscall.O_RDONLY|syscall.O_NONBLOCK); errno == 0 {
		steal(r, n)
		sys.Close(r)
	}
}
