package sys

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Notices counts what inotify(7) says about one file.
type Notices struct{ Accessed, Modified int }

// WatchFile watches reads and writes of a file with an inotify descriptor of
// its own, which does not block.
func WatchFile(path string) (int, Errno) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return -1, errnoOf(err)
	}
	if _, err := unix.InotifyAddWatch(fd, path, unix.IN_ACCESS|unix.IN_MODIFY); err != nil {
		unix.Close(fd)
		return -1, errnoOf(err)
	}
	return fd, 0
}

// ReadNotices takes what has been noticed so far.
func ReadNotices(fd int) (Notices, Errno) {
	var seen Notices
	var buffer [4096]byte
	n, err := unix.Read(fd, buffer[:])
	if err == unix.EAGAIN {
		return seen, 0
	}
	if err != nil {
		return seen, errnoOf(err)
	}
	for at := 0; at+unix.SizeofInotifyEvent <= n; {
		e := (*unix.InotifyEvent)(unsafe.Pointer(&buffer[at]))
		if e.Mask&unix.IN_ACCESS != 0 {
			seen.Accessed++
		}
		if e.Mask&unix.IN_MODIFY != 0 {
			seen.Modified++
		}
		at += unix.SizeofInotifyEvent + int(e.Len)
	}
	return seen, 0
}
