// Package sys is the only room of this module that makes system calls or
// imports golang.org/x/sys. It has the same face on every system: a call that
// a system lacks answers ENOSYS, and the rooms above carry no build tags.
//
// The calls whose behaviour zcprobe asks about, and those that the library
// moves bytes with, are fields of [Kernel], so that a test can put a tampered
// kernel in their place. They hand on everything that the kernel said: the
// count as it was returned (-1 included), the errno beside it, and the offset
// as the kernel left it. Nothing is retried, clamped or translated here.
//
// Everything else in this package (sockets, limits, file status) is plain
// functions: the harness builds and inspects its fixtures with them, and a
// harness must not be lied to.
package sys

import "syscall"

// Errno is the error number of a call; zero means that the call succeeded.
type Errno = syscall.Errno

// Kernel is the calls that move bytes, as functions that can be exchanged one
// by one. Descriptors are ints on every system (a HANDLE on Windows). A nil
// offset is a NULL pointer.
type Kernel struct {
	// Sendfile is sendfile(2) with Linux's arguments: to out, from in. Counts
	// are passed on as they are, a negative one as the size_t that it becomes.
	Sendfile func(out, in int, offset *int64, count int) (int, Errno)

	// Splice is splice(2).
	Splice func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, Errno)

	// Tee is tee(2).
	Tee func(in, out, count, flags int) (int, Errno)

	// Vmsplice is vmsplice(2); each buffer is one segment.
	Vmsplice func(fd int, buffers [][]byte, flags int) (int, Errno)

	// CopyFileRange is copy_file_range(2).
	CopyFileRange func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, Errno)

	// Send is send(2). The flags are those of the system: see MsgDontwait and
	// its neighbours.
	Send func(fd int, p []byte, flags int) (int, Errno)

	// Recv is recv(2).
	Recv func(fd int, p []byte, flags int) (int, Errno)

	// SetZerocopy is setsockopt(SO_ZEROCOPY), on.
	SetZerocopy func(fd int) Errno

	// SetCork is setsockopt(TCP_CORK).
	SetCork func(fd int, on bool) Errno

	// ZerocopyNotice takes one notification of MSG_ZEROCOPY off the socket's
	// error queue, with recvmsg(2) and MSG_ERRQUEUE. It never blocks.
	ZerocopyNotice func(fd int) (ZerocopyNotice, Errno)

	// Read, Write, Pread and Pwrite are the calls of the same names.
	Read   func(fd int, p []byte) (int, Errno)
	Write  func(fd int, p []byte) (int, Errno)
	Pread  func(fd int, p []byte, offset int64) (int, Errno)
	Pwrite func(fd int, p []byte, offset int64) (int, Errno)

	// Mmap is mmap(2) of a part of a file, shared and for reading; FreeMemory
	// gives it back.
	Mmap func(fd int, offset int64, size int) ([]byte, Errno)

	// Seek is lseek(2).
	Seek func(fd int, offset int64, whence int) (int64, Errno)

	// Pipe is pipe2(2) with O_CLOEXEC and, where asked for, O_NONBLOCK.
	Pipe func(nonblock bool) (r, w int, errno Errno)

	// SetPipeSize is fcntl(F_SETPIPE_SZ) and PipeSize is fcntl(F_GETPIPE_SZ),
	// in bytes. The kernel answers SetPipeSize with the size that it chose.
	SetPipeSize func(fd, size int) (int, Errno)
	PipeSize    func(fd int) (int, Errno)

	// NewUring makes an io_uring; call names what failed.
	NewUring func() (u *Uring, call string, errno Errno)

	// AttachULP is setsockopt(TCP_ULP), and ULP is getsockopt(TCP_ULP): "tls"
	// is the first step of kernel TLS.
	AttachULP func(fd int, name string) Errno
	ULP       func(fd int) (string, Errno)

	// RecvRecord is recvmsg(2) on kernel TLS with room for the type of the
	// record (TLS_GET_RECORD_TYPE); kind is -1 where none was told.
	RecvRecord func(fd int, p []byte) (n, kind int, errno Errno)

	// SetSockmap puts a socket into a slot of a BPF map of sockets.
	SetSockmap func(sockmap, slot, socket int) Errno
}

// ZerocopyNotice is one message of the error queue, from struct
// sock_extended_err (Documentation/networking/msg_zerocopy.rst): the calls
// numbered First to Last are done, and Copied says that the kernel copied
// after all (SO_EE_CODE_ZEROCOPY_COPIED).
type ZerocopyNotice struct {
	First, Last uint32
	Copied      bool
	Origin      uint8 // 5: SO_EE_ORIGIN_ZEROCOPY
	Errno       uint32
}

// Flags of splice, tee and vmsplice: the same on every architecture
// (include/linux/splice.h).
const (
	SpliceMove     = 0x1
	SpliceNonblock = 0x2
	SpliceMore     = 0x4
	SpliceGift     = 0x8
)
