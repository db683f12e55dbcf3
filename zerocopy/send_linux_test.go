package zerocopy

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// Every path gives the same bytes, count, offset, position and counters.
func TestFileToSocketMovesExactly(t *testing.T) {
	t.Parallel()
	data := pattern(sized(5<<20, 150_000)+123, 1)
	size := int64(len(data))
	type shape struct{ offset, position, count, want int64 } // offset < 0: nil
	shapes := map[string]shape{
		"all":                    {-1, 0, -1, size},
		"all from the position":  {-1, 1000, -1, size - 1000},
		"all from an offset":     {4097, 7, -1, size - 4097},
		"exactly the file":       {-1, 0, size, size},
		"some of the middle":     {12345, 0, 100_000, 100_000},
		"one byte":               {-1, 5, 1, 1},
		"nothing":                {3, 5, 0, 0},
		"nothing, no offset":     {-1, 5, 0, 0},
		"all from the end":       {size, 0, -1, 0},
		"all from beyond":        {size + 10, 0, -1, 0},
		"all from far beyond":    {math.MaxInt64, 0, -1, 0},
		"several chunks":         {1, 0, 2*chunkSize + 5, 2*chunkSize + 5},
		"shorter than asked":     {size - 10, 0, 20, 10},
		"shorter, from position": {-1, size - 10, math.MaxInt64, 10},
	}
	if testing.Short() { // the file is smaller than a chunk
		delete(shapes, "several chunks")
	}
	for path, edit := range paths {
		for _, family := range families {
			for name, c := range shapes {
				if testing.Short() && family != "tcp" && name != "all" && name != "shorter than asked" {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/%s", path, family, name), func(t *testing.T) {
					t.Parallel()
					e := tamper(t, edit)
					src := fileWith(t, data)
					dst, peer := pair(t, family)
					got := collect(peer)
					_, err := src.Seek(c.position, io.SeekStart)
					require.NoError(t, err)

					var offset *int64
					from := c.position
					if c.offset >= 0 {
						from, offset = c.offset, new(int64)
						*offset = c.offset
					}
					res, err := e.FileToSocket(dst, src, offset, c.count)
					require.NoError(t, dst.Close())

					if c.count > c.want {
						require.ErrorIs(t, err, ErrShortSource)
						require.ErrorIs(t, err, io.ErrUnexpectedEOF)
					} else {
						require.NoError(t, err)
					}
					assert.Equal(t, c.want, res.N)
					if offset != nil {
						assert.Equal(t, from+c.want, *offset)
						assert.Equal(t, c.position, position(t, src))
					} else {
						assert.Equal(t, from+c.want, position(t, src))
					}
					wanted := path
					if c.want == 0 {
						wanted = PathNone
					}
					assert.Equal(t, wanted, res.Path, "%v", res)
					r := get(t, got)
					require.NoError(t, r.err)
					sameBytes(t, data[min(from, size):min(from, size)+c.want], r.data)
					agree(t, e, c.want)
				})
			}
		}
	}
}

// A transfer that a deadline interrupts, once or many times, and that is
// continued at the offset it left, delivers every byte once.
func TestFileToSocketDeadline(t *testing.T) {
	t.Parallel()
	data := pattern(sized(8<<20, pastBuffers), 2)
	for path, edit := range paths {
		for _, family := range families {
			for _, fixed := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s/%s/fixed=%v", path, family, fixed), func(t *testing.T) {
					t.Parallel()
					e := tamper(t, edit)
					src := fileWith(t, data)
					dst, peer := pair(t, family)
					small(t, dst, peer)

					var offset *int64
					if fixed {
						offset = new(int64)
					}
					at := func() int64 {
						if fixed {
							return *offset
						}
						return position(t, src)
					}
					// Before: nothing moves.
					require.NoError(t, dst.SetWriteDeadline(time.Now().Add(-time.Second)))
					res, err := e.FileToSocket(dst, src, offset, -1)
					require.ErrorIs(t, err, os.ErrDeadlineExceeded)
					var timeout net.Error
					require.ErrorAs(t, err, &timeout)
					require.True(t, timeout.Timeout())
					require.Zero(t, res.N)
					require.Zero(t, at())

					// During: the peer does not read yet.
					var total int64
					for range 3 {
						require.NoError(t, dst.SetWriteDeadline(time.Now().Add(30*time.Millisecond)))
						res, err = e.FileToSocket(dst, src, offset, int64(len(data))-total)
						require.ErrorIs(t, err, os.ErrDeadlineExceeded)
						total += res.N
						require.Equal(t, total, at())
					}
					require.NoError(t, dst.SetWriteDeadline(time.Time{}))
					got := collect(peer)
					res, err = e.FileToSocket(dst, src, offset, int64(len(data))-total)
					require.NoError(t, err)
					require.Equal(t, int64(len(data)), total+res.N)
					require.Equal(t, int64(len(data)), at())
					require.NoError(t, dst.Close())
					sameBytes(t, data, get(t, got).data)
					agree(t, e, int64(len(data)))
				})
			}
		}
	}
}

