package zerocopy

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/internal/sys"
)

var (
	modelSeed   = flag.Uint64("model.seed", 0, "run the model tests with this one seed")
	modelRounds = flag.Int("model.rounds", 0, "how many seeds the model tests run (60; 6 with -short)")
)

// chaos is a kernel that does what a kernel may do, at random: short counts,
// interruptions, EAGAIN without need, refusals from some moment on, connections
// that fail, pipes that are not to be had. It never loses or invents a byte.
type chaos struct {
	mu  sync.Mutex
	rng *rand.Rand

	short, eintr, eagain, refuse, fail int // chances in 1000
	refused                            map[string]sys.Errno
}

func newChaos(rng *rand.Rand) *chaos {
	chance := func(limit int) int {
		if rng.IntN(2) == 0 {
			return 0
		}
		return rng.IntN(limit)
	}
	return &chaos{
		rng: rng, refused: map[string]sys.Errno{},
		short: chance(800), eintr: chance(300), eagain: chance(60), refuse: chance(60), fail: chance(12),
	}
}

var (
	refusalErrnos = []sys.Errno{syscall.ENOSYS, syscall.EPERM, syscall.EACCES, syscall.EINVAL, syscall.ENOMEM, syscall.EOPNOTSUPP, syscall.EOVERFLOW}
	failureErrnos = []sys.Errno{syscall.ECONNRESET, syscall.EPIPE, syscall.ETIMEDOUT, syscall.EHOSTUNREACH}
)

// before decides what happens to a call: an errno, or the count that it may
// move. A call that was refused once stays refused.
func (c *chaos) before(call string, count int, refusable bool) (int, sys.Errno) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if errno, ok := c.refused[call]; ok {
		return 0, errno
	}
	roll := func(chance int) bool { return c.rng.IntN(1000) < chance }
	switch {
	case roll(c.eintr):
		return 0, syscall.EINTR
	case roll(c.eagain):
		return 0, syscall.EAGAIN
	case roll(c.fail):
		return 0, failureErrnos[c.rng.IntN(len(failureErrnos))]
	case refusable && roll(c.refuse):
		c.refused[call] = refusalErrnos[c.rng.IntN(len(refusalErrnos))]
		return 0, c.refused[call]
	case count > 1 && roll(c.short):
		return 1 + c.rng.IntN(min(count, 1<<uint(1+c.rng.IntN(20)))), 0
	default:
		return count, 0
	}
}

// kernel is the native one under this regime.
func (c *chaos) kernel() *sys.Kernel {
	k := sys.Native()
	native := *k
	k.Sendfile = func(out, in int, offset *int64, count int) (int, sys.Errno) {
		count, errno := c.before("sendfile", count, true)
		if errno != 0 {
			return -1, errno
		}
		return native.Sendfile(out, in, offset, count)
	}
	k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
		call := "splice in"
		if _, errno := sys.TypeOf(out); errno == 0 {
			call = "splice out"
		}
		count, errno := c.before(call, count, true)
		if errno != 0 {
			return -1, errno
		}
		return native.Splice(in, inOffset, out, outOffset, count, flags)
	}
	k.Send = func(fd int, p []byte, flags int) (int, sys.Errno) {
		n, errno := c.before("send", len(p), false)
		if errno != 0 {
			return -1, errno
		}
		return native.Send(fd, p[:n], flags)
	}
	k.Recv = func(fd int, p []byte, flags int) (int, sys.Errno) {
		n, errno := c.before("recv", len(p), false)
		if errno != 0 {
			return -1, errno
		}
		return native.Recv(fd, p[:n], flags)
	}
	k.Read = func(fd int, p []byte) (int, sys.Errno) {
		n, errno := c.before("read", len(p), false)
		// Emptying a pipe of our own cannot fail: nothing but EINTR and
		// short counts happens to it.
		if _, notSocket := sys.TypeOf(fd); notSocket != 0 && errno != 0 && errno != syscall.EINTR {
			n, errno = len(p), 0
		}
		if errno != 0 {
			return -1, errno
		}
		return native.Read(fd, p[:n])
	}
	k.Pread = func(fd int, p []byte, offset int64) (int, sys.Errno) {
		n, errno := c.before("pread", len(p), false)
		if errno == syscall.EAGAIN { // a file does not say it
			n, errno = len(p), 0
		}
		if errno != 0 {
			return -1, errno
		}
		return native.Pread(fd, p[:n], offset)
	}
	k.Pipe = func(nonblock bool) (int, int, sys.Errno) {
		if _, errno := c.before("pipe", 1, false); errno != 0 && errno != syscall.EINTR {
			return -1, -1, syscall.EMFILE
		}
		return native.Pipe(nonblock)
	}
	k.PipeSize = func(fd int) (int, sys.Errno) {
		if _, errno := c.before("pipe size", 1, false); errno != 0 {
			return 4096, 0
		}
		return native.PipeSize(fd)
	}
	return k
}

