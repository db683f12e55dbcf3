//go:build unix

package sys

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// Flags of open(2) that package os has no name for.
const (
	NoFollow = syscall.O_NOFOLLOW // refuse a symbolic link
	Nonblock = syscall.O_NONBLOCK // do not wait for the other end of a FIFO
)

// mmap maps a part of a file, shared and for reading.
func mmap(fd int, offset int64, size int) ([]byte, Errno) {
	p, err := unix.Mmap(fd, offset, size, unix.PROT_READ, unix.MAP_SHARED)
	return p, errnoOf(err)
}
