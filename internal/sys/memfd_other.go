//go:build !linux

package sys

import "syscall"

// Flags that this system does not know.
const (
	MemfdAllowSealing = 0
	SealShrink        = 0
	SealGrow          = 0
	SealWrite         = 0
	Direct            = 0
)

// Calls that only Linux has.

func MemfdCreate(string, int) (int, Errno) { return -1, syscall.ENOSYS }
func AddSeals(int, int) Errno              { return syscall.ENOSYS }
func Clone(int, int) Errno                 { return syscall.ENOSYS }
