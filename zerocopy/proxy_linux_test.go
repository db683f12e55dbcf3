package zerocopy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// proxied is a proxy between a client and a server, running.
type proxied struct {
	client, server stream
	a, b           stream // its own ends
	e              *Engine
	done           chan ProxyResult
	err            error // when done
}

func startProxy(t testing.TB, ctx context.Context, e *Engine, family string, options ...ProxyOption) *proxied {
	t.Helper()
	p := &proxied{e: e, done: make(chan ProxyResult, 1)}
	p.client, p.a = pair(t, family)
	p.b, p.server = pair(t, family)
	small(t, p.client, p.a, p.b, p.server)
	go func() {
		res, err := e.Proxy(ctx, p.a, p.b, options...)
		p.err = err
		p.done <- res
	}()
	return p
}

// end waits for the proxy, and checks what is always so.
func (p *proxied) end(t testing.TB) ProxyResult {
	t.Helper()
	select {
	case res := <-p.done:
		_, err := p.a.Read(make([]byte, 1))
		require.ErrorIs(t, err, net.ErrClosed)
		_, err = p.b.Read(make([]byte, 1))
		require.ErrorIs(t, err, net.ErrClosed)
		require.Zero(t, p.e.pipes.out)
		agree(t, p.e, res.AToB.N+res.BToA.N)
		return res
	case <-time.After(patience):
		buf := make([]byte, 1<<20)
		require.FailNow(t, "the proxy does not end", "%s", buf[:runtime.Stack(buf, true)])
		return ProxyResult{}
	}
}

// Both directions, each with its end; the answer begins when the request has
// ended.
func TestProxyHalfClose(t *testing.T) {
	t.Parallel()
	request, answer := pattern(sized(3<<20, 200_000)+1, 100), pattern(sized(5<<20, 300_000)+2, 101)
	for path, edit := range relayPaths {
		for _, family := range families {
			t.Run(fmt.Sprintf("%s/%s", path, family), func(t *testing.T) {
				t.Parallel()
				var progress Progress
				p := startProxy(t, context.Background(), tamper(t, edit), family, WithProgress(&progress))
				feed(p.client, request)
				sameBytes(t, request, get(t, collect(p.server)).data)
				require.Equal(t, int64(len(request)), progress.AToB.Load(), "visible while it runs")
				require.Zero(t, progress.BToA.Load())
				feed(p.server, answer)
				sameBytes(t, answer, get(t, collect(p.client)).data)
				res := p.end(t)
				require.NoError(t, p.err)
				assert.Equal(t, int64(len(request)), res.AToB.N)
				assert.Equal(t, int64(len(answer)), res.BToA.N)
				assert.Equal(t, path, res.AToB.Path)
				assert.NoError(t, res.AToB.Err)
				assert.NoError(t, res.BToA.Err)
				assert.Equal(t, res.BToA.N, progress.BToA.Load())
			})
		}
	}
}

// A server that answers and closes while the client still sends: the answer
// arrives whole, and the direction that failed says so.
func TestProxyDeliversTheAnswerOfAnImpatientServer(t *testing.T) {
	t.Parallel()
	answer := pattern(100_000, 102)
	p := startProxy(t, context.Background(), tamper(t, nil), "unix")
	go func() { _, _ = p.client.Write(make([]byte, 64<<20)) }()
	_, err := io.CopyN(io.Discard, p.server, 1<<20)
	require.NoError(t, err)
	got := collect(p.client)
	_, err = p.server.Write(answer)
	require.NoError(t, err)
	require.NoError(t, p.server.CloseRead()) // what it does not read any more is EPIPE for the proxy
	require.NoError(t, p.server.CloseWrite())
	sameBytes(t, answer, get(t, got).data)
	res := p.end(t)
	require.ErrorIs(t, res.AToB.Err, syscall.EPIPE)
	require.NoError(t, res.BToA.Err)
	require.ErrorIs(t, p.err, syscall.EPIPE)
}

// A context that is done ends it at once, whatever it waits for.
func TestProxyContext(t *testing.T) {
	t.Parallel()
	cause := errors.New("enough")
	for path, edit := range relayPaths {
		for _, state := range []string{"idle", "full", "before"} {
			t.Run(fmt.Sprintf("%s/%s", path, state), func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithCancelCause(context.Background())
				defer cancel(nil)
				e := tamper(t, edit)
				if state == "before" {
					cancel(cause)
				}
				p := startProxy(t, ctx, e, "tcp")
				sent := make(chan struct{})
				if state == "full" {
					go func() {
						defer close(sent)
						_, _ = p.client.Write(pattern(sized(32<<20, 12<<20), 103))
					}()
				}
				if state != "before" {
					waiting := func() bool { return e.Counters().Waits > 0 && (state == "idle" || e.Counters().Bytes() > 0) }
					require.Eventually(t, waiting, patience, time.Millisecond)
					cancel(cause)
				}
				started := time.Now()
				res := p.end(t)
				require.Less(t, time.Since(started), patience/4)
				require.ErrorIs(t, p.err, cause)
				require.ErrorIs(t, res.AToB.Err, cause)
				require.ErrorIs(t, res.BToA.Err, cause)
				if state == "full" {
					<-sent
					data, err := io.ReadAll(p.server)
					if len(res.AToB.InFlight) > 0 {
						require.ErrorIs(t, err, syscall.ECONNRESET, "its stream is cut off")
					}
					require.LessOrEqual(t, int64(len(data)), res.AToB.N)
				}
			})
		}
	}
}

