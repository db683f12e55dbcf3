package zerocopy

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"syscall"
)

// ErrShortSource is the error of a transfer whose source ended before count
// bytes. It wraps [io.ErrUnexpectedEOF].
var ErrShortSource = fmt.Errorf("source ended early: %w", io.ErrUnexpectedEOF)

// ErrNotStream refuses an end that is no stream: a datagram or seqpacket
// socket, or, as dst, no socket at all. It wraps [errors.ErrUnsupported].
var ErrNotStream = fmt.Errorf("not a stream socket: %w", errors.ErrUnsupported)

// ErrBlockingDescriptor refuses a descriptor in blocking mode, or one that the
// runtime cannot poll, where deadlines and Close could not be kept.
var ErrBlockingDescriptor = errors.New("descriptor is in blocking mode and cannot be waited for")

// ErrRelayClosed is the error of a [Relay] that is used after Close.
var ErrRelayClosed = errors.New("relay is closed")

// InFlightError is the error of a transfer that failed with bytes in its hands:
// they have left src, and dst has not accepted them. Nothing needs closing.
type InFlightError struct {
	// Data is those bytes, in order; the caller's to keep. They come right after
	// the n bytes that dst accepted and right before what src gives next.
	Data []byte
	// Err is what went wrong.
	Err error
}

// Error gives the message of Err and the number of bytes.
func (e *InFlightError) Error() string {
	return e.Err.Error() + " (" + strconv.Itoa(len(e.Data)) + " bytes in flight)"
}

// Unwrap returns Err.
func (e *InFlightError) Unwrap() error { return e.Err }

// Timeout tells whether Err is about a deadline, as [net.Error] does.
func (e *InFlightError) Timeout() bool {
	var err interface{ Timeout() bool }
	return errors.As(e.Err, &err) && err.Timeout()
}

// Temporary is what Err says of it, for [net.Error].
func (e *InFlightError) Temporary() bool {
	var err interface{ Temporary() bool }
	return errors.As(e.Err, &err) && err.Temporary()
}

// sideError is an error of one of the two ends of a relay.
type sideError struct {
	side string
	err  error
}

// The sides.
const (
	readSide  = "read source"
	writeSide = "write destination"
)

func (e *sideError) Error() string { return e.side + ": " + e.err.Error() }
func (e *sideError) Unwrap() error { return e.err }

// onSide says which end an error is about.
func onSide(side string, err error) error {
	if err == nil {
		return nil
	}
	return &sideError{side, err}
}

// overcount is the error of a call that says that it moved more bytes than it
// was given. What it did is not known.
func overcount(call string, n, offered int) error {
	return fmt.Errorf("%s: the kernel reported %d bytes where only %d were to be moved", call, n, offered)
}

// callError is the error of a system call, by name.
func callError(call string, errno syscall.Errno) error { return os.NewSyscallError(call, errno) }

// verb puts the operation in front of an error.
func verb(v string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", v, err)
}

// firstOf is the first error that is one.
func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// short is the error of a source that ended after n of count bytes.
func short(n, count int64) error {
	return fmt.Errorf("%w after %d of %d bytes", ErrShortSource, n, count)
}

// fileError makes the error of an os.File's RawConn what the file's own methods
// would have given: RawConn hands out the poller's error for a closed file, which
// is not os.ErrClosed.
func fileError(src any, err error) error {
	file, ok := src.(*os.File)
	if !ok || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	if _, statErr := file.Stat(); errors.Is(statErr, os.ErrClosed) {
		return &os.PathError{Op: "read", Path: file.Name(), Err: os.ErrClosed}
	}
	return err
}

// ended tells whether err means that a deadline passed or an end was closed.
func ended(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrClosed)
}
