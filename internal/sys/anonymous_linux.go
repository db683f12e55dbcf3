package sys

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Anonymous opens a descriptor of a kind that has no path and no stream of
// bytes: eventfd, epoll, timerfd, signalfd, pidfd, inotify, io_uring,
// userfaultfd or memfd_secret. A kind that this kernel or this user does not
// get answers the errno.
func Anonymous(kind string) (int, Errno) {
	switch kind {
	case "eventfd": // its count is 1, so that a read would not wait
		fd, err := unix.Eventfd(1, unix.EFD_CLOEXEC)
		return fd, errnoOf(err)
	case "epoll":
		fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
		return fd, errnoOf(err)
	case "timerfd":
		fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC)
		return fd, errnoOf(err)
	case "signalfd":
		var none unix.Sigset_t
		fd, err := unix.Signalfd(-1, &none, unix.SFD_CLOEXEC)
		return fd, errnoOf(err)
	case "pidfd":
		fd, err := unix.PidfdOpen(unix.Getpid(), 0)
		return fd, errnoOf(err)
	case "inotify":
		fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
		return fd, errnoOf(err)
	case "io_uring":
		var parameters [120]byte // struct io_uring_params, io_uring_setup(2)
		return opened(unix.Syscall(unix.SYS_IO_URING_SETUP, 1, uintptr(unsafe.Pointer(&parameters)), 0))
	case "userfaultfd":
		const userModeOnly = 1 // UFFD_USER_MODE_ONLY: what an ordinary user gets, userfaultfd(2)
		return opened(unix.Syscall(unix.SYS_USERFAULTFD, unix.O_CLOEXEC|userModeOnly, 0, 0))
	case "memfd_secret":
		// One number on every architecture that has the call; on the others the
		// number is nobody's, and answers ENOSYS.
		const memfdSecret = 447
		return opened(unix.Syscall(memfdSecret, unix.O_CLOEXEC, 0, 0))
	default:
		return -1, syscall.ENOSYS
	}
}

func opened(fd, _ uintptr, errno Errno) (int, Errno) {
	if errno != 0 {
		return -1, errno
	}
	return int(fd), 0
}

// PathOnly is O_PATH, for Open.
const PathOnly = unix.O_PATH
