//go:build !linux

package sys

import "syscall"

// Family is a family of stream sockets; this system has none of them.
type Family int

// The families.
const (
	MPTCP Family = iota
	VSock
)

// NoSocketType is a type of socket that does not exist.
const NoSocketType = 0xf

// Calls that only Linux has.

func FamilySocket(Family, int) (int, Errno) { return -1, syscall.ENOSYS }
func FamilyPair(Family) (a, b int, call string, errno Errno) {
	return -1, -1, "socket", syscall.ENOSYS
}
func IsMPTCP(int) bool { return false }
func OpenPTY() (master, slave int, call string, errno Errno) {
	return -1, -1, "open /dev/ptmx", syscall.ENOSYS
}
