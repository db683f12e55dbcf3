//go:build unix

package zerocopy

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"sync"
	"syscall"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// chunkSize is how many bytes are sent, at most, before dst's deadline and Close
// are looked at again. A peer that drains as fast as it is fed never makes the
// kernel say EAGAIN, and one sendfile would go on for 2 GiB.
const chunkSize = 2 << 20

// sender is one transfer from a file to a socket.
//
// Each chunk runs inside two callbacks, src's RawConn around dst's, which is the
// order in which package net takes the same locks. Waiting happens outside both:
// while dst is not ready nothing of src is held, so that it can be closed.
type sender struct {
	account
	hooks *hooks

	conn     syscall.Conn
	dst, src syscall.RawConn
	file     *os.File
	fd       int // src's, inside its callback

	fixed bool  // an explicit offset: the file's position stays
	start int64 // that offset
	at    int64 // the offset of the next call, for its address
	count int64
	size  int64 // src's size where sending goes to the end, else 0

	rung   rung
	detour refusal // copy one buffer because of this, then go on as before
	began  bool
	leave  bool // splice does not get on: copy from the next chunk on
	block  bool // dst is in blocking mode
	stream bool // src has no position: to be relayed
	done   bool // src is at its end

	want   waiting
	spun   int // EAGAINs in a row that waiting did not explain
	err    error
	dstErr error

	pipe   *pipe
	inPipe int
	buf    *buffer
	held   []byte // read from src, not yet accepted by dst
}

// waiting is what a transfer needs before it can go on.
type waiting int

const (
	waitNone waiting = iota
	waitDst
	waitSrc
)

// hooks are a sender's callbacks, made once: RawConn takes functions, and a
// closure for each chunk would be garbage.
type hooks struct {
	read    func(uintptr) bool // in src.Read
	control func(uintptr)      // in src.Control
	write   func(uintptr) bool // in dst.Write
	waiter  waiter
}

var senders = sync.Pool{New: func() any {
	s := &sender{hooks: new(hooks)}
	s.hooks.write = func(fd uintptr) bool {
		s.chunk(int(fd))
		return true
	}
	s.hooks.read = func(fd uintptr) bool {
		s.fd = int(fd)
		s.dstErr = s.dst.Write(s.hooks.write)
		return true
	}
	s.hooks.control = func(fd uintptr) { s.hooks.read(fd) }
	s.hooks.waiter.bind()
	return s
}}

// sendFile sends, and moves *offset by what was sent.
func (e *Engine) sendFile(dst syscall.Conn, src *os.File, offset *int64, count int64, from rung, watch func(int64)) (Result, error) {
	to, err := dst.SyscallConn()
	if err != nil {
		return Result{}, err
	}
	raw, err := src.SyscallConn()
	if err != nil {
		return Result{}, err
	}
	s := senders.Get().(*sender)
	*s = sender{account: account{e: e, watch: watch}, hooks: s.hooks, conn: dst, dst: to, src: raw, file: src, count: count, rung: from}
	if offset != nil {
		s.fixed, s.start = true, *offset
	}
	err = s.run()
	res, stream := s.res, s.stream
	*s = sender{hooks: s.hooks}
	senders.Put(s)
	if offset != nil {
		*offset += res.N
	}
	if !stream || err != nil {
		return res, err
	}
	return e.sendStream(dst, src, count, from, watch, res)
}

// sendStream relays from a file that has no position.
func (e *Engine) sendStream(dst syscall.Conn, src *os.File, count int64, from rung, watch func(int64), before Result) (Result, error) {
	if count >= 0 {
		count -= before.N
	}
	r := e.NewRelay(dst, src)
	defer r.Close()
	r.from, r.watch = max(from, bySplice), watch
	res, err := r.run(count)
	res.N += before.N
	res.Copied += before.Copied
	return res, r.handOver(err)
}

// left is how many bytes are still to be sent, math.MaxInt64 for all.
func (s *sender) left() int64 {
	if s.count < 0 {
		return math.MaxInt64
	}
	return s.count - s.res.N
}

func (s *sender) more() bool { return !s.done && !s.stream && s.left() > 0 }

// run alternates between chunks and waits.
func (s *sender) run() error {
	defer s.release()
	for s.more() {
		s.want = waitNone
		err := s.enter()
		s.tell()
		if err == nil && s.want != waitNone {
			err = s.wait()
		}
		if err != nil {
			return s.giveBack(err)
		}
	}
	if s.count >= 0 && s.left() > 0 && !s.stream {
		return short(s.res.N, s.count)
	}
	return nil
}

