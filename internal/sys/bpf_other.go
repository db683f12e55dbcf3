//go:build !linux

package sys

import "syscall"

// Calls that only Linux has.

func NewSockmap(int) (int, Errno)    { return -1, syscall.ENOSYS }
func SetSockmap(int, int, int) Errno { return syscall.ENOSYS }
func LoadRedirect(int) (int, Errno)  { return -1, syscall.ENOSYS }
func AttachVerdict(int, int) Errno   { return syscall.ENOSYS }
func BPFNoCommand() Errno            { return syscall.ENOSYS }