// seeds runs f for many seeds, each of which is in its test's name.
func seeds(t *testing.T, f func(t *testing.T, rng *rand.Rand)) {
	run := func(seed uint64) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			f(t, rand.New(rand.NewPCG(seed, 1)))
		})
	}
	if *modelSeed != 0 {
		run(*modelSeed)
		return
	}
	rounds := *modelRounds
	if rounds == 0 {
		rounds = sized(60, 6)
	}
	for range rounds {
		run(rand.Uint64())
	}
}

// slowSink reads at random sizes, until the end.
func slowSink(c io.Reader, rng *rand.Rand) <-chan received {
	ch := make(chan received, 1)
	sizes := rand.New(rand.NewPCG(rng.Uint64(), 2))
	go func() {
		var all []byte
		buf := make([]byte, 1<<16)
		for {
			n, err := c.Read(buf[:1+sizes.IntN(len(buf))])
			all = append(all, buf[:n]...)
			if err != nil {
				if err == io.EOF {
					err = nil
				}
				ch <- received{all, err}
				return
			}
		}
	}()
	return ch
}

// randomFamily is a family of sockets; MPTCP is left to other tests.
func randomFamily(rng *rand.Rand) string { return families[rng.IntN(2)] }

// maybeDeadlines moves dst's write deadline about while a test runs.
func maybeDeadlines(rng *rand.Rand, dst net.Conn) {
	if rng.IntN(2) == 0 {
		_ = dst.SetWriteDeadline(time.Now().Add(time.Duration(rng.IntN(20)) * time.Millisecond))
	} else {
		_ = dst.SetWriteDeadline(time.Time{})
	}
}

// A file is sent in transfers of random counts at random positions, each going
// on where the last left off. What arrives is the file, whatever happened.
func TestModelFileToSocket(t *testing.T) {
	t.Parallel()
	seeds(t, func(t *testing.T, rng *rand.Rand) {
		size := 1 + rng.IntN(sized(3<<20, 1<<20))
		data := pattern(size, rng.Uint64())
		src := fileWith(t, data)
		e := New(Config{Kernel: newChaos(rng).kernel(), MaxPipes: 1 + rng.IntN(3)})
		defer e.CloseIdlePipes()
		dst, sink := pair(t, randomFamily(rng))
		if rng.IntN(2) == 0 {
			small(t, dst, sink)
		}
		if rng.IntN(8) == 0 {
			blocking(t, dst)
		}
		got := slowSink(sink, rng)

		var offset *int64
		if rng.IntN(2) == 0 {
			offset = new(int64)
		}
		var total int64
		for round := 0; total < int64(size); round++ {
			require.Less(t, round, 100_000, "no progress")
			count := int64(-1)
			if rng.IntN(3) > 0 {
				count = int64(rng.IntN(2 * size))
			}
			maybeDeadlines(rng, dst)
			res, err := e.FileToSocket(dst, src, offset, count)
			total += res.N

			var flight *InFlightError
			require.NotErrorAs(t, err, &flight, "a file takes its bytes back")
			at := position(t, src)
			if offset != nil {
				require.Zero(t, at)
				at = *offset
			}
			require.Equal(t, total, at, "%v %v", res, err)
			agree(t, e, total)
			switch {
			case count < 0 && err == nil:
				require.Equal(t, int64(size), total)
			case err == nil:
				require.Equal(t, count, res.N)
			case errors.Is(err, ErrShortSource):
				require.Equal(t, int64(size), total)
				require.Less(t, res.N, count)
			case count >= 0:
				require.Less(t, res.N, count)
			}
			if res.N == 0 {
				require.Equal(t, PathNone, res.Path)
			}
			require.LessOrEqual(t, res.Copied, res.N)
		}
		require.NoError(t, dst.CloseWrite())
		sameBytes(t, data, get(t, got).data)
		require.Zero(t, e.pipes.out)
	})
}