// A transfer to a receiver that stalls waits in the poller: it makes hardly a
// call, and Close ends it at once.
func TestFileToSocketStallAndClose(t *testing.T) {
	t.Parallel()
	for path, edit := range paths {
		for _, family := range families {
			t.Run(fmt.Sprintf("%s/%s", path, family), func(t *testing.T) {
				t.Parallel()
				var calls atomic.Int64
				e := tamper(t, func(k *sys.Kernel) {
					if edit != nil {
						edit(k)
					}
					countCalls(k, &calls)
				})
				src := fileWith(t, pattern(sized(32<<20, pastBuffers), 3))
				dst, peer := pair(t, family)
				small(t, dst, peer)
				stall(t, e, &calls, func() (int64, error) {
					res, err := e.FileToSocket(dst, src, nil, -1)
					return res.N, err
				}, func() error { return dst.Close() }, net.ErrClosed, func(n int64) {
					require.Equal(t, n, position(t, src))
				})
			})
		}
	}
}

// stall runs a transfer until it makes no more calls, looks whether it stays
// quiet, ends it, and checks how it ended.
func stall(t *testing.T, e *Engine, calls *atomic.Int64, transfer func() (int64, error), end func() error, want error, check func(n int64)) {
	t.Helper()
	type outcome struct {
		n   int64
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		n, err := transfer()
		done <- outcome{n, err}
	}()
	require.Eventually(t, func() bool { return e.Counters().Waits > 0 }, patience, time.Millisecond)
	var before int64
	require.Eventually(t, func() bool {
		now := calls.Load()
		quiet := now == before
		before = now
		return quiet
	}, patience, 50*time.Millisecond, "it never comes to rest")
	started := time.Now()
	require.NoError(t, end())
	select {
	case o := <-done:
		require.ErrorIs(t, o.err, want)
		require.Less(t, time.Since(started), patience/4)
		agree(t, e, o.n)
		check(o.n)
	case <-time.After(patience):
		require.FailNow(t, "it did not end")
	}
}

// countCalls counts the calls that move bytes.
func countCalls(k *sys.Kernel, calls *atomic.Int64) {
	sendfile, splice, send, recv, read := k.Sendfile, k.Splice, k.Send, k.Recv, k.Read
	k.Sendfile = func(out, in int, offset *int64, count int) (int, sys.Errno) {
		calls.Add(1)
		return sendfile(out, in, offset, count)
	}
	k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
		calls.Add(1)
		return splice(in, inOffset, out, outOffset, count, flags)
	}
	k.Send = func(fd int, p []byte, flags int) (int, sys.Errno) {
		calls.Add(1)
		return send(fd, p, flags)
	}
	k.Recv = func(fd int, p []byte, flags int) (int, sys.Errno) {
		calls.Add(1)
		return recv(fd, p, flags)
	}
	k.Read = func(fd int, p []byte) (int, sys.Errno) {
		calls.Add(1)
		return read(fd, p)
	}
}

// A peer that resets in the middle: the error says so, and the offset is what
// the kernel had accepted.
func TestFileToSocketReset(t *testing.T) {
	t.Parallel()
	data := pattern(sized(16<<20, pastBuffers), 4)
	for path, edit := range paths {
		for _, fixed := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/fixed=%v", path, fixed), func(t *testing.T) {
				t.Parallel()
				e := tamper(t, edit)
				src := fileWith(t, data)
				dst, peer := pair(t, "tcp")
				if testing.Short() {
					small(t, dst, peer)
				}
				var offset *int64
				if fixed {
					offset = new(int64)
				}
				head := make([]byte, len(data)/8)
				go func() {
					_, _ = io.ReadFull(peer, head)
					_ = peer.(*net.TCPConn).SetLinger(0)
					_ = peer.Close()
				}()
				res, err := e.FileToSocket(dst, src, offset, int64(len(data)))
				require.Error(t, err)
				require.True(t, errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE), "%v", err)
				require.Contains(t, err.Error(), "send file: ")
				if fixed {
					require.Equal(t, res.N, *offset)
					require.Zero(t, position(t, src))
				} else {
					require.Equal(t, res.N, position(t, src))
				}
				require.Less(t, res.N, int64(len(data)))
				agree(t, e, res.N)
			})
		}
	}
}

