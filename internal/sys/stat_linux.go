package sys

import "golang.org/x/sys/unix"

// Fstat is fstat(2).
func Fstat(fd int) (Status, Errno) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return Status{}, errnoOf(err)
	}
	return Status{
		Size:       st.Size,
		Allocated:  st.Blocks * 512,
		Mode:       st.Mode,
		ModifiedNS: st.Mtim.Nano(),
		Device:     uint64(st.Dev), //nolint:unconvert // it is narrower on some architectures
	}, 0
}

// FilesystemName names the filesystem of a directory, from the magic number of
// statfs(2); "" where it is unknown.
func FilesystemName(path string) string {
	var st unix.Statfs_t
	if unix.Statfs(path, &st) != nil {
		return ""
	}
	return map[uint32]string{
		unix.EXT4_SUPER_MAGIC:      "ext4", // ext2 and ext3 share the number
		unix.XFS_SUPER_MAGIC:       "xfs",
		unix.BTRFS_SUPER_MAGIC:     "btrfs",
		unix.TMPFS_MAGIC:           "tmpfs",
		unix.RAMFS_MAGIC:           "ramfs",
		unix.OVERLAYFS_SUPER_MAGIC: "overlay",
		unix.F2FS_SUPER_MAGIC:      "f2fs",
		unix.NFS_SUPER_MAGIC:       "nfs",
		unix.FUSE_SUPER_MAGIC:      "fuse",
		unix.V9FS_MAGIC:            "9p",
		0x2fc12fc1:                 "zfs",
		0xff534d42:                 "cifs",
		0xfe534d42:                 "smb2",
		0x786f4256:                 "vboxsf",
	}[uint32(st.Type)]
}

// Queued is ioctl(FIONREAD), alias TIOCINQ: the bytes that wait in a pipe or a socket.
func Queued(fd int) (int, Errno) {
	n, err := unix.IoctlGetUint32(fd, unix.TIOCINQ) // an int of C: IoctlGetInt reads eight bytes, wrong on big-endian machines
	return int(n), errnoOf(err)
}
