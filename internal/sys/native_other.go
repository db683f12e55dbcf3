//go:build !linux

package sys

import "syscall"

// Native returns the calls of this system: plain reads and writes where they
// are known, ENOSYS for the rest.
func Native() *Kernel {
	return &Kernel{
		Sendfile: func(int, int, *int64, int) (int, Errno) { return -1, syscall.ENOSYS },
		Splice: func(int, *int64, int, *int64, int, int) (int, Errno) {
			return -1, syscall.ENOSYS
		},
		Tee:      func(int, int, int, int) (int, Errno) { return -1, syscall.ENOSYS },
		Vmsplice: func(int, [][]byte, int) (int, Errno) { return -1, syscall.ENOSYS },
		CopyFileRange: func(int, *int64, int, *int64, int, int) (int, Errno) {
			return -1, syscall.ENOSYS
		},
		Send:           func(int, []byte, int) (int, Errno) { return -1, syscall.ENOSYS },
		Recv:           func(int, []byte, int) (int, Errno) { return -1, syscall.ENOSYS },
		SetZerocopy:    SetZerocopy,
		SetCork:        SetCork,
		ZerocopyNotice: func(int) (ZerocopyNotice, Errno) { return ZerocopyNotice{}, syscall.ENOSYS },
		Read:           read,
		Write:          write,
		Pread:          pread,
		Pwrite:         pwrite,
		Mmap:           mmap,
		Seek:           seek,
		Pipe:           func(bool) (int, int, Errno) { return -1, -1, syscall.ENOSYS },
		SetPipeSize:    func(int, int) (int, Errno) { return -1, syscall.ENOSYS },
		PipeSize:       func(int) (int, Errno) { return -1, syscall.ENOSYS },
		NewUring:       newUring,
		AttachULP:      func(int, string) Errno { return syscall.ENOSYS },
		ULP:            func(int) (string, Errno) { return "", syscall.ENOSYS },
		RecvRecord:     func(int, []byte) (int, int, Errno) { return -1, -1, syscall.ENOSYS },
		SetSockmap:     func(int, int, int) Errno { return syscall.ENOSYS },
	}
}
