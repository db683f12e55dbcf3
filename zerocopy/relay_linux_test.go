package zerocopy

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// relayPaths are the kernels on which each path of a relay is the best one.
var relayPaths = map[Path]func(k *sys.Kernel){PathSplice: nil, PathCopied: denySplice}

// feed writes data to c in the background and then ends the stream.
func feed(c stream, data []byte) {
	go func() {
		_, _ = c.Write(data)
		_ = c.CloseWrite()
	}()
}

// Every path and pair of families gives the same bytes, counts and counters.
func TestSocketRelayMovesExactly(t *testing.T) {
	t.Parallel()
	size := int64(sized(3<<20, 150_000) + 77)
	data := pattern(int(size), 30)
	for path, edit := range relayPaths {
		for _, from := range families {
			for _, to := range families {
				for name, c := range map[string]struct{ count, want int64 }{
					"all":       {-1, size},
					"exactly":   {size, size},
					"some":      {size/3 + 1, size/3 + 1},
					"one byte":  {1, 1},
					"nothing":   {0, 0},
					"too short": {size + 1, size},
				} {
					if testing.Short() && (from != "tcp" || to != "tcp") && name != "all" && name != "some" {
						continue
					}
					t.Run(fmt.Sprintf("%s/%s to %s/%s", path, from, to, name), func(t *testing.T) {
						t.Parallel()
						e := tamper(t, edit)
						origin, src := pair(t, from)
						dst, sink := pair(t, to)
						feed(origin, data)
						got := collect(sink)
						res, err := e.SocketRelay(dst, src, c.count)
						require.NoError(t, dst.Close())
						if c.count > c.want {
							require.ErrorIs(t, err, ErrShortSource)
						} else {
							require.NoError(t, err)
						}
						assert.Equal(t, c.want, res.N)
						if c.want > 0 {
							assert.Equal(t, path, res.Path, "%v", res)
						}
						sameBytes(t, data[:c.want], get(t, got).data)
						agree(t, e, c.want)
						// Nothing beyond count has been taken.
						sameBytes(t, data[c.want:], get(t, collect(src)).data)
					})
				}
			}
		}
	}
}

// A relay that meets a write deadline in the middle, many times, and goes on:
// not a byte is missing. (io.Copy loses what is in its pipe.)
func TestRelayResumesAfterDeadline(t *testing.T) {
	t.Parallel()
	for path, edit := range relayPaths {
		for _, family := range families {
			t.Run(fmt.Sprintf("%s/%s", path, family), func(t *testing.T) {
				t.Parallel()
				size := sized(64<<20, pastPipe)
				if family != "tcp" || path == PathCopied {
					size = sized(8<<20, pastPipe)
				}
				data := pattern(size, 31)
				e := tamper(t, edit)
				origin, src := pair(t, family)
				dst, sink := pair(t, family)
				small(t, dst, sink)
				feed(origin, data)
				r := e.NewRelay(dst, src)
				defer r.Close()

				var total int64
				deadlineWhenStalled(t, e, dst)
				for range 3 {
					res, err := r.Run(int64(size) - total)
					require.ErrorIs(t, err, os.ErrDeadlineExceeded)
					require.Contains(t, err.Error(), "relay: write destination: ")
					total += res.N
					require.Positive(t, r.InFlight(), "the test has not caught a byte in flight")
					require.NoError(t, dst.SetWriteDeadline(time.Now().Add(30*time.Millisecond)))
				}
				require.NoError(t, dst.SetWriteDeadline(time.Time{}))
				got := collect(sink)

				// A smaller count than what is in flight is kept to as well.
				if r.InFlight() > 1 {
					before := r.InFlight()
					res, err := r.Run(1)
					require.NoError(t, err)
					require.Equal(t, int64(1), res.N)
					require.Equal(t, before-1, r.InFlight())
					require.Equal(t, ReasonResumed, res.Reason)
					total++
				}
				res, err := r.Run(-1)
				require.NoError(t, err)
				require.Zero(t, r.InFlight())
				require.Equal(t, int64(size), total+res.N)
				require.NoError(t, dst.Close())
				sameBytes(t, data, get(t, got).data)
				agree(t, e, int64(size))
			})
		}
	}
}

