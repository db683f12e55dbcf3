package zerocopy

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fast is a connection of Wrap.
type fast interface {
	stream
	io.ReaderFrom
	io.WriterTo
}

// wrapped is a connected pair; the first is of Wrap.
func wrapped(t testing.TB, e *Engine, family string) (fast, stream) {
	t.Helper()
	a, b := pair(t, family)
	return e.Wrap(a).(fast), b
}

// counter is a wrapper that opts in.
type counter struct {
	io.Reader
	io.Writer
	read, written int64
	calls         int
}

func (c *counter) ZeroCopySource() io.Reader      { return c.Reader }
func (c *counter) ZeroCopyDestination() io.Writer { return c.Writer }
func (c *counter) CountRead(n int64)              { c.read += n; c.calls++ }
func (c *counter) CountWritten(n int64)           { c.written += n }

// What io.Copy and io.CopyN can be given, with the path that it must take and
// what must be true of the source afterwards.
var sources = map[string]func(t *testing.T, e *Engine, data []byte) (r io.Reader, path Path, after func()){
	"file": func(t *testing.T, _ *Engine, data []byte) (io.Reader, Path, func()) {
		f := fileWith(t, data)
		return f, PathSendfile, func() { require.Equal(t, int64(len(data)), position(t, f)) }
	},
	"file at its position": func(t *testing.T, _ *Engine, data []byte) (io.Reader, Path, func()) {
		f := fileWith(t, append([]byte("skip me"), data...))
		_, err := f.Seek(7, io.SeekStart)
		require.NoError(t, err)
		return f, PathSendfile, func() { require.Equal(t, int64(len(data)+7), position(t, f)) }
	},
	"append-only file": func(t *testing.T, _ *Engine, data []byte) (io.Reader, Path, func()) {
		path := filepath.Join(t.TempDir(), "log")
		require.NoError(t, os.WriteFile(path, data, 0o600))
		f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
		require.NoError(t, err)
		t.Cleanup(func() { _ = f.Close() })
		return f, PathSendfile, func() { require.Equal(t, int64(len(data)), position(t, f)) }
	},
	"limited file": func(t *testing.T, _ *Engine, data []byte) (io.Reader, Path, func()) {
		f := fileWith(t, append(bytes.Clone(data), "not this"...))
		l := &io.LimitedReader{R: f, N: int64(len(data))}
		return l, PathSendfile, func() {
			require.Zero(t, l.N)
			require.Equal(t, int64(len(data)), position(t, f))
		}
	},
	"limit beyond the end of a file": func(t *testing.T, _ *Engine, data []byte) (io.Reader, Path, func()) {
		l := &io.LimitedReader{R: fileWith(t, data), N: 1 << 40}
		return l, PathSendfile, func() { require.Equal(t, 1<<40-int64(len(data)), l.N) }
	},
	"limit in a limit": func(t *testing.T, _ *Engine, data []byte) (io.Reader, Path, func()) {
		inner := &io.LimitedReader{R: fileWith(t, append(bytes.Clone(data), 'x')), N: int64(len(data)) + 1}
		outer := &io.LimitedReader{R: inner, N: int64(len(data))}
		return outer, PathSendfile, func() {
			require.Zero(t, outer.N)
			require.Equal(t, int64(1), inner.N)
		}
	},
	"section": func(t *testing.T, _ *Engine, data []byte) (io.Reader, Path, func()) {
		f := fileWith(t, append(append([]byte("0123456789"), data...), "tail"...))
		s := io.NewSectionReader(f, 4, int64(len(data))+6)
		_, err := s.Seek(6, io.SeekStart)
		require.NoError(t, err)
		return s, PathSendfile, func() {
			at, _ := s.Seek(0, io.SeekCurrent)
			require.Equal(t, int64(len(data))+6, at)
			require.Zero(t, position(t, f), "a section leaves the position alone")
		}
	},
	"limited section, larger than its file": func(t *testing.T, _ *Engine, data []byte) (io.Reader, Path, func()) {
		s := io.NewSectionReader(fileWith(t, data), 0, 1<<62)
		l := &io.LimitedReader{R: s, N: 1 << 50}
		return l, PathSendfile, func() {
			at, _ := s.Seek(0, io.SeekCurrent)
			require.Equal(t, int64(len(data)), at)
			require.Equal(t, 1<<50-int64(len(data)), l.N)
		}
	},
	"pipe": func(t *testing.T, _ *Engine, data []byte) (io.Reader, Path, func()) {
		r, w, err := os.Pipe()
		require.NoError(t, err)
		t.Cleanup(func() { _ = r.Close() })
		go func() {
			_, _ = w.Write(data)
			_ = w.Close()
		}()
		return r, PathSplice, func() {}
	},
	"tcp":                streamSource("tcp", false),
	"unix":               streamSource("unix", false),
	"mptcp":              streamSource("mptcp", false),
	"tcp of Wrap":        streamSource("tcp", true),
	"unix of Wrap":       streamSource("unix", true),
	"limited tcp":        limitedStream("tcp", false),
	"limited unix":       limitedStream("unix", false),
	"limited tcp, Wrap":  limitedStream("tcp", true),
	"limited unix, Wrap": limitedStream("unix", true),
	"counting wrapper": func(t *testing.T, _ *Engine, data []byte) (io.Reader, Path, func()) {
		inner := &counter{Reader: fileWith(t, data)}
		l := &io.LimitedReader{R: inner, N: 1 << 40}
		outer := &counter{Reader: l}
		return outer, PathSendfile, func() {
			require.Equal(t, int64(len(data)), inner.read)
			require.Equal(t, int64(len(data)), outer.read)
			require.Equal(t, 1<<40-int64(len(data)), l.N)
			require.Greater(t, inner.calls, 1, "it is told while the transfer runs")
		}
	},
	"buffered file": func(t *testing.T, _ *Engine, data []byte) (io.Reader, Path, func()) {
		return bufio.NewReader(fileWith(t, data)), PathSendfile, func() {} // its own WriteTo hands the file over
	},
}

