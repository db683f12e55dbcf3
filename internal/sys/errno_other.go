//go:build !unix

package sys

import "strconv"

// ErrnoName is the number of errno in words, "" for zero.
func ErrnoName(errno Errno) string {
	if errno == 0 {
		return ""
	}
	return "errno " + strconv.Itoa(int(errno))
}
