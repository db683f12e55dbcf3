package zerocopy

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
)

// streamConn is *net.TCPConn or *net.UnixConn.
type streamConn interface {
	net.Conn
	syscall.Conn
}

// write writes p and counts it.
func (e *Engine) write(c net.Conn, p []byte) (int, error) {
	n, err := c.Write(p)
	e.tally.written.Add(int64(n))
	e.tally.writes.Add(1)
	return n, err
}

// readFrom is ReadFrom of the connections of Wrap.
func (e *Engine) readFrom(c streamConn, r io.Reader) (int64, error) {
	o := originOf(r)
	var (
		res Result
		err error
	)
	switch {
	case o.file == nil && o.conn == nil:
		a := account{e: e}
		buf := getBuffer()
		_, err = io.CopyBuffer(&counting{c, &a}, r, buf[:])
		putBuffer(buf)
		return a.res.N, opError(c, "readfrom", err)
	case o.limit == 0:
		return 0, nil
	case o.file != nil:
		res, err = e.fileToSocket(c, o.file, o.offset, o.limit, bySendfile, o.watcher())
	default:
		relay := e.NewRelay(c, o.conn)
		relay.watch = o.watcher()
		res, err = relay.run(o.limit)
		err = relay.handOver(err)
	}
	taken := res.N
	if err != nil {
		var flight *InFlightError
		if errors.As(err, &flight) {
			taken += int64(len(flight.Data)) // gone from the source, though not to dst
		}
	}
	if o.counted {
		taken -= res.N // which the watcher has been told
	}
	o.took(taken)
	if errors.Is(err, ErrShortSource) {
		err = nil // io.LimitedReader may end early
	}
	return res.N, opError(c, "readfrom", err)
}

// writeTo is WriteTo of the connections of Wrap; c is the connection below, and
// plain is its own way to w.
func (e *Engine) writeTo(w io.Writer, c streamConn, back *backlog, plain func(io.Writer) (int64, error)) (int64, error) {
	t := targetOf(w)
	if t.conn == nil {
		data := back.take()
		var n int64
		if len(data) > 0 {
			m, err := w.Write(data)
			if n = int64(m); err == nil && m < len(data) {
				err = io.ErrShortWrite
			}
			if err != nil {
				back.put(data[max(m, 0):])
				return n, opError(c, "writeto", err)
			}
		}
		m, err := plain(w)
		return n + m, err
	}
	relay := e.NewRelay(t.conn, c)
	relay.back, relay.watch = back, t.watcher()
	res, err := relay.run(-1)
	return res.N, opError(c, "writeto", err)
}

// pump copies from one connection to another through a buffer, and returns what
// it has read and could not write.
func pump(w io.Writer, r io.Reader, a *account) ([]byte, error) {
	to := &counting{w, a}
	buf := getBuffer()
	defer putBuffer(buf)
	for {
		n, readErr := r.Read(buf[:])
		if n > 0 {
			m, err := to.Write(buf[:n])
			if err == nil && m < n {
				err = io.ErrShortWrite
			}
			if err != nil {
				return bytes.Clone(buf[max(m, 0):n]), onSide(writeSide, err)
			}
		}
		switch readErr {
		case nil:
		case io.EOF:
			return nil, nil
		default:
			return nil, onSide(readSide, readErr)
		}
	}
}

// counting is a writer that books what goes through it. It has no ReadFrom.
type counting struct {
	w io.Writer
	a *account
}

func (c *counting) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	if n > 0 {
		if c.a.res.N == 0 {
			c.a.gaveUp(refusal{reason: ReasonOpaque})
		}
		if over := c.a.moved(byCopy, "write", n, len(p)); over != nil {
			return len(p), over
		}
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		c.a.failed(errno)
	}
	return n, err
}

// opError makes an error what package net would have made of it. What it wraps
// is bare, since OpError.Timeout looks one level deep.
func opError(c net.Conn, op string, err error) error {
	if err == nil {
		return nil
	}
	e := &net.OpError{Op: op, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: bare(err)}
	if e.Source != nil {
		e.Net = e.Source.Network()
	}
	return e
}

// bare takes off what the engine and RawConn put around an error.
func bare(err error) error {
	switch e := err.(type) { //nolint:errorlint // one layer at a time, from the outside
	case *InFlightError:
		return &InFlightError{Data: e.Data, Err: bare(e.Err)}
	case *sideError:
		return bare(e.err)
	case *net.OpError:
		if strings.HasPrefix(e.Op, "raw-") {
			return e.Err
		}
	}
	return err
}
