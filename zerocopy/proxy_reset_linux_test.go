package zerocopy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// A reset of one side is a reset of the other, with the bytes in flight told,
// wherever the proxy meets it. A stream that was cut never looks whole.
func TestProxyPassesResetsOn(t *testing.T) {
	t.Parallel()
	for path, edit := range relayPaths {
		for _, busy := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/client resets, busy %v", path, busy), func(t *testing.T) {
				t.Parallel()
				p := startProxy(t, context.Background(), tamper(t, edit), "tcp")
				wrote := make(chan error, 1)
				if busy { // both directions are moving
					go func() {
						_, err := p.server.Write(make([]byte, 64<<20))
						wrote <- err
					}()
					go func() { _, _ = p.client.Write(make([]byte, 64<<20)) }()
					_, err := io.CopyN(io.Discard, p.client, 1<<20)
					require.NoError(t, err)
				}
				require.NoError(t, p.client.(*net.TCPConn).SetLinger(0))
				require.NoError(t, p.client.Close())
				_, err := io.Copy(io.Discard, p.server)
				if busy && err == nil {
					err = <-wrote // a reset is reported once: to whoever asked first
				}
				res := p.end(t)
				require.ErrorIs(t, err, syscall.ECONNRESET, "the server must not take it for an end: %v %v", res.AToB.Err, res.BToA.Err)
				require.Error(t, p.err)
				require.True(t, errors.Is(p.err, syscall.ECONNRESET) || errors.Is(p.err, syscall.EPIPE), "%v", p.err)
				require.Error(t, res.AToB.Err)
				require.Error(t, res.BToA.Err)
			})
		}
		t.Run(string(path)+"/idle client is reset", func(t *testing.T) {
			t.Parallel()
			p := startProxy(t, context.Background(), tamper(t, edit), "tcp")
			_, err := p.client.Write([]byte("hello"))
			require.NoError(t, err)
			_, err = io.ReadFull(p.server, make([]byte, 5))
			require.NoError(t, err)
			require.NoError(t, p.server.(*net.TCPConn).SetLinger(0))
			require.NoError(t, p.server.Close())
			_, err = p.client.Read(make([]byte, 1))
			require.ErrorIs(t, err, syscall.ECONNRESET)
			res := p.end(t)
			require.ErrorIs(t, res.AToB.Err, ErrOtherDirection)
			require.ErrorIs(t, res.BToA.Err, syscall.ECONNRESET)
			require.EqualError(t, p.err, "proxy: b to a: "+res.BToA.Err.Error())
			require.Contains(t, p.err.Error(), "read source: ")
		})
	}
}

// The kernel reports a reset once. Where the direction that writes meets it,
// the one that reads finds an end: it must not be carried over as one.
func TestProxyResetThatLooksLikeAnEnd(t *testing.T) {
	t.Parallel()
	for path, edit := range relayPaths {
		t.Run(string(path), func(t *testing.T) {
			t.Parallel()
			met := make(chan struct{})
			var once sync.Once
			var slow atomic.Int64 // the descriptor whose reader has to wait for the writer
			note := func(errno sys.Errno) {
				if errno == syscall.ECONNRESET {
					once.Do(func() { close(met) })
				}
			}
			p := startProxy(t, context.Background(), tamper(t, func(k *sys.Kernel) {
				splice, send, read := k.Splice, k.Send, k.Read
				k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
					if int64(in) == slow.Load() {
						<-met
					}
					n, errno := splice(in, inOffset, out, outOffset, count, flags)
					note(errno)
					return n, errno
				}
				k.Send = func(fd int, q []byte, flags int) (int, sys.Errno) {
					n, errno := send(fd, q, flags)
					note(errno)
					return n, errno
				}
				k.Read = func(fd int, q []byte) (int, sys.Errno) {
					if int64(fd) == slow.Load() {
						<-met
					}
					return read(fd, q)
				}
				if edit != nil {
					edit(k)
				}
			}), "tcp")
			go func() { _, _ = p.server.Write(make([]byte, 64<<20)) }()
			require.Eventually(t, func() bool { return full(t, p.a) }, patience, time.Millisecond)
			slow.Store(int64(descriptor(t, p.a)))
			require.NoError(t, p.client.(*net.TCPConn).SetLinger(0))
			require.NoError(t, p.client.Close())
			res := p.end(t)
			require.ErrorIs(t, res.BToA.Err, syscall.ECONNRESET)
			require.Error(t, res.AToB.Err, "an end was carried over that was none")
		})
	}
}

// full tells whether c takes no more.
func full(t testing.TB, c stream) bool { return !ready(descriptor(t, c), true) }

func descriptor(t testing.TB, c stream) (n int) {
	raw, err := c.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(fd uintptr) { n = int(fd) }))
	return n
}
