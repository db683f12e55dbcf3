//go:build !linux

package sys

import "syscall"

func newUring() (*Uring, string, Errno) { return nil, "io_uring_setup", syscall.ENOSYS }
