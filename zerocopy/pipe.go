package zerocopy

import (
	"fmt"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// haveSplice: elsewhere there is no use in trying.
const haveSplice = runtime.GOOS == "linux"

const (
	// largePipe is the size that is asked for, in bytes: the default of
	// /proc/sys/fs/pipe-max-size, beyond which only root may go (pipe(7)).
	largePipe = 1 << 20
	// largePipes is how many pipes of one engine are made large. All pipes of a
	// user share pipe-user-pages-soft (16384 pages: 64 large pipes, or 1024 of
	// the 16 pages that a pipe is born with); beyond it, every new pipe of that
	// user has two pages and stays so. 16 large and 240 plain ones are half.
	largePipes = 16
	// stuntedPipe is the size in bytes below which a copy is faster.
	stuntedPipe = 64 << 10
	// idlePipes is how many empty pipes are kept for the next transfer.
	idlePipes = 8
	// defaultMaxPipes is how many pipes can hold bytes at one time.
	defaultMaxPipes = 256
	// pipePause is how long after a failure no new pipe is tried, so that an
	// exhausted limit costs next to nothing for each chunk that is copied.
	pipePause = 50 * time.Millisecond
)

// pipe is a pipe of which this process holds both ends, in nonblocking mode: the
// bytes that are left in it after an error are read out without waiting.
type pipe struct {
	r, w int
	size int // bytes, as the kernel gave it
}

// pipePool hands out empty pipes. A pipe that is not known to be empty never
// comes back to it.
type pipePool struct {
	max int

	mu     sync.Mutex
	idle   []*pipe
	out    int // handed out
	large  int // of all that exist, idle or out
	pause  time.Time
	failed refusal // why the last attempt failed
}

func newPipePool(limit int) *pipePool {
	if limit <= 0 {
		limit = defaultMaxPipes
	}
	return &pipePool{max: limit}
}

// get returns an empty pipe, or nil and why there is none.
func (pool *pipePool) get(k *sys.Kernel) (*pipe, refusal) {
	pool.mu.Lock()
	if n := len(pool.idle); n > 0 {
		p := pool.idle[n-1]
		pool.idle = pool.idle[:n-1]
		pool.out++
		pool.mu.Unlock()
		return p, refusal{}
	}
	if pool.out >= pool.max {
		pool.mu.Unlock()
		return nil, refusal{reason: ReasonPipeLimit}
	}
	if !pool.pause.IsZero() {
		if time.Now().Before(pool.pause) {
			defer pool.mu.Unlock()
			return nil, pool.failed
		}
		pool.pause = time.Time{}
	}
	pool.out++
	wantLarge := pool.large < largePipes
	if wantLarge {
		pool.large++ // reserved; corrected below
	}
	pool.mu.Unlock()

	p, why := makePipe(k, wantLarge)

	pool.mu.Lock()
	defer pool.mu.Unlock()
	if wantLarge && (p == nil || p.size <= stuntedPipe) {
		pool.large--
	} else if !wantLarge && p != nil && p.size > stuntedPipe {
		pool.large++ // a system whose pipes are born larger
	}
	if p == nil {
		pool.out--
		pool.pause, pool.failed = time.Now().Add(pipePause), why
	}
	return p, why
}

// makePipe makes a pipe and looks how large it really is: F_SETPIPE_SZ fails
// with EPERM beyond the limits of the user, and a pipe that is born beyond them
// has two pages (one before Linux 5.14).
func makePipe(k *sys.Kernel, large bool) (*pipe, refusal) {
	r, w, errno := k.Pipe(true)
	switch {
	case errno == syscall.ENOSYS:
		return nil, refusal{ReasonMissing, "pipe2", errno}
	case errno != 0:
		return nil, refusal{ReasonNoPipe, "pipe2", errno}
	}
	if large {
		_, _ = k.SetPipeSize(r, largePipe) // what counts is the size it has then
	}
	size, errno := k.PipeSize(r)
	if errno != 0 || size < stuntedPipe {
		closePipe(r, w)
		return nil, refusal{ReasonStuntedPipe, "F_GETPIPE_SZ", errno}
	}
	return &pipe{r: r, w: w, size: size}, refusal{}
}

// put takes an empty pipe back.
func (pool *pipePool) put(p *pipe) {
	pool.mu.Lock()
	pool.out--
	if len(pool.idle) < idlePipes {
		pool.idle = append(pool.idle, p)
		p = nil
	} else {
		pool.forget(p)
	}
	pool.mu.Unlock()
	if p != nil {
		closePipe(p.r, p.w)
	}
}

// discard closes a pipe that may have bytes in it.
func (pool *pipePool) discard(p *pipe) {
	pool.mu.Lock()
	pool.out--
	pool.forget(p)
	pool.mu.Unlock()
	closePipe(p.r, p.w)
}

// forget takes a pipe that will be closed out of the books.
func (pool *pipePool) forget(p *pipe) {
	if p.size > stuntedPipe {
		pool.large--
	}
}

// closeIdle closes the pipes that no transfer holds.
func (pool *pipePool) closeIdle() {
	pool.mu.Lock()
	idle := pool.idle
	pool.idle = nil
	for _, p := range idle {
		pool.forget(p)
	}
	pool.mu.Unlock()
	for _, p := range idle {
		closePipe(p.r, p.w)
	}
}

func closePipe(r, w int) {
	_ = sys.Close(r)
	_ = sys.Close(w)
}

// readPipe takes n bytes out of a pipe into memory. The pipe has them, and is in
// nonblocking mode; anything less is a loss, and said to be one.
func readPipe(k *sys.Kernel, p *pipe, n int) ([]byte, error) {
	data := make([]byte, n)
	for have := 0; have < n; {
		m, errno := k.Read(p.r, data[have:])
		switch {
		case m > n-have:
			return data, overcount("read", m, n-have)
		case m > 0:
			have += m
		case errno == syscall.EINTR:
		default:
			return data[:have], fmt.Errorf("%d bytes in the pipe are lost: %w", n-have, callError("read", errno))
		}
	}
	return data, nil
}
