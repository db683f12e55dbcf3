package zerocopy

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// Config is how an [Engine] works. The zero value is what almost everyone wants.
type Config struct {
	// MaxPipes is how many pipes the engine has in use at one time, each with
	// two descriptors and with at most 1 MiB in it. A transfer that finds none
	// left copies for the moment. 0 means 256.
	MaxPipes int

	// Kernel is the calls that the engine makes; nil means those of the system.
	// It is for the tests of this module, which put a tampered kernel there.
	Kernel *sys.Kernel
}

// Engine moves bytes, counts what it moved, and keeps a small pool of pipes. It
// is safe for use by many goroutines at one time. Two engines share nothing.
type Engine struct {
	kernel *sys.Kernel
	pipes  *pipePool
	tally  tally
	trial  bool // no path stands in for another: see tryBackend

	backendOnce sync.Once
	backend     BackendInfo
}

// New makes an engine.
func New(config Config) *Engine {
	e := &Engine{kernel: config.Kernel, pipes: newPipePool(config.MaxPipes)}
	if e.kernel == nil {
		e.kernel = sys.Native()
	}
	// The pool's descriptors are no os.Files, so nothing else would close them.
	runtime.AddCleanup(e, func(pool *pipePool) { pool.closeIdle() }, e.pipes)
	return e
}

var standard = sync.OnceValue(func() *Engine { return New(Config{}) })

// Default returns the engine behind the functions of this package.
func Default() *Engine { return standard() }

// FileToSocket sends count bytes of src to dst, or all to the end of src where
// count is negative.
//
// With an offset it reads from there and moves *offset, and the file's own
// position stays as it is, as with pread(2); without one it reads from the
// file's position and moves that. Either has moved by exactly n when it returns,
// whatever the error (sendfile(2): "offset … will be set to the offset of the
// byte following the last byte that was read" holds for bytes that dst
// accepted). Goroutines that use the position of one file at the same time each
// get bytes of their own; when one of them fails on a path other than sendfile,
// the position is set back relative to where it then is, which is not atomic.
//
// A source that has no position (a pipe, a terminal, most devices) is relayed:
// what was read from it and not accepted comes back in an [InFlightError]. An
// explicit offset on such a source is an error (ESPIPE).
//
// The file may change or end while it is sent: the bytes are those that the
// kernel found when it sent them, and on the zero-copy paths a later change can
// still show at the peer, since pages are sent by reference (splice(2), NOTES).
//
// Errors are described in the package documentation.
func FileToSocket(dst syscall.Conn, src *os.File, offset *int64, count int64) (n int64, err error) {
	res, err := standard().FileToSocket(dst, src, offset, count)
	return res.N, err
}

// SocketRelay moves count bytes from src to dst, or all until src ends where
// count is negative. It never takes more than count bytes from src.
//
// A relay takes bytes from src before dst can have them. When it fails in
// between, they come back in an [InFlightError]; a [Relay] keeps them itself.
// While src has nothing to give, no pipe and no buffer is held.
//
// The end of src is not carried over: call CloseWrite on dst for that. Errors
// are described in the package documentation.
func SocketRelay(dst, src syscall.Conn, count int64) (n int64, err error) {
	res, err := standard().SocketRelay(dst, src, count)
	return res.N, err
}

// FileToSocket is the function [FileToSocket] on this engine, and tells how the
// bytes went.
func (e *Engine) FileToSocket(dst syscall.Conn, src *os.File, offset *int64, count int64) (Result, error) {
	res, err := e.fileToSocket(dst, src, offset, count, bySendfile, nil)
	return res, verb("send file", err)
}

// SocketRelay is the function [SocketRelay] on this engine, and tells how the
// bytes went.
func (e *Engine) SocketRelay(dst, src syscall.Conn, count int64) (Result, error) {
	r := e.NewRelay(dst, src)
	defer r.Close()
	res, err := r.Run(count)
	return res, r.handOver(err)
}

// Counters returns a snapshot of what this engine has done.
func (e *Engine) Counters() Counters { return e.tally.snapshot() }

// CloseIdlePipes closes the pipes (at most 8) that the engine keeps for its next
// transfer. The engine stays usable. An engine that is no longer reachable
// closes them by itself.
func (e *Engine) CloseIdlePipes() { e.pipes.closeIdle() }

// fileToSocket checks what can be checked without the kernel, and starts at the
// given rung.
func (e *Engine) fileToSocket(dst syscall.Conn, src *os.File, offset *int64, count int64, from rung, watch func(int64)) (Result, error) {
	dst, _ = base(dst)
	switch {
	case dst == nil, src == nil:
		return Result{}, os.ErrInvalid
	case count == 0:
		return Result{}, nil
	case offset != nil && *offset < 0:
		return Result{}, fmt.Errorf("offset %d: %w", *offset, syscall.EINVAL)
	}
	return e.sendFile(dst, src, offset, count, from, watch)
}
