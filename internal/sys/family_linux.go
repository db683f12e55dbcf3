package sys

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// Family is a family of stream sockets, with its protocol, that the portable
// fixtures do not make.
type Family int

// The families.
const (
	MPTCP Family = iota // Multipath TCP over IPv4 (RFC 8684)
	VSock               // AF_VSOCK, on the loopback address VMADDR_CID_LOCAL (vsock(7))
)

// FamilySocket is socket(2). kind is the type argument: 0 is SOCK_STREAM, and
// a number that no type has asks the kernel only whether it gets to look at
// the arguments.
func FamilySocket(f Family, kind int) (int, Errno) {
	domain, protocol := unix.AF_INET, unix.IPPROTO_MPTCP
	if f == VSock {
		domain, protocol = unix.AF_VSOCK, 0
	}
	if kind == 0 {
		kind = unix.SOCK_STREAM | unix.SOCK_CLOEXEC
	}
	fd, err := unix.Socket(domain, kind, protocol)
	return fd, errnoOf(err)
}

// NoSocketType is a type of socket that does not exist; a kernel that has the
// family says EINVAL to it before it asks any policy (__sock_create).
const NoSocketType = 0xf

// FamilyPair is a connected pair of stream sockets over loopback, in blocking
// mode. call names what failed.
func FamilyPair(f Family) (a, b int, call string, errno Errno) {
	for range 20 {
		a, b, call, errno = familyPair(f)
		if errno != unix.EINTR {
			break
		}
	}
	return a, b, call, errno
}

func familyPair(f Family) (a, b int, call string, errno Errno) {
	call = "socket AF_INET IPPROTO_MPTCP"
	var address unix.Sockaddr = &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
	if f == VSock {
		call = "socket AF_VSOCK"
		address = &unix.SockaddrVM{CID: unix.VMADDR_CID_LOCAL, Port: unix.VMADDR_PORT_ANY}
	}
	listener, errno := FamilySocket(f, 0)
	if errno != 0 {
		return -1, -1, call, errno
	}
	defer unix.Close(listener)
	if err := unix.Bind(listener, address); err != nil {
		if f == VSock {
			return -1, -1, "bind AF_VSOCK VMADDR_CID_LOCAL", errnoOf(err)
		}
		return -1, -1, "bind 127.0.0.1", errnoOf(err)
	}
	if err := unix.Listen(listener, 1); err != nil {
		return -1, -1, "listen", errnoOf(err)
	}
	bound, err := unix.Getsockname(listener)
	if err != nil {
		return -1, -1, "getsockname", errnoOf(err)
	}
	if vm, ok := bound.(*unix.SockaddrVM); ok {
		bound = &unix.SockaddrVM{CID: unix.VMADDR_CID_LOCAL, Port: vm.Port}
	}
	a, errno = FamilySocket(f, 0)
	if errno != 0 {
		return -1, -1, call, errno
	}
	if errno := connect(f, a, bound); errno != 0 {
		unix.Close(a)
		return -1, -1, "connect", errno
	}
	// The connection waits in the queue: connect returns after the handshake.
	b, _, err = unix.Accept4(listener, unix.SOCK_CLOEXEC)
	if err != nil {
		unix.Close(a)
		return -1, -1, "accept", errnoOf(err)
	}
	return a, b, "", 0
}

// connect gives up after a second: an address that nobody answers at would
// hold a blocking connect for minutes.
func connect(f Family, fd int, to unix.Sockaddr) Errno {
	if errno := SetTimeouts(fd, 0, time.Second.Milliseconds()); errno != 0 {
		return errno
	}
	err := unix.Connect(fd, to)
	// Go's own signals, and the end of an io_uring that this thread has used. With
	// TCP the handshake goes on (connect(2)), VSOCK gives the connection up
	// (vsock_connect in net/vmw_vsock/af_vsock.c).
	if errors.Is(err, unix.EINTR) && f != VSock {
		if _, errno := Poll(fd, true, int(time.Second.Milliseconds())); errno != 0 {
			return errno
		}
		var status int
		if status, err = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR); err == nil && status != 0 {
			err = Errno(status)
		}
	}
	if err != nil {
		return errnoOf(err)
	}
	return SetTimeouts(fd, 0, 0)
}

// IsMPTCP tells whether a connection of [MPTCP] is one. Where the other end or
// a middlebox does not speak it, the kernel falls back to plain TCP and says so
// in the protocol of the accepted socket (SO_PROTOCOL).
func IsMPTCP(fd int) bool {
	protocol, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL)
	return err == nil && protocol == unix.IPPROTO_MPTCP
}
