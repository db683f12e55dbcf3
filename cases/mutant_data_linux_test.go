package cases

import (
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// Lies about the bytes; counts, offsets and positions are as they would be.
var dataLies = []transferLie{
	{everyTransfer, "the last byte is reported and not moved", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			if t.count < 2 {
				return call(t)
			}
			cut := *t
			cut.count--
			n, errno := call(&cut)
			if n == cut.count {
				pass(t.in, t.inOffset, 1)
				steal(t.in, 1)
				n++
			}
			return n, errno
		}
	}},
	{withInOffset, "the last byte is moved and not reported", answering(func(t *transfer, n int, errno sys.Errno) (int, sys.Errno) {
		if n > 1 && isFile(t.in) {
			pass(t.in, t.inOffset, -1)
			n--
		}
		return n, errno
	})},
	{everyTransfer, "what comes out is zeros", changed(func(p []byte) { clear(p) })},
	{everyTransfer, "the first byte is wrong", changed(func(p []byte) { p[0] ^= 0xff })},
	{everyTransfer, "the last byte is wrong", changed(func(p []byte) { p[len(p)-1] ^= 0xff })},
	{everyTransfer, "behind the first page everything is zeros", changed(func(p []byte) { clear(p[min(pageBytes, len(p)):]) })},
	{everyTransfer, "the bytes are copied", changed(func([]byte) {})},
	{withInOffset, "a file is what it was at the first call", func(call transferring) transferring {
		var mu sync.Mutex
		was := map[string][]byte{}
		return func(t *transfer) (int, sys.Errno) {
			path, _ := os.Readlink(procLink(t.in))
			st, _ := sys.Fstat(t.in)
			if !isOurs(t.in) || st.Size > 64<<20 {
				return call(t)
			}
			mu.Lock()
			p, ok := was[path]
			if !ok {
				p = make([]byte, st.Size)
				honest.Pread(t.in, p, 0)
				was[path] = p
			}
			mu.Unlock()
			fake, ok := standIn(t.in, p, 0, int64(len(p)))
			if !ok {
				return call(t)
			}
			defer sys.Close(fake)
			return t.from(fake, call)
		}
	}},
}

// changed is a kernel that moves other bytes than those of the source: it makes
// the call from something of the same kind that holds them.
func changed(change func(p []byte)) func(transferring) transferring {
	return func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			if t.count <= 0 {
				return call(t)
			}
			switch {
			case isPipe(t.in):
				return t.fromPipe(call, change)
			case isFile(t.in):
				return t.fromFile(call, change)
			case isSocket(t.in):
				return t.fromSocket(call, change)
			default:
				return t.fromDevice(call, change)
			}
		}
	}
}

// mostChanged is how much of a source is changed at a time.
const mostChanged = 32 << 20

// fromFile makes the call from another file of the same size.
func (t *transfer) fromFile(call transferring, change func([]byte)) (int, sys.Errno) {
	if t.inOffset != nil && !sound(t.inOffset) {
		return call(t)
	}
	at := atNow(t.in, t.inOffset)
	st, _ := sys.Fstat(t.in)
	size := st.Size
	if size == 0 { // a file of /proc
		size = at + 1<<20
	}
	if at < 0 || at >= size {
		return call(t)
	}
	p := make([]byte, min(int64(t.count), size-at, mostChanged))
	n, errno := honest.Pread(t.in, p, at)
	if n <= 0 || errno != 0 || !t.seekableSource(at) {
		return call(t)
	}
	if st.Size == 0 {
		size = at + int64(n)
	}
	change(p[:n])
	fake, ok := standIn(t.in, p[:n], at, size)
	if !ok {
		return call(t)
	}
	defer sys.Close(fake)
	return t.from(fake, call)
}

// seekableSource tells whether splice can take bytes out of the source: many a
// file of /proc can only be read.
func (t *transfer) seekableSource(at int64) bool {
	r, w, _ := honest.Pipe(true)
	defer sys.Close(r)
	defer sys.Close(w)
	n, errno := honest.Splice(t.in, &at, w, nil, pageBytes, sys.SpliceNonblock)
	return n > 0 && errno == 0
}

// from makes the call from a file in the place of the source.
func (t *transfer) from(fake int, call transferring) (int, sys.Errno) {
	own := *t
	own.in, own.inOffset = fake, new(atNow(t.in, t.inOffset))
	n, errno := call(&own)
	if n > 0 {
		pass(t.in, t.inOffset, int64(n))
	}
	return n, errno
}

