package sys

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Native returns the calls of this system, untampered.
func Native() *Kernel {
	return &Kernel{
		Sendfile: func(out, in int, offset *int64, count int) (int, Errno) {
			n, err := unix.Sendfile(out, in, offset, count)
			return n, errnoOf(err)
		},
		Splice: func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, Errno) {
			n, err := unix.Splice(in, inOffset, out, outOffset, count, flags)
			return int(n), errnoOf(err)
		},
		Tee: func(in, out, count, flags int) (int, Errno) {
			n, err := unix.Tee(in, out, count, flags)
			return int(n), errnoOf(err)
		},
		Vmsplice: vmsplice,
		CopyFileRange: func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, Errno) {
			n, err := unix.CopyFileRange(in, inOffset, out, outOffset, count, flags)
			return n, errnoOf(err)
		},
		Send:           send,
		Recv:           recv,
		SetZerocopy:    SetZerocopy,
		SetCork:        SetCork,
		ZerocopyNotice: zerocopyNotice,
		Read:           read,
		Write:          write,
		Pread:          pread,
		Pwrite:         pwrite,
		Mmap:           mmap,
		Seek:           seek,
		Pipe: func(nonblock bool) (int, int, Errno) {
			flags := unix.O_CLOEXEC
			if nonblock {
				flags |= unix.O_NONBLOCK
			}
			var p [2]int
			if err := unix.Pipe2(p[:], flags); err != nil {
				return -1, -1, errnoOf(err)
			}
			return p[0], p[1], 0
		},
		SetPipeSize: func(fd, size int) (int, Errno) {
			n, err := unix.FcntlInt(uintptr(fd), unix.F_SETPIPE_SZ, size)
			return n, errnoOf(err)
		},
		PipeSize: func(fd int) (int, Errno) {
			n, err := unix.FcntlInt(uintptr(fd), unix.F_GETPIPE_SZ, 0)
			return n, errnoOf(err)
		},
		NewUring:   newUring,
		AttachULP:  attachULP,
		ULP:        ULP,
		RecvRecord: recvRecord,
		SetSockmap: SetSockmap,
	}
}

// vmsplice goes below unix.Vmsplice, which takes iovecs that the caller would
// have to build, and keeps empty segments, which the kernel accepts.
func vmsplice(fd int, buffers [][]byte, flags int) (int, Errno) {
	iovecs := make([]unix.Iovec, len(buffers))
	for i, b := range buffers {
		iovecs[i].Base = unsafe.SliceData(b)
		iovecs[i].SetLen(len(b))
	}
	n, _, errno := unix.Syscall6(unix.SYS_VMSPLICE, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(iovecs))), uintptr(len(iovecs)), uintptr(flags), 0, 0)
	return int(n), errno
}

func send(fd int, p []byte, flags int) (int, Errno) {
	n, err := unix.SendmsgN(fd, p, nil, nil, flags)
	return counted(n, err)
}

// recv leaves MSG_NOSIGNAL away, which [NoWait] has for send: recv(2) does not
// know it, and gVisor on the host's network answers EINVAL (hostinet's
// allowedRecvMsgFlags).
func recv(fd int, p []byte, flags int) (int, Errno) {
	n, _, err := unix.Recvfrom(fd, p, flags&^unix.MSG_NOSIGNAL)
	return counted(n, err)
}

func zerocopyNotice(fd int) (ZerocopyNotice, Errno) {
	var oob [128]byte
	_, oobn, _, _, err := unix.Recvmsg(fd, nil, oob[:], unix.MSG_ERRQUEUE)
	if err != nil {
		return ZerocopyNotice{}, errnoOf(err)
	}
	messages, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil {
		return ZerocopyNotice{}, errnoOf(err)
	}
	for _, m := range messages {
		v4 := m.Header.Level == unix.IPPROTO_IP && m.Header.Type == unix.IP_RECVERR
		v6 := m.Header.Level == unix.IPPROTO_IPV6 && m.Header.Type == unix.IPV6_RECVERR
		vsock := m.Header.Level == unix.SOL_VSOCK
		if (!v4 && !v6 && !vsock) || len(m.Data) < int(unsafe.Sizeof(unix.SockExtendedErr{})) {
			continue
		}
		e := *(*unix.SockExtendedErr)(unsafe.Pointer(unsafe.SliceData(m.Data)))
		return ZerocopyNotice{
			First:  e.Info,
			Last:   e.Data,
			Copied: e.Code&unix.SO_EE_CODE_ZEROCOPY_COPIED != 0,
			Origin: e.Origin,
			Errno:  e.Errno,
		}, 0
	}
	return ZerocopyNotice{}, syscall.ENOMSG
}
