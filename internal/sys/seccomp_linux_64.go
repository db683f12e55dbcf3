//go:build linux && !386 && !arm && !mips && !mipsle

package sys

import "golang.org/x/sys/unix"

var (
	sendfileNumbers   = []uint32{unix.SYS_SENDFILE}
	fcntlNumbers      = []uint32{unix.SYS_FCNTL}
	socketpairNumbers = []uint32{unix.SYS_SOCKETPAIR}
)
