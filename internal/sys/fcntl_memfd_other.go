//go:build !linux

package sys

import "syscall"

// Memfd is known on Linux only.
func Memfd(string) (int, Errno) { return -1, syscall.ENOSYS }
