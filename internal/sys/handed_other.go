//go:build !linux

package sys

import "syscall"

// SealFutureWrite is not known on this system.
const SealFutureWrite = 0

// DropMemory is not known on this system.
func DropMemory([]byte) Errno { return syscall.ENOSYS }

// PacketPipe is not known on this system.
func PacketPipe() (r, w int, errno Errno) { return -1, -1, syscall.ENOSYS }

// EpollAdd is not known on this system.
func EpollAdd(int, int) Errno { return syscall.ENOSYS }

// SendRights is not known on this system.
func SendRights(int, []byte, int) Errno { return syscall.ENOSYS }

// MakeFIFO is not known on this system.
func MakeFIFO(string) Errno { return syscall.ENOSYS }
