//go:build unix

package sys

import (
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// ErrnoName is the symbol of errno ("EAGAIN"), "" for zero, and the number in
// words where this system has no symbol for it.
func ErrnoName(errno Errno) string {
	if errno == 0 {
		return ""
	}
	name := unix.ErrnoName(errno)
	switch {
	case name == "":
		return "errno " + strconv.Itoa(int(errno))
	case name == "ENOTSUP" && errno == syscall.EOPNOTSUPP:
		return "EOPNOTSUPP" // one number on Linux, whose manuals write this name
	default:
		return name
	}
}
