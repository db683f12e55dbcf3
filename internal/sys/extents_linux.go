package sys

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// SharedExtents tells whether everything that a file holds lies on disk where
// another file has it too: the mark that FICLONERANGE, and copy_file_range(2)
// on filesystems that can, leave behind. It asks ioctl(FS_IOC_FIEMAP)
// (Documentation/filesystems/fiemap.rst) without having the file written out;
// what is not on disk yet is not shared.
func SharedExtents(fd int) (bool, Errno) {
	const (
		// _IOWR('f', 11, struct fiemap): the same number on every architecture,
		// for read and write together are the two highest bits everywhere.
		fiemap       = 0xc020660b
		extentShared = 0x2000
		extentLast   = 0x1
	)
	type extent struct {
		logical, physical, length uint64
		_                         [2]uint64
		flags                     uint32
		_                         [3]uint32
	}
	var request struct {
		start, length                 uint64
		flags, mapped, room, reserved uint32
		extents                       [32]extent
	}
	request.length, request.room = ^uint64(0), uint32(len(request.extents))
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), fiemap, uintptr(unsafe.Pointer(&request)))
	if errno != 0 || request.mapped == 0 {
		return false, errno
	}
	for _, e := range request.extents[:request.mapped] {
		if e.flags&extentShared == 0 {
			return false, 0
		}
	}
	return request.extents[request.mapped-1].flags&extentLast != 0, 0
}
