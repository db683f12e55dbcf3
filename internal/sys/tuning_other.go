//go:build !linux

package sys

import (
	"syscall"
	"time"
)

// What the fixtures tune on Linux only, so far.

func SetCork(int, bool) Errno          { return syscall.ENOSYS }
func Listen(int) Errno                 { return syscall.ENOSYS }
func PollError(int, int) (bool, Errno) { return false, syscall.ENOSYS }
func SetAppend(int, bool) Errno        { return syscall.ENOSYS }
func KeepsSetuid() (bool, Errno)       { return false, syscall.ENOSYS }
func ActAs(int) Errno                  { return syscall.ENOSYS }
func Forget(int) Errno                 { return syscall.ENOSYS }

func ThreadTime() time.Duration { return 0 }
