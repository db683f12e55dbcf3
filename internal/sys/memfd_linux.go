package sys

import "golang.org/x/sys/unix"

// MemfdCreate is memfd_create(2); flags are or'ed to MFD_CLOEXEC.
func MemfdCreate(name string, flags int) (int, Errno) {
	fd, err := unix.MemfdCreate(name, flags|unix.MFD_CLOEXEC)
	return fd, errnoOf(err)
}

// Flags of memfd_create(2), and of fcntl(F_ADD_SEALS).
const (
	MemfdAllowSealing = unix.MFD_ALLOW_SEALING
	SealShrink        = unix.F_SEAL_SHRINK
	SealGrow          = unix.F_SEAL_GROW
	SealWrite         = unix.F_SEAL_WRITE
)

// AddSeals is fcntl(F_ADD_SEALS).
func AddSeals(fd, seals int) Errno {
	_, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals)
	return errnoOf(err)
}

// Clone is ioctl(FICLONE): dst shares the blocks of src.
func Clone(dst, src int) Errno { return errnoOf(unix.IoctlFileClone(dst, src)) }

// Direct is O_DIRECT, for Open.
const Direct = unix.O_DIRECT