// The plain function hands back what is in flight.
func TestSocketRelayHandsBack(t *testing.T) {
	t.Parallel()
	for path, edit := range relayPaths {
		t.Run(string(path), func(t *testing.T) {
			t.Parallel()
			data := pattern(sized(16<<20, pastPipe), 32)
			e := tamper(t, edit)
			origin, src := pair(t, "tcp")
			dst, sink := pair(t, "tcp")
			small(t, dst, sink)
			feed(origin, data)
			deadlineWhenStalled(t, e, dst)
			res, err := e.SocketRelay(dst, src, -1)
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
			var flight *InFlightError
			require.ErrorAs(t, err, &flight)
			require.NotEmpty(t, flight.Data)
			require.Contains(t, err.Error(), fmt.Sprintf("(%d bytes in flight)", len(flight.Data)))
			rest := collect(src)
			require.NoError(t, dst.CloseWrite())
			all := append(get(t, collect(sink)).data, flight.Data...)
			require.Equal(t, res.N+int64(len(flight.Data)), int64(len(all)))
			sameBytes(t, data, append(all, get(t, rest).data...))
			agree(t, e, res.N)
		})
	}
}

// A destination that is closed or past its deadline is found before anything is
// taken from the source.
func TestSocketRelayLooksAtDestinationFirst(t *testing.T) {
	t.Parallel()
	for path, edit := range relayPaths {
		t.Run(string(path), func(t *testing.T) {
			t.Parallel()
			e := tamper(t, edit)
			origin, src := pair(t, "tcp")
			dst, _ := pair(t, "tcp")
			_, err := origin.Write([]byte("precious"))
			require.NoError(t, err)
			require.NoError(t, dst.SetWriteDeadline(time.Now().Add(-time.Second)))
			_, err = e.SocketRelay(dst, src, -1)
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
			require.NoError(t, dst.Close())
			_, err = e.SocketRelay(dst, src, -1)
			require.ErrorIs(t, err, net.ErrClosed)
			require.NoError(t, origin.Close())
			r := get(t, collect(src))
			require.Equal(t, "precious", string(r.data))

			dst, _ = pair(t, "tcp")
			require.NoError(t, src.SetReadDeadline(time.Now().Add(-time.Second)))
			_, err = e.SocketRelay(dst, src, -1)
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
			require.Contains(t, err.Error(), "relay: read source: ")
			require.NoError(t, src.Close())
			_, err = e.SocketRelay(dst, src, -1)
			require.ErrorIs(t, err, net.ErrClosed)
			agree(t, e, 0)
		})
	}
}

// While a relay has nothing to do it makes no calls and holds no pipe, and it
// ends at once when either end is closed or a deadline passes.
func TestSocketRelayIdle(t *testing.T) {
	t.Parallel()
	ends := map[string]struct {
		end  func(dst, src stream) error
		want error
	}{
		"source closed":   {func(_, src stream) error { return src.Close() }, net.ErrClosed},
		"source deadline": {func(_, src stream) error { return src.SetReadDeadline(time.Now()) }, os.ErrDeadlineExceeded},
	}
	for path, edit := range relayPaths {
		for name, c := range ends {
			t.Run(fmt.Sprintf("%s/%s", path, name), func(t *testing.T) {
				t.Parallel()
				var calls atomic.Int64
				e := tamper(t, func(k *sys.Kernel) {
					if edit != nil {
						edit(k)
					}
					countCalls(k, &calls)
				})
				_, src := pair(t, "tcp")
				dst, _ := pair(t, "tcp")
				stall(t, e, &calls, func() (int64, error) {
					res, err := e.SocketRelay(dst, src, -1)
					return res.N, err
				}, func() error {
					e.pipes.mu.Lock()
					out := e.pipes.out
					e.pipes.mu.Unlock()
					require.Zero(t, out, "a pipe is held by an idle relay")
					return c.end(dst, src)
				}, c.want, func(int64) {})
			})
		}
	}
}

// A receiver that stalls costs no calls, and closing it ends the relay with the
// bytes in flight.
func TestSocketRelayStallAndClose(t *testing.T) {
	t.Parallel()
	for path, edit := range relayPaths {
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
				origin, src := pair(t, family)
				dst, sink := pair(t, family)
				small(t, dst, sink)
				feed(origin, pattern(sized(32<<20, pastPipe), 33))
				r := e.NewRelay(dst, src)
				stall(t, e, &calls, func() (int64, error) {
					res, err := r.Run(-1)
					return res.N, err
				}, func() error { return dst.Close() }, net.ErrClosed, func(int64) {
					require.Positive(t, r.InFlight())
					require.NoError(t, r.Close())
					_, err := r.Run(-1)
					require.ErrorIs(t, err, ErrRelayClosed)
				})
			})
		}
	}
}

