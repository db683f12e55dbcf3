package zerocopy

import (
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// The pool keeps few idle pipes, counts what is out, and makes only the first
// ones large.
func TestPipePool(t *testing.T) {
	t.Parallel()
	k := sys.Native()
	pool := newPipePool(40)
	var out []*pipe
	for range 40 {
		p, why := pool.get(k)
		require.NotNil(t, p, "%v", why)
		out = append(out, p)
	}
	large := 0
	for _, p := range out {
		size, errno := k.PipeSize(p.r)
		require.Zero(t, errno)
		require.Equal(t, p.size, size)
		if size > stuntedPipe {
			large++
		}
		nonblock, errno := sys.Nonblocking(p.w)
		require.Zero(t, errno)
		require.True(t, nonblock)
	}
	require.LessOrEqual(t, large, largePipes)
	p, why := pool.get(k)
	require.Nil(t, p)
	require.Equal(t, ReasonPipeLimit, why.reason)

	// One with a byte in it is discarded by its user, and not handed out again.
	dirty := out[0]
	_, errno := k.Write(dirty.w, []byte{1})
	require.Zero(t, errno)
	pool.discard(dirty)
	for _, p := range out[1:] {
		pool.put(p)
	}
	require.Len(t, pool.idle, idlePipes)
	require.Zero(t, pool.out)
	for range idlePipes {
		p, _ := pool.get(k)
		_, errno := k.Read(p.r, make([]byte, 1))
		require.Equal(t, syscall.EAGAIN, errno, "a pipe out of the pool has bytes in it")
		pool.put(p)
	}
	pool.closeIdle()
	require.Zero(t, pool.large)
	require.Empty(t, pool.idle)
}

// After a failure the pool does not try again for a moment.
func TestPipePoolPauses(t *testing.T) {
	t.Parallel()
	calls := 0
	k := sys.Native()
	k.Pipe = func(bool) (int, int, sys.Errno) {
		calls++
		return -1, -1, syscall.EMFILE
	}
	pool := newPipePool(0)
	for range 100 {
		p, why := pool.get(k)
		require.Nil(t, p)
		require.Equal(t, refusal{ReasonNoPipe, "pipe2", syscall.EMFILE}, why)
	}
	require.Less(t, calls, 20)
	require.Zero(t, pool.out)
	require.Zero(t, pool.large)
}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if os.IsNotExist(err) {
		t.Skip("without /proc descriptors cannot be counted")
	}
	require.NoError(t, err)
	return len(entries)
}

// Transfers that succeed and fail in every way leave no descriptor behind. Not
// parallel: it counts those of the process.
func TestNoDescriptorLeaks(t *testing.T) {
	round := func(t *testing.T) {
		for _, edit := range paths {
			e := tamper(t, edit)
			src := fileWith(t, pattern(sized(1<<20, 100_000), 70))
			for _, deadline := range []time.Duration{0, 5 * time.Millisecond} {
				var wg sync.WaitGroup
				for range 4 {
					a, b := pair(t, "tcp")
					c, d := pair(t, "tcp")
					small(t, c, d)
					if deadline > 0 {
						require.NoError(t, c.SetWriteDeadline(time.Now().Add(deadline)))
						require.NoError(t, a.SetWriteDeadline(time.Now().Add(deadline)))
					} else {
						wg.Add(1)
						go func() {
							defer wg.Done()
							<-collect(d)
						}()
					}
					wg.Add(2)
					go func() {
						defer wg.Done()
						_, _ = e.FileToSocket(a, src, new(int64), -1)
						_ = a.CloseWrite()
					}()
					go func() {
						defer wg.Done()
						_, _ = e.SocketRelay(c, b, -1)
						_ = c.(*net.TCPConn).CloseWrite()
					}()
				}
				wg.Wait()
			}
			require.Zero(t, e.pipes.out)
			require.LessOrEqual(t, len(e.pipes.idle), idlePipes)
		}
	}
	t.Run("warm", round)
	before := descriptors(t)
	t.Run("round", round)
	require.Equal(t, before, descriptors(t))
}

// An engine that is forgotten closes its pipes.
func TestForgottenEngineClosesPipes(t *testing.T) {
	before := descriptors(t)
	func() {
		e := New(Config{})
		p, _ := e.pipes.get(e.kernel)
		e.pipes.put(p)
		require.Equal(t, before+2, descriptors(t))
	}()
	require.Eventually(t, func() bool {
		runtime.GC()
		return descriptors(t) == before
	}, patience, 10*time.Millisecond)
}