// standIn is a file of this size with p at a place, on the filesystem of fd
// where that is one of ours.
func standIn(fd int, p []byte, at, size int64) (int, bool) {
	fake, errno := -1, sys.Errno(0)
	if path, _ := os.Readlink(procLink(fd)); isOurs(fd) && filepath.IsAbs(path) {
		file, err := os.CreateTemp(filepath.Dir(path), "stand-in")
		if err != nil {
			file, err = os.CreateTemp("", "stand-in")
		}
		if err == nil {
			fake, errno = sys.Open(file.Name(), os.O_RDWR)
			os.Remove(file.Name())
			file.Close()
		}
	}
	if fake < 0 {
		fake, errno = sys.MemfdCreate("stand-in", 0)
	}
	if errno != 0 {
		return -1, false
	}
	sys.Ftruncate(fake, size)
	honest.Pwrite(fake, p, at)
	return fake, true
}

// fromPipe makes the call from another pipe with as much in it.
func (t *transfer) fromPipe(call transferring, change func([]byte)) (int, sys.Errno) {
	if t.inOffset != nil || !t.awaited() {
		return call(t)
	}
	p, ok := peeked(t.in, t.count)
	if !ok {
		return call(t)
	}
	change(p)
	r, w, errno := honest.Pipe(false)
	if errno != 0 {
		return call(t)
	}
	defer sys.Close(r)
	defer sys.Close(w)
	honest.SetPipeSize(w, len(p)+pageBytes)
	inject(w, p)
	own := *t
	own.in = r
	n, errno := call(&own)
	if left, _ := sys.Queued(r); n > 0 && left < len(p) { // else it was tee
		steal(t.in, n)
	}
	return n, errno
}

// awaited waits for a pipe or socket to have something, where the call would.
func (t *transfer) awaited() bool {
	ready, errno := sys.Poll(t.in, false, 0)
	if !ready && errno == 0 && t.waits() {
		ready, errno = sys.Poll(t.in, false, 3000)
	}
	if !ready || errno != 0 {
		return false
	}
	n, errno := sys.Queued(t.in)
	return errno == 0 && n > 0
}

// peeked is a copy of what waits in a pipe, up to count bytes.
func peeked(fd, count int) ([]byte, bool) {
	size, errno := honest.PipeSize(fd)
	if errno != 0 {
		return nil, false
	}
	r, w, errno := honest.Pipe(true)
	if errno != 0 {
		return nil, false
	}
	defer sys.Close(r)
	defer sys.Close(w)
	honest.SetPipeSize(w, size)
	n, errno := honest.Tee(fd, w, count, sys.SpliceNonblock)
	if errno != 0 || n <= 0 {
		return nil, false
	}
	p := make([]byte, n)
	n, _ = honest.Read(r, p)
	return p[:max(n, 0)], n > 0
}

// fromSocket makes the call from a file that holds what the socket would give.
func (t *transfer) fromSocket(call transferring, change func([]byte)) (int, sys.Errno) {
	if t.inOffset != nil || !isPipe(t.out) || !t.awaited() {
		return call(t)
	}
	p := make([]byte, min(t.count, 1<<20))
	n, errno := honest.Recv(t.in, p, syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	if n <= 0 || errno != 0 {
		return call(t)
	}
	change(p[:n])
	fake, ok := standIn(t.in, p[:n], 0, int64(n))
	if !ok {
		return call(t)
	}
	defer sys.Close(fake)
	own := *t
	own.in, own.inOffset, own.count = fake, new(int64(0)), min(t.count, n)
	n, errno = call(&own)
	if n > 0 {
		honest.Read(t.in, p[:n])
	}
	return n, errno
}

// fromDevice takes the bytes out by way of a pipe, as the call would, and makes
// the call from a file that holds them.
func (t *transfer) fromDevice(call transferring, change func([]byte)) (int, sys.Errno) {
	if room, errno := sys.Poll(t.out, true, 0); errno != 0 || !room || t.inOffset != nil {
		return call(t)
	}
	r, w, errno := honest.Pipe(true)
	if errno != 0 {
		return call(t)
	}
	defer sys.Close(r)
	defer sys.Close(w)
	n, errno := honest.Splice(t.in, nil, w, nil, t.count, t.flags)
	if n <= 0 || errno != 0 {
		return call(t)
	}
	p := make([]byte, n)
	honest.Read(r, p)
	change(p)
	fake, ok := standIn(t.in, p, 0, int64(n))
	if !ok {
		return call(t)
	}
	defer sys.Close(fake)
	own := *t
	own.in, own.inOffset, own.count = fake, new(int64(0)), n
	return call(&own)
}
