//go:build !linux

package sys

import "syscall"

// What is known on Linux only, so far.

func DropCache(int) Errno                 { return syscall.ENOSYS }
func Cached(int, int64) (int, int, Errno) { return 0, 0, syscall.ENOSYS }
func BlockSize(int) int                   { return 0 }
