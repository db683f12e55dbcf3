package zerocopy

import (
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// A peer that drains as fast as it is fed: nothing ever waits, and deadlines and
// Close still end the transfer.
func TestDeadlineAndCloseWithFastPeer(t *testing.T) {
	t.Parallel()
	for path, edit := range paths {
		for _, what := range []string{"deadline", "close"} {
			t.Run(fmt.Sprintf("%s/%s", path, what), func(t *testing.T) {
				t.Parallel()
				e := tamper(t, edit)
				src := fileWith(t, nil)
				require.NoError(t, src.Truncate(1<<40)) // a hole
				dst, peer := pair(t, "tcp")
				go drain(peer)
				want := os.ErrDeadlineExceeded
				if what == "close" {
					want = net.ErrClosed
					time.AfterFunc(50*time.Millisecond, func() { _ = dst.Close() })
				} else {
					require.NoError(t, dst.SetWriteDeadline(time.Now().Add(50*time.Millisecond)))
				}
				started := time.Now()
				res, err := e.FileToSocket(dst, src, nil, -1)
				require.ErrorIs(t, err, want)
				require.Less(t, time.Since(started), patience)
				require.Equal(t, res.N, position(t, src))
				agree(t, e, res.N)
			})
		}
	}
	for path, edit := range relayPaths {
		for _, what := range []string{"dst deadline", "src deadline", "dst close", "src close"} {
			t.Run(fmt.Sprintf("relay/%s/%s", path, what), func(t *testing.T) {
				t.Parallel()
				e := tamper(t, edit)
				origin, src := pair(t, "tcp")
				dst, peer := pair(t, "tcp")
				go drain(peer)
				go func() {
					chunk := make([]byte, 1<<20)
					for {
						if _, err := origin.Write(chunk); err != nil {
							return
						}
					}
				}()
				soon := time.Now().Add(50 * time.Millisecond)
				want := os.ErrDeadlineExceeded
				switch what {
				case "dst deadline":
					require.NoError(t, dst.SetWriteDeadline(soon))
				case "src deadline":
					require.NoError(t, src.SetReadDeadline(soon))
				case "dst close":
					want = net.ErrClosed
					time.AfterFunc(50*time.Millisecond, func() { _ = dst.Close() })
				case "src close":
					want = net.ErrClosed
					time.AfterFunc(50*time.Millisecond, func() { _ = src.Close() })
				}
				started := time.Now()
				res, err := e.SocketRelay(dst, src, -1)
				require.ErrorIs(t, err, want)
				require.Less(t, time.Since(started), patience)
				agree(t, e, res.N)
				_ = src.Close()
			})
		}
	}
}

// Goroutines that send from the position of one file get bytes of their own:
// together they send it once.
func TestFileToSocketSharedPosition(t *testing.T) {
	t.Parallel()
	for path, edit := range paths {
		t.Run(string(path), func(t *testing.T) {
			t.Parallel()
			e := tamper(t, edit)
			data := pattern(sized(8<<20, 1<<20), 100)
			src := fileWith(t, data)
			var (
				wg    sync.WaitGroup
				mu    sync.Mutex
				total int64
				sum   uint64
			)
			for range 4 {
				dst, peer := pair(t, "tcp")
				got := collect(peer)
				wg.Go(func() {
					res, err := e.FileToSocket(dst, src, nil, -1)
					_ = dst.Close()
					r := <-got
					mu.Lock()
					defer mu.Unlock()
					if err != nil {
						t.Error(err)
					}
					total += res.N
					for _, b := range r.data {
						sum += uint64(b)
					}
				})
			}
			wg.Wait()
			require.Equal(t, int64(len(data)), total)
			var want uint64
			for _, b := range data {
				want += uint64(b)
			}
			require.Equal(t, want, sum)
			agree(t, e, total)
		})
	}
}

// A socket in an *os.File is a stream like any other.
func TestFileToSocketFromSocketFile(t *testing.T) {
	t.Parallel()
	e := tamper(t, nil)
	data := pattern(1<<20, 101)
	origin, end := pair(t, "tcp")
	src, err := end.File()
	require.NoError(t, err)
	defer src.Close()
	feed(origin, data)
	dst, sink := pair(t, "unix")
	got := collect(sink)
	res, err := e.FileToSocket(dst, src, nil, int64(len(data)))
	require.NoError(t, err)
	require.Equal(t, PathSplice, res.Path)
	require.Equal(t, ReasonNone, res.Reason)
	require.Empty(t, e.Counters().Fallbacks)
	require.NoError(t, dst.Close())
	sameBytes(t, data, get(t, got).data)
}

// The errors are what package net's users test for.
func TestErrorsLookLikeNet(t *testing.T) {
	t.Parallel()
	e := tamper(t, nil)
	dst, peer := pair(t, "tcp")
	require.NoError(t, peer.(*net.TCPConn).SetLinger(0))
	require.NoError(t, peer.Close())
	var err error
	for err == nil {
		_, err = e.FileToSocket(dst, fileWith(t, []byte("x")), nil, -1)
	}
	var call *os.SyscallError
	require.ErrorAs(t, err, &call)
	require.Equal(t, "sendfile", call.Syscall)
	require.Contains(t, err.Error(), "send file: sendfile: ")
	require.NotErrorIs(t, err, io.ErrUnexpectedEOF)
}

// After a transfer that ended with bytes in its pipe, the same engine sends
// another file, and relays another stream, without a byte of the first.
func TestFailedTransferLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	for _, fixed := range []bool{true, false} {
		t.Run(fmt.Sprintf("fixed=%v", fixed), func(t *testing.T) {
			t.Parallel()
			e := tamper(t, denySendfile)
			dst, peer := pair(t, "tcp")
			small(t, dst, peer)
			deadlineWhenStalled(t, e, dst)
			var offset *int64
			if fixed {
				offset = new(int64)
			}
			_, err := e.FileToSocket(dst, fileWith(t, pattern(sized(8<<20, pastBuffers), 110)), offset, -1)
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)

			data := pattern(300_000, 112)
			good, sink := pair(t, "tcp")
			got := collect(sink)
			_, err = e.FileToSocket(good, fileWith(t, data), nil, -1)
			require.NoError(t, err)

			origin, src := pair(t, "tcp")
			feed(origin, pattern(sized(8<<20, pastPipe), 111))
			require.NoError(t, dst.SetWriteDeadline(time.Now().Add(30*time.Millisecond)))
			_, err = e.SocketRelay(dst, src, -1)
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)

			origin, src = pair(t, "tcp")
			feed(origin, data)
			_, err = e.SocketRelay(good, src, -1)
			require.NoError(t, err)
			require.NoError(t, good.Close())
			sameBytes(t, append(data[:len(data):len(data)], data...), get(t, got).data)
		})
	}
}

// An errno that is, or may be, about the source's connection ends the relay with
// it. Reading on would find a clean end, since the kernel reports it once.
func TestSocketRelaySourceErrors(t *testing.T) {
	t.Parallel()
	for _, errno := range []sys.Errno{syscall.ECONNRESET, syscall.ETIMEDOUT, syscall.EHOSTUNREACH, syscall.ENOTCONN, syscall.EIO, syscall.ELOOP} {
		t.Run(sys.ErrnoName(errno), func(t *testing.T) {
			t.Parallel()
			e := tamper(t, func(k *sys.Kernel) {
				splice := k.Splice
				k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
					if _, notSocket := sys.TypeOf(in); notSocket == 0 {
						return -1, errno
					}
					return splice(in, inOffset, out, outOffset, count, flags)
				}
			})
			origin, src := pair(t, "tcp")
			dst, _ := pair(t, "tcp")
			require.NoError(t, origin.Close())
			res, err := e.SocketRelay(dst, src, -1)
			require.ErrorIs(t, err, errno)
			require.EqualError(t, err, "relay: read source: splice: "+errno.Error())
			require.Zero(t, res.N)
		})
	}
}