func TestFileToSocketClosedEnds(t *testing.T) {
	t.Parallel()
	for path, edit := range paths {
		t.Run(string(path), func(t *testing.T) {
			t.Parallel()
			e := tamper(t, edit)
			src := fileWith(t, pattern(1000, 5))
			dst, peer := pair(t, "tcp")
			require.NoError(t, peer.Close())
			require.NoError(t, dst.Close())
			_, err := e.FileToSocket(dst, src, nil, -1)
			require.ErrorIs(t, err, net.ErrClosed)
			require.Zero(t, position(t, src))

			dst, _ = pair(t, "tcp")
			require.NoError(t, src.Close())
			_, err = e.FileToSocket(dst, src, nil, -1)
			require.ErrorIs(t, err, os.ErrClosed)
			_, err = e.FileToSocket(dst, src, new(int64), -1)
			require.ErrorIs(t, err, os.ErrClosed)

			_, err = e.FileToSocket(nil, src, nil, -1)
			require.ErrorIs(t, err, os.ErrInvalid)
			_, err = e.FileToSocket(dst, nil, nil, -1)
			require.ErrorIs(t, err, os.ErrInvalid)
			agree(t, e, 0)
		})
	}
}

// The file is closed while dst is full: that is possible (nothing holds it), and
// the transfer ends when dst can take more.
func TestFileToSocketSourceClosedDuringStall(t *testing.T) {
	t.Parallel()
	for path, edit := range paths {
		t.Run(string(path), func(t *testing.T) {
			t.Parallel()
			e := tamper(t, edit)
			data := pattern(sized(32<<20, pastBuffers), 6)
			src := fileWith(t, data)
			dst, peer := pair(t, "tcp")
			small(t, dst, peer)
			done := make(chan error, 1)
			var n, offset int64
			go func() {
				res, err := e.FileToSocket(dst, src, &offset, -1)
				n = res.N
				_ = dst.Close()
				done <- err
			}()
			require.Eventually(t, func() bool { return e.Counters().Waits > 0 }, patience, time.Millisecond)
			require.NoError(t, src.Close())
			r := get(t, collect(peer))
			require.ErrorIs(t, <-done, os.ErrClosed)
			require.Equal(t, n, offset)
			sameBytes(t, data[:n], r.data)
		})
	}
}

// Each errno that can be refused with, on the first call and on a later one,
// leads to a complete transfer by the next path, and a reason.
func TestFileToSocketFallsBack(t *testing.T) {
	t.Parallel()
	data := pattern(sized(5<<20, 500_000), 7)
	most := sized(chunkSize, 200_000) // that the kernel sends in one call: it takes at least two
	refusals := map[sys.Errno]struct {
		reason Reason
		next   Path
	}{
		syscall.ENOSYS:     {ReasonMissing, PathSplice},
		syscall.EPERM:      {ReasonDenied, PathSplice},
		syscall.EACCES:     {ReasonDenied, PathSplice},
		syscall.EINVAL:     {ReasonRefused, PathCopied},
		syscall.EOPNOTSUPP: {ReasonRefused, PathCopied},
		syscall.ENOMEM:     {ReasonNoMemory, PathCopied},
		syscall.EOVERFLOW:  {ReasonOverflow, PathCopied},
		syscall.EIO:        {ReasonSourceError, PathCopied},
		syscall.ELOOP:      {ReasonUnexpected, PathCopied},
	}
	for errno, want := range refusals {
		for _, nth := range []int64{1, 2} {
			for _, fixed := range []bool{true, false} {
				if testing.Short() && fixed == (nth == 1) {
					continue
				}
				t.Run(fmt.Sprintf("%s/call %d/fixed=%v", sys.ErrnoName(errno), nth, fixed), func(t *testing.T) {
					t.Parallel()
					var calls atomic.Int64
					e := tamper(t, func(k *sys.Kernel) {
						sendfile := k.Sendfile
						k.Sendfile = func(out, in int, offset *int64, count int) (int, sys.Errno) {
							if calls.Add(1) >= nth {
								return -1, errno
							}
							return sendfile(out, in, offset, min(count, most))
						}
					})
					src := fileWith(t, data)
					dst, peer := pair(t, "tcp")
					got := collect(peer)
					var offset *int64
					if fixed {
						offset = new(int64)
					}
					res, err := e.FileToSocket(dst, src, offset, int64(len(data)))
					require.NoError(t, err)
					require.Equal(t, int64(len(data)), res.N)
					require.Equal(t, want.next, res.Path)
					require.Equal(t, want.reason, res.Reason)
					require.Equal(t, "sendfile", res.Call)
					require.Equal(t, errno, res.Errno)
					require.Equal(t, map[Reason]int64{want.reason: 1}, e.Counters().Fallbacks)
					if want.next == PathSplice {
						require.Zero(t, res.Copied)
					}
					require.NoError(t, dst.Close())
					sameBytes(t, data, get(t, got).data)
					agree(t, e, int64(len(data)))
				})
			}
		}
	}
}

