//go:build unix

package sys

import "golang.org/x/sys/unix"

// TypeOf is getsockopt(SO_TYPE). The errno is ENOTSOCK for what is no socket,
// and a type without a name here answers ESOCKTNOSUPPORT or its nearest kin.
func TypeOf(fd int) (SocketType, Errno) {
	t, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return 0, errnoOf(err)
	}
	switch t {
	case unix.SOCK_STREAM:
		return Stream, 0
	case unix.SOCK_DGRAM:
		return Datagram, 0
	case unix.SOCK_SEQPACKET:
		return Seqpacket, 0
	default:
		return 0, unix.EPROTOTYPE
	}
}
