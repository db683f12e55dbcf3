//go:build !linux

package sys

import "syscall"

// Anonymous is known on Linux only.
func Anonymous(string) (int, Errno) { return -1, syscall.ENOSYS }

// PathOnly is not known on this system.
const PathOnly = 0
