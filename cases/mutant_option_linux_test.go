package cases

import (
	"syscall"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// Lies about the calls that set a socket up.
var optionMutants = []mutant{
	{"SO_ZEROCOPY: every socket takes it", func(k *sys.Kernel) {
		k.SetZerocopy = func(fd int) sys.Errno {
			honest.SetZerocopy(fd)
			return 0
		}
	}},
	{"SO_ZEROCOPY: no socket takes it", func(k *sys.Kernel) {
		k.SetZerocopy = func(int) sys.Errno { return syscall.ENOPROTOOPT }
	}},
	{"TCP_CORK: it is not set", func(k *sys.Kernel) {
		k.SetCork = func(int, bool) sys.Errno { return 0 }
	}},
	{"TCP_CORK: it is not taken off", func(k *sys.Kernel) {
		k.SetCork = func(fd int, on bool) sys.Errno {
			if !on {
				return 0
			}
			return honest.SetCork(fd, on)
		}
	}},
	{"TCP_ULP: every errno is EIO", func(k *sys.Kernel) {
		k.AttachULP = func(fd int, name string) sys.Errno { return asEIO(honest.AttachULP(fd, name)) }
	}},
	{"TCP_ULP: a name that does not exist is taken", func(k *sys.Kernel) {
		k.AttachULP = func(fd int, name string) sys.Errno {
			errno := honest.AttachULP(fd, name)
			if name != "tls" && errno == syscall.ENOENT {
				errno = 0
			}
			return errno
		}
	}},
	{"sockmap: a socket is not put into it", func(k *sys.Kernel) {
		k.SetSockmap = func(int, int, int) sys.Errno { return 0 }
	}},
	{"sockmap: a byte goes to the other connections", func(k *sys.Kernel) {
		k.SetSockmap = func(sockmap, slot, socket int) sys.Errno {
			astray(socket)
			return honest.SetSockmap(sockmap, slot, socket)
		}
	}},
	{"sockmap: a success has an errno", func(k *sys.Kernel) {
		k.SetSockmap = func(sockmap, slot, socket int) sys.Errno {
			honest.SetSockmap(sockmap, slot, socket)
			return syscall.EIO
		}
	}},
	{"record: its type is not told", func(k *sys.Kernel) {
		k.RecvRecord = func(fd int, p []byte) (int, int, sys.Errno) {
			n, _, errno := honest.RecvRecord(fd, p)
			return n, -1, errno
		}
	}},
	{"record: one byte fewer is reported", func(k *sys.Kernel) {
		k.RecvRecord = func(fd int, p []byte) (int, int, sys.Errno) {
			n, kind, errno := honest.RecvRecord(fd, p)
			return max(n-1, -1), kind, errno
		}
	}},
}

func asEIO(errno sys.Errno) sys.Errno {
	if errno != 0 {
		return syscall.EIO
	}
	return 0
}
