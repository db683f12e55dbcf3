package sys

import "golang.org/x/sys/unix"

// WaitError waits at most ms milliseconds until the error queue of a socket
// holds something (POLLERR), and tells whether it does.
func WaitError(fd, ms int) (bool, Errno) {
	fds := []unix.PollFd{{Fd: int32(fd)}}
	for {
		n, err := unix.Poll(fds, ms)
		if err != unix.EINTR {
			return n > 0, errnoOf(err)
		}
	}
}