// Splice that stands in for sendfile and is refused in turn, at either of its
// ends and with bytes in the pipe, leaves the copy to finish.
func TestFileToSocketSpliceFallsBack(t *testing.T) {
	t.Parallel()
	data := pattern(sized(5<<20, 500_000), 8)
	for nth := int64(1); nth <= 6; nth++ {
		for _, fixed := range []bool{true, false} {
			t.Run(fmt.Sprintf("call %d/fixed=%v", nth, fixed), func(t *testing.T) {
				t.Parallel()
				var calls atomic.Int64
				e := tamper(t, func(k *sys.Kernel) {
					denySendfile(k)
					if testing.Short() { // many calls for few bytes
						k.SetPipeSize = func(int, int) (int, sys.Errno) { return -1, syscall.EPERM }
					}
					splice := k.Splice
					k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
						if calls.Add(1) >= nth {
							return -1, syscall.EINVAL
						}
						return splice(in, inOffset, out, outOffset, count, flags)
					}
				})
				src := fileWith(t, data)
				dst, peer := pair(t, "tcp")
				got := collect(peer)
				var offset *int64
				if fixed {
					offset = new(int64)
				}
				res, err := e.FileToSocket(dst, src, offset, -1)
				require.NoError(t, err)
				require.Equal(t, PathCopied, res.Path)
				require.Equal(t, "splice: refused (EINVAL)", res.Why())
				require.NoError(t, dst.Close())
				sameBytes(t, data, get(t, got).data)
				agree(t, e, int64(len(data)))
				if fixed {
					require.Equal(t, int64(len(data)), *offset)
				} else {
					require.Equal(t, int64(len(data)), position(t, src))
				}
			})
		}
	}
}

// No pipe to be had, or only a stunted one: the copy, with the reason.
func TestFileToSocketWithoutPipe(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit func(k *sys.Kernel)
		why  Reason
	}{
		"EMFILE": {func(k *sys.Kernel) {
			k.Pipe = func(bool) (int, int, sys.Errno) { return -1, -1, syscall.EMFILE }
		}, ReasonNoPipe},
		"stunted": {func(k *sys.Kernel) {
			k.PipeSize = func(int) (int, sys.Errno) { return 8192, 0 }
		}, ReasonStuntedPipe},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := tamper(t, func(k *sys.Kernel) {
				denySendfile(k)
				c.edit(k)
			})
			data := pattern(1<<20, 9)
			dst, peer := pair(t, "tcp")
			got := collect(peer)
			res, err := e.FileToSocket(dst, fileWith(t, data), nil, -1)
			require.NoError(t, err)
			require.Equal(t, c.why, res.Reason)
			require.Equal(t, PathCopied, res.Path)
			require.NoError(t, dst.Close())
			sameBytes(t, data, get(t, got).data)
		})
	}
}

// blocking puts a connection into blocking mode the way it happens in practice.
func blocking(t *testing.T, c stream) {
	t.Helper()
	f, err := c.File()
	require.NoError(t, err)
	_ = f.Fd() // clears O_NONBLOCK of the open file description
	t.Cleanup(func() { _ = f.Close() })
	raw, err := c.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(fd uintptr) {
		nonblock, errno := sys.Nonblocking(int(fd))
		require.Zero(t, errno)
		require.False(t, nonblock)
	}))
}