// A stream is relayed in runs of random counts. What arrived, what is in flight
// and what the source still has are the stream, at every moment.
func TestModelRelay(t *testing.T) {
	t.Parallel()
	seeds(t, func(t *testing.T, rng *rand.Rand) {
		size := 1 + rng.IntN(sized(3<<20, 1<<20))
		data := pattern(size, rng.Uint64())
		e := New(Config{Kernel: newChaos(rng).kernel(), MaxPipes: 1 + rng.IntN(3)})
		defer e.CloseIdlePipes()
		origin, src := pair(t, randomFamily(rng))
		dst, sink := pair(t, randomFamily(rng))
		if rng.IntN(2) == 0 {
			small(t, dst, sink)
		}
		if rng.IntN(8) == 0 {
			blocking(t, dst)
		}
		if rng.IntN(8) == 0 {
			blocking(t, src)
		}
		pieces := rand.New(rand.NewPCG(rng.Uint64(), 3))
		go func() {
			for rest := data; len(rest) > 0; {
				n := 1 + pieces.IntN(min(len(rest), 1<<uint(1+pieces.IntN(20))))
				if _, err := origin.Write(rest[:n]); err != nil {
					return
				}
				rest = rest[n:]
			}
			_ = origin.CloseWrite()
		}()
		got := slowSink(sink, rng)

		r := e.NewRelay(dst, src)
		var total int64
		handedBack := 0
		for round := 0; ; round++ {
			require.Less(t, round, 100_000, "no progress")
			count := int64(-1)
			if rng.IntN(3) > 0 {
				count = int64(rng.IntN(2 * size))
			}
			maybeDeadlines(rng, dst)
			if rng.IntN(4) == 0 {
				_ = src.SetReadDeadline(time.Now().Add(time.Duration(rng.IntN(10)) * time.Millisecond))
			} else {
				_ = src.SetReadDeadline(time.Time{})
			}
			var (
				res Result
				err error
			)
			if r.InFlight() == 0 && rng.IntN(4) == 0 {
				// The plain function: deliver what it hands back ourselves.
				res, err = e.SocketRelay(dst, src, count)
				var flight *InFlightError
				if errors.As(err, &flight) {
					require.NotEmpty(t, flight.Data)
					_ = dst.SetWriteDeadline(time.Time{})
					n, err := dst.Write(flight.Data)
					require.NoError(t, err)
					handedBack += n
				}
			} else {
				res, err = r.Run(count)
			}
			total += res.N
			agree(t, e, total)
			require.LessOrEqual(t, total+int64(handedBack)+int64(r.InFlight()), int64(size))
			if err == nil && count >= 0 {
				require.Equal(t, count, res.N)
			}
			if err != nil && count >= 0 {
				require.Less(t, res.N, count)
			}
			if err == nil && count < 0 || errors.Is(err, ErrShortSource) {
				break
			}
			require.Zero(t, e.pipes.out)
		}
		require.Zero(t, r.InFlight())
		require.NoError(t, r.Close())
		require.Equal(t, int64(size), total+int64(handedBack))
		require.NoError(t, dst.CloseWrite())
		sameBytes(t, data, get(t, got).data)
	})
}

// FuzzFileToSocket lets the fuzzer choose the regime, the count and the offset
// of one transfer.
func FuzzFileToSocket(f *testing.F) {
	f.Add(uint64(1), int64(-1), int64(0))
	f.Add(uint64(2), int64(100_000), int64(4095))
	f.Add(uint64(3), int64(1<<40), int64(1<<62))
	data := pattern(200_000, 80)
	f.Fuzz(func(t *testing.T, seed uint64, count, offset int64) {
		rng := rand.New(rand.NewPCG(seed, 4))
		e := New(Config{Kernel: newChaos(rng).kernel()})
		defer e.CloseIdlePipes()
		dst, sink := pair(t, "unix")
		got := collect(sink)
		at := offset
		res, err := e.FileToSocket(dst, fileWith(t, data), &at, count)
		require.NoError(t, dst.Close())
		require.Equal(t, offset+res.N, at)
		if offset < 0 {
			if count != 0 {
				require.ErrorIs(t, err, syscall.EINVAL)
			}
			return
		}
		from := min(offset, int64(len(data)))
		sameBytes(t, data[from:from+res.N], get(t, got).data)
		require.True(t, err != nil || count < 0 || res.N == count)
		require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
		agree(t, e, res.N)
	})
}
