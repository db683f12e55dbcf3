//go:build unix

package zerocopy

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// ready asks poll(2), without waiting, whether fd can be read (or written). An
// error or a hang-up counts as ready: the next call will tell which it is.
func ready(fd int, write bool) bool {
	ok, errno := sys.Poll(fd, write, 0)
	return ok || errno != 0
}

// waiter waits for one end outside of the callback that met EAGAIN.
//
// Entering RawConn again makes the runtime forget an edge that arrived since
// (its poller is edge-triggered and each entry resets it), hence the question
// to poll(2) after the entry: not ready then means that the edge is still to
// come. The same question shows an EAGAIN that waiting cannot cure.
type waiter struct {
	write bool
	asked bool
	was   bool // ready at once
	t     *tally
	fn    func(uintptr) bool
}

func (w *waiter) bind() {
	w.fn = func(fd uintptr) bool {
		if w.asked {
			return true
		}
		w.asked = true
		if w.was = ready(int(fd), w.write); !w.was {
			w.t.waits.Add(1)
		}
		return w.was
	}
}

// wait returns when the end is ready, at once in the case of was.
func (w *waiter) wait(raw syscall.RawConn, write bool, t *tally) (was bool, err error) {
	w.write, w.asked, w.was, w.t = write, false, false, t
	if write {
		err = raw.Write(w.fn)
	} else {
		err = raw.Read(w.fn)
	}
	w.t = nil
	return w.was, err
}

// pollSlice is how long a source that the runtime cannot poll is waited for
// until it is looked at again whether it was closed.
const pollSlice = 50 * time.Millisecond

// waitInSlices waits until src can be read, for sources that are not in the
// runtime's poller: a standard input that is a pipe in blocking mode, say. It
// occupies a thread, and Close is noticed within pollSlice. Such files have no
// deadlines (os.ErrNoDeadline).
func waitInSlices(src syscall.RawConn) error {
	for {
		var ok bool
		err := src.Control(func(fd uintptr) {
			var errno syscall.Errno
			ok, errno = sys.Poll(int(fd), false, int(pollSlice.Milliseconds()))
			ok = ok || errno != 0
		})
		if err != nil || ok {
			return err
		}
	}
}

// unpollable tells whether a wait failed because the runtime's poller does not
// have the file.
func unpollable(src any, err error) bool {
	_, file := src.(*os.File)
	return file && err != nil && !ended(fileError(src, err))
}

// pause is for an EAGAIN that poll(2) contradicts on the last path that there
// is, as a socket can do when the system is out of socket memory: there is no
// edge to wait for, so try again, ever less often.
func pause(n int) { time.Sleep(min(time.Millisecond<<min(n, 6), pollSlice)) }

// blockingError is the refusal of an end in blocking mode.
func blockingError(end string, cause error) error {
	if cause == nil {
		return fmt.Errorf("%s: %w", end, ErrBlockingDescriptor)
	}
	return fmt.Errorf("%s: %w: %w", end, ErrBlockingDescriptor, cause)
}

// inspect looks at dst before a chunk: is it in blocking mode now? It can change
// at any time, since the mode belongs to the open file description, which other
// descriptors and processes share (fcntl(2), F_SETFL).
func inspect(fd int) (blocking bool) {
	nonblocking, errno := sys.Nonblocking(fd)
	return errno == 0 && !nonblocking
}

// push offers bytes of user space to dst without ever blocking.
func push(k *sys.Kernel, fd int, p []byte, blocking bool) (n int, call string, errno syscall.Errno) {
	if n, errno = k.Send(fd, p, sys.NoWait); errno != syscall.ENOSYS {
		return n, "send", errno
	}
	if blocking {
		return -1, "send", errno
	}
	n, errno = k.Write(fd, p)
	return n, "write", errno
}
