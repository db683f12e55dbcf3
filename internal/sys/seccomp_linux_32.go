//go:build linux && (386 || arm || mips || mipsle)

package sys

import "golang.org/x/sys/unix"

// Go makes the 64-bit variants (syscall_linux_arm.go and its kin); both are
// denied.
var (
	sendfileNumbers   = []uint32{unix.SYS_SENDFILE, unix.SYS_SENDFILE64}
	fcntlNumbers      = []uint32{unix.SYS_FCNTL, unix.SYS_FCNTL64}
	socketpairNumbers = []uint32{unix.SYS_SOCKETPAIR}
)
