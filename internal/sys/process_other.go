//go:build !linux

package sys

import "syscall"

// Numbers of capabilities, which only Linux has.
const (
	CapNetAdmin    = 12
	CapIPCLock     = 14
	CapSysAdmin    = 21
	CapSysResource = 24
	CapBPF         = 39
)

// Unlimited is the value of a limit that is none.
const Unlimited = 1<<64 - 1

// Calls that are known on Linux only, so far.

func SeccompMode() (int, Errno)                 { return -1, syscall.ENOSYS }
func Capabilities() (uint64, Errno)             { return 0, syscall.ENOSYS }
func DescriptorLimit() (limit uint64, open int) { return 0, -1 }
func MemoryLockLimit() uint64                   { return 0 }
