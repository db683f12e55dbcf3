package cases

import (
	"syscall"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// setSize is the shape of SetPipeSize.
type setSize = func(fd, size int) (int, sys.Errno)

func ofPipeSize(name string, lie func(call setSize) setSize) mutant {
	return mutant{"F_SETPIPE_SZ: " + name, func(k *sys.Kernel) { k.SetPipeSize = lie(k.SetPipeSize) }}
}

var pipeMutants = []mutant{
	ofPipeSize("rounded to pages only", func(call setSize) setSize {
		return func(fd, size int) (int, sys.Errno) {
			n, errno := call(fd, size)
			if errno == 0 && size > 0 {
				n = min(n, (size+pageBytes-1)/pageBytes*pageBytes)
			}
			return n, errno
		}
	}),
	ofPipeSize("never refused", func(call setSize) setSize {
		return func(fd, size int) (int, sys.Errno) {
			if n, errno := call(fd, size); errno == 0 {
				return n, 0
			}
			return max(size, pageBytes), 0
		}
	}),
	ofPipeSize("always refused beyond a page", func(call setSize) setSize {
		return func(fd, size int) (int, sys.Errno) {
			if size > pageBytes {
				return -1, syscall.EPERM
			}
			return call(fd, size)
		}
	}),
	ofPipeSize("the size is not set", func(setSize) setSize {
		return func(fd, size int) (int, sys.Errno) {
			n := pageBytes
			for n < size {
				n *= 2
			}
			return n, 0
		}
	}),
	ofPipeSize("a page more is reported", func(call setSize) setSize {
		return func(fd, size int) (int, sys.Errno) {
			n, errno := call(fd, size)
			if errno == 0 {
				n += pageBytes
			}
			return n, errno
		}
	}),
	ofPipeSize("every errno is EIO", func(call setSize) setSize {
		return func(fd, size int) (int, sys.Errno) {
			n, errno := call(fd, size)
			if errno != 0 {
				errno = syscall.EIO
			}
			return n, errno
		}
	}),
	ofPipeSize("a success has an errno", func(call setSize) setSize {
		return func(fd, size int) (int, sys.Errno) {
			n, errno := call(fd, size)
			if errno == 0 {
				errno = syscall.EIO
			}
			return n, errno
		}
	}),
	ofPipeSize("a refusal drops a byte", func(call setSize) setSize {
		return func(fd, size int) (int, sys.Errno) {
			n, errno := call(fd, size)
			if errno != 0 {
				takeBack(fd, 1)
				steal(fd, 1)
			}
			return n, errno
		}
	}),
	ofPipeSize("a refusal changes the size", func(call setSize) setSize {
		return func(fd, size int) (int, sys.Errno) {
			n, errno := call(fd, size)
			if was, _ := honest.PipeSize(fd); errno != 0 {
				if _, failed := honest.SetPipeSize(fd, 2*was); failed != 0 {
					honest.SetPipeSize(fd, was/2)
				}
			}
			return n, errno
		}
	}),
	{"pipe: two descriptors more are left open", func(k *sys.Kernel) {
		k.Pipe = func(nonblock bool) (int, int, sys.Errno) {
			honest.Pipe(nonblock)
			return honest.Pipe(nonblock)
		}
	}},
	{"F_GETPIPE_SZ: a page more is reported", func(k *sys.Kernel) {
		k.PipeSize = func(fd int) (int, sys.Errno) {
			n, errno := honest.PipeSize(fd)
			if errno == 0 {
				n += pageBytes
			}
			return n, errno
		}
	}},
	{"pipe: a new pipe has one page", func(k *sys.Kernel) {
		k.Pipe = func(nonblock bool) (int, int, sys.Errno) {
			r, w, errno := honest.Pipe(nonblock)
			if errno == 0 {
				honest.SetPipeSize(w, pageBytes)
			}
			return r, w, errno
		}
	}},
	{"pipe: there are no more pipes", func(k *sys.Kernel) {
		k.Pipe = func(bool) (int, int, sys.Errno) { return -1, -1, syscall.EMFILE }
	}},
}