// Resets on either side are told apart and never look like an end.
func TestSocketRelayReset(t *testing.T) {
	t.Parallel()
	for path, edit := range relayPaths {
		t.Run(string(path)+"/source", func(t *testing.T) {
			t.Parallel()
			e := tamper(t, edit)
			origin, src := pair(t, "tcp")
			dst, sink := pair(t, "tcp")
			got := collect(sink)
			data := pattern(100_000, 34)
			_, err := origin.Write(data)
			require.NoError(t, err)
			done := make(chan error, 1)
			go func() {
				_, err := e.SocketRelay(dst, src, -1)
				done <- err
			}()
			require.Eventually(t, func() bool { return e.Counters().Bytes() == int64(len(data)) }, patience, time.Millisecond)
			require.NoError(t, origin.(*net.TCPConn).SetLinger(0))
			require.NoError(t, origin.Close())
			err = <-done
			require.ErrorIs(t, err, syscall.ECONNRESET)
			require.Contains(t, err.Error(), "relay: read source: ")
			require.NoError(t, dst.Close())
			sameBytes(t, data, get(t, got).data)
		})
		t.Run(string(path)+"/destination", func(t *testing.T) {
			t.Parallel()
			e := tamper(t, edit)
			origin, src := pair(t, "tcp")
			dst, sink := pair(t, "tcp")
			if testing.Short() {
				small(t, dst, sink)
			}
			feed(origin, pattern(sized(64<<20, pastPipe), 35))
			go func() {
				_, _ = io.CopyN(io.Discard, sink, int64(sized(1<<20, 100_000)))
				_ = sink.(*net.TCPConn).SetLinger(0)
				_ = sink.Close()
			}()
			res, err := e.SocketRelay(dst, src, -1)
			require.True(t, errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE), "%v", err)
			require.Contains(t, err.Error(), "relay: write destination: ")
			agree(t, e, res.N)
		})
		t.Run(string(path)+"/destination with a reset pending", func(t *testing.T) {
			t.Parallel()
			e := tamper(t, edit)
			origin, src := pair(t, "tcp")
			dst, sink := pair(t, "tcp")
			require.NoError(t, sink.(*net.TCPConn).SetLinger(0))
			require.NoError(t, sink.Close())
			data := pattern(1000, 36)
			_, err := origin.Write(data)
			require.NoError(t, err)
			require.NoError(t, origin.Close())
			res, err := e.SocketRelay(dst, src, -1)
			require.Zero(t, res.N)
			var flight *InFlightError
			require.ErrorAs(t, err, &flight)
			sameBytes(t, data, flight.Data)
		})
	}
}

// A half-close: the tail that is in the pipe arrives, and the other direction
// stays open.
func TestSocketRelayHalfClose(t *testing.T) {
	t.Parallel()
	for path, edit := range relayPaths {
		t.Run(string(path), func(t *testing.T) {
			t.Parallel()
			e := tamper(t, edit)
			client, front := pair(t, "tcp")
			back, server := pair(t, "tcp")
			small(t, back, server)
			request, answer := pattern(sized(2<<20, 1<<20), 37), pattern(sized(1<<20, 500_000), 38)
			feed(client, request)
			done := make(chan error, 2)
			for _, way := range [][2]stream{{back, front}, {front, back}} {
				go func() {
					_, err := e.SocketRelay(way[0], way[1], -1)
					_ = way[0].CloseWrite()
					done <- err
				}()
			}
			sameBytes(t, request, get(t, collect(server)).data)
			feed(server, answer)
			sameBytes(t, answer, get(t, collect(client)).data)
			require.NoError(t, <-done)
			require.NoError(t, <-done)
			agree(t, e, int64(len(request)+len(answer)))
		})
	}
}