func streamSource(family string, wrap bool) func(*testing.T, *Engine, []byte) (io.Reader, Path, func()) {
	return func(t *testing.T, e *Engine, data []byte) (io.Reader, Path, func()) {
		origin, src := pair(t, family)
		feed(origin, data)
		if wrap {
			return e.Wrap(src), PathSplice, func() {}
		}
		return src, PathSplice, func() {}
	}
}

func limitedStream(family string, wrap bool) func(*testing.T, *Engine, []byte) (io.Reader, Path, func()) {
	return func(t *testing.T, e *Engine, data []byte) (io.Reader, Path, func()) {
		origin, src := pair(t, family)
		feed(origin, append(bytes.Clone(data), "the next message"...))
		l := &io.LimitedReader{R: src, N: int64(len(data))}
		if wrap {
			l.R = e.Wrap(src)
		}
		return l, PathSplice, func() {
			require.Zero(t, l.N)
			rest, err := io.ReadAll(l.R)
			require.NoError(t, err)
			require.Equal(t, "the next message", string(rest))
		}
	}
}

// Whatever io.Copy is given arrives, on the path that it can have, and leaves
// its source where a reader would have left it.
func TestCopyTakesTheFastPath(t *testing.T) {
	t.Parallel()
	for name, source := range sources {
		data := pattern(sized(2*chunkSize, 200_000)+333, 50)
		if name == "counting wrapper" { // which is told after each chunk
			data = pattern(2*chunkSize+333, 50)
		}
		for _, family := range families {
			t.Run(name+" to "+family, func(t *testing.T) {
				t.Parallel()
				e := tamper(t, nil)
				dst, sink := wrapped(t, e, family)
				got := collect(sink)
				r, path, after := source(t, e, data)
				n, err := io.Copy(dst, r)
				require.NoError(t, err)
				require.Equal(t, int64(len(data)), n)
				require.NoError(t, dst.CloseWrite())
				sameBytes(t, data, get(t, got).data)
				after()
				c := e.Counters()
				require.Equal(t, n, c.Bytes(), "%+v", c)
				require.Zero(t, c.Copied.Bytes, "%+v", c)
				require.Zero(t, c.Written)
				require.Empty(t, c.Fallbacks)
				if path == PathSendfile {
					require.Equal(t, n, c.Sendfile.Bytes)
				} else {
					require.Equal(t, n, c.Sendfile.Bytes+c.Splice.Bytes) // since Linux 6.5 sendfile takes pipes too
				}
			})
		}
	}
}

// A connection of Wrap hands what it reads to other connections without a copy,
// whoever is asked first.
func TestWriteToTakesTheFastPath(t *testing.T) {
	t.Parallel()
	data := pattern(sized(3<<20, 200_000), 51)
	for _, from := range families {
		for _, to := range families {
			for _, how := range []string{"plain", "wrapped", "counted"} {
				t.Run(fmt.Sprintf("%s to %s %s", from, how, to), func(t *testing.T) {
					t.Parallel()
					e := tamper(t, nil)
					src, origin := wrapped(t, e, from)
					dst, sink := pair(t, to)
					feed(origin, data)
					got := collect(sink)
					var w io.Writer = dst
					c := &counter{Writer: dst}
					switch how {
					case "wrapped":
						w = e.Wrap(dst)
					case "counted":
						w = c
					}
					n, err := io.Copy(w, src)
					require.NoError(t, err)
					require.Equal(t, int64(len(data)), n)
					require.NoError(t, dst.CloseWrite())
					sameBytes(t, data, get(t, got).data)
					require.Equal(t, n, e.Counters().Splice.Bytes)
					if how == "counted" {
						require.Equal(t, n, c.written)
					}
				})
			}
		}
	}
}

