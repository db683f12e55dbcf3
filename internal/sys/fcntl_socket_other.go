//go:build !unix

package sys

import "syscall"

// TypeOf is not known on this system.
func TypeOf(int) (SocketType, Errno) { return 0, syscall.ENOSYS }
