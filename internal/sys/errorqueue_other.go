//go:build !linux

package sys

import "syscall"

// WaitError is known on Linux only.
func WaitError(int, int) (bool, Errno) { return false, syscall.ENOSYS }