// decrypter is a value that embeds a file, and whose Read changes the bytes:
// package net sends the file itself (net.sendFile takes any syscall.Conn).
type decrypter struct{ *os.File }

func (d decrypter) Read(p []byte) (int, error) {
	n, err := d.File.Read(p)
	for i := range p[:n] {
		p[i] ^= 0x55
	}
	return n, err
}

// What cannot be taken past a Read goes through it, and is counted.
func TestOpaqueSourcesAreCopied(t *testing.T) {
	t.Parallel()
	plain := pattern(300_000, 52)
	secret := bytes.Clone(plain)
	for i := range secret {
		secret[i] ^= 0x55
	}
	half := len(plain) / 2
	for name, source := range map[string]func(t *testing.T) io.Reader{
		"memory":              func(*testing.T) io.Reader { return struct{ io.Reader }{bytes.NewReader(plain)} },
		"memory with WriteTo": func(*testing.T) io.Reader { return bytes.NewReader(plain) },
		"a file that is decrypted": func(t *testing.T) io.Reader {
			return struct{ io.Reader }{decrypter{fileWith(t, secret)}}
		},
		"a file that is decrypted, limited": func(t *testing.T) io.Reader {
			return io.LimitReader(decrypter{fileWith(t, secret)}, int64(len(secret)))
		},
		"section of memory": func(*testing.T) io.Reader {
			return io.NewSectionReader(bytes.NewReader(plain), 0, int64(len(plain)))
		},
		"wrapper of memory": func(*testing.T) io.Reader { return &counter{Reader: bytes.NewReader(plain)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := tamper(t, nil)
			dst, sink := wrapped(t, e, "tcp")
			got := collect(sink)
			n, err := dst.ReadFrom(source(t))
			require.NoError(t, err)
			require.Equal(t, int64(len(plain)), n)
			require.NoError(t, dst.CloseWrite())
			sameBytes(t, plain, get(t, got).data)
			c := e.Counters()
			assert.Equal(t, n, c.Copied.Bytes)
			assert.Equal(t, map[Reason]int64{ReasonOpaque: 1}, c.Fallbacks)
		})
	}
	t.Run("memory, then a file", func(t *testing.T) {
		t.Parallel()
		e := tamper(t, nil)
		dst, sink := wrapped(t, e, "tcp")
		got := collect(sink)
		_, err := io.Copy(dst, io.MultiReader(bytes.NewReader(plain[:half]), fileWith(t, plain[half:])))
		require.NoError(t, err)
		require.NoError(t, dst.CloseWrite())
		sameBytes(t, plain, get(t, got).data)
		assert.Equal(t, int64(len(plain)-half), e.Counters().Sendfile.Bytes)
	})
}

// To what is no connection, WriteTo does what package net does.
func TestWriteToOthers(t *testing.T) {
	t.Parallel()
	data := pattern(500_000, 53)
	for _, family := range families {
		t.Run(family, func(t *testing.T) {
			t.Parallel()
			e := tamper(t, nil)
			src, origin := wrapped(t, e, family)
			feed(origin, data)
			f := fileWith(t, nil)
			n, err := io.Copy(f, src)
			require.NoError(t, err)
			require.Equal(t, int64(len(data)), n)
			stored, err := os.ReadFile(f.Name())
			require.NoError(t, err)
			sameBytes(t, data, stored)

			src, origin = wrapped(t, e, family)
			feed(origin, data)
			var memory bytes.Buffer
			_, err = io.Copy(&memory, src)
			require.NoError(t, err)
			sameBytes(t, data, memory.Bytes())
			agree(t, e, 0)
		})
	}
}

