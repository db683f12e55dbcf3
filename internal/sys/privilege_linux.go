package sys

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// The functions of this file change one thread: the caller must be locked to
// it, and the thread must end afterwards.

// DropThreadCapabilities takes all effective capabilities from the calling
// thread (capset(2)); the user stays the same.
func DropThreadCapabilities() Errno {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	if err := unix.Capget(&head, &sets[0]); err != nil {
		return errnoOf(err)
	}
	sets[0].Effective, sets[1].Effective = 0, 0
	return errnoOf(unix.Capset(&head, &sets[0]))
}

// SetThreadUser gives the calling thread another user, and with it no
// capability. It goes below syscall.Setresuid, which changes all threads.
func SetThreadUser(uid int) Errno {
	_, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, uintptr(uid), uintptr(uid), uintptr(uid))
	return errno
}

// LeaveNetwork gives the calling thread a network namespace of its own, and
// with it sysctls of its own below /proc/sys/net (network_namespaces(7)).
func LeaveNetwork() Errno { return errnoOf(unix.Unshare(unix.CLONE_NEWNET)) }

// SetLockedMemoryLimit sets the soft limit RLIMIT_MEMLOCK of this process,
// until release is called.
func SetLockedMemoryLimit(size int64) (release func(), errno Errno) {
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &old); err != nil {
		return nil, errnoOf(err)
	}
	if uint64(size) > old.Max {
		return nil, syscall.EPERM
	}
	limit := old
	limit.Cur = uint64(size)
	if err := unix.Setrlimit(unix.RLIMIT_MEMLOCK, &limit); err != nil {
		return nil, errnoOf(err)
	}
	return func() { unix.Setrlimit(unix.RLIMIT_MEMLOCK, &old) }, 0
}
