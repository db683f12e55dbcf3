package sys

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Raised makes a call and tells whether the kernel raised the signal at it. The
// signal is blocked in the calling thread meanwhile: one that a call raises
// goes to its own thread (send_sig(SIGPIPE, current, 0) in net/core/stream.c),
// where it waits to be looked at, so that no handler has to be awaited.
func Raised(s Signal, call func()) (bool, Errno) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	number := map[Signal]unix.Signal{BrokenPipe: unix.SIGPIPE, FileSizeLimit: unix.SIGXFSZ}[s]
	var set, old unix.Sigset_t
	add(&set, number)
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &set, &old); err != nil {
		return false, errnoOf(err)
	}
	defer unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil)
	call()
	var now unix.Timespec
	size := uintptr(8)
	if runtime.GOARCH == "mips" || runtime.GOARCH == "mipsle" || runtime.GOARCH == "mips64" || runtime.GOARCH == "mips64le" {
		size = 16
	}
	n, _, _ := unix.RawSyscall6(unix.SYS_RT_SIGTIMEDWAIT, uintptr(unsafe.Pointer(&set)), 0, uintptr(unsafe.Pointer(&now)), size, 0, 0)
	return n == uintptr(number), 0
}

// Undisturbed blocks the signal with which Go's scheduler asks a thread for its
// attention (SIGURG) in the calling thread, which must be locked, until release
// is called. A thread in a system call is not asked, but the signal may arrive
// just after the call has begun.
func Undisturbed() (release func()) {
	var set, old unix.Sigset_t
	add(&set, unix.SIGURG)
	if unix.PthreadSigmask(unix.SIG_BLOCK, &set, &old) != nil {
		return func() {}
	}
	return func() { unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil) }
}

// add adds a signal to a set, which the kernel has as an array of longs.
func add(set *unix.Sigset_t, s unix.Signal) {
	const bits = 8 * unsafe.Sizeof(uintptr(0))
	at := uintptr(s) - 1
	(*[2]uintptr)(unsafe.Pointer(set))[at/bits] |= 1 << (at % bits)
}