// Empty sources, limits of nothing and files of /proc.
func TestReadFromLittle(t *testing.T) {
	t.Parallel()
	proc, err := os.ReadFile("/proc/self/cmdline")
	if err != nil {
		t.Skip(err)
	}
	for name, c := range map[string]struct {
		source func(t *testing.T) io.Reader
		want   []byte
	}{
		"empty file":     {func(t *testing.T) io.Reader { return fileWith(t, nil) }, nil},
		"limit of zero":  {func(t *testing.T) io.Reader { return io.LimitReader(fileWith(t, proc), 0) }, nil},
		"negative limit": {func(t *testing.T) io.Reader { return io.LimitReader(fileWith(t, proc), -5) }, nil},
		"section behind the end": {func(t *testing.T) io.Reader {
			s := io.NewSectionReader(fileWith(t, proc), 0, 10)
			_, err := s.Seek(100, io.SeekStart)
			require.NoError(t, err)
			return s
		}, nil},
		"file of /proc": {func(t *testing.T) io.Reader {
			f, err := os.Open("/proc/self/cmdline")
			require.NoError(t, err)
			t.Cleanup(func() { _ = f.Close() })
			return f
		}, proc},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := tamper(t, nil)
			dst, sink := wrapped(t, e, "tcp")
			got := collect(sink)
			n, err := dst.ReadFrom(c.source(t))
			require.NoError(t, err)
			require.Equal(t, int64(len(c.want)), n)
			require.NoError(t, dst.CloseWrite())
			sameBytes(t, c.want, get(t, got).data)
			agree(t, e, n)
		})
	}
}

// An empty file costs no allocation and gives no path up (golang/go#53658).
func TestEmptyFileAllocatesNothing(t *testing.T) {
	e := tamper(t, nil)
	dst, _ := wrapped(t, e, "tcp")
	f := fileWith(t, nil)
	_, err := dst.ReadFrom(f)
	require.NoError(t, err)
	// SyscallConn of both ends is an allocation each, made by packages net and os.
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { _, _ = dst.ReadFrom(f) }), 3.0)
	require.Empty(t, e.Counters().Fallbacks)
}

// Which connections Wrap takes, and which it gives back as they are.
func TestWrapKinds(t *testing.T) {
	t.Parallel()
	e, other := New(Config{}), New(Config{})
	tcp, _ := pair(t, "tcp")
	unix, _ := pair(t, "unix")
	require.IsType(t, &TCPConn{}, e.Wrap(tcp))
	require.IsType(t, &UnixConn{}, e.Wrap(unix))
	for _, c := range []net.Conn{tcp, unix} {
		w := e.Wrap(c)
		require.Same(t, w, e.Wrap(w), "twice is once")
		require.NotSame(t, w, other.Wrap(w))
		require.IsType(t, w, other.Wrap(w))
	}
	x, y := net.Pipe()
	defer x.Close()
	defer y.Close()
	require.Same(t, x, e.Wrap(x))
	require.Nil(t, e.Wrap(nil))
	require.Equal(t, (*net.TCPConn)(nil), e.Wrap((*net.TCPConn)(nil)))

	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: filepath.Join(t.TempDir(), "s"), Net: "unixpacket"})
	require.NoError(t, err)
	defer l.Close()
	packet, err := net.Dial("unixpacket", l.Addr().String())
	require.NoError(t, err)
	defer packet.Close()
	require.Same(t, packet, e.Wrap(packet), "messages have boundaries")

	// Everything of net.TCPConn is at hand.
	c := e.Wrap(tcp).(*TCPConn)
	require.NoError(t, c.SetNoDelay(true))
	require.NoError(t, c.SetLinger(-1))
	require.NoError(t, c.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true}))
	f, err := c.File()
	require.NoError(t, err)
	require.NoError(t, f.Close())
	raw, err := c.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(uintptr) {}))
	require.NoError(t, c.CloseRead())
	require.NoError(t, c.CloseWrite())
}

// Listeners keep their kind's methods.
func TestNewListener(t *testing.T) {
	t.Parallel()
	e := New(Config{})
	path := filepath.Join(t.TempDir(), "socket")
	for network, address := range map[string]string{"tcp": "127.0.0.1:0", "unix": path} {
		for _, bare := range []bool{false, true} {
			inner, err := (&net.ListenConfig{}).Listen(context.Background(), network, address)
			require.NoError(t, err)
			l := e.NewListener(inner)
			if bare {
				l = e.NewListener(struct{ net.Listener }{inner})
			} else {
				require.Implements(t, (*interface{ File() (*os.File, error) })(nil), l)
			}
			client, err := net.Dial(network, l.Addr().String())
			require.NoError(t, err)
			conn, err := l.Accept()
			require.NoError(t, err)
			require.Implements(t, (*fast)(nil), conn)
			require.NoError(t, client.Close())
			require.NoError(t, conn.Close())
			require.NoError(t, l.Close())
			_, err = l.Accept()
			require.ErrorIs(t, err, net.ErrClosed)
		}
	}
}
