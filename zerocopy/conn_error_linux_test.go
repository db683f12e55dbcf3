package zerocopy

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// verdict is what a caller can ask of an error.
type verdict struct {
	op, net                   string
	timeout, temporary        bool
	deadline, closed, isReset bool
	source, addr              bool
}

func verdictOf(t *testing.T, err error) verdict {
	t.Helper()
	var op *net.OpError
	require.ErrorAs(t, err, &op)
	require.Same(t, op, err, "the *net.OpError is outermost")
	var n net.Error
	require.ErrorAs(t, err, &n)
	return verdict{
		op: op.Op, net: op.Net, source: op.Source != nil, addr: op.Addr != nil,
		timeout: n.Timeout(), temporary: op.Temporary(),
		deadline: errors.Is(err, os.ErrDeadlineExceeded), closed: errors.Is(err, net.ErrClosed),
		isReset: errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE),
	}
}

// The errors of a connection of Wrap are those of *net.TCPConn.
func TestErrorsAreThoseOfNet(t *testing.T) {
	t.Parallel()
	past := time.Now().Add(-time.Hour)
	breakages := map[string]func(c, peer stream, src net.Conn) error{
		"closed":                        func(c, _ stream, _ net.Conn) error { return c.Close() },
		"deadline in the past":          func(c, _ stream, _ net.Conn) error { return c.SetWriteDeadline(past) },
		"deadline while full":           func(c, _ stream, _ net.Conn) error { return c.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)) },
		"shut down for writing":         func(c, _ stream, _ net.Conn) error { return c.CloseWrite() },
		"source closed":                 func(_, _ stream, src net.Conn) error { return src.Close() },
		"source deadline in the past":   func(_, _ stream, src net.Conn) error { return src.SetReadDeadline(past) },
		"reset by the peer, then again": func(c, peer stream, _ net.Conn) error { return resetAndMeetIt(t, c, peer) },
	}
	for what, breakIt := range breakages {
		for _, kind := range []string{"file", "tcp", "limited tcp"} {
			if kind == "file" && strings.HasPrefix(what, "source") {
				continue
			}
			t.Run(what+"/"+kind, func(t *testing.T) {
				t.Parallel()
				ask := func(wrap bool) verdict {
					a, peer := pair(t, "tcp")
					origin, src := pair(t, "tcp")
					if testing.Short() {
						small(t, a, peer)
					}
					feed(origin, pattern(sized(32<<20, pastPipe), 60))
					var c fast = a.(*net.TCPConn)
					if wrap {
						c = New(Config{}).Wrap(a).(fast)
					}
					require.NoError(t, breakIt(c, peer, src))
					r := io.Reader(src)
					switch kind {
					case "file":
						r = fileWith(t, pattern(sized(32<<20, pastBuffers), 61))
					case "limited tcp":
						r = io.LimitReader(src, 1<<30)
					}
					_, err := c.ReadFrom(r)
					return verdictOf(t, err)
				}
				assert.Equal(t, ask(false), ask(true))
			})
		}
	}
	for what, breakIt := range map[string]func(c stream) error{
		"closed":               func(c stream) error { return c.Close() },
		"deadline in the past": func(c stream) error { return c.SetReadDeadline(past) },
	} {
		t.Run("WriteTo "+what, func(t *testing.T) {
			t.Parallel()
			ask := func(wrap bool) verdict {
				c, _ := pair(t, "tcp")
				dst, _ := pair(t, "unix")
				var src io.WriterTo = c.(*net.TCPConn)
				if wrap {
					src = New(Config{}).Wrap(c).(*TCPConn)
				}
				require.NoError(t, breakIt(c))
				_, err := src.WriteTo(dst)
				return verdictOf(t, err)
			}
			assert.Equal(t, ask(false), ask(true))
		})
	}
}

// resetAndMeetIt resets c from the far side and takes the first error off it.
func resetAndMeetIt(t *testing.T, c, peer stream) error {
	require.NoError(t, peer.(*net.TCPConn).SetLinger(0))
	require.NoError(t, peer.Close())
	_, err := c.Read(make([]byte, 1))
	require.ErrorIs(t, err, syscall.ECONNRESET)
	return nil
}

// Errors of a file are its own.
func TestReadFromFileErrors(t *testing.T) {
	t.Parallel()
	dst, _ := wrapped(t, New(Config{}), "tcp")
	f := fileWith(t, pattern(1000, 62))
	require.NoError(t, f.Close())
	_, err := dst.ReadFrom(f)
	require.ErrorIs(t, err, os.ErrClosed)
	directory, err := os.Open(t.TempDir())
	require.NoError(t, err)
	defer directory.Close()
	_, err = dst.ReadFrom(directory)
	require.ErrorIs(t, err, syscall.EISDIR)
	require.Contains(t, err.Error(), "readfrom tcp 127.0.0.1:")
	_, err = dst.ReadFrom((*os.File)(nil))
	require.ErrorIs(t, err, os.ErrInvalid)
}

