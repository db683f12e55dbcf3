package sys

import "golang.org/x/sys/unix"

// MsgZerocopy is MSG_ZEROCOPY, a flag of Kernel.Send on a socket that
// SetZerocopy was called on.
const MsgZerocopy = unix.MSG_ZEROCOPY

// SetZerocopy sets SO_ZEROCOPY (Documentation/networking/msg_zerocopy.rst).
func SetZerocopy(fd int) Errno {
	return errnoOf(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ZEROCOPY, 1))
}