// enter runs one chunk inside the callbacks of both ends. Reading at an offset
// needs no more than that src stays open; reading at the position takes src's
// read lock, so that other readers get bytes of their own.
func (s *sender) enter() (err error) {
	s.err, s.dstErr = nil, nil
	if s.fixed {
		err = s.src.Control(s.hooks.control)
	} else {
		err = s.src.Read(s.hooks.read)
	}
	switch {
	case err != nil:
		return fileError(s.file, err)
	case s.dstErr != nil:
		return s.dstErr
	default:
		return s.err
	}
}

// wait waits for the end that said EAGAIN. Where poll(2) finds it ready all the
// same, it became so a moment ago, or the EAGAIN means something else: sendfile
// does not say which of its two ends it is about.
func (s *sender) wait() error {
	w := &s.hooks.waiter
	if s.want == waitSrc {
		_, err := w.wait(s.src, false, &s.e.tally)
		if err != nil && unpollable(s.file, err) {
			err = waitInSlices(s.src)
		}
		return fileError(s.file, err)
	}
	was, err := w.wait(s.dst, true, &s.e.tally)
	switch {
	case err != nil && s.block && !ended(err):
		return blockingError("destination", err)
	case err != nil || !was:
		return err
	}
	if s.spun++; s.spun < 2 {
		return nil
	}
	if len(s.held) == 0 && s.inPipe == 0 && s.rung != byCopy && s.detour.reason == ReasonNone {
		s.detour = refusal{ReasonFalseWait, s.rung.call(), syscall.EAGAIN}
		return nil
	}
	if s.inPipe > 0 {
		s.leave = true // in the next chunk, where src is at hand
		return nil
	}
	pause(s.spun)
	return nil
}

// chunk sends up to chunkSize bytes; it runs inside both callbacks.
func (s *sender) chunk(dst int) {
	if s.err = s.begin(dst); s.err != nil {
		return
	}
	goal := s.res.N + min(s.left(), chunkSize)
	for s.more() && s.want == waitNone && s.err == nil && s.res.N < goal {
		switch limit := s.limit(goal - s.res.N); {
		case s.rung == byCopy, s.detour.reason != ReasonNone, len(s.held) > 0:
			s.copy(dst, limit)
		case s.rung == bySplice:
			s.splice(dst, limit)
		default:
			s.sendfile(dst, limit)
		}
	}
}

// begin looks at the ends: at their kind once, at dst's mode for each chunk.
func (s *sender) begin(dst int) error {
	if !s.began {
		s.began = true
		if err := streamOnly(s.conn, dst); err != nil {
			return err
		}
		s.learnSize()
	}
	s.block = inspect(dst)
	switch {
	case s.block && s.rung != byCopy:
		if s.stream = s.res.N == 0 && !s.fixed && s.isStream(); s.stream {
			return nil
		}
		return s.leavePipe(refusal{reason: ReasonBlockingDescriptor}, byCopy)
	case s.leave:
		s.leave = false
		return s.leavePipe(refusal{ReasonFalseWait, "splice", syscall.EAGAIN}, byCopy)
	default:
		return nil
	}
}

// streamOnly refuses a destination on which the bytes of a stream would become
// messages, or which is no socket.
func streamOnly(conn syscall.Conn, fd int) error {
	if _, ok := conn.(*net.TCPConn); ok {
		return nil // what else could it be
	}
	t, errno := sys.TypeOf(fd)
	switch {
	case errno != 0:
		return fmt.Errorf("destination: %w: %w", ErrNotStream, callError("getsockopt", errno))
	case t != sys.Stream:
		return fmt.Errorf("destination: %w", ErrNotStream)
	default:
		return nil
	}
}

// learnSize finds the end of a file that is to be sent whole. Asking sendfile
// for more than there is makes kernels before 6.5 hold the last segment back
// for 200 ms, waiting for the rest (MSG_MORE; the commit "splice, net: Add a
// splice_eof op to file-ops and socket-ops" cured it).
func (s *sender) learnSize() {
	if s.count >= 0 || s.rung != bySendfile {
		return
	}
	status, errno := sys.Fstat(s.fd)
	if errno != 0 || status.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return
	}
	s.size = status.Size
	if !s.fixed {
		if position, errno := s.e.kernel.Seek(s.fd, 0, io.SeekCurrent); errno == 0 {
			s.start = position
		}
	}
}

