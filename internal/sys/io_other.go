//go:build !unix

package sys

import "syscall"

func read(int, []byte) (int, Errno)          { return -1, syscall.ENOSYS }
func write(int, []byte) (int, Errno)         { return -1, syscall.ENOSYS }
func pread(int, []byte, int64) (int, Errno)  { return -1, syscall.ENOSYS }
func pwrite(int, []byte, int64) (int, Errno) { return -1, syscall.ENOSYS }
func seek(int, int64, int) (int64, Errno)    { return -1, syscall.ENOSYS }
