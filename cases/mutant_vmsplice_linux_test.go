package cases

import (
	"syscall"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// ofVmsplice is a lie about vmsplice alone.
func ofVmsplice(name string, lie func(accessing) accessing) mutant {
	return mutant{"vmsplice: " + name, func(k *sys.Kernel) { tellAccess["vmsplice"](k, lie) }}
}

var vmspliceMutants = []mutant{
	ofVmsplice("the memory is copied", func(call accessing) accessing {
		return func(a *access) (int, sys.Errno) {
			if isPipe(a.fd) && a.flags&^0xf == 0 && len(a.buffers) == 1 && len(a.buffers[0]) > 0 && !a.reads() {
				if n, errno := honest.Write(a.fd, a.buffers[0]); errno == 0 {
					return n, 0
				}
			}
			return call(a)
		}
	}),
	ofVmsplice("a gift is refused", func(call accessing) accessing {
		return func(a *access) (int, sys.Errno) {
			if a.flags&sys.SpliceGift != 0 {
				return -1, syscall.EOPNOTSUPP
			}
			return call(a)
		}
	}),
	ofVmsplice("only the first segment counts", func(call accessing) accessing {
		return func(a *access) (int, sys.Errno) {
			own := *a
			own.buffers = a.buffers[:min(1, len(a.buffers))]
			return call(&own)
		}
	}),
	ofVmsplice("the flag to not wait is always on", func(call accessing) accessing {
		return func(a *access) (int, sys.Errno) {
			own := *a
			own.flags |= sys.SpliceNonblock
			return call(&own)
		}
	}),
	ofVmsplice("a call that waits spins instead", func(call accessing) accessing {
		return func(a *access) (int, sys.Errno) {
			if a.flags&sys.SpliceNonblock != 0 {
				return call(a)
			}
			own := *a
			own.flags |= sys.SpliceNonblock
			return spin(func() (int, sys.Errno) { return call(&own) })
		}
	}),
	ofVmsplice("unknown flags are ignored", func(call accessing) accessing {
		return func(a *access) (int, sys.Errno) {
			own := *a
			own.flags &= 0xf
			return call(&own)
		}
	}),
	ofVmsplice("sockets and files take it too", func(call accessing) accessing {
		return func(a *access) (int, sys.Errno) {
			n, errno := call(a)
			if errno == syscall.EBADF && (isSocket(a.fd) || isFile(a.fd)) {
				return honest.Write(a.fd, a.buffers[0])
			}
			return n, errno
		}
	}),
}