// limit is how many bytes the next call may ask for: no more than the chunk, the
// file as far as it is known, and what an offset can count.
func (s *sender) limit(most int64) int {
	from := s.start + s.res.N
	if rest := s.size - from; rest > 0 {
		most = min(most, rest)
	}
	return int(min(most, math.MaxInt64-from))
}

// offset is the address of the offset of the next byte to take, nil for the
// file's position.
func (s *sender) offset() *int64 {
	if !s.fixed {
		return nil
	}
	s.at = s.start + s.res.N + int64(s.inPipe)
	return &s.at
}

// sendfile makes one call.
func (s *sender) sendfile(dst, limit int) {
	n, errno := s.e.kernel.Sendfile(dst, s.fd, s.offset(), limit)
	switch {
	case n > 0:
		s.accepted(bySendfile, "sendfile", n, limit)
	case errno == 0:
		s.ended("sendfile")
	case errno == syscall.EINTR:
	case errno == syscall.EAGAIN:
		s.want = waitDst
	default:
		s.refused("sendfile", errno)
	}
}

// accepted books what dst took.
func (s *sender) accepted(by rung, call string, n, offered int) {
	s.err = s.moved(by, call, n, offered)
	s.spun = 0
}

// ended handles a zero-copy call that moved nothing and reported no error. Where
// an end is no surprise it is the end. Where it is (fewer bytes than asked for,
// or none at all, as from files whose size is not known beforehand), a read has
// the last word.
func (s *sender) ended(call string) {
	if s.count < 0 && s.res.N > 0 {
		s.done = true
		return
	}
	s.detour = refusal{reason: ReasonFalseEnd, call: call}
}

// refused handles the errno of a zero-copy call that moved nothing.
func (s *sender) refused(call string, errno syscall.Errno) {
	why, final := refused(errno)
	if final {
		s.err = callError(call, errno)
		return
	}
	if !s.fixed && s.isStream() {
		s.stream = true
		return
	}
	next := byCopy
	if haveSplice && !s.e.trial && s.rung == bySendfile && (why == ReasonDenied || why == ReasonMissing) {
		// It is the call that is forbidden, not these descriptors: splice
		// does the same by another name. After EINVAL it would say the same.
		next = bySplice
	}
	s.err = s.leavePipe(refusal{why, call, errno}, next)
}

// isStream tells whether src has no position that could be set back: lseek(2)
// fails, or succeeds without meaning (devices).
func (s *sender) isStream() bool {
	if _, errno := s.e.kernel.Seek(s.fd, 0, io.SeekCurrent); errno != 0 {
		return true
	}
	status, errno := sys.Fstat(s.fd)
	if errno != 0 {
		return false
	}
	kind := status.Mode & syscall.S_IFMT
	return kind != syscall.S_IFREG && kind != syscall.S_IFBLK && kind != syscall.S_IFDIR
}

// splice moves file→pipe, then pipe→dst until the pipe is empty.
func (s *sender) splice(dst, limit int) {
	k := s.e.kernel
	if s.inPipe == 0 {
		if !s.fillPipe(limit) {
			return
		}
	}
	n, errno := k.Splice(s.pipe.r, nil, dst, nil, s.inPipe, sys.SpliceNonblock)
	switch {
	case n > 0:
		offered := s.inPipe
		s.inPipe -= min(n, offered)
		if s.accepted(bySplice, "splice", n, offered); s.err != nil {
			s.dropPipe()
		}
	case errno == syscall.EINTR:
	case errno == syscall.EAGAIN:
		s.want = waitDst
	case errno == 0: // no end: there are bytes in the pipe
		s.refused("splice", syscall.EINVAL)
	default:
		s.refused("splice", errno)
	}
}

// fillPipe splices file→pipe and tells whether there is something in it now.
func (s *sender) fillPipe(limit int) bool {
	if s.pipe == nil {
		p, why := s.e.pipes.get(s.e.kernel)
		if p == nil {
			s.err = s.leavePipe(why, byCopy)
			return false
		}
		s.pipe = p
	}
	room := min(limit, s.pipe.size)
	n, errno := s.e.kernel.Splice(s.fd, s.offset(), s.pipe.w, nil, room, sys.SpliceNonblock)
	switch {
	case n > room:
		s.err = overcount("splice", n, room)
		s.dropPipe()
	case n > 0:
		s.inPipe = n
	case errno == 0:
		s.ended("splice")
	case errno == syscall.EINTR:
	default: // EAGAIN too: the pipe is empty, so a file that can wait says it
		s.refused("splice", errno)
	}
	return s.inPipe > 0
}

