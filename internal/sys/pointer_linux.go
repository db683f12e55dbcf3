package sys

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Access is what may be done with memory.
type Access int

// Kinds of access (mmap(2)).
const (
	NoAccess    Access = unix.PROT_NONE
	ReadOnly    Access = unix.PROT_READ
	ExecuteOnly Access = unix.PROT_EXEC
	ReadExecute Access = unix.PROT_READ | unix.PROT_EXEC
)

// Guarded is an offset, zero, in memory with this access: to be handed to a
// call, never to be looked at. free gives it back.
func Guarded(access Access) (offset *int64, free func(), errno Errno) {
	page, err := unix.Mmap(-1, 0, unix.Getpagesize(), int(access), unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, nil, errnoOf(err)
	}
	return (*int64)(unsafe.Pointer(unsafe.SliceData(page))), func() { unix.Munmap(page) }, 0
}

// Foreign is a pointer that no process can own: the last page of the address
// space belongs to the kernel on every architecture.
func Foreign() *int64 {
	address := ^uintptr(0) - 4095
	return *(**int64)(unsafe.Pointer(&address))
}

// Shared maps a file: stores change the file itself. free gives it back.
func Shared(fd, size int) (p []byte, free func(), errno Errno) {
	p, err := unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, errnoOf(err)
	}
	return p, func() { unix.Munmap(p) }, 0
}