// A destination in blocking mode is copied to, and still has its deadline.
func TestFileToSocketBlockingDescriptor(t *testing.T) {
	t.Parallel()
	for _, family := range families {
		t.Run(family, func(t *testing.T) {
			t.Parallel()
			e := tamper(t, nil)
			data := pattern(sized(8<<20, pastBuffers), 10)
			src := fileWith(t, data)
			dst, peer := pair(t, family)
			small(t, dst, peer)
			blocking(t, dst)
			deadlineWhenStalled(t, e, dst)
			res, err := e.FileToSocket(dst, src, nil, -1)
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
			require.Equal(t, ReasonBlockingDescriptor, res.Reason)
			require.Equal(t, PathCopied, res.Path)
			require.Equal(t, res.N, position(t, src))
			require.NoError(t, dst.SetWriteDeadline(time.Time{}))
			got := collect(peer)
			_, err = e.FileToSocket(dst, src, nil, -1)
			require.NoError(t, err)
			require.NoError(t, dst.CloseWrite())
			sameBytes(t, data, get(t, got).data)
			agree(t, e, int64(len(data)))
		})
	}
}

func TestFileToSocketBlockingDescriptorClose(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	e := tamper(t, func(k *sys.Kernel) { countCalls(k, &calls) })
	src := fileWith(t, pattern(sized(32<<20, pastBuffers), 11))
	dst, peer := pair(t, "tcp")
	small(t, dst, peer)
	blocking(t, dst)
	stall(t, e, &calls, func() (int64, error) {
		res, err := e.FileToSocket(dst, src, nil, -1)
		return res.N, err
	}, func() error { return dst.Close() }, net.ErrClosed, func(n int64) {
		require.Equal(t, n, position(t, src))
	})
}

// Where MSG_DONTWAIT is not to be had, a blocking descriptor is refused by name.
func TestFileToSocketBlockingDescriptorRefused(t *testing.T) {
	t.Parallel()
	e := tamper(t, func(k *sys.Kernel) {
		k.Send = func(int, []byte, int) (int, sys.Errno) { return -1, syscall.ENOSYS }
	})
	src := fileWith(t, pattern(1000, 12))
	dst, _ := pair(t, "tcp")
	blocking(t, dst)
	_, err := e.FileToSocket(dst, src, nil, -1)
	require.ErrorIs(t, err, ErrBlockingDescriptor)
	require.Zero(t, position(t, src))
}

// Messages have boundaries, a stream has none.
func TestFileToSocketRefusesMessages(t *testing.T) {
	t.Parallel()
	e := tamper(t, nil)
	src := fileWith(t, pattern(1000, 13))
	udp, err := net.Dial("udp", "127.0.0.1:9")
	require.NoError(t, err)
	defer udp.Close()
	x, y, errno := sys.UnixPair(sys.Seqpacket)
	require.Zero(t, errno)
	seq := unixConn(t, x)
	_ = unixConn(t, y)
	x, y, errno = sys.UnixPair(sys.Datagram)
	require.Zero(t, errno)
	gram := unixConn(t, x)
	_ = unixConn(t, y)
	for _, dst := range []syscall.Conn{udp.(*net.UDPConn), seq.(*net.UnixConn), gram.(*net.UnixConn), fileWith(t, nil)} {
		_, err := e.FileToSocket(dst, src, nil, -1)
		require.ErrorIs(t, err, ErrNotStream)
		require.ErrorIs(t, err, errors.ErrUnsupported)
		require.Zero(t, position(t, src))
	}
	agree(t, e, 0)
}

