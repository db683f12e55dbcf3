package sys

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// firstMounts is the mount namespace that this process began in; zero where
// there is no /proc.
var firstMounts = sync.OnceValue(threadMounts)

// threadMounts is the number of the calling thread's mount namespace.
func threadMounts() uint64 {
	var st unix.Stat_t
	if unix.Stat("/proc/thread-self/ns/mnt", &st) != nil {
		return 0
	}
	return st.Ino
}

// OwnMounts gives the calling thread a mount namespace of its own, unless it has
// one: what it mounts, nobody else sees, and it is gone with the thread, however
// that ends (mount_namespaces(7)). The caller is locked to its thread, which
// must end afterwards. Other threads of this process, the one that clears the
// scratch directory away among them, keep seeing what lies below the mounts.
func OwnMounts() Errno {
	if first := firstMounts(); first != threadMounts() {
		return 0 // the Go runtime starts no thread from one that is locked
	}
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return errnoOf(err)
	}
	return errnoOf(unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
}

// MountPrivate is mount(2) in the calling thread's own namespace, without
// devices and set-user-ID bits.
func MountPrivate(source, target, fstype, data string) Errno {
	return errnoOf(unix.Mount(source, target, fstype, unix.MS_NOSUID|unix.MS_NODEV, data))
}

// BindMount shows a directory in a second place too, as a mount of its own.
func BindMount(source, target string) Errno {
	return errnoOf(unix.Mount(source, target, "", unix.MS_BIND, ""))
}

// MountReadOnly makes a mount read-only.
func MountReadOnly(target string) Errno {
	return errnoOf(unix.Mount("", target, "", unix.MS_REMOUNT|unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV, ""))
}

// Unmount takes a mount away at once; what is still open goes with its last
// descriptor.
func Unmount(target string) Errno {
	return errnoOf(unix.Unmount(target, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW))
}

// LoopDevice makes a block device of a file (loop(4)) and returns its path and
// a descriptor, to be closed when it is mounted. The device is free again when
// nothing has it open or mounted any more (LO_FLAGS_AUTOCLEAR), also when this
// process was killed. Linux before 5.8 answers EINVAL.
func LoopDevice(file int) (fd int, path, call string, errno Errno) {
	control, err := unix.Open("/dev/loop-control", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, "", "open /dev/loop-control", errnoOf(err)
	}
	defer unix.Close(control)
	for range 64 { // another one may have taken the free device
		number, err := unix.IoctlRetInt(control, unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return -1, "", "ioctl LOOP_CTL_GET_FREE", errnoOf(err)
		}
		path = "/dev/loop" + strconv.Itoa(number)
		fd, err = unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			return -1, "", "open " + path, errnoOf(err)
		}
		config := unix.LoopConfig{Fd: uint32(file)}
		config.Info.Flags = unix.LO_FLAGS_AUTOCLEAR
		err = unix.IoctlLoopConfigure(fd, &config)
		if err == nil {
			return fd, path, "", 0
		}
		unix.Close(fd)
		if err != unix.EBUSY {
			return -1, "", "ioctl LOOP_CONFIGURE", errnoOf(err)
		}
	}
	return -1, "", "ioctl LOOP_CONFIGURE", unix.EBUSY
}

// KeepDescriptor gives the calling thread a table of descriptors of its own with
// nothing in it but fd, under its own number, standard error, and what the Go
// runtime may use in any thread: its epoll and the eventfd that wakes it
// (close_range(2), from Linux 5.9). The caller is locked to its thread, which
// must end afterwards.
func KeepDescriptor(fd int) Errno {
	r, w, err := os.Pipe() // the runtime has its epoll from here on
	if err != nil {
		return errnoOf(err)
	}
	r.Close()
	w.Close()
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return unix.ENOSYS
	}
	keep := []int{2, fd}
	for _, name := range names {
		kind, _ := os.Readlink("/proc/self/fd/" + name.Name())
		if number, err := strconv.Atoi(name.Name()); err == nil && (kind == "anon_inode:[eventpoll]" || kind == "anon_inode:[eventfd]") {
			keep = append(keep, number)
		}
	}
	slices.Sort(keep)
	if err := unix.CloseRange(uint(keep[len(keep)-1])+1, math.MaxUint32, unix.CLOSE_RANGE_UNSHARE); err != nil {
		return errnoOf(err)
	}
	first := 0
	for _, number := range keep {
		if first < number {
			if err := unix.CloseRange(uint(first), uint(number)-1, 0); err != nil {
				return errnoOf(err)
			}
		}
		first = number + 1
	}
	return 0
}

// MountFUSE mounts a filesystem that this process serves on the descriptor
// (Documentation/filesystems/fuse.rst). options are further ones, "" for none.
func MountFUSE(device int, target, options string) Errno {
	data := fmt.Sprintf("fd=%d,rootmode=40000,user_id=%d,group_id=%d", device, unix.Getuid(), unix.Getgid())
	if options != "" {
		data += "," + options
	}
	return errnoOf(unix.Mount("zcprobe", target, "fuse", unix.MS_NOSUID|unix.MS_NODEV, data))
}

// SetImmutable sets or clears the mark of a file that it must not change:
// FS_IMMUTABLE_FL, chattr +i (ioctl_iflags(2)). It tells whether it was set.
func SetImmutable(fd int, on bool) (was bool, errno Errno) {
	flags, err := unix.IoctlGetUint32(fd, unix.FS_IOC_GETFLAGS)
	if err != nil {
		return false, errnoOf(err)
	}
	const immutable = 0x10 // FS_IMMUTABLE_FL
	was = flags&immutable != 0
	flags &^= immutable
	if on {
		flags |= immutable
	}
	return was, errnoOf(unix.IoctlSetPointerInt(fd, unix.FS_IOC_SETFLAGS, int(flags)))
}

// Allocate is fallocate(2) in mode 0: blocks that hold nothing yet.
func Allocate(fd int, offset, size int64) Errno {
	return errnoOf(unix.Fallocate(fd, 0, offset, size))
}

// PunchHole is fallocate(FALLOC_FL_PUNCH_HOLE): zeros in place of n bytes.
func PunchHole(fd int, offset, n int64) Errno {
	return errnoOf(unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, offset, n))
}

// Values of whence for Kernel.Seek (lseek(2)): the next data, the next hole.
const (
	SeekData = unix.SEEK_DATA
	SeekHole = unix.SEEK_HOLE
)

// Fsync is fsync(2).
func Fsync(fd int) Errno { return errnoOf(unix.Fsync(fd)) }
