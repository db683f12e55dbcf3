package cases

import (
	"syscall"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// ofSplice is a lie about splice alone.
func ofSplice(name string, lie func(transferring) transferring) mutant {
	return mutant{"splice: " + name, func(k *sys.Kernel) { tellTransfer["splice"](k, lie) }}
}

var spliceMutants = []mutant{
	ofSplice("an error empties the source", afterwards(func(t *transfer, n int) {
		if n < 0 {
			stealAll(t.in)
		}
	})),
	ofSplice("the source keeps what was moved", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			if !isPipe(t.in) || t.count <= 0 {
				return call(t)
			}
			p, ok := peeked(t.in, t.count)
			n, errno := call(t)
			if ok && n > 0 {
				inject(t.in, p[:min(n, len(p))])
			}
			return n, errno
		}
	}),
	ofSplice("the page in the pipe is the file's for the next writer too", afterwards(func(t *transfer, n int) {
		// What Dirty Pipe does to a file, done by hand, one splice of a byte later.
		if n == 1 {
			overwrite(t.in, []byte("more"), 1)
		}
	})),
	ofSplice("the flag keeps it from waiting for a socket", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			if ready, _ := sys.Poll(t.in, false, 0); !ready && t.flags&sys.SpliceNonblock != 0 {
				return -1, syscall.EAGAIN
			}
			return call(t)
		}
	}),
	ofSplice("SPLICE_F_MORE is ignored", withFlags(func(f int) int { return f &^ sys.SpliceMore })),
	ofSplice("SPLICE_F_MORE is always on", withFlags(func(f int) int { return f | sys.SpliceMore })),
	ofSplice("unknown flags are ignored", withFlags(func(f int) int { return f & 0xf })),
	ofSplice("SPLICE_F_GIFT is refused", notKnowing(sys.SpliceGift)),
	ofSplice("SPLICE_F_MOVE is refused", notKnowing(sys.SpliceMove)),
	ofSplice("O_APPEND is overlooked", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			n, errno := call(t)
			if errno == syscall.EINVAL && isFile(t.out) && sys.SetAppend(t.out, false) == 0 {
				n, errno = call(t)
				sys.SetAppend(t.out, true)
			}
			return n, errno
		}
	}),
	ofSplice("messages are cut at 1000 bytes", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			if t.count <= 1000 {
				return call(t)
			}
			return inParts(t, 1000, call)
		}
	}),
	ofSplice("bytes are held back for more", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			sys.SetCork(t.out, true)
			return call(t)
		}
	}),
}

// withFlags changes the flags.
func withFlags(change func(int) int) func(transferring) transferring {
	return func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			own := *t
			own.flags = change(t.flags)
			return call(&own)
		}
	}
}

// notKnowing does not know a flag.
func notKnowing(flag int) func(transferring) transferring {
	return func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			if t.flags&flag != 0 {
				return -1, syscall.EOPNOTSUPP
			}
			return call(t)
		}
	}
}