// The file shrinks or grows while it is sent.
func TestFileToSocketFileChanges(t *testing.T) {
	t.Parallel()
	for path, edit := range paths {
		t.Run(string(path), func(t *testing.T) {
			t.Parallel()
			data := pattern(sized(6<<20, 600_000), 14)
			most := sized(chunkSize, 200_000) // that the kernel takes in one call
			src := fileWith(t, data)
			inside := make(chan func(), 1) // runs before the second call that takes from the file
			var calls atomic.Int64
			e := tamper(t, func(k *sys.Kernel) {
				if edit != nil {
					edit(k)
				}
				taking := func() {
					if calls.Add(1) == 2 {
						select {
						case f := <-inside:
							f()
						default:
						}
					}
				}
				sendfile, splice, read := k.Sendfile, k.Splice, k.Read
				k.Sendfile = func(out, in int, offset *int64, count int) (int, sys.Errno) {
					if path == PathSendfile {
						taking()
					}
					return sendfile(out, in, offset, min(count, most))
				}
				k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
					if path == PathSplice {
						taking()
					}
					return splice(in, inOffset, out, outOffset, min(count, most), flags)
				}
				k.Read = func(fd int, p []byte) (int, sys.Errno) {
					if path == PathCopied {
						taking()
					}
					return read(fd, p)
				}
			})
			// It shrinks, to more than what has been sent: what is cut off
			// after it was sent by reference shows as zeros at the peer.
			left := int64(len(data) / 2)
			inside <- func() { _ = src.Truncate(left) }
			dst, peer := pair(t, "tcp")
			got := collect(peer)
			res, err := e.FileToSocket(dst, src, nil, int64(len(data)))
			require.ErrorIs(t, err, ErrShortSource)
			require.Contains(t, err.Error(), fmt.Sprintf("after %d of %d bytes", res.N, len(data)))
			require.Equal(t, left, res.N)
			require.Equal(t, res.N, position(t, src))
			require.NoError(t, dst.Close())
			sameBytes(t, data[:res.N], get(t, got).data)

			// It grows: until the end means until the end as it is then.
			require.NoError(t, src.Truncate(0))
			_, err = src.WriteAt(data[:left], 0)
			require.NoError(t, err)
			_, err = src.Seek(0, io.SeekStart)
			require.NoError(t, err)
			calls.Store(0)
			inside <- func() { _, _ = src.WriteAt(data[left:], left) }
			dst, peer = pair(t, "tcp")
			got = collect(peer)
			res, err = e.FileToSocket(dst, src, nil, -1)
			require.NoError(t, err)
			require.Equal(t, int64(len(data)), res.N)
			require.NoError(t, dst.Close())
			sameBytes(t, data, get(t, got).data)
		})
	}
}

// Offsets beyond 2 and 4 GiB, in a file that is a hole up to there.
func TestFileToSocketLargeOffset(t *testing.T) {
	t.Parallel()
	for path, edit := range paths {
		for _, start := range []int64{1<<31 - 100, 1<<32 + 5} {
			for _, fixed := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s/%d/fixed=%v", path, start, fixed), func(t *testing.T) {
					t.Parallel()
					e := tamper(t, edit)
					data := pattern(sized(300_000, 70_000), 15)
					src := fileWith(t, nil)
					_, err := src.WriteAt(data, start)
					require.NoError(t, err)
					dst, peer := pair(t, "tcp")
					got := collect(peer)
					at := start
					offset := &at
					if !fixed {
						_, err := src.Seek(start, io.SeekStart)
						require.NoError(t, err)
						offset = nil
					}
					res, err := e.FileToSocket(dst, src, offset, -1)
					require.NoError(t, err)
					require.Equal(t, path, res.Path)
					if fixed {
						require.Equal(t, start+int64(len(data)), at)
					} else {
						require.Equal(t, start+int64(len(data)), position(t, src))
					}
					require.NoError(t, dst.Close())
					sameBytes(t, data, get(t, got).data)
				})
			}
		}
	}
}

