//go:build unix

package sys

import "golang.org/x/sys/unix"

// Memory maps this many bytes of private memory that begin at a page, for
// calls that take pages from a process: not memory of Go's own heap, in which
// something else may lie on the same page.
func Memory(size int) ([]byte, Errno) {
	p, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	return p, errnoOf(err)
}

// FreeMemory gives back what Memory returned.
func FreeMemory(p []byte) Errno { return errnoOf(unix.Munmap(p)) }
