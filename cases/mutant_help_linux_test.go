package cases

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// pageBytes is the size of a page here.
var pageBytes = os.Getpagesize()

// firstTime is true at its first call.
func firstTime() func() bool {
	var done atomic.Bool
	return func() bool { return !done.Swap(true) }
}

// mirror is a pipe through which pointers are tried.
var mirror = sync.OnceValues(func() (int, int) {
	r, w, _ := honest.Pipe(true)
	return r, w
})

var mirrored sync.Mutex

// sound tells whether an offset can be looked at and changed: some cases hand
// over pointers that only a kernel survives.
func sound(offset *int64) bool {
	if offset == nil {
		return false
	}
	r, w := mirror()
	mirrored.Lock()
	defer mirrored.Unlock()
	p := unsafe.Slice((*byte)(unsafe.Pointer(offset)), 8)
	if _, errno := honest.Write(w, p); errno != 0 {
		return false
	}
	if _, errno := honest.Read(r, p); errno != 0 {
		honest.Read(r, make([]byte, 8))
		return false
	}
	return true
}

// like is a pointer of its own to the same offset.
func like(offset *int64) *int64 {
	if !sound(offset) {
		return offset
	}
	return new(*offset)
}

// slip moves an offset.
func slip(offset *int64, by int64) {
	if sound(offset) {
		*offset += by
	}
}

// shift moves a file position.
func shift(fd int, by int64) { honest.Seek(fd, by, 1) }

// pass moves the offset, or the position where there is none.
func pass(fd int, offset *int64, by int64) {
	if offset != nil {
		slip(offset, by)
	} else {
		shift(fd, by)
	}
}

// modeOf is the type of a file, as in its mode; none for the standard
// descriptors, by which a worker hears and answers.
func modeOf(fd int) uint32 {
	st, errno := sys.Fstat(fd)
	if errno != 0 || fd <= 2 {
		return ^uint32(0)
	}
	return st.Mode & syscall.S_IFMT
}

func isPipe(fd int) bool { return modeOf(fd) == syscall.S_IFIFO }

func isSocket(fd int) bool { return modeOf(fd) == syscall.S_IFSOCK }

func isFile(fd int) bool { return modeOf(fd) == syscall.S_IFREG }

// procLink is a path by which a descriptor can be opened again.
func procLink(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

// isOurs tells whether a descriptor is a file that a case has made: others must
// not be written to.
func isOurs(fd int) bool {
	path, err := os.Readlink(procLink(fd))
	return err == nil && isFile(fd) && (strings.HasPrefix(path, os.TempDir()+"/") || strings.HasPrefix(path, "/memfd:"))
}

// steal takes up to n bytes that wait in a pipe, a socket or a terminal.
func steal(fd, n int) {
	switch modeOf(fd) {
	case syscall.S_IFIFO, syscall.S_IFSOCK, syscall.S_IFCHR:
		if ready, errno := sys.Poll(fd, false, 0); ready && errno == 0 {
			honest.Read(fd, make([]byte, n))
		}
	}
}

// stealAll takes all that waits.
func stealAll(fd int) {
	if n, errno := sys.Queued(fd); errno == 0 && n > 0 {
		steal(fd, n)
	}
}

// inject writes into a pipe, a socket or the end of a file what goes without waiting.
func inject(fd int, p []byte) {
	if len(p) == 0 {
		return
	}
	switch modeOf(fd) {
	case syscall.S_IFSOCK:
		if _, errno := honest.Send(fd, p, syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL); errno == syscall.EAGAIN {
			sys.SetSendBuffer(fd, 1<<20)
			honest.Send(fd, p, syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL)
		}
	case syscall.S_IFIFO:
		if broken, _ := sys.PollError(fd, 0); broken {
			return
		}
		if w, errno := sys.Open(procLink(fd), os.O_WRONLY|syscall.O_NONBLOCK); errno == 0 {
			honest.Write(w, p)
			sys.Close(w)
		}
	case syscall.S_IFREG:
		if st, _ := sys.Fstat(fd); isOurs(fd) {
			overwrite(fd, p, st.Size)
		}
	}
}

// overwrite writes into a file that a case has made, whatever its mode is.
func overwrite(fd int, p []byte, at int64) {
	if !isOurs(fd) {
		return
	}
	if w, errno := sys.Open(procLink(fd), os.O_RDWR); errno == 0 {
		honest.Pwrite(w, p, at)
		sys.Close(w)
	}
}

// spoil changes one byte of a file that a case has made, near a place.
func spoil(fd int, at int64) {
	st, _ := sys.Fstat(fd)
	if !isOurs(fd) || st.Size == 0 {
		return
	}
	if r, errno := sys.Open(procLink(fd), os.O_RDONLY); errno == 0 {
		p, at := make([]byte, 1), max(0, min(at, st.Size-1))
		honest.Pread(r, p, at)
		sys.Close(r)
		overwrite(fd, []byte{p[0] ^ 0xff}, at)
	}
}

// atNow is where a call reads or writes: the offset, or the position.
func atNow(fd int, offset *int64) int64 {
	if sound(offset) {
		return *offset
	}
	at, _ := honest.Seek(fd, 0, 1)
	return at
}

// waits tells whether a call waits where it has nothing to do yet.
func (t *transfer) waits() bool {
	in, _ := sys.Nonblocking(t.in)
	out, _ := sys.Nonblocking(t.out)
	return !in && !out && t.flags&sys.SpliceNonblock == 0
}

// doze sleeps in the kernel, in a call that is none of Go's scheduler.
func doze(d time.Duration) {
	r, w, _ := honest.Pipe(false)
	sys.Poll(r, false, int(d.Milliseconds()))
	sys.Close(r)
	sys.Close(w)
}
