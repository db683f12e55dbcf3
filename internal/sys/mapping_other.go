//go:build !unix

package sys

import "syscall"

// Flags that this system does not know.
const (
	NoFollow = 0
	Nonblock = 0
)

func mmap(int, int64, int) ([]byte, Errno) { return nil, syscall.ENOSYS }