// dropPipe closes a pipe of which it is not known what is in it.
func (s *sender) dropPipe() {
	s.e.pipes.discard(s.pipe)
	s.pipe, s.inPipe = nil, 0
}

// leavePipe goes on by another rung. Bytes in the pipe are dropped and will be
// read again: the file still has them.
func (s *sender) leavePipe(why refusal, next rung) error {
	s.gaveUp(why)
	s.rung = next
	return s.rewind()
}

// copy reads into the buffer if that is empty, and offers it to dst.
func (s *sender) copy(dst, limit int) {
	if len(s.held) == 0 && !s.fill(limit) {
		return
	}
	n, call, errno := push(s.e.kernel, dst, s.held, s.block)
	switch {
	case n > 0:
		offered := len(s.held)
		s.held = s.held[min(n, offered):]
		s.accepted(byCopy, call, n, offered)
		if len(s.held) == 0 {
			s.detour = refusal{}
		}
	case errno == syscall.EINTR:
	case errno == syscall.EAGAIN, errno == 0:
		s.want = waitDst
	case errno == syscall.ENOSYS && s.block:
		s.err = blockingError("destination", nil)
	default:
		s.err = callError(call, errno)
	}
}

// fill reads from the file and tells whether there is something to send.
func (s *sender) fill(limit int) bool {
	if s.detour.reason == ReasonNone && !s.fixed && s.res.N == 0 && s.isStream() {
		s.stream = true
		return false
	}
	if s.buf == nil {
		s.buf = getBuffer()
	}
	var (
		n     int
		errno syscall.Errno
		call  = "read"
		p     = s.buf[:min(limit, bufferSize)]
	)
	if offset := s.offset(); offset != nil {
		call = "pread"
		n, errno = s.e.kernel.Pread(s.fd, p, *offset)
	} else {
		n, errno = s.e.kernel.Read(s.fd, p)
	}
	switch {
	case n > len(p):
		s.err = overcount(call, n, len(p))
	case n > 0:
		s.held = p[:n]
		if s.detour.reason != ReasonNone {
			s.gaveUp(s.detour)
		}
		return true
	case errno == 0:
		s.done = true
	case errno == syscall.EINTR:
	case errno == syscall.EAGAIN:
		s.want = waitSrc
	default:
		s.err = callError(call, errno)
	}
	return false
}

// rewind sets the file's position back by the bytes that were taken and not
// accepted, and forgets them; the fd of src must be at hand.
func (s *sender) rewind() error {
	taken := s.inPipe + len(s.held)
	if taken > 0 && !s.fixed {
		if _, errno := s.e.kernel.Seek(s.fd, -int64(taken), io.SeekCurrent); errno != 0 {
			return callError("lseek", errno)
		}
	}
	s.held = nil
	if s.pipe != nil {
		if s.inPipe > 0 {
			s.e.pipes.discard(s.pipe)
		} else {
			s.e.pipes.put(s.pipe)
		}
		s.pipe, s.inPipe = nil, 0
	}
	return nil
}

// giveBack ends a transfer that failed. A file that turns out not to take bytes
// back is treated as the stream that it is.
func (s *sender) giveBack(cause error) error {
	if s.inPipe+len(s.held) == 0 {
		return cause
	}
	var failed error
	if s.fixed {
		return cause // nothing has moved but our own count
	}
	if err := s.src.Control(func(fd uintptr) {
		s.fd = int(fd)
		failed = s.rewind()
	}); err != nil {
		failed = err
	}
	if failed == nil {
		return cause
	}
	data := bytes.Clone(s.held)
	if s.inPipe > 0 {
		rest, err := readPipe(s.e.kernel, s.pipe, s.inPipe)
		if data = append(data, rest...); err != nil {
			cause = fmt.Errorf("%w; %w", cause, err)
		}
	}
	return &InFlightError{Data: data, Err: cause}
}

// release gives the resources back at the end.
func (s *sender) release() {
	if s.pipe != nil {
		if s.inPipe > 0 {
			s.e.pipes.discard(s.pipe)
		} else {
			s.e.pipes.put(s.pipe)
		}
	}
	if s.buf != nil {
		putBuffer(s.buf)
	}
}
