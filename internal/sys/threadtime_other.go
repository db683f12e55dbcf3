//go:build !linux

package sys

import (
	"syscall"
	"time"
)

// TimeOfThread is known on Linux only.
func TimeOfThread(int) (time.Duration, Errno) { return 0, syscall.ENOSYS }
