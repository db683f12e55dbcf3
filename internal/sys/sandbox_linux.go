package sys

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// The functions of this file confine the calling thread and all that it
// becomes: the caller is locked to it and ends it, or turns it into another
// program with [Become].

// BecomeUser gives the calling thread another user and group and no further
// ones. The parent's death still ends it: a change of the user takes that wish
// back (prctl(2), PR_SET_PDEATHSIG).
func BecomeUser(uid, gid int) error {
	// Below package syscall, which changes all threads.
	if _, _, errno := unix.RawSyscall(unix.SYS_SETGROUPS, 0, 0, 0); errno != 0 {
		return fmt.Errorf("setgroups: %w", errno)
	}
	if _, _, errno := unix.RawSyscall(unix.SYS_SETRESGID, uintptr(gid), uintptr(gid), uintptr(gid)); errno != 0 {
		return fmt.Errorf("setresgid: %w", errno)
	}
	if errno := SetThreadUser(uid); errno != 0 {
		return fmt.Errorf("setresuid: %w", errno)
	}
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("prctl: %w", err)
	}
	return nil
}

// HideDirectories gives the calling thread a mount namespace of its own in
// which these directories are empty. The namespace, and with it the mounts, end
// with the last process in it.
func HideDirectories(paths ...string) error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("unshare mounts: %w", err)
	}
	// Not to be seen from where this came from (mount_namespaces(7)).
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("mount /: %w", err)
	}
	for _, path := range paths {
		err := unix.Mount("none", path, "tmpfs", unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "mode=0555,size=4k")
		if err != nil {
			return fmt.Errorf("mount an empty %s: %w", path, err)
		}
	}
	return nil
}

// Become replaces this process by another program; it returns only an error.
func Become(program string, arguments, environment []string) error {
	return fmt.Errorf("exec %s: %w", program, syscall.Exec(program, arguments, environment))
}

// A CallRule lets a call through: always where Fits is empty, else when an
// argument fits one of them.
type CallRule struct {
	Call uint32
	Fits []CallArgument
}

// CallArgument is a condition on the low 32 bits of an argument.
type CallArgument struct {
	Index   int
	Below   uint32 // less than this
	OneOf   []uint32
	Without uint32 // none of these bits
}

// AllowList is a filter that names what it lets through.
type AllowList struct {
	Rules   []CallRule
	Lacking []uint32 // calls that get ENOSYS, so that callers go back to older ones
	Errno   Errno    // what other calls get
	Newest  uint32   // calls with a higher number get ENOSYS
}

// AllowCalls installs the filter for all threads of this process. Calls of
// another architecture than the program's are let through; Go makes none.
func AllowCalls(list AllowList) error {
	program, err := list.program()
	if err != nil {
		return err
	}
	return installFilter(program)
}

func (l AllowList) program() ([]unix.SockFilter, error) {
	if auditArch == 0 {
		return nil, fmt.Errorf("filter system calls: %w on %s", unix.ENOTSUP, runtime.GOARCH)
	}
	load := func(offset uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
	}
	jump := func(test uint16, k uint32, yes, no uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | test | unix.BPF_K, K: k, Jt: yes, Jf: no}
	}
	answer := func(k uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: k} }
	refuse := func(e Errno) unix.SockFilter {
		return answer(unix.SECCOMP_RET_ERRNO | uint32(e)&unix.SECCOMP_RET_DATA)
	}
	allow := answer(unix.SECCOMP_RET_ALLOW)

	program := []unix.SockFilter{
		load(seccompArch), jump(unix.BPF_JEQ, auditArch, 1, 0), allow,
		load(seccompNr), jump(unix.BPF_JGT, l.Newest, 0, 1), refuse(unix.ENOSYS),
	}
	for _, call := range l.Lacking {
		program = append(program, jump(unix.BPF_JEQ, call, 0, 1), refuse(unix.ENOSYS))
	}
	for _, rule := range l.Rules {
		if len(rule.Fits) == 0 {
			program = append(program, jump(unix.BPF_JEQ, rule.Call, 0, 1), allow)
			continue
		}
		var body []unix.SockFilter
		for _, a := range rule.Fits {
			body = append(body, load(seccompArgument(a.Index)))
			if a.Below > 0 {
				body = append(body, jump(unix.BPF_JGE, a.Below, 1, 0), allow)
			}
			for _, value := range a.OneOf {
				body = append(body, jump(unix.BPF_JEQ, value, 0, 1), allow)
			}
			if a.Without > 0 {
				body = append(body, jump(unix.BPF_JSET, a.Without, 1, 0), allow)
			}
		}
		body = append(body, refuse(l.Errno))
		if len(body) > 255 {
			return nil, fmt.Errorf("filter system calls: call %d: %w: too many conditions", rule.Call, unix.EINVAL)
		}
		program = append(program, jump(unix.BPF_JEQ, rule.Call, 0, uint8(len(body))))
		program = append(program, body...)
	}
	return slices.Clip(append(program, refuse(l.Errno))), nil
}

// seccompArgument is the offset of the low half of an argument in struct
// seccomp_data (seccomp(2)).
func seccompArgument(index int) uint32 {
	offset := uint32(16 + 8*index)
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		offset += 4
	}
	return offset
}
