//go:build !unix

package sys

import "syscall"

// The descriptors of this system are no files of POSIX: the fixtures that
// need these calls are not to be had here.

func Close(int) Errno                       { return syscall.ENOSYS }
func Dup(int) (int, Errno)                  { return -1, syscall.ENOSYS }
func SetNonblock(int, bool) Errno           { return syscall.ENOSYS }
func Open(string, int) (int, Errno)         { return -1, syscall.ENOSYS }
func Ftruncate(int, int64) Errno            { return syscall.ENOSYS }
func Shutdown(int, int) Errno               { return syscall.ENOSYS }
func UnixPair(SocketType) (int, int, Errno) { return -1, -1, syscall.ENOSYS }
func Socket(SocketType) (int, Errno)        { return -1, syscall.ENOSYS }
func SetSendBuffer(int, int) Errno          { return syscall.ENOSYS }
func SetReceiveBuffer(int, int) Errno       { return syscall.ENOSYS }
func SetReset(int) Errno                    { return syscall.ENOSYS }
func SetTimeouts(int, int64, int64) Errno   { return syscall.ENOSYS }
func Poll(int, bool, int) (bool, Errno)     { return false, syscall.ENOSYS }
func Nonblocking(int) (bool, Errno)         { return false, syscall.ENOSYS }
func ConnectUDP(int, int) Errno             { return syscall.ENOSYS }