// What was in flight when a write deadline struck goes back to a source of Wrap:
// its next reads give it, in the right place, whoever reads. LimitedReader.N is
// exact at every moment.
func TestInFlightGoesBackToTheSource(t *testing.T) {
	t.Parallel()
	size := int64(sized(8<<20, pastPipe))
	data := pattern(int(size), 63)
	for path, edit := range relayPaths {
		for _, family := range families {
			t.Run(fmt.Sprintf("%s/%s", path, family), func(t *testing.T) {
				t.Parallel()
				e := tamper(t, edit)
				src, origin := wrapped(t, e, family)
				dst, sink := wrapped(t, e, family)
				small(t, dst, sink)
				feed(origin, data)
				deadlineWhenStalled(t, e, dst)
				l := &io.LimitedReader{R: src, N: size}
				n, err := io.Copy(dst, l)
				require.ErrorIs(t, err, os.ErrDeadlineExceeded)
				var flight *InFlightError
				require.NotErrorAs(t, err, &flight)
				require.Equal(t, size-n, l.N)

				// A read deadline holds for what came back, too.
				require.NoError(t, src.SetReadDeadline(time.Now().Add(-time.Second)))
				_, err = src.Read(make([]byte, 10))
				require.ErrorIs(t, err, os.ErrDeadlineExceeded)
				require.Contains(t, err.Error(), "read ")
				require.NoError(t, src.SetReadDeadline(time.Time{}))

				require.NoError(t, dst.SetWriteDeadline(time.Time{}))
				got := collect(sink)
				first := make([]byte, 1000)
				_, err = io.ReadFull(src, first)
				require.NoError(t, err)
				_, err = dst.Write(first)
				require.NoError(t, err)
				m, err := src.WriteTo(dst)
				require.NoError(t, err)
				require.Equal(t, size, n+1000+m)
				require.NoError(t, dst.CloseWrite())
				sameBytes(t, data, get(t, got).data)
				agree(t, e, n+m)
				require.Equal(t, PathCounters{1000, 1}, e.Counters().Written)
			})
		}
	}
}

// A source that cannot take bytes back: they are in the error, and
// LimitedReader.N has counted them.
func TestInFlightInTheError(t *testing.T) {
	t.Parallel()
	size := int64(sized(8<<20, pastPipe))
	data := pattern(int(size), 64)
	e := tamper(t, nil)
	origin, src := pair(t, "tcp")
	dst, sink := wrapped(t, e, "tcp")
	small(t, dst, sink)
	feed(origin, data)
	deadlineWhenStalled(t, e, dst)
	l := &io.LimitedReader{R: src, N: size}
	count := &counter{Reader: l}
	n, err := dst.ReadFrom(count)
	require.True(t, verdictOf(t, err).timeout)
	var flight *InFlightError
	require.ErrorAs(t, err, &flight)
	require.NotEmpty(t, flight.Data)
	require.True(t, flight.Timeout())
	require.Equal(t, size-n-int64(len(flight.Data)), l.N)
	require.Equal(t, n+int64(len(flight.Data)), count.read)

	require.NoError(t, dst.SetWriteDeadline(time.Time{}))
	got := collect(sink)
	_, err = dst.Write(flight.Data)
	require.NoError(t, err)
	_, err = dst.ReadFrom(count)
	require.NoError(t, err)
	require.Zero(t, l.N)
	require.NoError(t, dst.CloseWrite())
	sameBytes(t, data, get(t, got).data)
}

// SocketRelay and Relay give back to a source of Wrap as well, and the bytes
// that came back go to the next relay, to io.Copy into memory, or nowhere after
// Close.
func TestRelayFromWrapped(t *testing.T) {
	t.Parallel()
	size := sized(8<<20, pastPipe)
	data := pattern(size, 65)
	e := tamper(t, nil)
	src, origin := wrapped(t, e, "tcp")
	dst, sink := wrapped(t, e, "tcp")
	small(t, dst, sink)
	feed(origin, data)
	deadlineWhenStalled(t, e, dst)
	res, err := e.SocketRelay(dst, src, -1)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	var flight *InFlightError
	require.NotErrorAs(t, err, &flight)
	got := collect(sink)
	require.NoError(t, dst.SetWriteDeadline(time.Time{}))
	r := e.NewRelay(dst, src)
	again, err := r.Run(1) // less than what came back
	require.NoError(t, err)
	require.Equal(t, int64(1), again.N)
	require.Zero(t, r.InFlight())
	require.NoError(t, dst.CloseWrite())
	rest, err := io.ReadAll(struct{ io.Reader }{src})
	require.NoError(t, err)
	sameBytes(t, data, append(get(t, got).data, rest...))
	require.Equal(t, res.N+1, int64(size-len(rest)))

	src.(*TCPConn).back.put([]byte("left"))
	require.NoError(t, src.Close())
	_, err = src.Read(make([]byte, 4))
	require.ErrorIs(t, err, net.ErrClosed)
}
