package cases

import "github.com/zcprobe/zcprobe/internal/sys"

// transfer is one of the calls that move bytes from a descriptor to another,
// with its arguments: what sendfile, splice, tee and copy_file_range have in
// common, so that one lie can be told about all of them.
type transfer struct {
	in, out             int
	inOffset, outOffset *int64
	count, flags        int
}

type transferring func(t *transfer) (int, sys.Errno)

// tellTransfer puts a lie in the place of a call.
var tellTransfer = map[string]func(k *sys.Kernel, lie func(transferring) transferring){
	"sendfile": func(k *sys.Kernel, lie func(transferring) transferring) {
		call := k.Sendfile
		told := lie(func(t *transfer) (int, sys.Errno) { return call(t.out, t.in, t.inOffset, t.count) })
		k.Sendfile = func(out, in int, offset *int64, count int) (int, sys.Errno) {
			return told(&transfer{in: in, out: out, inOffset: offset, count: count})
		}
	},
	"splice": func(k *sys.Kernel, lie func(transferring) transferring) {
		call := k.Splice
		told := lie(func(t *transfer) (int, sys.Errno) {
			return call(t.in, t.inOffset, t.out, t.outOffset, t.count, t.flags)
		})
		k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
			return told(&transfer{in, out, inOffset, outOffset, count, flags})
		}
	},
	"tee": func(k *sys.Kernel, lie func(transferring) transferring) {
		call := k.Tee
		told := lie(func(t *transfer) (int, sys.Errno) { return call(t.in, t.out, t.count, t.flags) })
		k.Tee = func(in, out, count, flags int) (int, sys.Errno) {
			return told(&transfer{in: in, out: out, count: count, flags: flags})
		}
	},
	"copy_file_range": func(k *sys.Kernel, lie func(transferring) transferring) {
		call := k.CopyFileRange
		told := lie(func(t *transfer) (int, sys.Errno) {
			return call(t.in, t.inOffset, t.out, t.outOffset, t.count, t.flags)
		})
		k.CopyFileRange = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
			return told(&transfer{in, out, inOffset, outOffset, count, flags})
		}
	},
}

// access is one of the calls that move bytes between memory and a descriptor.
type access struct {
	fd      int
	buffers [][]byte // one, but for vmsplice
	offset  int64    // of pread and pwrite
	flags   int
}

type accessing func(a *access) (int, sys.Errno)

// size is how many bytes are asked for.
func (a *access) size() int {
	n := 0
	for _, b := range a.buffers {
		n += len(b)
	}
	return n
}

// only is the access cut to its first n bytes.
func (a *access) only(n int) *access {
	cut := *a
	cut.buffers = nil
	for _, b := range a.buffers {
		k := min(n, len(b))
		cut.buffers = append(cut.buffers, b[:k])
		n -= k
	}
	return &cut
}

// tellAccess is tellTransfer for them.
var tellAccess = map[string]func(k *sys.Kernel, lie func(accessing) accessing){
	"vmsplice": func(k *sys.Kernel, lie func(accessing) accessing) {
		call := k.Vmsplice
		told := lie(func(a *access) (int, sys.Errno) { return call(a.fd, a.buffers, a.flags) })
		k.Vmsplice = func(fd int, buffers [][]byte, flags int) (int, sys.Errno) {
			return told(&access{fd: fd, buffers: buffers, flags: flags})
		}
	},
	"send": func(k *sys.Kernel, lie func(accessing) accessing) {
		call := k.Send
		told := lie(func(a *access) (int, sys.Errno) { return call(a.fd, a.buffers[0], a.flags) })
		k.Send = func(fd int, p []byte, flags int) (int, sys.Errno) {
			return told(&access{fd: fd, buffers: [][]byte{p}, flags: flags})
		}
	},
	"recv": func(k *sys.Kernel, lie func(accessing) accessing) {
		call := k.Recv
		told := lie(func(a *access) (int, sys.Errno) { return call(a.fd, a.buffers[0], a.flags) })
		k.Recv = func(fd int, p []byte, flags int) (int, sys.Errno) {
			return told(&access{fd: fd, buffers: [][]byte{p}, flags: flags})
		}
	},
	"read": func(k *sys.Kernel, lie func(accessing) accessing) {
		call := k.Read
		told := lie(func(a *access) (int, sys.Errno) { return call(a.fd, a.buffers[0]) })
		k.Read = func(fd int, p []byte) (int, sys.Errno) { return told(&access{fd: fd, buffers: [][]byte{p}}) }
	},
	"write": func(k *sys.Kernel, lie func(accessing) accessing) {
		call := k.Write
		told := lie(func(a *access) (int, sys.Errno) { return call(a.fd, a.buffers[0]) })
		k.Write = func(fd int, p []byte) (int, sys.Errno) { return told(&access{fd: fd, buffers: [][]byte{p}}) }
	},
	"pread": func(k *sys.Kernel, lie func(accessing) accessing) {
		call := k.Pread
		told := lie(func(a *access) (int, sys.Errno) { return call(a.fd, a.buffers[0], a.offset) })
		k.Pread = func(fd int, p []byte, offset int64) (int, sys.Errno) {
			return told(&access{fd: fd, buffers: [][]byte{p}, offset: offset})
		}
	},
	"pwrite": func(k *sys.Kernel, lie func(accessing) accessing) {
		call := k.Pwrite
		told := lie(func(a *access) (int, sys.Errno) { return call(a.fd, a.buffers[0], a.offset) })
		k.Pwrite = func(fd int, p []byte, offset int64) (int, sys.Errno) {
			return told(&access{fd: fd, buffers: [][]byte{p}, offset: offset})
		}
	},
}
