//go:build !unix

package sys

import "syscall"

// Memory is not known on this system.
func Memory(int) ([]byte, Errno) { return nil, syscall.ENOSYS }

// FreeMemory is not known on this system.
func FreeMemory([]byte) Errno { return syscall.ENOSYS }
