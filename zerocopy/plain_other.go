//go:build !unix

package zerocopy

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
)

// plainConn is what the plain copy needs of a connection. Only package net's own
// types qualify: what a wrapper's Write does to the bytes is not known, and it
// would not be what the other paths do.
func plainConn(c syscall.Conn) (net.Conn, error) {
	switch c := c.(type) {
	case *net.TCPConn:
		return c, nil
	case *net.UnixConn:
		if c == nil {
			return nil, syscall.EINVAL
		}
		if c.LocalAddr().Network() == "unix" {
			return c, nil
		}
		return nil, ErrNotStream
	default:
		return nil, fmt.Errorf("%T on this system: %w", c, errors.ErrUnsupported)
	}
}

// sendFile copies, and moves the offset, or the position, by what was sent.
func (e *Engine) sendFile(dst syscall.Conn, src *os.File, offset *int64, count int64, _ rung, watch func(int64)) (Result, error) {
	to, err := plainConn(dst)
	if err != nil {
		return Result{}, err
	}
	a := account{e: e, watch: watch}
	a.gaveUp(refusal{reason: ReasonMissing})
	buf := getBuffer()
	defer putBuffer(buf)
	for remaining(count, a.res.N) > 0 {
		p := buf[:min(remaining(count, a.res.N), bufferSize)]
		var n int
		if offset != nil {
			n, err = src.ReadAt(p, *offset)
		} else {
			n, err = src.Read(p)
		}
		m := 0
		if n > 0 {
			var sendErr error
			m, sendErr = to.Write(p[:n])
			if m > 0 {
				if err := a.moved(byCopy, "write", m, n); err != nil {
					return a.res, err
				}
				a.tell()
			}
			if offset != nil {
				*offset += int64(m)
			}
			if sendErr != nil {
				if offset == nil && m < n {
					if _, err := src.Seek(int64(m-n), io.SeekCurrent); err != nil {
						sendErr = &InFlightError{Data: append([]byte(nil), p[m:n]...), Err: sendErr}
					}
				}
				return a.res, sendErr
			}
		}
		switch {
		case err == io.EOF && count < 0:
			return a.res, nil
		case err == io.EOF && a.res.N < count:
			return a.res, short(a.res.N, count)
		case err != nil && err != io.EOF:
			return a.res, err
		}
	}
	return a.res, nil
}

// move copies, and keeps in r.pending what was read and not written.
func (r *Relay) move(count int64) (Result, error) {
	to, err := plainConn(r.dst)
	if err != nil {
		return Result{}, onSide(writeSide, err)
	}
	from, err := plainConn(r.src)
	if err != nil {
		return Result{}, onSide(readSide, err)
	}
	a := account{e: r.e, watch: r.watch, live: r.live}
	a.gaveUp(refusal{reason: ReasonMissing})
	buf := getBuffer()
	defer putBuffer(buf)
	for remaining(count, a.res.N) > 0 {
		var readErr error
		if len(r.pending) == 0 {
			var n int
			n, readErr = from.Read(buf[:min(remaining(count, a.res.N), bufferSize)])
			r.pending = append(r.pending[:0], buf[:n]...)
		}
		if p := r.pending[:min(int64(len(r.pending)), remaining(count, a.res.N))]; len(p) > 0 {
			n, err := to.Write(p)
			if n > 0 {
				if err := a.moved(byCopy, "write", n, len(p)); err != nil {
					return a.res, err
				}
				r.pending = r.pending[n:]
				a.tell()
			}
			if err != nil {
				return a.res, onSide(writeSide, err)
			}
		}
		switch {
		case readErr == io.EOF && count < 0:
			return a.res, nil
		case readErr == io.EOF && a.res.N < count:
			return a.res, short(a.res.N, count)
		case readErr != nil && readErr != io.EOF:
			return a.res, onSide(readSide, readErr)
		}
	}
	return a.res, nil
}
