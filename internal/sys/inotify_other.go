//go:build !linux

package sys

import "syscall"

// Notices counts what is said about one file.
type Notices struct{ Accessed, Modified int }

// inotify(7) is Linux's.

func WatchFile(string) (int, Errno)    { return -1, syscall.ENOSYS }
func ReadNotices(int) (Notices, Errno) { return Notices{}, syscall.ENOSYS }
