//go:build unix

package sys

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// ErrnoName is the symbol of errno ("EAGAIN"), "" for zero, and the number in
// words where this system has no symbol for it.
func ErrnoName(errno Errno) string {
	if errno == 0 {
		return ""
	}
	if name := unix.ErrnoName(errno); name != "" {
		return name
	}
	return "errno " + strconv.Itoa(int(errno))
}
