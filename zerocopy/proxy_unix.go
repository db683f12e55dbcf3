//go:build unix

package zerocopy

import (
	"net"
	"syscall"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// dead tells whether nothing more can be written to src, a TCP connection whose
// end was read. It returns when a write to it that is under way has booked its
// error.
func (c *course) dead() bool {
	below, _ := base(originOf(c.src).conn)
	conn, ok := below.(*net.TCPConn)
	if !ok {
		return false // a UNIX socket that was closed has come to its end
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	var gone bool
	_ = raw.Control(func(fd uintptr) {
		// tcp_sendmsg looks at errors before it looks at the length.
		_, errno := c.p.e.kernel.Send(int(fd), nil, sys.NoWait)
		gone = errno == syscall.EPIPE || errno == syscall.ECONNRESET
	})
	if !gone {
		return false
	}
	// The other direction's callback holds this lock while it writes, and a
	// write to a dead connection does not last.
	_ = raw.Write(func(uintptr) bool { return true })
	return true
}
