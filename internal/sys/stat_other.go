//go:build !linux

package sys

import "syscall"

// Fstat is known on Linux only, so far.
func Fstat(int) (Status, Errno) { return Status{}, syscall.ENOSYS }

// FilesystemName is known on Linux only, so far.
func FilesystemName(string) string { return "" }

// Queued is known on Linux only, so far.
func Queued(int) (int, Errno) { return -1, syscall.ENOSYS }
