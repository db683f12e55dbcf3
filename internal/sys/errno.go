package sys

import (
	"errors"
	"syscall"
)

// errnoOf takes the errno out of an error of the syscall packages. An error
// of another kind would be a mistake of this package, and shows as EINVAL.
func errnoOf(err error) Errno {
	if err == nil {
		return 0 // the usual case, and one without an allocation
	}
	return errnoIn(err)
}

func errnoIn(err error) Errno {
	var errno Errno
	if errors.As(err, &errno) {
		return errno
	}
	return syscall.EINVAL
}

// counted pairs a count with the errno beside it. The wrappers of the standard
// library turn the kernel's -1 into 0 on some calls; here it is -1 again.
func counted(n int, err error) (int, Errno) {
	if errno := errnoOf(err); errno != 0 {
		return -1, errno
	}
	return n, 0
}

// IsResourceLimit tells whether err says that this process or machine has run
// out of something (descriptors, memory, space, quota): the set-up could not be
// had, which is no answer of the call under test.
func IsResourceLimit(err error) bool {
	for _, limit := range []Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOSPC, syscall.ENOMEM, syscall.EDQUOT, syscall.ENOBUFS} {
		if errors.Is(err, limit) {
			return true
		}
	}
	return false
}

// IsMissing tells whether err says that this system has no such call, option,
// ioctl or operation: a set-up that rests on it cannot be had here. Emulators
// have not all that Linux has: qemu-user no seccomp, gVisor no FUSE server.
func IsMissing(err error) bool {
	for _, missing := range []Errno{syscall.ENOSYS, syscall.EOPNOTSUPP, syscall.ENOPROTOOPT, syscall.ENOTTY} {
		if errors.Is(err, missing) {
			return true
		}
	}
	return false
}
