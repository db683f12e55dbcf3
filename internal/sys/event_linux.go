package sys

import (
	"encoding/binary"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Eventfd is eventfd2(2) with this count.
func Eventfd(count uint) (int, Errno) {
	fd, err := unix.Eventfd(count, unix.EFD_CLOEXEC)
	return fd, errnoOf(err)
}

// FiredTimer is a timerfd that fires once, right away: a read answers 1.
func FiredTimer() (int, Errno) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC)
	if err != nil {
		return -1, errnoOf(err)
	}
	once := unix.ItimerSpec{Value: unix.NsecToTimespec(time.Microsecond.Nanoseconds())}
	if err := unix.TimerfdSettime(fd, 0, &once, nil); err != nil {
		unix.Close(fd)
		return -1, errnoOf(err)
	}
	return fd, 0
}

// WaitingSignal is the signal of [SignalInWait]: a real-time one that neither
// Go's runtime nor the C library uses.
const WaitingSignal = 60

// SignalInfoSize is the size of struct signalfd_siginfo (signalfd(2)), which
// begins with the number of the signal.
const SignalInfoSize = 128

// SignalInWait is a signalfd for a signal that waits in the calling thread,
// which must be locked and end with its work: it keeps the signal blocked, and
// what nobody has read is gone with it.
func SignalInWait() (int, Errno) {
	var set unix.Sigset_t
	add(&set, WaitingSignal)
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &set, nil); err != nil {
		return -1, errnoOf(err)
	}
	fd, err := unix.Signalfd(-1, &set, unix.SFD_CLOEXEC)
	if err != nil {
		return -1, errnoOf(err)
	}
	if err := unix.Tgkill(unix.Getpid(), unix.Gettid(), WaitingSignal); err != nil {
		unix.Close(fd)
		return -1, errnoOf(err)
	}
	return fd, 0
}

// ModifiedNotice is the first event of [WatchFile] after a write: struct
// inotify_event without a name (inotify(7)).
func ModifiedNotice() []byte {
	p := binary.NativeEndian.AppendUint32(nil, 1) // the first watch
	p = binary.NativeEndian.AppendUint32(p, unix.IN_MODIFY)
	return append(p, make([]byte, 8)...) // no cookie, no name
}

// NetlinkPair is two netlink sockets of the family for user programs
// (NETLINK_USERSOCK, netlink(7)), connected to each other. call names what
// failed.
func NetlinkPair() (a, b int, call string, errno Errno) {
	var fds [2]int
	var own [2]unix.Sockaddr
	for i := range fds {
		fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_USERSOCK)
		if err == nil {
			call, err = "bind AF_NETLINK", unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
			if err == nil {
				call = "getsockname AF_NETLINK"
				own[i], err = unix.Getsockname(fd)
			}
			if err != nil {
				unix.Close(fd)
			}
		} else {
			call = "socket AF_NETLINK"
		}
		if err != nil {
			if i == 1 {
				unix.Close(fds[0])
			}
			return -1, -1, call, errnoOf(err)
		}
		fds[i] = fd
	}
	for i, fd := range fds {
		if err := unix.Connect(fd, own[1-i]); err != nil {
			unix.Close(fds[0])
			unix.Close(fds[1])
			return -1, -1, "connect AF_NETLINK", errnoOf(err)
		}
	}
	return fds[0], fds[1], "", 0
}

// Peek copies what waits in a stream socket, without taking it out and without
// waiting (MSG_PEEK, MSG_DONTWAIT).
func Peek(fd int, p []byte) (int, Errno) {
	n, _, err := unix.Recvfrom(fd, p, unix.MSG_PEEK|unix.MSG_DONTWAIT)
	return counted(n, err)
}

// MemfdHugetlb is MFD_HUGETLB: a file on hugetlbfs, for MemfdCreate.
const MemfdHugetlb = unix.MFD_HUGETLB

// LowMemory is [Memory] at an address below 2 GiB, as far as one is free: the
// offsets that files of /proc can have end there (MAX_NON_LFS).
func LowMemory(size int) ([]byte, Errno) {
	p, err := unix.MmapPtr(-1, 0, unsafe.Add(unsafe.Pointer(nil), 0x20000000), uintptr(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, errnoOf(err)
	}
	return unsafe.Slice((*byte)(p), size), 0
}

// FreeLowMemory gives back what LowMemory returned.
func FreeLowMemory(p []byte) Errno {
	return errnoOf(unix.MunmapPtr(unsafe.Pointer(unsafe.SliceData(p)), uintptr(len(p))))
}

// AddressOf is where p lies in the memory of this process.
func AddressOf(p []byte) int64 { return int64(uintptr(unsafe.Pointer(unsafe.SliceData(p)))) }
