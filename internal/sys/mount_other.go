//go:build !linux

package sys

import "syscall"

// OwnMounts is only known on Linux.
func OwnMounts() Errno { return syscall.ENOSYS }

// MountPrivate is only known on Linux.
func MountPrivate(string, string, string, string) Errno { return syscall.ENOSYS }

// BindMount is only known on Linux.
func BindMount(string, string) Errno { return syscall.ENOSYS }

// MountReadOnly is only known on Linux.
func MountReadOnly(string) Errno { return syscall.ENOSYS }

// Unmount is only known on Linux.
func Unmount(string) Errno { return syscall.ENOSYS }

// LoopDevice is only known on Linux.
func LoopDevice(int) (fd int, path, call string, errno Errno) { return -1, "", "loop", syscall.ENOSYS }

// KeepDescriptor is only known on Linux.
func KeepDescriptor(int) Errno { return syscall.ENOSYS }

// MountFUSE is only known on Linux.
func MountFUSE(int, string, string) Errno { return syscall.ENOSYS }

// SetImmutable is only known on Linux.
func SetImmutable(int, bool) (bool, Errno) { return false, syscall.ENOSYS }

// Allocate is only known on Linux.
func Allocate(int, int64, int64) Errno { return syscall.ENOSYS }

// PunchHole is only known on Linux.
func PunchHole(int, int64, int64) Errno { return syscall.ENOSYS }

// Values of whence, on Linux.
const (
	SeekData = 3
	SeekHole = 4
)

// Fsync is only asked on Linux.
func Fsync(int) Errno { return syscall.ENOSYS }

// Stalled is only known on Linux.
func Stalled(int) (stalled, known bool) { return false, false }
