//go:build !linux

package sys

import "syscall"

// Access is what may be done with memory.
type Access int

// Kinds of access.
const (
	NoAccess Access = iota
	ReadOnly
	ExecuteOnly
	ReadExecute
)

// Memory with chosen access is known on Linux only, so far.

func Guarded(Access) (offset *int64, free func(), errno Errno) { return nil, nil, syscall.ENOSYS }
func Foreign() *int64                                          { return nil }
func Shared(int, int) (p []byte, free func(), errno Errno)     { return nil, nil, syscall.ENOSYS }
