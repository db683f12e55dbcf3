package zerocopy

import (
	"bytes"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
)

// backlog is bytes that were taken out of a connection and have come back to
// it: they are read first.
type backlog struct {
	some atomic.Bool // so that a Read without any costs no lock

	mu   sync.Mutex
	data []byte
}

// take empties it.
func (b *backlog) take() []byte {
	if !b.some.Load() {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	data := b.data
	b.data = nil
	b.some.Store(false)
	return data
}

// put gives bytes back, in front of what is there.
func (b *backlog) put(p []byte) {
	if len(p) == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.data = append(bytes.Clone(p), b.data...)
	b.some.Store(true)
}

// read reads from it as the connection would: not past a deadline, and not from
// one that is closed. ok is false where there is nothing to read.
func (b *backlog) read(conn syscall.Conn, p []byte) (n int, ok bool, err error) {
	if len(p) == 0 || !b.some.Load() {
		return 0, false, nil
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, true, err
	}
	if err := raw.Read(func(uintptr) bool { return true }); err != nil {
		var op *net.OpError
		if errors.As(err, &op) {
			op.Op = "read"
		}
		return 0, true, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	n = copy(p, b.data)
	if b.data = b.data[n:]; len(b.data) == 0 {
		b.data = nil
		b.some.Store(false)
	}
	return n, n > 0, nil
}
