//go:build !linux

package sys

import "syscall"

// Raised is known on Linux only, so far.
func Raised(_ Signal, call func()) (bool, Errno) {
	call()
	return false, syscall.ENOSYS
}

// Undisturbed has nothing to do on this system, so far.
func Undisturbed() (release func()) { return func() {} }
