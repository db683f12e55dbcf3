package sys

import (
	"os"

	"golang.org/x/sys/unix"
)

// SeccompMode is prctl(PR_GET_SECCOMP): 0 none, 2 a filter. It answers where
// there is no /proc to read the same from.
func SeccompMode() (int, Errno) {
	mode, err := unix.PrctlRetInt(unix.PR_GET_SECCOMP, 0, 0, 0, 0)
	return mode, errnoOf(err)
}

// Capabilities is the effective set of capget(2), a bit each.
func Capabilities() (uint64, Errno) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return 0, errnoOf(err)
	}
	return uint64(data[1].Effective)<<32 | uint64(data[0].Effective), 0
}

// Numbers of capabilities (capabilities(7)).
const (
	CapNetAdmin    = unix.CAP_NET_ADMIN
	CapIPCLock     = unix.CAP_IPC_LOCK
	CapSysAdmin    = unix.CAP_SYS_ADMIN
	CapSysResource = unix.CAP_SYS_RESOURCE
	CapBPF         = unix.CAP_BPF
)

// DescriptorLimit is the soft limit RLIMIT_NOFILE, and how many descriptors
// are open now; -1 where that cannot be told.
func DescriptorLimit() (limit uint64, open int) {
	var l unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &l) != nil {
		return 0, -1
	}
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return l.Cur, -1
	}
	return l.Cur, len(names) - 1 // without the one that read the directory
}

// MemoryLockLimit is the soft limit RLIMIT_MEMLOCK in bytes.
func MemoryLockLimit() uint64 {
	var l unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_MEMLOCK, &l) != nil {
		return 0
	}
	return l.Cur
}

// Unlimited is the value of a limit that is none.
const Unlimited = unix.RLIM_INFINITY
