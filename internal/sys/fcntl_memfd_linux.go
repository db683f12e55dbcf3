package sys

import "golang.org/x/sys/unix"

// Memfd is memfd_create(2) with MFD_CLOEXEC: a file in memory without a path.
func Memfd(name string) (int, Errno) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	return fd, errnoOf(err)
}
