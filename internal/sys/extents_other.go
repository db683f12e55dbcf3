//go:build !linux

package sys

import "syscall"

// SharedExtents is not known on this system.
func SharedExtents(int) (bool, Errno) { return false, syscall.ENOSYS }
