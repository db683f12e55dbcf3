//go:build !linux

package sys

import "syscall"

func LoadMessageVerdict(Verdict, int, int) (int, Errno) { return -1, syscall.ENOSYS }
func AttachMessageVerdict(int, int) Errno               { return syscall.ENOSYS }
