package zerocopy

import "syscall"

// Names for the tampered kernels, and for what SyscallConn gives.
const (
	errEPERM  = syscall.EPERM
	errENOSYS = syscall.ENOSYS
)

type rawConn = syscall.RawConn
