//go:build !linux

package sys

import "syscall"

// DirectWrites is only known on Linux.
func DirectWrites(int, [][]byte, []int64) (written int, call string, errno Errno) {
	return 0, "io_setup", syscall.ENOSYS
}