// Every errno with which splice can be refused, on the first call and on later
// ones, taking and giving, ends in a complete transfer.
func TestSocketRelayFallsBack(t *testing.T) {
	t.Parallel()
	data := pattern(sized(6<<20, 500_000), 39)
	most := sized(largePipe, 200_000) // that the kernel moves in one call: it takes at least four
	for errno, why := range map[sys.Errno]Reason{
		syscall.ENOSYS: ReasonMissing, syscall.EPERM: ReasonDenied, syscall.EINVAL: ReasonRefused,
		syscall.ENOMEM: ReasonNoMemory, syscall.EOPNOTSUPP: ReasonRefused,
	} {
		for nth := int64(1); nth <= 4; nth += int64(sized(1, 3)) { // with -short one that takes and one that gives
			t.Run(fmt.Sprintf("%s/call %d", sys.ErrnoName(errno), nth), func(t *testing.T) {
				t.Parallel()
				var calls atomic.Int64
				e := tamper(t, func(k *sys.Kernel) {
					splice := k.Splice
					k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
						if calls.Add(1) >= nth {
							return -1, errno
						}
						return splice(in, inOffset, out, outOffset, min(count, most), flags)
					}
				})
				origin, src := pair(t, "tcp")
				dst, sink := pair(t, "tcp")
				feed(origin, data)
				got := collect(sink)
				res, err := e.SocketRelay(dst, src, int64(len(data)))
				require.NoError(t, err)
				require.Equal(t, why, res.Reason)
				require.Equal(t, PathCopied, res.Path)
				require.Equal(t, map[Reason]int64{why: 1}, e.Counters().Fallbacks)
				require.NoError(t, dst.Close())
				sameBytes(t, data, get(t, got).data)
				agree(t, e, int64(len(data)))
			})
		}
	}
}

// Pipes that are not to be had now may be had for a later piece.
func TestSocketRelayWithoutPipe(t *testing.T) {
	t.Parallel()
	data := pattern(sized(6<<20, 1<<20), 40)
	run := func(t *testing.T, e *Engine) Result {
		origin, src := pair(t, "tcp")
		dst, sink := pair(t, "tcp")
		feed(origin, data)
		got := collect(sink)
		res, err := e.SocketRelay(dst, src, -1)
		require.NoError(t, err)
		require.NoError(t, dst.Close())
		sameBytes(t, data, get(t, got).data)
		return res
	}
	t.Run("EMFILE", func(t *testing.T) {
		t.Parallel()
		e := tamper(t, func(k *sys.Kernel) {
			k.Pipe = func(bool) (int, int, sys.Errno) { return -1, -1, syscall.EMFILE }
		})
		res := run(t, e)
		require.Equal(t, "pipe2: no-pipe (EMFILE)", res.Why())
		require.Equal(t, int64(len(data)), res.Copied)
		require.Equal(t, map[Reason]int64{ReasonNoPipe: 1}, e.Counters().Fallbacks)
	})
	t.Run("stunted", func(t *testing.T) {
		t.Parallel()
		e := tamper(t, func(k *sys.Kernel) {
			k.PipeSize = func(int) (int, sys.Errno) { return 8192, 0 }
		})
		require.Equal(t, ReasonStuntedPipe, run(t, e).Reason)
	})
	t.Run("small but not stunted", func(t *testing.T) {
		t.Parallel()
		e := tamper(t, func(k *sys.Kernel) {
			k.SetPipeSize = func(int, int) (int, sys.Errno) { return -1, syscall.EPERM }
		})
		res := run(t, e)
		require.Equal(t, PathSplice, res.Path)
		require.Equal(t, ReasonNone, res.Reason)
	})
	t.Run("limit", func(t *testing.T) {
		t.Parallel()
		e := New(Config{MaxPipes: 1})
		p, _ := e.pipes.get(e.kernel)
		require.NotNil(t, p)
		res := run(t, e)
		require.Equal(t, ReasonPipeLimit, res.Reason)
		require.Equal(t, int64(len(data)), res.Copied)
		e.pipes.put(p)
		res = run(t, e)
		require.Zero(t, res.Copied)
		e.CloseIdlePipes()
	})
	t.Run("comes back", func(t *testing.T) {
		t.Parallel()
		var calls atomic.Int64
		e := tamper(t, func(k *sys.Kernel) {
			pipe := k.Pipe
			k.Pipe = func(nonblock bool) (int, int, sys.Errno) {
				if calls.Add(1) == 1 {
					return -1, -1, syscall.ENFILE
				}
				return pipe(nonblock)
			}
		})
		origin, src := pair(t, "tcp")
		dst, sink := pair(t, "tcp")
		got := collect(sink)
		done := make(chan Result, 1)
		go func() {
			res, _ := e.SocketRelay(dst, src, -1)
			done <- res
		}()
		_, _ = origin.Write(data[:1000])
		require.Eventually(t, func() bool { return e.Counters().Bytes() == 1000 }, patience, time.Millisecond)
		require.Eventually(t, func() bool {
			_, _ = origin.Write([]byte{7})
			return e.Counters().Splice.Bytes > 0
		}, patience, 10*time.Millisecond)
		_ = origin.Close()
		res := <-done
		require.Equal(t, PathSplice, res.Path)
		require.Equal(t, ReasonNoPipe, res.Reason)
		require.Less(t, res.Copied, res.N)
		_ = dst.Close()
		require.Len(t, get(t, got).data, int(res.N))
	})
}