// A source that fails: the error names the call that read, and what could be
// read before is sent.
func TestFileToSocketSourceErrors(t *testing.T) {
	t.Parallel()
	t.Run("EIO", func(t *testing.T) {
		t.Parallel()
		const bad = 150_000
		e := tamper(t, func(k *sys.Kernel) {
			k.Sendfile = func(int, int, *int64, int) (int, sys.Errno) { return -1, syscall.EIO }
			pread := k.Pread
			k.Pread = func(fd int, p []byte, offset int64) (int, sys.Errno) {
				if offset >= bad {
					return -1, syscall.EIO
				}
				return pread(fd, p[:min(len(p), int(bad-offset))], offset)
			}
		})
		data := pattern(1<<20, 16)
		dst, peer := pair(t, "tcp")
		got := collect(peer)
		var offset int64
		res, err := e.FileToSocket(dst, fileWith(t, data), &offset, -1)
		require.EqualError(t, err, "send file: pread: input/output error")
		require.ErrorIs(t, err, syscall.EIO)
		require.Equal(t, int64(bad), res.N)
		require.Equal(t, int64(bad), offset)
		require.NoError(t, dst.Close())
		sameBytes(t, data[:bad], get(t, got).data)
	})
	t.Run("directory", func(t *testing.T) {
		t.Parallel()
		e := tamper(t, nil)
		dir, err := os.Open(t.TempDir())
		require.NoError(t, err)
		defer dir.Close()
		dst, _ := pair(t, "tcp")
		_, err = e.FileToSocket(dst, dir, nil, -1)
		require.EqualError(t, err, "send file: read: is a directory")
	})
	t.Run("write only", func(t *testing.T) {
		t.Parallel()
		e := tamper(t, nil)
		f, err := os.OpenFile(t.TempDir()+"/file", os.O_WRONLY|os.O_CREATE, 0o600)
		require.NoError(t, err)
		defer f.Close()
		dst, _ := pair(t, "tcp")
		_, err = e.FileToSocket(dst, f, nil, -1)
		require.ErrorIs(t, err, syscall.EBADF)
	})
	t.Run("negative offset", func(t *testing.T) {
		t.Parallel()
		offset := int64(-1)
		dst, _ := pair(t, "tcp")
		_, err := FileToSocket(dst, fileWith(t, []byte("x")), &offset, 1)
		require.EqualError(t, err, "send file: offset -1: invalid argument")
		require.Equal(t, int64(-1), offset)
	})
}

// Files whose bytes come from code: some cannot be sent by reference, all must
// arrive as read gives them.
func TestFileToSocketPseudoFiles(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/proc/version", "/proc/self/cmdline", "/proc/self/maps", "/proc/filesystems", "/sys/kernel/mm/transparent_hugepage/enabled", "/dev/null", "/proc/sys/kernel/ostype"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			want, err := os.ReadFile(path)
			if err != nil {
				t.Skip(err)
			}
			src, err := os.Open(path)
			require.NoError(t, err)
			defer src.Close()
			e := tamper(t, nil)
			dst, peer := pair(t, "tcp")
			got := collect(peer)
			res, err := e.FileToSocket(dst, src, nil, -1)
			require.NoError(t, err)
			t.Log(res)
			require.NoError(t, dst.Close())
			r := get(t, got)
			switch path {
			case "/proc/self/maps": // which changes under way
			case "/proc/filesystems": // which gVisor lists in another order each time
				require.ElementsMatch(t, strings.Split(string(want), "\n"), strings.Split(string(r.data), "\n"))
			default:
				require.Equal(t, string(want), string(r.data))
			}
			agree(t, e, int64(len(r.data)))
		})
	}
	t.Run("/dev/zero", func(t *testing.T) {
		t.Parallel()
		for path, edit := range paths {
			src, err := os.Open("/dev/zero")
			require.NoError(t, err)
			defer src.Close()
			e := tamper(t, edit)
			dst, peer := pair(t, "tcp")
			got := collect(peer)
			res, err := e.FileToSocket(dst, src, nil, 300_000)
			require.NoError(t, err)
			require.Equal(t, int64(300_000), res.N)
			t.Log(path, res)
			require.NoError(t, dst.Close())
			sameBytes(t, make([]byte, 300_000), get(t, got).data)
		}
	})
}

// A call that says the end where there is none does not cut the file off.
func TestFileToSocketFalseEnd(t *testing.T) {
	t.Parallel()
	e := tamper(t, func(k *sys.Kernel) {
		k.Sendfile = func(int, int, *int64, int) (int, sys.Errno) { return 0, 0 }
	})
	data := pattern(300_000, 17)
	dst, peer := pair(t, "tcp")
	got := collect(peer)
	res, err := e.FileToSocket(dst, fileWith(t, data), nil, int64(len(data)))
	require.NoError(t, err)
	require.Equal(t, ReasonFalseEnd, res.Reason)
	require.NoError(t, dst.Close())
	sameBytes(t, data, get(t, got).data)
}

