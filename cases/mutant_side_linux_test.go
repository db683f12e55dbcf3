package cases

import (
	"syscall"
	"time"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// Lies about what a call does beside its work.
var sideLies = []transferLie{
	{everyTransfer, "an error drops a byte of the source", after(func(t *transfer, n int) {
		if n < 0 {
			take(t.in, 1)
		}
	})},
	{everyTransfer, "an error drops a byte of what waits in the destination", after(func(t *transfer, n int) {
		if n < 0 {
			takeBack(t.out, 1)
		}
	})},
	{everyTransfer, "an error writes a byte", after(func(t *transfer, n int) {
		if n < 0 {
			put(t.out, []byte{0x55})
		}
	})},
	{everyTransfer, "an error changes a byte of the source", after(func(t *transfer, n int) {
		if n < 0 {
			spoil(t.in, place(t.in, t.inOffset))
		}
	})},
	{everyTransfer, "an error changes a byte of the destination", after(func(t *transfer, n int) {
		if n < 0 {
			spoil(t.out, 0)
		}
	})},
	{everyTransfer, "a call that moves nothing writes a byte", after(func(t *transfer, n int) {
		if n == 0 {
			put(t.out, []byte{0x55})
		}
	})},
	{everyTransfer, "a call that moves nothing sends an empty message", after(func(t *transfer, n int) {
		if n == 0 && isSocket(t.out) {
			honest.Send(t.out, nil, syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL)
		}
	})},
	{everyTransfer, "a byte more is written than reported", after(func(t *transfer, n int) {
		if n > 0 {
			put(t.out, []byte{0x55})
		}
	})},
	{everyTransfer, "a byte more is taken than reported", after(func(t *transfer, n int) {
		if n > 0 {
			take(t.in, 1)
		}
	})},
	{everyTransfer, "a byte of the source is lost before the rest is moved", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			if n, errno := sys.Queued(t.in); errno == 0 && n > 1 {
				take(t.in, 1)
			}
			return call(t)
		}
	}},
	{everyTransfer, "the first byte of the source is changed by the call", after(func(t *transfer, n int) {
		if n > 0 {
			spoil(t.in, 0)
		}
	})},
	{withInOffset, "the first byte of the destination is changed by the call", after(func(t *transfer, n int) {
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
	{everyTransfer, "a success raises SIGPIPE", after(func(_ *transfer, n int) {
		if n > 0 {
			raiseSIGPIPE()
		}
	})},
	{everyTransfer, "an error raises SIGPIPE", after(func(_ *transfer, n int) {
		if n < 0 {
			raiseSIGPIPE()
		}
	})},
}

// Lies about waiting.
var waitLies = []transferLie{
	{everyTransfer, "no call waits", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
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
	}},
	{everyTransfer, "a call takes a nap", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			doze(nap)
			return call(t)
		}
	}},
	{everyTransfer, "an EAGAIN comes late", answer(func(_ *transfer, n int, errno sys.Errno) (int, sys.Errno) {
		if errno == syscall.EAGAIN {
			doze(nap)
		}
		return n, errno
	})},
	{everyTransfer, "O_NONBLOCK is ignored", func(call transferring) transferring {
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

// nap is longer than a case looks for a call that waits.
const nap = 60 * time.Millisecond

// raiseSIGPIPE raises it in this thread; Go lets it pass unless somebody asks.
func raiseSIGPIPE() {
	r, w, _ := honest.Pipe(false)
	sys.Close(r)
	honest.Write(w, []byte{0})
	sys.Close(w)
}

// takeBack takes n bytes out of a pipe by its other end, which only /proc knows.
func takeBack(w, n int) {
	if !isPipe(w) {
		return
	}
	if r, errno := sys.Open(link(w), syscall.O_RDONLY|syscall.O_NONBLOCK); errno == 0 {
		take(r, n)
		sys.Close(r)
	}
}
