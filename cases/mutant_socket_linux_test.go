package cases

import (
	"syscall"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// ofNotice is a lie about the notifications of MSG_ZEROCOPY.
func ofNotice(name string, lie func(n *sys.ZerocopyNotice, errno sys.Errno) sys.Errno) mutant {
	return mutant{"notice: " + name, func(k *sys.Kernel) {
		notice := k.ZerocopyNotice
		k.ZerocopyNotice = func(fd int) (sys.ZerocopyNotice, sys.Errno) {
			n, errno := notice(fd)
			errno = lie(&n, errno)
			return n, errno
		}
	}}
}

// ofSend is a lie about the flags of send.
func ofSend(name string, flags func(int) int) mutant {
	return mutant{"send: " + name, func(k *sys.Kernel) {
		send := k.Send
		k.Send = func(fd int, p []byte, f int) (int, sys.Errno) { return send(fd, p, flags(f)) }
	}}
}

// told is an answer with these fields changed, where there is one.
func told(change func(n *sys.ZerocopyNotice)) func(*sys.ZerocopyNotice, sys.Errno) sys.Errno {
	return func(n *sys.ZerocopyNotice, errno sys.Errno) sys.Errno {
		if errno == 0 {
			change(n)
		}
		return errno
	}
}

var socketMutants = []mutant{
	ofSend("MSG_ZEROCOPY is ignored", func(f int) int { return f &^ sys.MsgZerocopy }),
	ofSend("plain sends are counted too", func(f int) int { return f | sys.MsgZerocopy }),
	ofNotice("calls are numbered from one", told(func(n *sys.ZerocopyNotice) { n.First, n.Last = n.First+1, n.Last+1 })),
	ofNotice("a range ends a call early", told(func(n *sys.ZerocopyNotice) { n.Last-- })),
	ofNotice("a range ends a call late", told(func(n *sys.ZerocopyNotice) { n.Last++ })),
	{"notice: a call is left out between two notifications", func(k *sys.Kernel) {
		notice, first := k.ZerocopyNotice, firstTime()
		k.ZerocopyNotice = func(fd int) (sys.ZerocopyNotice, sys.Errno) {
			if ready, _ := sys.WaitError(fd, 0); ready && first() {
				return sys.ZerocopyNotice{Origin: 5, Copied: true}, 0 // of the first call; the true one stays in the queue
			}
			n, errno := notice(fd)
			if errno == 0 {
				n.First += 2
			}
			return n, errno
		}
	}},
	{"send: an error hangs up", func(k *sys.Kernel) {
		k.Send = func(fd int, p []byte, flags int) (int, sys.Errno) {
			n, errno := honest.Send(fd, p, flags)
			if errno != 0 {
				sys.Shutdown(fd, 2)
			}
			return n, errno
		}
	}},
	{"send: the bytes go three times", func(k *sys.Kernel) {
		k.Send = func(fd int, p []byte, flags int) (int, sys.Errno) {
			inject(fd, p)
			inject(fd, p)
			return honest.Send(fd, p, flags)
		}
	}},
	{"send: MSG_ZEROCOPY needs no option, and its notifications stay", func(k *sys.Kernel) {
		k.Send = func(fd int, p []byte, flags int) (int, sys.Errno) {
			sys.SetZerocopy(fd)
			return honest.Send(fd, p, flags)
		}
		k.ZerocopyNotice = func(int) (sys.ZerocopyNotice, sys.Errno) { return sys.ZerocopyNotice{}, syscall.EAGAIN }
	}},
	{"send: an error leaves no room", func(k *sys.Kernel) {
		k.Send = func(fd int, p []byte, flags int) (int, sys.Errno) {
			n, errno := honest.Send(fd, p, flags)
			for failed := sys.Errno(0); errno != 0 && failed == 0; {
				_, failed = honest.Send(fd, p, syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL)
			}
			return n, errno
		}
	}},
	{"send: MSG_ZEROCOPY needs no option", func(k *sys.Kernel) {
		k.Send = func(fd int, p []byte, flags int) (int, sys.Errno) {
			sys.SetZerocopy(fd)
			return honest.Send(fd, p, flags)
		}
	}},
	ofNotice("a copy is not admitted", told(func(n *sys.ZerocopyNotice) { n.Copied = false })),
	ofNotice("the origin is another", told(func(n *sys.ZerocopyNotice) { n.Origin = 4 })),
	ofNotice("there is an errno in it", told(func(n *sys.ZerocopyNotice) { n.Errno = uint32(syscall.ENOBUFS) })),
	ofNotice("an empty queue is a success", func(_ *sys.ZerocopyNotice, errno sys.Errno) sys.Errno {
		if errno == syscall.EAGAIN {
			errno = 0
		}
		return errno
	}),
	{"notice: it comes twice", func(k *sys.Kernel) {
		notice := k.ZerocopyNotice
		var last sys.ZerocopyNotice
		again := false
		k.ZerocopyNotice = func(fd int) (sys.ZerocopyNotice, sys.Errno) {
			if again = !again; !again {
				return last, 0
			}
			n, errno := notice(fd)
			last, again = n, errno == 0
			return n, errno
		}
	}},
	{"notice: it stays in the queue", func(k *sys.Kernel) {
		k.ZerocopyNotice = func(int) (sys.ZerocopyNotice, sys.Errno) {
			return sys.ZerocopyNotice{Origin: 5, Copied: true}, 0
		}
	}},
	{"notice: an empty queue waits", func(k *sys.Kernel) {
		notice := k.ZerocopyNotice
		k.ZerocopyNotice = func(fd int) (sys.ZerocopyNotice, sys.Errno) {
			n, errno := notice(fd)
			if errno == syscall.EAGAIN {
				doze(nap)
			}
			return n, errno
		}
	}},
}
