//go:build !linux

package sys

import "syscall"

// What these make is known on Linux only, so far.

func RouteSocket() (int, Errno)  { return -1, syscall.ENOSYS }
func AskLinks(int) Errno         { return syscall.ENOSYS }
func LinkMessages([]byte) int    { return -1 }
func Cliff() ([]byte, Errno)     { return nil, syscall.ENOSYS }
func SetUDPCork(int, bool) Errno { return syscall.ENOSYS }
func InFlight(int) (int, Errno)  { return -1, syscall.ENOSYS }
