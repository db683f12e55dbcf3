package sys

import (
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// interruption is the signal that ends a waiting call early.
const interruption = unix.SIGUSR1

// saRestart is SA_RESTART, the same on every architecture (asm/signal.h).
const saRestart = 0x10000000

// ThreadID is gettid(2): the caller must be locked to its thread.
func ThreadID() int { return unix.Gettid() }

// InterruptThread sends a thread of this process the signal that
// [CatchInterruption] has prepared: a call that waits there answers EINTR.
func InterruptThread(tid int) Errno {
	return errnoOf(unix.Tgkill(unix.Getpid(), tid, interruption))
}

// CatchInterruption gives the interrupting signal a handler without SA_RESTART,
// until release is called. Go installs handlers with SA_RESTART only, with
// which the kernel goes on with the call (signal(7)).
func CatchInterruption() (release func(), errno Errno) {
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, interruption)
	release = func() { signal.Stop(caught) }
	// The kernel's struct is handler, flags, restorer, mask; on MIPS the flags,
	// an int, come first and the mask has twice the size. The rest is handed
	// back as it was found.
	var action [16]uintptr
	size := uintptr(8)
	flags, restart := &action[1], uintptr(saRestart)
	if strings.HasPrefix(runtime.GOARCH, "mips") {
		size, flags = 16, &action[0]
		if runtime.GOARCH == "mips64" { // big endian: the int is the upper half
			restart <<= unsafe.Sizeof(restart) * 4
		}
	}
	if _, _, e := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(interruption), 0, uintptr(unsafe.Pointer(&action)), size, 0, 0); e != 0 {
		release()
		return nil, e
	}
	*flags &^= restart
	if _, _, e := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(interruption), uintptr(unsafe.Pointer(&action)), 0, size, 0, 0); e != 0 {
		release()
		return nil, e
	}
	return func() {
		*flags |= restart
		unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(interruption), uintptr(unsafe.Pointer(&action)), 0, size, 0, 0)
		signal.Stop(caught)
	}, 0
}

// parked are the calls in which Go's scheduler itself lets a thread wait;
// 422 is futex_time64 of the 32-bit architectures.
var parked = []int{unix.SYS_FUTEX, unix.SYS_NANOSLEEP, unix.SYS_EPOLL_PWAIT, unix.SYS_SCHED_YIELD, 422}

// Asleep tells whether a thread of this process waits, interruptibly, in a
// system call that is not one of the scheduler's; known is false where /proc
// does not say (proc(5), /proc/pid/syscall and stat).
func Asleep(tid int) (asleep, known bool) { return waitsAs(tid, 'S') }

// Stalled tells whether a thread of this process waits in a system call for
// something that no signal but a fatal one takes it from: a disk, or what stands
// for one.
func Stalled(tid int) (stalled, known bool) { return waitsAs(tid, 'D') }

func waitsAs(tid int, state byte) (waits, known bool) {
	dir := "/proc/self/task/" + strconv.Itoa(tid)
	call, err := os.ReadFile(dir + "/syscall")
	if err != nil {
		return false, false
	}
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return false, false
	}
	// It may have gone on between the two, and wait for the scheduler now.
	again, err := os.ReadFile(dir + "/syscall")
	if err != nil || string(again) != string(call) {
		return false, true
	}
	number, _, _ := strings.Cut(string(call), " ")
	n, err := strconv.Atoi(number) // else "running"
	if err != nil || n < 0 || slices.Contains(parked, n) {
		return false, true
	}
	// The state follows the name, which stands in parentheses and may hold any.
	after := string(stat[strings.LastIndexByte(string(stat), ')')+1:])
	return strings.HasPrefix(after, " "+string(state)), true
}

// SetFileSizeLimit sets the soft limit RLIMIT_FSIZE of this process, until
// release is called.
func SetFileSizeLimit(size int64) (release func(), errno Errno) {
	var old syscall.Rlimit
	if err := syscall.Getrlimit(unix.RLIMIT_FSIZE, &old); err != nil {
		return nil, errnoOf(err)
	}
	limit := old
	limit.Cur = uint64(size)
	if err := syscall.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		return nil, errnoOf(err)
	}
	return func() { syscall.Setrlimit(unix.RLIMIT_FSIZE, &old) }, 0
}
