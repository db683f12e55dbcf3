package zerocopy

import (
	"io"
	"net"
	"os"
	"reflect"
	"syscall"
)

// SourceWrapper is a reader that passes the bytes of another one on unchanged,
// a counter or a limiter of rates say, and lets the engine take them past its
// Read. Only such wrappers are looked through.
type SourceWrapper interface {
	io.Reader
	// ZeroCopySource returns the reader below. It is asked once for each
	// transfer.
	ZeroCopySource() io.Reader
	// CountRead is told that n bytes, more than 0, were taken from there: while
	// the transfer runs, after each piece of at most 2 MiB, and from its
	// goroutine. Blocking in it slows the transfer down.
	CountRead(n int64)
}

// DestinationWrapper is the same for a writer.
type DestinationWrapper interface {
	io.Writer
	// ZeroCopyDestination returns the writer below.
	ZeroCopyDestination() io.Writer
	// CountWritten is told that the kernel accepted n bytes; see
	// [SourceWrapper].
	CountWritten(n int64)
}

// layers is how many readers, one in the other, are looked through.
const layers = 8

// origin is what a reader comes down to: a file, a connection, or neither.
type origin struct {
	file   *os.File
	offset *int64 // where to read the file; nil: at its position
	conn   syscall.Conn
	limit  int64 // bytes, negative for all

	over    [layers]io.Reader // what lies over it, to be told what was taken
	n       int
	counted bool // a SourceWrapper is among them
}

// originOf finds it. Nothing is taken out of any reader.
func originOf(r io.Reader) origin {
	o := origin{limit: -1}
	for o.n < layers {
		switch v := r.(type) {
		case *io.LimitedReader:
			if v == nil {
				return origin{limit: -1}
			}
			o.atMost(max(v.N, 0))
			r, o.over[o.n] = v.R, v
		case SourceWrapper:
			r, o.over[o.n], o.counted = v.ZeroCopySource(), v, true
		case *io.SectionReader:
			outer, from, _ := v.Outer()
			file, ok := outer.(*os.File)
			at, err := v.Seek(0, io.SeekCurrent)
			if !ok || err != nil {
				return origin{limit: -1}
			}
			o.atMost(max(v.Size()-at, 0))
			from += at
			o.file, o.offset, o.over[o.n] = file, &from, v
			o.n++
			return o
		case *os.File:
			o.file = v
			return o
		case *net.TCPConn, *TCPConn, *UnixConn:
			o.conn = v.(syscall.Conn)
			return o
		case *net.UnixConn:
			if isStreamConn(v) {
				o.conn = v
			}
			return o
		default:
			if r = withoutWriteTo(r); r == nil {
				return origin{limit: -1}
			}
			continue
		}
		o.n++
	}
	return origin{limit: -1}
}

func (o *origin) atMost(n int64) {
	if o.limit < 0 || n < o.limit {
		o.limit = n
	}
}

// took tells everything above that n bytes were taken.
func (o *origin) took(n int64) {
	if n == 0 {
		return
	}
	for _, r := range o.over[:o.n] {
		switch v := r.(type) {
		case *io.LimitedReader:
			v.N -= n
		case *io.SectionReader:
			_, _ = v.Seek(n, io.SeekCurrent) // cannot fail: it only counts
		case SourceWrapper:
			v.CountRead(n)
		}
	}
}

// watcher is took, where somebody wants to know before the end.
func (o *origin) watcher() func(int64) {
	if !o.counted {
		return nil
	}
	own := *o // so that only this case costs an allocation
	return own.took
}

// withoutWriteTo takes the file or the connection out of the values in which
// packages os and net hide its WriteTo when they hand it to a ReadFrom
// (os.fileWithoutWriteTo, net.tcpConnWithoutWriteTo): structs of theirs that
// embed it and nothing that changes bytes. It gives nil for all else: of a type
// of somebody else that embeds a file, Read may be anything. (net.TCPConn sends
// such a file past that Read: net.sendFile takes any syscall.Conn.)
func withoutWriteTo(r io.Reader) io.Reader {
	v := reflect.ValueOf(r)
	if v.Kind() != reflect.Struct {
		return nil
	}
	var field string
	switch v.Type().PkgPath() {
	case "os":
		field = "File"
	case "net":
		field = "TCPConn"
	default:
		return nil
	}
	if v = v.FieldByName(field); !v.IsValid() || !v.CanInterface() {
		return nil
	}
	switch below := v.Interface().(type) {
	case *os.File:
		return below
	case *net.TCPConn:
		return below
	default:
		return nil
	}
}

// target is what a writer comes down to: a connection or nothing.
type target struct {
	conn syscall.Conn
	over []DestinationWrapper
}

// targetOf finds it.
func targetOf(w io.Writer) target {
	var t target
	for len(t.over) < layers {
		switch v := w.(type) {
		case DestinationWrapper:
			w, t.over = v.ZeroCopyDestination(), append(t.over, v)
			continue
		case *net.TCPConn, *TCPConn, *UnixConn:
			t.conn, _ = base(v.(syscall.Conn))
		case *net.UnixConn:
			if isStreamConn(v) {
				t.conn = v
			}
		}
		return t
	}
	return target{}
}

// watcher is nil where nobody wants to know.
func (t *target) watcher() func(int64) {
	if len(t.over) == 0 {
		return nil
	}
	return func(n int64) {
		for _, v := range t.over {
			v.CountWritten(n)
		}
	}
}