// Ends in blocking mode are copied from and to, with deadlines that hold.
func TestSocketRelayBlockingDescriptors(t *testing.T) {
	t.Parallel()
	for _, family := range families {
		t.Run(family+"/source", func(t *testing.T) {
			t.Parallel()
			e := tamper(t, nil)
			origin, src := pair(t, family)
			dst, sink := pair(t, family)
			blocking(t, src)
			require.NoError(t, src.SetReadDeadline(time.Now().Add(20*time.Millisecond)))
			_, err := e.SocketRelay(dst, src, -1)
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
			require.NoError(t, src.SetReadDeadline(time.Time{}))
			data := pattern(sized(1<<20, 300_000), 41)
			feed(origin, data)
			got := collect(sink)
			res, err := e.SocketRelay(dst, src, -1)
			require.NoError(t, err)
			require.Equal(t, ReasonBlockingDescriptor, res.Reason)
			require.NoError(t, dst.Close())
			sameBytes(t, data, get(t, got).data)
		})
		t.Run(family+"/destination", func(t *testing.T) {
			t.Parallel()
			e := tamper(t, nil)
			origin, src := pair(t, family)
			dst, sink := pair(t, family)
			small(t, dst, sink)
			blocking(t, dst)
			data := pattern(sized(8<<20, pastPipe), 42)
			feed(origin, data)
			deadlineWhenStalled(t, e, dst)
			r := e.NewRelay(dst, src)
			res, err := r.Run(-1)
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
			require.Equal(t, ReasonBlockingDescriptor, res.Reason)
			require.NoError(t, dst.SetWriteDeadline(time.Time{}))
			got := collect(sink)
			_, err = r.Run(-1)
			require.NoError(t, err)
			require.NoError(t, dst.CloseWrite())
			sameBytes(t, data, get(t, got).data)
			agree(t, e, int64(len(data)))
		})
	}
	t.Run("refused", func(t *testing.T) {
		t.Parallel()
		e := tamper(t, func(k *sys.Kernel) {
			k.Recv = func(int, []byte, int) (int, sys.Errno) { return -1, syscall.ENOSYS }
		})
		_, src := pair(t, "tcp")
		dst, _ := pair(t, "tcp")
		blocking(t, src)
		_, err := e.SocketRelay(dst, src, -1)
		require.ErrorIs(t, err, ErrBlockingDescriptor)
	})
}

func TestSocketRelayRefusesMessages(t *testing.T) {
	t.Parallel()
	e := tamper(t, nil)
	for _, kind := range []sys.SocketType{sys.Datagram, sys.Seqpacket} {
		x, y, errno := sys.UnixPair(kind)
		require.Zero(t, errno)
		a, b := unixConn(t, x).(*net.UnixConn), unixConn(t, y).(*net.UnixConn)
		_, err := b.Write([]byte("message"))
		require.NoError(t, err)
		good, _ := pair(t, "unix")
		_, err = e.SocketRelay(good, a, -1)
		require.ErrorIs(t, err, ErrNotStream)
		require.Contains(t, err.Error(), "source: not a stream socket")
		_, err = e.SocketRelay(a, good, -1)
		require.ErrorIs(t, err, ErrNotStream)
		buf := make([]byte, 100)
		n, err := a.Read(buf)
		require.NoError(t, err)
		require.Equal(t, "message", string(buf[:n]))
	}
	agree(t, e, 0)
}

