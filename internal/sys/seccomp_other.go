//go:build !linux

package sys

import "syscall"

// DenyCalls is known on Linux only.
func DenyCalls(Errno, ...string) error { return syscall.ENOSYS }

// KillCalls is known on Linux only.
func KillCalls(...string) error { return syscall.ENOSYS }
