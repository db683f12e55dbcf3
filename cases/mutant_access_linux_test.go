package cases

import (
	"syscall"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// accessLie is a lie that can be told about several calls between memory and a
// descriptor.
type accessLie struct {
	of   []string
	name string
	lie  func(accessing) accessing
}

var (
	givers = []string{"vmsplice", "send", "write", "pwrite"}
)

// memoryMutants tells each lie about each call that it can be told about.
func memoryMutants() []mutant {
	var list []mutant
	for _, l := range accessLies {
		for _, call := range l.of {
			list = append(list, mutant{call + ": " + l.name, func(k *sys.Kernel) { tellAccess[call](k, l.lie) }})
		}
	}
	return list
}

// said changes what a call says, when it is over.
func said(change func(a *access, n int, errno sys.Errno) (int, sys.Errno)) func(accessing) accessing {
	return func(call accessing) accessing {
		return func(a *access) (int, sys.Errno) {
			n, errno := call(a)
			return change(a, n, errno)
		}
	}
}

// beside does something when a call is over.
func beside(do func(a *access, n int)) func(accessing) accessing {
	return said(func(a *access, n int, errno sys.Errno) (int, sys.Errno) {
		do(a, n)
		return n, errno
	})
}

var accessLies = []accessLie{
	{[]string{"vmsplice", "send", "recv", "read", "write"}, "one byte fewer is reported", said(func(_ *access, n int, errno sys.Errno) (int, sys.Errno) {
		if n > 0 {
			n--
		}
		return n, errno
	})},
	{[]string{"vmsplice", "send", "write"}, "one byte more is reported", said(func(_ *access, n int, errno sys.Errno) (int, sys.Errno) {
		if n > 0 {
			n++
		}
		return n, errno
	})},
	{[]string{"vmsplice", "send", "read"}, "nothing is reported as one byte", said(func(_ *access, n int, errno sys.Errno) (int, sys.Errno) {
		if n == 0 {
			n = 1
		}
		return n, errno
	})},
	{[]string{"vmsplice", "send", "write"}, "an error returns zero beside its errno", said(func(_ *access, n int, errno sys.Errno) (int, sys.Errno) {
		return max(n, 0), errno
	})},
	{[]string{"vmsplice", "send", "recv", "read", "write"}, "every errno is EIO", said(func(_ *access, n int, errno sys.Errno) (int, sys.Errno) {
		if errno != 0 {
			errno = syscall.EIO
		}
		return n, errno
	})},
	{[]string{"vmsplice", "send", "read", "write", "pread"}, "a success has an errno", said(func(_ *access, n int, errno sys.Errno) (int, sys.Errno) {
		if n >= 0 {
			errno = syscall.EIO
		}
		return n, errno
	})},
	{[]string{"vmsplice", "send", "read", "pread"}, "the end is an error", said(func(a *access, n int, errno sys.Errno) (int, sys.Errno) {
		if n == 0 {
			return -1, syscall.ENODATA
		}
		return n, errno
	})},
	{[]string{"vmsplice", "send", "recv", "read", "write"}, "errors are hidden", said(func(_ *access, n int, _ sys.Errno) (int, sys.Errno) {
		return max(n, 0), 0
	})},
	{[]string{"vmsplice", "send", "recv", "read", "write", "pwrite"}, "the first call moves nothing", func(call accessing) accessing {
		first := firstTime()
		return func(a *access) (int, sys.Errno) {
			if first() {
				return 0, 0
			}
			return call(a)
		}
	}},
	{[]string{"vmsplice", "send", "recv", "read", "write", "pwrite"}, "the first call says EAGAIN", func(call accessing) accessing {
		first := firstTime()
		return func(a *access) (int, sys.Errno) {
			if first() {
				return -1, syscall.EAGAIN
			}
			return call(a)
		}
	}},
	{[]string{"send", "read"}, "what is longer than a page says ECONNRESET", func(call accessing) accessing {
		return func(a *access) (int, sys.Errno) {
			if a.size() > pageBytes {
				return -1, syscall.ECONNRESET
			}
			return call(a)
		}
	}},
	{[]string{"vmsplice", "send", "recv", "write", "pwrite"}, "only half is moved", func(call accessing) accessing {
		return func(a *access) (int, sys.Errno) { return call(a.only((a.size() + 1) / 2)) }
	}},
	{[]string{"vmsplice", "send", "write", "pwrite"}, "the last byte is reported and not moved", func(call accessing) accessing {
		return func(a *access) (int, sys.Errno) {
			if a.size() < 2 {
				return call(a)
			}
			n, errno := call(a.only(a.size() - 1))
			if n == a.size()-1 {
				n++
			}
			return n, errno
		}
	}},
	{givers, "zeros are moved", func(call accessing) accessing {
		return func(a *access) (int, sys.Errno) {
			if a.size() == 0 {
				return call(a)
			}
			own := *a
			own.buffers = nil
			for _, b := range a.buffers {
				own.buffers = append(own.buffers, make([]byte, len(b)))
			}
			if a.reads() {
				own.buffers = a.buffers
			}
			return call(&own)
		}
	}},
	{[]string{"vmsplice"}, "zeros come out", beside(func(a *access, n int) {
		if n > 0 && a.reads() {
			for _, b := range a.only(n).buffers {
				clear(b)
			}
		}
	})},
	{[]string{"vmsplice", "send"}, "an error writes a byte", beside(func(a *access, n int) {
		if n < 0 && !a.reads() {
			inject(a.fd, []byte{0x55})
		}
	})},
	{[]string{"vmsplice", "send", "write"}, "a byte more is written than reported", beside(func(a *access, n int) {
		if n > 0 && !a.reads() {
			inject(a.fd, []byte{0x55})
		}
	})},
	{[]string{"vmsplice", "send"}, "a call that moves nothing writes a byte", beside(func(a *access, n int) {
		if n == 0 {
			inject(a.fd, []byte{0x55})
		}
	})},
	{[]string{"vmsplice"}, "an error drops a byte of what waits", beside(func(a *access, n int) {
		if n < 0 {
			steal(a.fd, 1)
			takeBack(a.fd, 1)
		}
	})},
	{[]string{"vmsplice", "send", "recv", "read", "write"}, "the first byte of the memory is changed", beside(func(a *access, n int) {
		if n > 0 && len(a.buffers[0]) > 0 {
			a.buffers[0][0] ^= 0xff
		}
	})},
	{[]string{"vmsplice"}, "no signal is raised", func(call accessing) accessing {
		return func(a *access) (n int, errno sys.Errno) {
			sys.Raised(sys.BrokenPipe, func() {
				sys.Raised(sys.FileSizeLimit, func() { n, errno = call(a) })
			})
			return n, errno
		}
	}},
	{[]string{"vmsplice"}, "a call takes a nap", func(call accessing) accessing {
		return func(a *access) (int, sys.Errno) {
			doze(nap)
			return call(a)
		}
	}},
	{[]string{"write"}, "the position is not moved", beside(func(a *access, n int) {
		if n > 0 {
			shift(a.fd, -int64(n))
		}
	})},
}

// reads tells whether the call fills the memory.
func (a *access) reads() bool {
	flags, err := fileFlags(a.fd)
	return err == nil && flags&syscall.O_ACCMODE == syscall.O_RDONLY
}
