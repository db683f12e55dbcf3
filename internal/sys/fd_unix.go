//go:build unix

package sys

import "golang.org/x/sys/unix"

// Close closes a descriptor.
func Close(fd int) Errno { return errnoOf(unix.Close(fd)) }

// Dup duplicates a descriptor; the copy is closed on exec.
func Dup(fd int) (int, Errno) {
	n, err := unix.Dup(fd)
	if err != nil {
		return -1, errnoOf(err)
	}
	unix.CloseOnExec(n)
	return n, 0
}

// SetNonblock sets or clears O_NONBLOCK of the open file description.
func SetNonblock(fd int, nonblock bool) Errno { return errnoOf(unix.SetNonblock(fd, nonblock)) }

// Open is open(2) with O_CLOEXEC and mode 0600. The flags are those of package
// os (O_RDONLY, O_APPEND …), or'ed with system flags where a fixture needs one.
func Open(path string, flags int) (int, Errno) {
	fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0o600)
	return fd, errnoOf(err)
}

// Ftruncate is ftruncate(2).
func Ftruncate(fd int, size int64) Errno { return errnoOf(unix.Ftruncate(fd, size)) }

// Shutdown is shutdown(2): 0 stops reading, 1 writing, 2 both.
func Shutdown(fd, how int) Errno { return errnoOf(unix.Shutdown(fd, how)) }

// UnixPair is socketpair(2): two connected AF_UNIX sockets of one type.
func UnixPair(t SocketType) (int, int, Errno) {
	types := map[SocketType]int{Stream: unix.SOCK_STREAM, Datagram: unix.SOCK_DGRAM, Seqpacket: unix.SOCK_SEQPACKET}
	p, err := unix.Socketpair(unix.AF_UNIX, types[t], 0)
	if err != nil {
		return -1, -1, errnoOf(err)
	}
	unix.CloseOnExec(p[0])
	unix.CloseOnExec(p[1])
	return p[0], p[1], 0
}

// Socket is socket(2) for an IPv4 socket that is not connected.
func Socket(t SocketType) (int, Errno) {
	types := map[SocketType]int{Stream: unix.SOCK_STREAM, Datagram: unix.SOCK_DGRAM, Seqpacket: unix.SOCK_SEQPACKET}
	fd, err := unix.Socket(unix.AF_INET, types[t], 0)
	if err != nil {
		return -1, errnoOf(err)
	}
	unix.CloseOnExec(fd)
	return fd, 0
}

// SetSendBuffer and SetReceiveBuffer set SO_SNDBUF and SO_RCVBUF in bytes;
// Linux doubles what it is given (socket(7)).
func SetSendBuffer(fd, size int) Errno {
	return errnoOf(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, size))
}

// SetReceiveBuffer is SetSendBuffer for SO_RCVBUF.
func SetReceiveBuffer(fd, size int) Errno {
	return errnoOf(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, size))
}

// SetReset makes the next close send a reset instead of a FIN: SO_LINGER, on,
// zero seconds.
func SetReset(fd int) Errno {
	return errnoOf(unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1, Linger: 0}))
}

// SetTimeouts sets SO_RCVTIMEO and SO_SNDTIMEO in milliseconds; zero waits for
// ever.
func SetTimeouts(fd int, receive, send int64) Errno {
	for option, ms := range map[int]int64{unix.SO_RCVTIMEO: receive, unix.SO_SNDTIMEO: send} {
		tv := unix.NsecToTimeval(ms * 1e6)
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, option, &tv); err != nil {
			return errnoOf(err)
		}
	}
	return 0
}

// Poll waits at most ms milliseconds until fd can be read (or written) and
// tells whether it can; a hang-up and an error count as ready.
func Poll(fd int, write bool, ms int) (bool, Errno) {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	if write {
		fds[0].Events = unix.POLLOUT
	}
	for {
		n, err := unix.Poll(fds, ms)
		if err != unix.EINTR {
			return n > 0, errnoOf(err)
		}
	}
}

// Nonblocking tells whether O_NONBLOCK is set.
func Nonblocking(fd int) (bool, Errno) {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	return flags&unix.O_NONBLOCK != 0, errnoOf(err)
}

// ConnectUDP connects a UDP socket to a port of 127.0.0.1.
func ConnectUDP(fd, port int) Errno {
	return errnoOf(unix.Connect(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}))
}
