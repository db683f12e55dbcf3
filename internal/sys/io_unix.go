//go:build unix

package sys

import "syscall"

func read(fd int, p []byte) (int, Errno)  { return counted(syscall.Read(fd, p)) }
func write(fd int, p []byte) (int, Errno) { return counted(syscall.Write(fd, p)) }

func pread(fd int, p []byte, offset int64) (int, Errno) {
	return counted(syscall.Pread(fd, p, offset))
}

func pwrite(fd int, p []byte, offset int64) (int, Errno) {
	return counted(syscall.Pwrite(fd, p, offset))
}

func seek(fd int, offset int64, whence int) (int64, Errno) {
	n, err := syscall.Seek(fd, offset, whence)
	return n, errnoOf(err)
}
