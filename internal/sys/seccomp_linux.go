package sys

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// DenyCalls makes the named system calls of this process and of everything that
// it starts fail with errno, by a seccomp filter on all threads. It cannot be
// taken back. It sets no_new_privs, so that it needs no privilege.
//
// The names are those of the manual ("sendfile" stands for sendfile64 too); a
// call that this architecture lacks is denied by nature. An unknown name is an
// error, and so is a kernel without seccomp.
func DenyCalls(errno Errno, names ...string) error {
	return filterCalls(unix.SECCOMP_RET_ERRNO|uint32(errno)&unix.SECCOMP_RET_DATA, names)
}

// KillCalls kills the process (SIGSYS) when it makes one of the named calls. The
// error is ENOTSUP where the kernel can only kill a thread, as Linux could before
// 4.14 and gVisor can: it would do that instead, and the process would hang.
func KillCalls(names ...string) error {
	action := uint32(unix.SECCOMP_RET_KILL_PROCESS)
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action))); errno != 0 {
		return fmt.Errorf("filter system calls: kill the process: %w (%w)", unix.ENOTSUP, errno)
	}
	return filterCalls(action, names)
}

// Offsets into struct seccomp_data (seccomp(2)).
const (
	seccompNr   = 0
	seccompArch = 4
)

// filterCalls installs: another architecture's calls are let through (no 32-bit
// call is made by a 64-bit Go program), the named calls get action.
func filterCalls(action uint32, names []string) error {
	if auditArch == 0 {
		return fmt.Errorf("filter system calls: %w on %s", unix.ENOTSUP, runtime.GOARCH)
	}
	var numbers []uint32
	for _, name := range names {
		n, ok := filterable[name]
		if !ok {
			return fmt.Errorf("filter system calls: %q: %w", name, unix.EINVAL)
		}
		numbers = append(numbers, n...)
	}
	slices.Sort(numbers)
	load := func(offset uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
	}
	skipUnless := func(k uint32, skip uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: skip, K: k}
	}
	answer := func(k uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: k}
	}
	program := []unix.SockFilter{
		load(seccompArch), skipUnless(auditArch, uint8(1+2*len(numbers))), load(seccompNr),
	}
	for _, n := range numbers {
		program = append(program, skipUnless(n, 1), answer(action))
	}
	program = append(program, answer(unix.SECCOMP_RET_ALLOW))
	return installFilter(program)
}

func installFilter(program []unix.SockFilter) error {
	// prctl is for this thread; the filter takes it to the others (TSYNC).
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("filter system calls: prctl: %w", err)
	}
	prog := unix.SockFprog{Len: uint16(len(program)), Filter: unsafe.SliceData(program)}
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	runtime.KeepAlive(program)
	switch {
	case errno != 0:
		return fmt.Errorf("filter system calls: seccomp: %w", errno)
	case thread != 0: // the thread that could not follow
		return fmt.Errorf("filter system calls: seccomp: thread %d has a filter of its own", thread)
	default:
		return nil
	}
}

// filterable are the calls that tests and experiments deny.
var filterable = map[string][]uint32{
	"sendfile":        sendfileNumbers,
	"splice":          {unix.SYS_SPLICE},
	"tee":             {unix.SYS_TEE},
	"vmsplice":        {unix.SYS_VMSPLICE},
	"copy_file_range": {unix.SYS_COPY_FILE_RANGE},
	"pipe2":           {unix.SYS_PIPE2},
	"memfd_create":    {unix.SYS_MEMFD_CREATE},
	"io_uring_setup":  {unix.SYS_IO_URING_SETUP},
	"bpf":             {unix.SYS_BPF},
	"socketpair":      socketpairNumbers,
	"fcntl":           fcntlNumbers,
}

// auditArch is this program's AUDIT_ARCH value, 0 where it is not known here.
var auditArch = func() uint32 {
	little := binary.NativeEndian.Uint16([]byte{1, 0}) == 1
	switch runtime.GOARCH {
	case "amd64":
		return unix.AUDIT_ARCH_X86_64
	case "arm64":
		return unix.AUDIT_ARCH_AARCH64
	case "386":
		return unix.AUDIT_ARCH_I386
	case "arm":
		return unix.AUDIT_ARCH_ARM
	case "riscv64":
		return unix.AUDIT_ARCH_RISCV64
	case "loong64":
		return unix.AUDIT_ARCH_LOONGARCH64
	case "s390x":
		return unix.AUDIT_ARCH_S390X
	case "ppc64", "ppc64le":
		if little {
			return unix.AUDIT_ARCH_PPC64LE
		}
		return unix.AUDIT_ARCH_PPC64
	case "mips64", "mips64le":
		if little {
			return unix.AUDIT_ARCH_MIPSEL64
		}
		return unix.AUDIT_ARCH_MIPS64
	case "mips", "mipsle":
		if little {
			return unix.AUDIT_ARCH_MIPSEL
		}
		return unix.AUDIT_ARCH_MIPS
	default:
		return 0
	}
}()