// Urgent data in the stream: splice stops in front of it with EAGAIN, and no
// event will ever say that it can go on. The relay does.
func TestSocketRelayUrgentData(t *testing.T) {
	t.Parallel()
	for path, edit := range relayPaths {
		t.Run(string(path), func(t *testing.T) {
			t.Parallel()
			e := tamper(t, edit)
			origin, src := pair(t, "tcp")
			dst, sink := pair(t, "tcp")
			got := collect(sink)
			data := pattern(400_000, 43)
			raw, err := origin.SyscallConn()
			require.NoError(t, err)
			_, err = origin.Write(data[:1000])
			require.NoError(t, err)
			var n int
			var errno sys.Errno
			require.NoError(t, raw.Write(func(fd uintptr) bool {
				n, errno = sys.Native().Send(int(fd), []byte("!"), syscall.MSG_OOB)
				return true
			}))
			if errno == syscall.EINVAL {
				t.Skip("no urgent data here") // gVisor: pkg/sentry/syscalls/linux/sys_socket.go, SendMsg
			}
			require.Zero(t, errno)
			require.Equal(t, 1, n)
			_, err = origin.Write(data[1000:])
			require.NoError(t, err)
			require.NoError(t, origin.Close())
			done := make(chan struct{})
			var res Result
			go func() {
				res, err = e.SocketRelay(dst, src, -1)
				close(done)
			}()
			select {
			case <-done:
			case <-time.After(patience):
				require.FailNow(t, "the relay waits for ever")
			}
			require.NoError(t, err)
			t.Log(res)
			require.NoError(t, dst.Close())
			sameBytes(t, data, get(t, got).data)
		})
	}
}

// EAGAIN for ever on ends that are ready, at each place.
func TestSocketRelayFalseWait(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]func(in, out int) bool{
		"taking": func(in, _ int) bool { _, errno := sys.TypeOf(in); return errno == 0 },
		"giving": func(_, out int) bool { _, errno := sys.TypeOf(out); return errno == 0 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := tamper(t, func(k *sys.Kernel) {
				splice := k.Splice
				k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
					if bad(in, out) {
						return -1, syscall.EAGAIN
					}
					return splice(in, inOffset, out, outOffset, count, flags)
				}
			})
			data := pattern(1<<20, 44)
			origin, src := pair(t, "tcp")
			dst, sink := pair(t, "tcp")
			feed(origin, data)
			got := collect(sink)
			res, err := e.SocketRelay(dst, src, -1)
			require.NoError(t, err)
			require.Equal(t, ReasonFalseWait, res.Reason)
			require.NoError(t, dst.Close())
			sameBytes(t, data, get(t, got).data)
			agree(t, e, int64(len(data)))
		})
	}
}

// A splice that says the end too early does not cut the stream off.
func TestSocketRelayFalseEnd(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	e := tamper(t, func(k *sys.Kernel) {
		splice := k.Splice
		k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
			if calls.Add(1) == 3 {
				return 0, 0
			}
			return splice(in, inOffset, out, outOffset, min(count, sized(largePipe, 200_000)), flags)
		}
	})
	data := pattern(sized(4<<20, 500_000), 45)
	origin, src := pair(t, "tcp")
	dst, sink := pair(t, "tcp")
	feed(origin, data)
	got := collect(sink)
	res, err := e.SocketRelay(dst, src, -1)
	require.NoError(t, err)
	require.GreaterOrEqual(t, calls.Load(), int64(3))
	require.Equal(t, int64(len(data)), res.N)
	require.NoError(t, dst.Close())
	sameBytes(t, data, get(t, got).data)
}

// What a wrapper does in Write is never bypassed in one path and used in
// another: only its SyscallConn is used.
func TestWrapperOnlyBySyscallConn(t *testing.T) {
	t.Parallel()
	for path, edit := range paths {
		t.Run(string(path), func(t *testing.T) {
			t.Parallel()
			e := tamper(t, edit)
			data := pattern(100_000, 46)
			dst, peer := pair(t, "tcp")
			got := collect(peer)
			_, err := e.FileToSocket(loud{dst, t}, fileWith(t, data), nil, -1)
			require.NoError(t, err)
			require.NoError(t, dst.Close())
			sameBytes(t, data, get(t, got).data)
		})
	}
}

// loud is a wrapper whose methods must not be called.
type loud struct {
	stream
	t *testing.T
}

func (l loud) Write([]byte) (int, error) {
	l.t.Error("Write was called")
	return 0, io.ErrClosedPipe
}

func (l loud) NetConn() net.Conn {
	l.t.Error("NetConn was called")
	return nil
}
