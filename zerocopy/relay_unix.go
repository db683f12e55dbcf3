//go:build unix

package zerocopy

import (
	"bytes"
	"fmt"
	"sync"
	"syscall"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// mover is one run of a relay. It takes what src has, up to a pipe or a buffer
// full, gives all of that to dst, and begins again. Nothing is held while it
// waits for src.
type mover struct {
	account
	hooks *moverHooks

	conns    *Relay
	dst, src syscall.RawConn
	count    int64

	rung   rung
	detour refusal // copy the next piece because of this, then go on as before
	scarce Reason  // the passing reason for which pieces are being copied

	fresh   bool // the callback has just been entered
	block   bool // dst is in blocking mode
	recv    bool // src is a socket in blocking mode
	guard   bool // src is no socket and in blocking mode
	checked bool // the kind of src is known
	socket  bool // src is a socket
	done    bool // src is at its end
	again   bool // leave the callbacks, pause, and come back
	waited  bool // the callback last said that it has to wait
	spun    int  // EAGAINs in a row on an end that is ready
	err     error

	pipe   *pipe
	inPipe int
	buf    *buffer
	held   []byte // bytes in memory: in buf, or left from an earlier run
}

// moverHooks are the callbacks, made once (see hooks).
type moverHooks struct {
	check, give func(uintptr) bool // in dst.Write
	take        func(uintptr) bool // in src.Read
}

var movers = sync.Pool{New: func() any {
	m := &mover{hooks: new(moverHooks)}
	m.hooks.check = func(fd uintptr) bool {
		m.err = streamOnly(m.conns.dst, int(fd))
		return true
	}
	m.hooks.give = func(fd uintptr) bool {
		m.waited = !m.give(int(fd))
		return !m.waited
	}
	m.hooks.take = func(fd uintptr) bool {
		m.waited = !m.take(int(fd))
		return !m.waited
	}
	return m
}}

// move runs a mover, and keeps in r.pending what was taken and not given.
func (r *Relay) move(count int64) (Result, error) {
	dst, err := r.dst.SyscallConn()
	if err != nil {
		return Result{}, onSide(writeSide, err)
	}
	src, err := r.src.SyscallConn()
	if err != nil {
		return Result{}, onSide(readSide, err)
	}
	m := movers.Get().(*mover)
	*m = mover{
		account: account{e: r.e, watch: r.watch, live: r.live}, hooks: m.hooks, conns: r, dst: dst, src: src,
		count: count, rung: r.from, held: r.pending,
	}
	r.pending = nil
	if !haveSplice {
		m.rung = byCopy
		m.gaveUp(refusal{reason: ReasonMissing})
	}
	if len(m.held) > 0 {
		m.gaveUp(refusal{reason: ReasonResumed})
	}
	err = m.run()
	r.pending, err = m.keep(err)
	res := m.res
	*m = mover{hooks: m.hooks}
	movers.Put(m)
	return res, err
}

// run alternates between taking and giving.
func (m *mover) run() error {
	// dst first: a destination that is closed or past its deadline is found
	// before anything is taken from src.
	m.err = nil
	if err := m.dst.Write(m.hooks.check); err != nil || m.err != nil {
		return onSide(writeSide, firstOf(err, m.err))
	}
	for remaining(m.count, m.res.N) > 0 {
		if len(m.held) == 0 && m.inPipe == 0 {
			if err := m.enterSrc(); err != nil {
				return onSide(readSide, err)
			}
			if m.done {
				break
			}
		}
		err := m.enterDst()
		m.tell()
		if err != nil {
			return onSide(writeSide, err)
		}
	}
	if m.done && m.count >= 0 {
		return short(m.res.N, m.count)
	}
	return nil
}

// enterSrc returns when something was taken, or at the end of src.
func (m *mover) enterSrc() error {
	for !m.done && len(m.held) == 0 && m.inPipe == 0 {
		m.fresh, m.again, m.waited, m.err = true, false, false, nil
		err := m.src.Read(m.hooks.take)
		if err != nil && m.waited && unpollable(m.conns.src, err) {
			err = waitInSlices(m.src)
		}
		if err = firstOf(fileError(m.conns.src, err), m.err); err != nil {
			return err
		}
		if m.again {
			pause(m.spun)
		}
	}
	return nil
}

// enterDst returns when everything that was taken has been given.
func (m *mover) enterDst() error {
	for len(m.held) > 0 && remaining(m.count, m.res.N) > 0 || m.inPipe > 0 {
		m.fresh, m.again, m.waited, m.err = true, false, false, nil
		err := m.dst.Write(m.hooks.give)
		if err != nil && m.waited && m.block && !ended(err) {
			err = blockingError("destination", err)
		}
		if err = firstOf(err, m.err); err != nil {
			return err
		}
		if m.again {
			pause(m.spun)
		}
	}
	return nil
}

// take takes what src has, and returns false to wait in the poller. It runs in
// src.Read, whose entry forgot all earlier edges: one that comes after the call
// below is not lost.
func (m *mover) take(fd int) bool {
	if m.fresh {
		m.fresh = false
		if m.err = m.inspectSrc(fd); m.err != nil {
			return true
		}
	}
	for {
		if m.guard && !ready(fd, false) {
			return m.wait()
		}
		var errno syscall.Errno
		limit := remaining(m.count, m.res.N)
		if m.rung == bySplice && m.detour.reason == ReasonNone {
			errno = m.takePipe(fd, limit)
		} else {
			errno = m.takeBuffer(fd, limit)
		}
		switch {
		case m.err != nil, m.done, m.inPipe > 0, len(m.held) > 0:
			return true
		case errno != syscall.EAGAIN:
			continue
		case !ready(fd, false):
			return m.wait()
		}
		// EAGAIN on an end that is ready: it became so just now, or splice
		// stands before something that only recv can step over, as a byte of
		// urgent data (tcp_read_sock stops there, tcp_recvmsg skips it).
		if m.spun++; m.spun < 2 {
			continue
		}
		if m.rung == bySplice && m.detour.reason == ReasonNone {
			m.detour = refusal{ReasonFalseWait, "splice", syscall.EAGAIN}
			continue
		}
		m.again = true
		return true
	}
}

// wait books a wait in the poller.
func (m *mover) wait() bool {
	m.e.tally.waits.Add(1)
	m.spun = 0
	return false
}

// inspectSrc finds out how src may be read without blocking.
func (m *mover) inspectSrc(fd int) error {
	if !m.checked {
		m.checked = true
		t, errno := sys.TypeOf(fd)
		if m.socket = errno != syscall.ENOTSOCK; m.socket && (errno != 0 || t != sys.Stream) {
			return fmt.Errorf("source: %w", ErrNotStream)
		}
	}
	blocking := inspect(fd)
	m.guard = blocking && !m.socket
	if m.recv = blocking && m.socket; m.recv && m.rung == bySplice {
		m.rung = byCopy
		m.gaveUp(refusal{reason: ReasonBlockingDescriptor})
	}
	return nil
}

// takePipe splices src→pipe. The pipe is empty and has room, so that EAGAIN can
// only be about src; it goes back to the pool before anything waits.
func (m *mover) takePipe(fd int, limit int64) syscall.Errno {
	p, why := m.e.pipes.get(m.e.kernel)
	if p == nil {
		if m.detour = why; !why.passing() {
			m.rung, m.detour = byCopy, refusal{}
			m.gaveUp(why)
		}
		// Otherwise it is not these descriptors' fault: this piece is copied,
		// and the next one asks again. One dry spell is one fallback.
		return 0
	}
	room := int(min(limit, int64(p.size)))
	n, errno := m.e.kernel.Splice(fd, nil, p.w, nil, room, sys.SpliceNonblock)
	if n > room {
		m.e.pipes.discard(p)
		m.err = overcount("splice", n, room)
		return 0
	}
	if n > 0 {
		m.pipe, m.inPipe = p, n
		m.spun, m.scarce = 0, ReasonNone
		return 0
	}
	m.e.pipes.put(p)
	switch errno {
	case 0: // the end, unless reading finds more
		m.detour = refusal{reason: ReasonFalseEnd, call: "splice"}
	case syscall.EINTR, syscall.EAGAIN:
	default:
		why, final := refusedTaking(errno)
		if final {
			m.err = callError("splice", errno)
			break
		}
		m.rung = byCopy
		m.gaveUp(refusal{why, "splice", errno})
	}
	return errno
}

// takeBuffer reads src into a buffer.
func (m *mover) takeBuffer(fd int, limit int64) syscall.Errno {
	var (
		n     int
		errno syscall.Errno
		call  = "read"
	)
	if m.buf == nil {
		m.buf = getBuffer()
	}
	p := m.buf[:min(limit, bufferSize)]
	if m.recv {
		call = "recv"
		n, errno = m.e.kernel.Recv(fd, p, sys.NoWait)
	} else {
		n, errno = m.e.kernel.Read(fd, p)
	}
	if n > len(p) {
		m.err = overcount(call, n, len(p))
		return 0
	}
	if n > 0 {
		m.held, m.spun = p[:n], 0
		if why := m.detour; why.reason != ReasonNone && why.reason != m.scarce {
			m.scarce = why.reason
			m.gaveUp(why)
		}
		m.detour = refusal{}
		return 0
	}
	m.dropBuffer()
	switch errno {
	case 0:
		m.done = true
	case syscall.EINTR:
	case syscall.EAGAIN:
		m.detour = refusal{} // whatever comes next may be spliced again
	case syscall.ENOSYS:
		if m.recv {
			m.err = blockingError("source", nil)
			break
		}
		fallthrough
	default:
		m.err = callError(call, errno)
	}
	return errno
}

func (m *mover) dropBuffer() {
	if m.buf != nil {
		putBuffer(m.buf)
		m.buf = nil
	}
}

// give offers dst what was taken until all of it is gone, and returns false to
// wait in the poller. It runs in dst.Write.
func (m *mover) give(fd int) bool {
	if m.fresh {
		m.fresh = false
		if m.block = inspect(fd); m.block && m.rung == bySplice {
			m.leavePipe(refusal{reason: ReasonBlockingDescriptor})
		}
	}
	for m.err == nil && (m.inPipe > 0 || len(m.held) > 0) {
		limit := remaining(m.count, m.res.N)
		if limit == 0 {
			break // what an earlier run left is more than this one is to move
		}
		var errno syscall.Errno
		if m.inPipe > 0 {
			errno = m.givePipe(fd)
		} else {
			errno = m.giveBuffer(fd, limit)
		}
		if errno != syscall.EAGAIN {
			continue
		}
		if !ready(fd, true) {
			return m.wait()
		}
		if m.spun++; m.spun < 2 {
			continue
		}
		if m.inPipe > 0 {
			m.leavePipe(refusal{ReasonFalseWait, "splice", errno})
			continue
		}
		m.again = true
		return true
	}
	return true
}

// givePipe splices pipe→dst.
func (m *mover) givePipe(fd int) syscall.Errno {
	n, errno := m.e.kernel.Splice(m.pipe.r, nil, fd, nil, m.inPipe, sys.SpliceNonblock)
	switch {
	case n > 0:
		m.spun = 0
		if m.err = m.moved(bySplice, "splice", n, m.inPipe); m.err != nil {
			m.e.pipes.discard(m.pipe) // who knows what is in it
			m.pipe, m.inPipe = nil, 0
		} else if m.inPipe -= n; m.inPipe == 0 {
			m.e.pipes.put(m.pipe)
			m.pipe = nil
		}
		return 0
	case errno == syscall.EINTR, errno == syscall.EAGAIN:
		return errno
	case errno == 0: // impossible while the pipe has bytes; do not spin on it
		errno = syscall.EINVAL
	}
	why, final := refused(errno)
	if final {
		m.err = callError("splice", errno)
		m.failed(errno)
	} else {
		m.leavePipe(refusal{why, "splice", errno})
	}
	return 0
}

// giveBuffer sends bytes that are in memory.
func (m *mover) giveBuffer(fd int, limit int64) syscall.Errno {
	p := m.held[:min(int64(len(m.held)), limit)]
	n, call, errno := push(m.e.kernel, fd, p, m.block)
	switch {
	case n > 0:
		m.spun = 0
		m.err = m.moved(byCopy, call, n, len(p))
		if m.held = m.held[min(n, len(p)):]; len(m.held) == 0 {
			m.dropBuffer()
		}
		return 0
	case errno == 0:
		return syscall.EAGAIN
	case errno == syscall.EINTR, errno == syscall.EAGAIN:
		return errno
	case errno == syscall.ENOSYS && m.block:
		m.err = blockingError("destination", nil)
	default:
		m.err = callError(call, errno)
		m.failed(errno)
	}
	return errno
}

// leavePipe takes what is in the pipe into memory, and goes on by copying.
func (m *mover) leavePipe(why refusal) {
	m.gaveUp(why)
	if !why.passing() {
		m.rung = byCopy
	}
	if m.inPipe > 0 {
		m.held, m.err = m.emptyPipe()
	}
}

// emptyPipe takes the bytes out of the pipe. The pipe is closed: whether the
// kernel and this count agree on what was in it is no longer certain.
func (m *mover) emptyPipe() ([]byte, error) {
	data, err := readPipe(m.e.kernel, m.pipe, m.inPipe)
	m.e.pipes.discard(m.pipe)
	m.pipe, m.inPipe = nil, 0
	return data, err
}

// keep takes what is in flight into memory that outlives the mover.
func (m *mover) keep(cause error) ([]byte, error) {
	var err error
	if m.inPipe > 0 {
		m.held, err = m.emptyPipe()
	}
	if m.buf != nil {
		m.held = bytes.Clone(m.held)
		m.dropBuffer()
	}
	switch {
	case err == nil:
		return m.held, cause
	case cause == nil:
		return m.held, err
	default:
		return m.held, fmt.Errorf("%w; %w", cause, err)
	}
}
