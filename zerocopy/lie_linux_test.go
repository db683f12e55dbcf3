package zerocopy

import (
	"fmt"
	"io"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// A kernel that reports more than it was given, in any call, ends the transfer
// with an error that says so: no panic, no hang, and the count stays in bounds.
func TestMoreThanWasGiven(t *testing.T) {
	t.Parallel()
	data := pattern(200_000, 90)
	lies := map[string]func(k *sys.Kernel){
		"send": func(k *sys.Kernel) {
			denySendfile(k)
			denySplice(k)
			send := k.Send
			k.Send = func(fd int, p []byte, flags int) (int, sys.Errno) {
				_, errno := send(fd, p, flags)
				return len(p) + 1, errno
			}
		},
		"read": func(k *sys.Kernel) {
			denySendfile(k)
			denySplice(k)
			k.Read = func(_ int, p []byte) (int, sys.Errno) { return len(p) + 1, 0 }
			k.Pread = func(_ int, p []byte, _ int64) (int, sys.Errno) { return len(p) + 1, 0 }
		},
		"sendfile": func(k *sys.Kernel) {
			sendfile := k.Sendfile
			k.Sendfile = func(out, in int, offset *int64, count int) (int, sys.Errno) {
				_, errno := sendfile(out, in, offset, count)
				return count + 1, errno
			}
		},
		"splice in": func(k *sys.Kernel) {
			denySendfile(k)
			k.Splice = func(_ int, _ *int64, _ int, _ *int64, count, _ int) (int, sys.Errno) { return count + 1, 0 }
		},
		"splice out": func(k *sys.Kernel) {
			denySendfile(k)
			splice := k.Splice
			k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
				n, errno := splice(in, inOffset, out, outOffset, count, flags)
				if _, pipe := sys.TypeOf(out); pipe == 0 && n > 0 {
					n = count + 1
				}
				return n, errno
			}
		},
	}
	for name, lie := range lies {
		t.Run(name+"/file", func(t *testing.T) {
			t.Parallel()
			e := tamper(t, lie)
			dst, sink := pair(t, "tcp")
			_ = collect(sink)
			offset := int64(0)
			res, err := e.FileToSocket(dst, fileWith(t, data), &offset, int64(len(data)))
			require.ErrorContains(t, err, "the kernel reported")
			require.LessOrEqual(t, res.N, int64(len(data)))
			require.Equal(t, res.N, offset)
			agree(t, e, res.N)
			require.Zero(t, e.pipes.out)
		})
		t.Run(name+"/relay", func(t *testing.T) {
			t.Parallel()
			if name == "sendfile" {
				t.Skip("a relay makes no such call")
			}
			e := tamper(t, lie)
			origin, src := pair(t, "unix")
			dst, sink := pair(t, "tcp")
			_ = collect(sink)
			feed(origin, data)
			res, err := e.SocketRelay(dst, src, int64(len(data)))
			require.ErrorContains(t, err, "the kernel reported")
			require.LessOrEqual(t, res.N, int64(len(data)))
			agree(t, e, res.N)
			require.Zero(t, e.pipes.out)
		})
	}
}

// ENOTSOCK and EINVAL are refusals on the first splice of a relay as on any
// later one, taking or giving: they are about the call, never about the stream.
func TestRelayRefusalsAreTheSameAtAnyCall(t *testing.T) {
	t.Parallel()
	data := pattern(sized(4<<20, 600_000), 91)
	for _, errno := range []sys.Errno{syscall.ENOTSOCK, syscall.EINVAL, syscall.EXDEV, syscall.ENOTTY} {
		for nth := int64(1); nth <= 6; nth += int64(sized(1, 3)) { // with -short one that takes and one that gives
			t.Run(fmt.Sprintf("%s/call %d", sys.ErrnoName(errno), nth), func(t *testing.T) {
				t.Parallel()
				var calls atomic.Int64
				e := tamper(t, func(k *sys.Kernel) {
					splice := k.Splice
					k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
						if calls.Add(1) >= nth {
							return -1, errno
						}
						return splice(in, inOffset, out, outOffset, min(count, sized(300_000, 100_000)), flags)
					}
				})
				src, origin := wrapped(t, e, "tcp")
				dst, sink := wrapped(t, e, "tcp")
				feed(origin, data)
				got := collect(sink)
				n, err := io.Copy(dst, src)
				require.NoError(t, err)
				require.Equal(t, int64(len(data)), n)
				require.NoError(t, dst.Close())
				sameBytes(t, data, get(t, got).data)
				require.Equal(t, map[Reason]int64{ReasonRefused: 1}, e.Counters().Fallbacks)
				agree(t, e, n)
			})
		}
	}
}