// A call that says EAGAIN for ever on ends that are ready is not waited for.
func TestFileToSocketFalseWait(t *testing.T) {
	t.Parallel()
	again := func(*sys.Kernel) sys.Errno { return syscall.EAGAIN }
	for name, edit := range map[string]func(k *sys.Kernel){
		"sendfile": func(k *sys.Kernel) {
			k.Sendfile = func(int, int, *int64, int) (int, sys.Errno) { return -1, again(k) }
		},
		"splice to the socket": func(k *sys.Kernel) {
			denySendfile(k)
			splice := k.Splice
			k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
				if _, errno := sys.TypeOf(out); errno == 0 {
					return -1, again(k)
				}
				return splice(in, inOffset, out, outOffset, count, flags)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := tamper(t, edit)
			data := pattern(300_000, 18)
			dst, peer := pair(t, "tcp")
			got := collect(peer)
			src := fileWith(t, data)
			res, err := e.FileToSocket(dst, src, nil, -1)
			require.NoError(t, err)
			require.Equal(t, ReasonFalseWait, res.Reason)
			require.Equal(t, int64(len(data)), position(t, src))
			require.NoError(t, dst.Close())
			sameBytes(t, data, get(t, got).data)
		})
	}
}

// A pipe as the source is relayed: it has no position, and what it gave is not
// lost.
func TestFileToSocketFromPipe(t *testing.T) {
	t.Parallel()
	for path, edit := range map[Path]func(*sys.Kernel){PathSplice: nil, PathCopied: denySplice} {
		t.Run(string(path), func(t *testing.T) {
			t.Parallel()
			e := tamper(t, edit)
			data := pattern(sized(4<<20, pastPipe), 19)
			r, w, err := os.Pipe()
			require.NoError(t, err)
			defer r.Close()
			go func() {
				_, _ = w.Write(data)
				_ = w.Close()
			}()
			dst, peer := pair(t, "tcp")
			small(t, dst, peer)
			deadlineWhenStalled(t, e, dst)
			res, err := e.FileToSocket(dst, r, nil, -1)
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
			require.NoError(t, dst.SetWriteDeadline(time.Time{}))
			var flight *InFlightError
			require.ErrorAs(t, err, &flight)
			got := collect(peer)
			_, err = dst.Write(flight.Data)
			require.NoError(t, err)
			rest, err := e.FileToSocket(dst, r, nil, -1)
			require.NoError(t, err)
			require.Equal(t, path, rest.Path)
			require.Equal(t, int64(len(data)), res.N+int64(len(flight.Data))+rest.N)
			require.NoError(t, dst.Close())
			sameBytes(t, data, get(t, got).data)
			agree(t, e, res.N+rest.N)

			offset := int64(3)
			dst, _ = pair(t, "tcp")
			_, err = e.FileToSocket(dst, r, &offset, 1)
			require.ErrorIs(t, err, syscall.ESPIPE)
			require.Equal(t, int64(3), offset)
		})
	}
}

// A pipe in blocking mode outside of the runtime's poller, as standard input is.
func TestFileToSocketFromBlockingPipe(t *testing.T) {
	t.Parallel()
	for path, edit := range map[Path]func(*sys.Kernel){PathSplice: nil, PathCopied: denySplice} {
		t.Run(string(path), func(t *testing.T) {
			t.Parallel()
			e := tamper(t, edit)
			r, w, errno := sys.Native().Pipe(false)
			require.Zero(t, errno)
			src, in := os.NewFile(uintptr(r), "stdin"), os.NewFile(uintptr(w), "feeder")
			dst, peer := pair(t, "tcp")
			got := collect(peer)
			done := make(chan error, 1)
			go func() {
				_, err := e.FileToSocket(dst, src, nil, -1)
				done <- err
			}()
			require.Eventually(t, func() bool { return e.Counters().Waits > 0 }, patience, time.Millisecond)
			data := pattern(200_000, 20)
			_, err := in.Write(data)
			require.NoError(t, err)
			require.NoError(t, in.Close())
			require.NoError(t, <-done)
			require.NoError(t, dst.Close())
			sameBytes(t, data, get(t, got).data)
			require.NoError(t, src.Close())
		})
	}
	t.Run("close", func(t *testing.T) {
		t.Parallel()
		e := tamper(t, nil)
		r, w, errno := sys.Native().Pipe(false)
		require.Zero(t, errno)
		defer sys.Close(w)
		src := os.NewFile(uintptr(r), "stdin")
		dst, _ := pair(t, "tcp")
		done := make(chan error, 1)
		go func() {
			_, err := e.FileToSocket(dst, src, nil, -1)
			done <- err
		}()
		require.Eventually(t, func() bool { return e.Counters().Waits > 0 }, patience, time.Millisecond)
		require.NoError(t, src.Close())
		select {
		case err := <-done:
			require.ErrorIs(t, err, os.ErrClosed)
		case <-time.After(patience):
			require.FailNow(t, "it did not end")
		}
	})
}
