package sys

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"
)

// DirectWrites writes buffers to places of a file by asynchronous I/O, all at
// once, and waits for them: io_submit(2), which only O_DIRECT makes
// asynchronous. It tells how many bytes were written.
func DirectWrites(fd int, buffers [][]byte, offsets []int64) (written int, call string, errno Errno) {
	var context uintptr
	_, _, errno = unix.Syscall(unix.SYS_IO_SETUP, uintptr(len(buffers)), uintptr(unsafe.Pointer(&context)), 0)
	if errno != 0 {
		return 0, "io_setup", errno
	}
	defer unix.Syscall(unix.SYS_IO_DESTROY, context, 0, 0)
	const pwrite = 1 // IOCB_CMD_PWRITE
	// struct iocb (include/uapi/linux/aio_abi.h): 64 bytes.
	type block struct {
		_      uint64 // data
		_      [2]uint32
		opcode uint16
		_      int16
		fd     uint32
		buffer uint64
		size   uint64
		offset int64
		_      [2]uint64
	}
	blocks := make([]block, len(buffers))
	pointers := make([]*block, len(buffers))
	for i, p := range buffers {
		blocks[i] = block{opcode: pwrite, fd: uint32(fd), buffer: address(unsafe.Pointer(unsafe.SliceData(p))), size: uint64(len(p)), offset: offsets[i]}
		pointers[i] = &blocks[i]
	}
	n, _, errno := unix.Syscall(unix.SYS_IO_SUBMIT, context, uintptr(len(pointers)), uintptr(unsafe.Pointer(unsafe.SliceData(pointers))))
	if errno != 0 {
		return 0, "io_submit", errno
	}
	events := make([]byte, 32*len(buffers)) // struct io_event: data, obj, res, res2
	for got := 0; got < int(n); {
		k, _, errno := unix.Syscall6(unix.SYS_IO_GETEVENTS, context, 1, n-uintptr(got), uintptr(unsafe.Pointer(unsafe.SliceData(events))), 0, 0)
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			return written, "io_getevents", errno
		}
		for i := range int(k) {
			written += int(int64(binary.NativeEndian.Uint64(events[32*i+16:])))
		}
		got += int(k)
	}
	return written, "", 0
}
