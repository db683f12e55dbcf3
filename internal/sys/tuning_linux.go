package sys

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// SetCork sets or clears TCP_CORK (tcp(7)).
func SetCork(fd int, on bool) Errno {
	value := 0
	if on {
		value = 1
	}
	return errnoOf(unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_CORK, value))
}

// Listen is listen(2); a socket without an address gets one.
func Listen(fd int) Errno { return errnoOf(unix.Listen(fd, 1)) }

// PollError waits at most ms milliseconds until fd has an error or was hung up
// from both sides (POLLERR, POLLHUP).
func PollError(fd, ms int) (bool, Errno) {
	fds := []unix.PollFd{{Fd: int32(fd)}}
	for {
		n, err := unix.Poll(fds, ms)
		if err != unix.EINTR {
			return n > 0, errnoOf(err)
		}
	}
}

// SetAppend sets or clears O_APPEND of the open file description.
func SetAppend(fd int, on bool) Errno {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		return errnoOf(err)
	}
	flags &^= unix.O_APPEND
	if on {
		flags |= unix.O_APPEND
	}
	_, err = unix.FcntlInt(uintptr(fd), unix.F_SETFL, flags)
	return errnoOf(err)
}

// KeepsSetuid tells whether a write by the calling thread leaves set-user-ID
// bits alone: it has CAP_FSETID (capabilities(7)).
func KeepsSetuid() (bool, Errno) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return false, errnoOf(err)
	}
	return data[0].Effective&(1<<unix.CAP_FSETID) != 0, 0
}

// ActAs makes the calling thread, which must be locked and end with its work,
// act on files as another user: setfsuid(2) takes the file capabilities with it.
func ActAs(uid int) Errno {
	if uid < 0 {
		return syscall.EINVAL
	}
	_, err := unix.SetfsuidRetUid(uid)
	return errnoOf(err)
}

// Forget drops a file from the page cache as far as that is possible: fsync(2)
// and POSIX_FADV_DONTNEED (posix_fadvise(2)).
func Forget(fd int) Errno {
	if err := unix.Fsync(fd); err != nil {
		return errnoOf(err)
	}
	return errnoOf(unix.Fadvise(fd, 0, 0, unix.FADV_DONTNEED))
}

// ThreadTime is the processor time that the calling thread, which must be
// locked, has used so far.
func ThreadTime() time.Duration {
	var used unix.Rusage
	if unix.Getrusage(unix.RUSAGE_THREAD, &used) != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
