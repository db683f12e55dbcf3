//go:build !linux

package sys

import "syscall"

// The privileges of a thread of this system are not touched.

func DropThreadCapabilities() Errno                            { return syscall.ENOSYS }
func SetThreadUser(int) Errno                                  { return syscall.ENOSYS }
func LeaveNetwork() Errno                                      { return syscall.ENOSYS }
func SetLockedMemoryLimit(int64) (release func(), errno Errno) { return nil, syscall.ENOSYS }
