package cases

import (
	"sync/atomic"
	"syscall"
	"time"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// transferLie is a lie that can be told about several calls.
type transferLie struct {
	of   []string
	name string
	lie  func(transferring) transferring
}

var (
	everyTransfer = []string{"sendfile", "splice", "tee", "copy_file_range"}
	withInOffset  = []string{"sendfile", "splice", "copy_file_range"}
	withOutOffset = []string{"splice", "copy_file_range"}
	ofPipes       = []string{"splice", "tee"}
)

// transferLies are all of them.
var transferLies = [][]transferLie{countLies, errnoLies, offsetLies, positionLies, dataLies, sideLies, waitLies}

// transferMutants tells each lie about each call that it can be told about.
func transferMutants() []mutant {
	var list []mutant
	for _, lies := range transferLies {
		for _, l := range lies {
			for _, call := range l.of {
				list = append(list, mutant{call + ": " + l.name, func(k *sys.Kernel) { tellTransfer[call](k, l.lie) }})
			}
		}
	}
	return list
}

// answering changes what a call says, when it is over.
func answering(change func(t *transfer, n int, errno sys.Errno) (int, sys.Errno)) func(transferring) transferring {
	return func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			n, errno := call(t)
			return change(t, n, errno)
		}
	}
}

// afterwards does something when a call is over, and leaves its answer alone.
func afterwards(do func(t *transfer, n int)) func(transferring) transferring {
	return answering(func(t *transfer, n int, errno sys.Errno) (int, sys.Errno) {
		do(t, n)
		return n, errno
	})
}

// Lies about the count that is returned; the bytes and the offsets are right.
var countLies = []transferLie{
	{everyTransfer, "one byte fewer is reported", answering(func(_ *transfer, n int, errno sys.Errno) (int, sys.Errno) {
		if n > 0 {
			n--
		}
		return n, errno
	})},
	{everyTransfer, "one byte more is reported", answering(func(_ *transfer, n int, errno sys.Errno) (int, sys.Errno) {
		if n > 0 {
			n++
		}
		return n, errno
	})},
	{everyTransfer, "what was moved is not reported", answering(func(_ *transfer, n int, errno sys.Errno) (int, sys.Errno) {
		return min(n, 0), errno
	})},
	{everyTransfer, "the count that was asked for is reported", answering(func(t *transfer, n int, errno sys.Errno) (int, sys.Errno) {
		if 0 < n && n < t.count {
			n = t.count
		}
		return n, errno
	})},
	{everyTransfer, "an error returns zero beside its errno", answering(func(_ *transfer, n int, errno sys.Errno) (int, sys.Errno) {
		return max(n, 0), errno
	})},
	{everyTransfer, "nothing is reported as one byte", answering(func(_ *transfer, n int, errno sys.Errno) (int, sys.Errno) {
		if n == 0 {
			n = 1
		}
		return n, errno
	})},
	{everyTransfer, "calls after the first move nothing", func(call transferring) transferring {
		first := firstTime()
		return func(t *transfer) (int, sys.Errno) {
			if first() {
				return call(t)
			}
			return 0, 0
		}
	}},
	{everyTransfer, "every call finds the end", func(transferring) transferring {
		return func(*transfer) (int, sys.Errno) { return 0, 0 }
	}},
	{everyTransfer, "the first call moves nothing", func(call transferring) transferring {
		first := firstTime()
		return func(t *transfer) (int, sys.Errno) {
			if first() {
				return 0, 0
			}
			return call(t)
		}
	}},
	{everyTransfer, "a call moves a page at most", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			cut := *t
			if cut.count > pageBytes {
				cut.count = pageBytes
			}
			return call(&cut)
		}
	}},
	{[]string{"sendfile"}, "a call moves a megabyte at most", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			cut := *t
			if cut.count > 1<<20 {
				cut.count = 1 << 20
			}
			return call(&cut)
		}
	}},
	{withInOffset, "the count is cut to 32 bits", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			cut := *t
			cut.count = int(uint32(t.count))
			return call(&cut)
		}
	}},
	{[]string{"sendfile", "tee"}, "a count of zero is never looked at", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			if t.count == 0 {
				return 0, 0
			}
			return call(t)
		}
	}},
	{[]string{"sendfile", "splice", "tee"}, "a count of zero must have good descriptors and flags", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			if t.count == 0 {
				if n, errno := call(&transfer{t.in, t.out, new(int64(0)), nil, 1, t.flags | sys.SpliceNonblock}); n < 0 {
					return n, errno
				}
			}
			return call(t)
		}
	}},
	{withInOffset, "a negative count is a small one", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			if t.count < 0 {
				cut := *t
				cut.count = 100
				return call(&cut)
			}
			return call(t)
		}
	}},
}

// Lies about the errno.
var errnoLies = []transferLie{
	{everyTransfer, "every errno is EIO", answering(func(_ *transfer, n int, errno sys.Errno) (int, sys.Errno) {
		if errno != 0 {
			errno = syscall.EIO
		}
		return n, errno
	})},
	{everyTransfer, "a success has an errno", answering(func(_ *transfer, n int, errno sys.Errno) (int, sys.Errno) {
		if n >= 0 {
			errno = syscall.EIO
		}
		return n, errno
	})},
	{everyTransfer, "errors are hidden", answering(func(_ *transfer, n int, errno sys.Errno) (int, sys.Errno) {
		return max(n, 0), 0
	})},
	{everyTransfer, "the end is an error", answering(func(t *transfer, n int, errno sys.Errno) (int, sys.Errno) {
		if n == 0 && t.count > 0 {
			return -1, syscall.ENODATA
		}
		return n, errno
	})},
	{everyTransfer, "a short count is an error", answering(func(t *transfer, n int, errno sys.Errno) (int, sys.Errno) {
		if 0 < n && n < t.count {
			return -1, syscall.EINTR
		}
		return n, errno
	})},
	{everyTransfer, "the first call says EAGAIN", func(call transferring) transferring {
		first := firstTime()
		return func(t *transfer) (int, sys.Errno) {
			if first() {
				return -1, syscall.EAGAIN
			}
			return call(t)
		}
	}},
	{everyTransfer, "after the first call it is EAGAIN for ever", func(call transferring) transferring {
		first := firstTime()
		return func(t *transfer) (int, sys.Errno) {
			if first() {
				return call(t)
			}
			return -1, syscall.EAGAIN
		}
	}},
	{withInOffset, "the first call says ECONNRESET", func(call transferring) transferring {
		first := firstTime()
		return func(t *transfer) (int, sys.Errno) {
			if first() {
				return -1, syscall.ECONNRESET
			}
			return call(t)
		}
	}},
	{withInOffset, "what is longer than a page says ECONNRESET", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			if t.count > pageBytes {
				return -1, syscall.ECONNRESET
			}
			return call(t)
		}
	}},
	{[]string{"sendfile", "splice"}, "EAGAIN is EINTR for a while", func(call transferring) transferring {
		var began atomic.Int64
		return func(t *transfer) (int, sys.Errno) {
			n, errno := call(t)
			if now := time.Now().UnixMilli(); errno == syscall.EAGAIN {
				if began.CompareAndSwap(0, now); now-began.Load() < 1000 {
					errno = syscall.EINTR
				}
			}
			return n, errno
		}
	}},
	{everyTransfer, "bad arguments are EFAULT", answering(func(_ *transfer, n int, errno sys.Errno) (int, sys.Errno) {
		if errno == syscall.EINVAL {
			errno = syscall.EFAULT
		}
		return n, errno
	})},
}