// Idle means that no destination takes anything: neither activity nor a slow
// reader ends it, silence and a stalled reader do.
func TestProxyIdleTimeout(t *testing.T) {
	t.Parallel()
	const idle = time.Second
	t.Run("silence", func(t *testing.T) {
		t.Parallel()
		started := time.Now()
		p := startProxy(t, context.Background(), tamper(t, nil), "tcp", WithIdleTimeout(idle))
		last := started
		for range 6 { // together longer than the timeout
			time.Sleep(idle / 4)
			away := time.Since(last)
			if last = time.Now(); away > idle/2 { // as an emulated processor is that others share
				t.Skipf("this machine was away for %v", away)
			}
			_, err := p.client.Write([]byte("x"))
			require.NoError(t, err)
			_, err = io.ReadFull(p.server, make([]byte, 1))
			require.NoError(t, err)
		}
		res := p.end(t)
		require.GreaterOrEqual(t, time.Since(started), 2*idle)
		require.ErrorIs(t, p.err, ErrIdle)
		require.ErrorIs(t, p.err, os.ErrDeadlineExceeded)
		require.ErrorIs(t, res.AToB.Err, ErrIdle)
		require.Equal(t, int64(6), res.AToB.N)
		_, err := p.client.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF, "nothing was cut off: a plain end")
	})
	t.Run("a reader that stalls", func(t *testing.T) {
		t.Parallel()
		p := startProxy(t, context.Background(), tamper(t, nil), "unix", WithIdleTimeout(idle))
		go func() { _, _ = p.client.Write(make([]byte, sized(8<<20, pastPipe))) }()
		res := p.end(t)
		require.ErrorIs(t, p.err, ErrIdle)
		require.NotEmpty(t, res.AToB.InFlight)
	})
}

// Wrapped ends, wrappers that opt in and others, in every mixture.
func TestProxyKinds(t *testing.T) {
	t.Parallel()
	request, answer := pattern(sized(1<<20, 200_000), 104), pattern(sized(1<<20, 200_000)+5, 105)
	type opaqueStream struct{ stream }
	for name, c := range map[string]struct {
		wrap   func(e *Engine, c stream) net.Conn
		splice bool
	}{
		"plain":   {func(_ *Engine, c stream) net.Conn { return c }, true},
		"wrapped": {func(e *Engine, c stream) net.Conn { return e.Wrap(c) }, true},
		"opaque":  {func(_ *Engine, c stream) net.Conn { return opaqueStream{c} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := tamper(t, nil)
			client, a := pair(t, "tcp")
			b, server := pair(t, "unix")
			done := make(chan error, 1)
			go func() {
				_, err := e.Proxy(context.Background(), c.wrap(e, a), c.wrap(e, b))
				done <- err
			}()
			feed(client, request)
			sameBytes(t, request, get(t, collect(server)).data)
			feed(server, answer)
			sameBytes(t, answer, get(t, collect(client)).data)
			require.NoError(t, <-done)
			counters := e.Counters()
			require.Equal(t, int64(len(request)+len(answer)), counters.Bytes())
			require.Equal(t, c.splice, counters.Copied.Bytes == 0, "%+v", counters)
		})
	}
	_, err := Proxy(context.Background(), nil, nil)
	require.ErrorIs(t, err, os.ErrInvalid)
}

// Bytes that came back to an end are the first that it gives.
func TestProxyTakesWhatCameBack(t *testing.T) {
	t.Parallel()
	e := tamper(t, nil)
	a, client := wrapped(t, e, "tcp")
	b, server := pair(t, "tcp")
	a.(*TCPConn).back.put([]byte("first, "))
	feed(client, []byte("second"))
	feed(server, nil)
	res, err := e.Proxy(context.Background(), a, b)
	require.NoError(t, err)
	require.Equal(t, int64(13), res.AToB.N)
	require.Equal(t, "first, second", string(get(t, collect(server)).data))
}

// Nothing is left of proxies that have ended in any way: no goroutine, no
// descriptor.
func TestProxyLeavesNothing(t *testing.T) {
	// Not parallel: it counts.
	e := tamper(t, nil)
	e.BackendName()
	round := func(i int) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		client, a := pair(t, "tcp")
		b, server := pair(t, "tcp")
		done := make(chan error, 1)
		go func() {
			_, err := e.Proxy(ctx, a, b, WithIdleTimeout(time.Hour))
			done <- err
		}()
		_, _ = client.Write(make([]byte, 1<<16))
		switch i % 3 {
		case 0:
			cancel()
		case 1:
			_ = client.(*net.TCPConn).SetLinger(0)
		case 2:
			_ = client.CloseWrite()
			_ = server.CloseWrite()
		}
		_ = client.Close()
		<-done
		_ = server.Close()
	}
	round(0)
	e.CloseIdlePipes()
	runtime.GC()
	fds, routines := descriptors(t), runtime.NumGoroutine()
	for i := range 60 {
		round(i)
	}
	e.CloseIdlePipes()
	for end := time.Now().Add(patience); descriptors(t) > fds || runtime.NumGoroutine() > routines; time.Sleep(10 * time.Millisecond) {
		require.True(t, time.Now().Before(end), "%d to %d descriptors, %d to %d goroutines",
			fds, descriptors(t), routines, runtime.NumGoroutine())
	}
}
