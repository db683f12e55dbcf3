//go:build !linux

package sys

import "syscall"

// Constants that this system does not know.
const (
	WaitingSignal  = 0
	SignalInfoSize = 0
	MemfdHugetlb   = 0
)

// What only Linux has.

func Eventfd(uint) (int, Errno)  { return -1, syscall.ENOSYS }
func FiredTimer() (int, Errno)   { return -1, syscall.ENOSYS }
func SignalInWait() (int, Errno) { return -1, syscall.ENOSYS }
func ModifiedNotice() []byte     { return nil }
func NetlinkPair() (a, b int, call string, e Errno) {
	return -1, -1, "socket AF_NETLINK", syscall.ENOSYS
}
func Peek(int, []byte) (int, Errno) { return -1, syscall.ENOSYS }
func AddressOf([]byte) int64        { return 0 }
func LowMemory(int) ([]byte, Errno) { return nil, syscall.ENOSYS }
func FreeLowMemory([]byte) Errno    { return syscall.ENOSYS }
