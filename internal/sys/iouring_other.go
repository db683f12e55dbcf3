//go:build !linux

package sys

import "syscall"

// Operations and flags of io_uring, which only Linux has.
const (
	RingSplice      = 30
	RingTee         = 33
	RingSendZC      = 47
	RingReportUsage = 1 << 3
)

// Request is one operation for a ring.
type Request struct {
	Op       int
	FD       int
	In       int
	Buffer   []byte
	Count    int
	Priority uint16
}

// Completion is what the kernel says of a request.
type Completion struct {
	Result int
	Errno  Errno
	More   bool
	Notice bool
	Copied bool
}

// Ring is an io_uring, which only Linux has.
type Ring struct{}

func NewRing() (r *Ring, call string, errno Errno) { return nil, "io_uring_setup", syscall.ENOSYS }
func (*Ring) Close()                               {}
func (*Ring) Do(Request) (Completion, Errno)       { return Completion{}, syscall.ENOSYS }
func (*Ring) Next() (Completion, Errno)            { return Completion{}, syscall.ENOSYS }
func (*Ring) Supports(int) (bool, Errno)           { return false, syscall.ENOSYS }
func EnterNoRing() Errno                           { return syscall.ENOSYS }
