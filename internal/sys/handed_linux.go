package sys

import "golang.org/x/sys/unix"

// DropMemory is madvise(MADV_DONTNEED): what the process had in this memory is
// gone, and it reads as zeros.
func DropMemory(p []byte) Errno { return errnoOf(unix.Madvise(p, unix.MADV_DONTNEED)) }

// PacketPipe is pipe2(O_DIRECT): a read takes what one write has put in.
func PacketPipe() (r, w int, errno Errno) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_DIRECT|unix.O_CLOEXEC); err != nil {
		return -1, -1, errnoOf(err)
	}
	return fds[0], fds[1], 0
}

// SealFutureWrite is F_SEAL_FUTURE_WRITE of fcntl(F_ADD_SEALS), since 5.1.
const SealFutureWrite = unix.F_SEAL_FUTURE_WRITE

// EpollAdd is epoll_ctl(EPOLL_CTL_ADD) for input and output.
func EpollAdd(epoll, fd int) Errno {
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT, Fd: int32(fd)}
	return errnoOf(unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, fd, &event))
}

// SendRights sends p over a UNIX socket together with a descriptor
// (SCM_RIGHTS, unix(7)).
func SendRights(fd int, p []byte, passed int) Errno {
	return errnoOf(unix.Sendmsg(fd, p, unix.UnixRights(passed), nil, 0))
}

// MakeFIFO is mkfifo(3).
func MakeFIFO(path string) Errno { return errnoOf(unix.Mkfifo(path, 0o600)) }
