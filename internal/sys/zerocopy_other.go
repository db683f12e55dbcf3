//go:build !linux

package sys

import "syscall"

// MsgZerocopy is not known on this system.
const MsgZerocopy = 0

// SetZerocopy is not known on this system.
func SetZerocopy(int) Errno { return syscall.ENOPROTOOPT }
