package zerocopy

import (
	"io"
	"net"
	"syscall"
)

// Wrap is [Engine.Wrap] on the engine of the package's functions.
func Wrap(conn net.Conn) net.Conn { return standard().Wrap(conn) }

// Wrap gives a connection the paths of this engine: its ReadFrom and WriteTo,
// which io.Copy, io.CopyN and net/http use, take them, and its counters count.
// A *net.TCPConn becomes a [*TCPConn], a stream-oriented *net.UnixConn a
// [*UnixConn]. Every other connection comes back as it is, a *tls.Conn above
// all: it is never looked through, and what it is given is encrypted.
//
// Sources whose bytes go without a copy, or by the engine's best other way:
//
//   - *os.File: regular files from their position, which moves by exactly what
//     was sent; pipes, terminals and other streams; append-only, empty and
//     /proc files.
//   - *io.SectionReader over an *os.File, *io.LimitedReader over any of these
//     (and so what http.ServeContent, http.FileServer(http.Dir) and io.CopyN
//     make of them). N and the position in the section move by exactly what was
//     taken.
//   - *net.TCPConn, stream-oriented *net.UnixConn, and connections of Wrap.
//   - [SourceWrapper] over any of these.
//
// All others are copied through Write, and counted as copied because of
// [ReasonOpaque]. Among them are what http.FS makes of a file, bufio.Reader
// where it has bytes in its buffer, and a value that merely embeds an *os.File
// or has a SyscallConn method: its Read may do anything with the bytes.
func (e *Engine) Wrap(conn net.Conn) net.Conn {
	switch c := conn.(type) {
	case *net.TCPConn:
		if c != nil {
			return &TCPConn{TCPConn: c, e: e, back: new(backlog)}
		}
	case *net.UnixConn:
		if isStreamConn(c) {
			return &UnixConn{UnixConn: c, e: e, back: new(backlog)}
		}
	case *TCPConn:
		if c != nil && c.e != e {
			return &TCPConn{TCPConn: c.TCPConn, e: e, back: c.back}
		}
	case *UnixConn:
		if c != nil && c.e != e {
			return &UnixConn{UnixConn: c.UnixConn, e: e, back: c.back}
		}
	}
	return conn
}

// isStreamConn tells a UNIX stream connection from the datagram kinds.
func isStreamConn(c *net.UnixConn) bool {
	return c != nil && c.LocalAddr() != nil && c.LocalAddr().Network() == "unix"
}

// TCPConn is a *net.TCPConn of [Wrap]: everything else about it is that
// connection's. Its errors are those of net too: a *net.OpError with Op
// "readfrom" or "writeto", whose Timeout tells a deadline.
//
// When ReadFrom or WriteTo fails with bytes in its hands that the source gave
// and the destination did not accept, a source of Wrap gets them back and its
// next Read, WriteTo or relay delivers them; from any other stream they come in
// an [InFlightError] inside of the *net.OpError. (Methods of the embedded
// connection other than these, and RawConn.Read, do not see bytes that came
// back.)
type TCPConn struct {
	*net.TCPConn
	e    *Engine
	back *backlog
}

// UnixConn is a stream-oriented *net.UnixConn of [Wrap]; see [TCPConn]. Its
// ReadFrom and WriteTo are those of [io.ReaderFrom] and [io.WriterTo], not of
// [net.PacketConn].
type UnixConn struct {
	*net.UnixConn
	e    *Engine
	back *backlog
}

// Read is that of net.TCPConn, but for bytes that came back: they are first.
func (c *TCPConn) Read(p []byte) (int, error) {
	if n, ok, err := c.back.read(c.TCPConn, p); ok {
		return n, err
	}
	return c.TCPConn.Read(p)
}

// Read is that of net.UnixConn, but for bytes that came back: they are first.
func (c *UnixConn) Read(p []byte) (int, error) {
	if n, ok, err := c.back.read(c.UnixConn, p); ok {
		return n, err
	}
	return c.UnixConn.Read(p)
}

// Write is that of net.TCPConn; [Counters.Written] counts it.
func (c *TCPConn) Write(p []byte) (int, error) { return c.e.write(c.TCPConn, p) }

// Write is that of net.UnixConn; [Counters.Written] counts it.
func (c *UnixConn) Write(p []byte) (int, error) { return c.e.write(c.UnixConn, p) }

// ReadFrom sends what r gives until it ends, which is no error, and returns how
// many bytes the kernel accepted. It implements [io.ReaderFrom]: see [Engine.Wrap]
// for which sources go without a copy.
func (c *TCPConn) ReadFrom(r io.Reader) (int64, error) { return c.e.readFrom(c.TCPConn, r) }

// ReadFrom is as that of [TCPConn].
func (c *UnixConn) ReadFrom(r io.Reader) (int64, error) { return c.e.readFrom(c.UnixConn, r) }

// WriteTo moves what arrives to w until the end of the stream, which is no
// error, and returns how many bytes w accepted. It implements [io.WriterTo]:
// TCP and UNIX stream connections, those of [Wrap] and [DestinationWrapper]
// over them go the engine's ways; every other w gets what the connection of
// package net gives it.
func (c *TCPConn) WriteTo(w io.Writer) (int64, error) {
	return c.e.writeTo(w, c.TCPConn, c.back, c.TCPConn.WriteTo)
}

// WriteTo is as that of [TCPConn].
func (c *UnixConn) WriteTo(w io.Writer) (int64, error) {
	return c.e.writeTo(w, c.UnixConn, c.back, func(w io.Writer) (int64, error) { return io.Copy(w, c.UnixConn) })
}

// SyscallConn gives the raw connection. Bytes that came back are not in it.
func (c *TCPConn) SyscallConn() (syscall.RawConn, error) { return opaque(c.TCPConn) }

// SyscallConn gives the raw connection. Bytes that came back are not in it.
func (c *UnixConn) SyscallConn() (syscall.RawConn, error) { return opaque(c.UnixConn) }

// opaqueRaw hides the methods by which packages os and net find their own
// connections: os.File.WriteTo would call sendfile itself, past the engine, its
// fallbacks and its counters.
type opaqueRaw struct{ syscall.RawConn }

func opaque(c syscall.Conn) (syscall.RawConn, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	return opaqueRaw{raw}, nil
}

// base is the connection of package net below one of Wrap's, and where that
// takes bytes back.
func base(c syscall.Conn) (syscall.Conn, *backlog) {
	switch c := c.(type) {
	case *TCPConn:
		if c == nil {
			return nil, nil
		}
		return c.TCPConn, c.back
	case *UnixConn:
		if c == nil {
			return nil, nil
		}
		return c.UnixConn, c.back
	default:
		return c, nil
	}
}
