//go:build !linux

package sys

import "syscall"

// TLSKey is what one direction of a kTLS connection is set up with.
type TLSKey struct {
	IV       [8]byte
	Key      [16]byte
	Salt     [4]byte
	Sequence [8]byte
}

// Calls that are known on Linux only, so far.

func AttachTLS(int) Errno             { return syscall.ENOSYS }
func ULP(int) (string, Errno)         { return "", syscall.ENOSYS }
func SetTLSSend(int, TLSKey) Errno    { return syscall.ENOSYS }
func SetTLSReceive(int, TLSKey) Errno { return syscall.ENOSYS }
