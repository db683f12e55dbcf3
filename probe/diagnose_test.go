package probe

import (
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/zcprobe/zcprobe/internal/sys"
	"github.com/zcprobe/zcprobe/internal/worker"
)

func TestDiagnose(t *testing.T) {
	t.Parallel()
	said := func(errno sys.Errno) *sys.Errno { return &errno }
	admin := process{Capabilities: 1<<sys.CapSysAdmin | 1<<sys.CapNetAdmin}
	filter := process{Seccomp: 2}
	tracer := process{Traced: true}
	blind := process{Unknown: true, Seccomp: -1}
	for _, test := range []struct {
		name   string
		call   string
		errno  sys.Errno
		since  string
		ends   Reason
		ev     evidence
		state  State
		reason Reason
		says   string // a part of the evidence or the remedy
	}{
		{
			"a filter answers EPERM", "splice", syscall.EPERM, "2.6.17", "",
			evidence{Version: "6.1", Canary: said(syscall.EPERM), Process: filter},
			Denied, BlockedBySeccomp, "allow splice in the seccomp profile",
		},
		{
			"a filter answers ENOSYS as if the kernel were old", "splice", syscall.ENOSYS, "2.6.17", "",
			evidence{Version: "6.1", Canary: said(syscall.ENOSYS), Process: filter},
			Denied, BlockedBySeccomp, "where Linux says EBADF",
		},
		{
			"a filter answers EINVAL", "splice", syscall.EINVAL, "2.6.17", SocketType,
			evidence{Version: "6.1", Canary: said(syscall.EINVAL), Process: filter},
			Denied, BlockedBySeccomp, "",
		},
		{
			"a filter, and a kernel that is older than the call", "io_uring_setup", syscall.ENOSYS, "5.1", "",
			evidence{Version: "4.19", Canary: said(syscall.ENOSYS), Process: filter},
			Absent, KernelTooOld, "Linux 5.1 or later",
		},
		{
			"a filter, and a kernel built without the call", "io_uring_setup", syscall.ENOSYS, "5.1", "",
			evidence{Version: "6.1", Canary: said(syscall.ENOSYS), Process: filter, Option: "n"},
			Absent, NotBuilt, "CONFIG_IO_URING",
		},
		{
			"a tracer answers ENOSYS", "splice", syscall.ENOSYS, "2.6.17", "",
			evidence{Version: "6.1", Canary: said(syscall.ENOSYS), Process: tracer},
			Denied, EmulatedKernel, "a tracer is attached",
		},
		{
			"a tracer answers ENOMEM", "splice", syscall.ENOMEM, "2.6.17", "",
			evidence{Version: "6.1", Canary: said(syscall.ENOMEM), Process: tracer},
			Denied, EmulatedKernel, "a tracer is attached",
		},
		{
			"a tracer that answers some calls only", "splice", syscall.ENOSYS, "2.6.17", "",
			evidence{Version: "6.1", Canary: said(syscall.EBADF), Process: tracer},
			Denied, EmulatedKernel, "a tracer is attached",
		},
		{
			"the kernel has no such call, and should", "sendfile", syscall.ENOSYS, "2.2", "",
			evidence{Version: "6.1", Canary: said(syscall.ENOSYS)},
			Absent, OSLacksCall, "no filter is active",
		},
		{
			"the same without /proc", "sendfile", syscall.ENOSYS, "2.2", "",
			evidence{Version: "6.1", Canary: said(syscall.ENOSYS), Process: blind},
			Inconclusive, "", "/proc/self/status cannot be read",
		},
		{
			"EPERM before the kernel, and nothing to be seen", "splice", syscall.EPERM, "2.6.17", "",
			evidence{Version: "6.1", Canary: said(syscall.EPERM)},
			Inconclusive, "", "Seccomp: 0",
		},
		{
			"EPERM of the kernel itself, which nothing explains", "splice", syscall.EPERM, "2.6.17", "",
			evidence{Version: "6.1", Canary: said(syscall.EBADF), Process: filter},
			Inconclusive, "", "nothing that was looked at",
		},
		{
			"gVisor lacks it, whatever version it claims", "copy_file_range", syscall.ENOSYS, "4.5", "",
			evidence{Version: "4.4.0", Emulator: "gvisor", Canary: said(syscall.ENOSYS)},
			Absent, EmulatedKernel, "gVisor answers",
		},
		{
			"qemu-user", "setsockopt SO_ZEROCOPY", syscall.ENOPROTOOPT, "4.14", SocketType,
			evidence{Version: "6.1", Emulator: "qemu-user", Canary: said(syscall.EBADF)},
			Absent, EmulatedKernel, "user-mode emulation",
		},
		{
			"the host's kernel through qemu-user", "sendfile", syscall.EINVAL, "2.2", Filesystem,
			evidence{Version: "6.1", Emulator: "qemu-user", Canary: said(syscall.EBADF)},
			Absent, Filesystem, "",
		},
		{
			"older than the feature, not than the call", "sendfile", syscall.EINVAL, "6.7", Filesystem,
			evidence{Version: "6.1.192", Canary: said(syscall.EBADF)},
			Absent, KernelTooOld, "it came with 6.7",
		},
		{
			"the filesystem", "sendfile", syscall.EINVAL, "2.2", Filesystem,
			evidence{Version: "6.1", Canary: said(syscall.EBADF)},
			Absent, Filesystem, "",
		},
		{
			"the type of socket", "splice", syscall.EINVAL, "2.6.17", SocketType,
			evidence{Version: "6.1", Canary: said(syscall.EBADF)},
			Absent, SocketType, "",
		},
		{
			"io_uring is switched off", "io_uring_setup", syscall.EPERM, "5.1", "",
			evidence{Version: "6.12", Canary: said(syscall.EBADF), Sysctl: "2", Process: admin},
			Denied, DisabledBySysctl, "kernel.io_uring_disabled = 2",
		},
		{
			"io_uring is for the privileged", "io_uring_setup", syscall.EPERM, "5.1", "",
			evidence{Version: "6.12", Canary: said(syscall.EBADF), Sysctl: "1"},
			Denied, DisabledBySysctl, "kernel.io_uring_group",
		},
		{
			"io_uring is blocked by a filter as in Docker", "io_uring_setup", syscall.EPERM, "5.1", "",
			evidence{Version: "6.12", Canary: said(syscall.EPERM), Sysctl: "0", Process: filter},
			Denied, BlockedBySeccomp, "",
		},
		{
			"io_uring_setup alone is blocked by a filter", "io_uring_setup", syscall.EPERM, "5.1", "",
			evidence{Version: "6.12", Canary: said(syscall.EBADF), Sysctl: "0", Process: filter},
			Denied, BlockedBySeccomp, "no setting forbids it",
		},
		{
			"bpf without capabilities, under a filter", "bpf BPF_MAP_CREATE", syscall.EPERM, "4.14", "",
			evidence{Version: "6.12", Canary: said(syscall.EPERM), Sysctl: "2", Process: filter},
			Denied, NeedsPrivilege, "CAP_BPF with CAP_NET_ADMIN",
		},
		{
			"bpf in a user namespace", "bpf BPF_MAP_CREATE", syscall.EPERM, "4.14", "",
			evidence{Version: "6.12", Canary: said(syscall.EINVAL), Process: process{Capabilities: ^uint64(0), Namespace: true}},
			Denied, NeedsPrivilege, "do not count here",
		},
		{
			"bpf with capabilities, and locked memory", "bpf BPF_MAP_CREATE", syscall.EPERM, "4.14", "",
			evidence{Version: "5.10", Canary: said(syscall.EINVAL), Process: admin},
			Inconclusive, ResourceLimit, "ulimit -l",
		},
		{
			"kTLS is not built", "setsockopt TCP_ULP", syscall.ENOENT, "4.13", "",
			evidence{Version: "6.18", Canary: said(syscall.EBADF), Option: "n"},
			Absent, NotBuilt, "CONFIG_TLS is not set",
		},
		{
			"kTLS is a module that nobody loaded", "setsockopt TCP_ULP", syscall.ENOENT, "4.13", "",
			evidence{Version: "6.18", Canary: said(syscall.EBADF), Option: "m", Module: "not loaded"},
			Absent, ModuleMissing, "modprobe tls",
		},
		{
			"kTLS is a module of another package", "setsockopt TCP_ULP", syscall.ENOENT, "4.13", "",
			evidence{Version: "5.10", Canary: said(syscall.EBADF), Module: "missing"},
			Absent, ModuleMissing, "not among those of this kernel",
		},
		{
			"kTLS, and nothing is known of the kernel", "setsockopt TCP_ULP", syscall.ENOENT, "4.13", "",
			evidence{Version: "6.1", Canary: said(syscall.EBADF)},
			Absent, ModuleMissing, "or one with CONFIG_TLS",
		},
		{
			"VSOCK under a filter on the family", "socket AF_VSOCK", syscall.EPERM, "5.6", "",
			evidence{Version: "6.1", Canary: said(syscall.EPERM), Process: filter},
			Denied, BlockedBySeccomp, "allow socket",
		},
		{
			"VSOCK under SELinux", "socket AF_VSOCK", syscall.EACCES, "5.6", "",
			evidence{Version: "6.1", Canary: said(syscall.EINVAL), LSM: []string{"capability", "selinux"}},
			Denied, BlockedByLSM, "selinux",
		},
		{
			"VSOCK without loopback", "bind AF_VSOCK VMADDR_CID_LOCAL", syscall.EADDRNOTAVAIL, "5.6", "",
			evidence{Version: "6.1", Option: "m", Module: "not loaded"},
			Absent, ModuleMissing, "modprobe vsock_loopback",
		},
		{
			"MPTCP is switched off", "socket AF_INET IPPROTO_MPTCP", syscall.ENOPROTOOPT, "5.6", SocketType,
			evidence{Version: "6.1", Canary: said(syscall.EINVAL), Sysctl: "0"},
			Denied, DisabledBySysctl, "net.mptcp.enabled",
		},
		{
			"MPTCP, and the configuration is not to be had", "socket AF_INET IPPROTO_MPTCP", syscall.EPROTONOSUPPORT, "5.6", SocketType,
			evidence{Version: "5.10.223", Canary: said(syscall.EINVAL)},
			Absent, NotBuilt, "CONFIG_MPTCP",
		},
		{
			"descriptors ran out", "memfd_create", syscall.EMFILE, "3.17", "",
			evidence{Version: "6.1", Canary: said(syscall.EINVAL)},
			Inconclusive, ResourceLimit, "ulimit -n",
		},
		{
			"a call that nothing is known of", "frobnicate", syscall.EPERM, "", "",
			evidence{Version: "6.1"},
			Inconclusive, "", "nothing that was looked at",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			facts, _ := factsOf(test.call)
			d := question{call: test.call, errno: test.errno, since: test.since, ends: test.ends, facts: facts}.diagnose(test.ev)
			assert.Equal(t, test.state, d.state)
			assert.Equal(t, test.reason, d.reason)
			assert.Contains(t, strings.Join(append(d.evidence, d.remedy), "\n"), test.says)
			if d.reason != "" {
				assert.NotEmpty(t, d.remedy)
			} else {
				assert.Empty(t, d.remedy, "no hint where the cause is unknown")
			}
		})
	}
}

// Every call with a canary is refused by a real kernel, in its words.
func TestCanariesAreSane(t *testing.T) {
	t.Parallel()
	if emulator(sys.Uname()) != "" || thisProcess().Seccomp > 0 || sys.Uname().Release == "" {
		t.Skip("no plain Linux kernel")
	}
	for name, facts := range knownCalls {
		if facts.canary == nil {
			continue
		}
		errno := facts.canary(sys.Native())
		if errno == syscall.EPROTONOSUPPORT || errno == syscall.ENOSYS || errno == syscall.EPERM {
			continue // this kernel was built without it, or this user may not ask
		}
		assert.Contains(t, facts.sane, errno, name)
	}
}

func TestCrashBySignal(t *testing.T) {
	t.Parallel()
	f := &Feature{ID: "splice/file-pipe"}
	for _, crash := range []*worker.CrashError{
		{How: "signal: bad system call"},
		{How: "exit status 2", Output: "SIGSYS: bad system call\nPC=0x1 m=0 sigcode=1"},
	} {
		finding := diagnoseCrash(f, crash)
		assert.Equal(t, Denied, finding.State)
		assert.Equal(t, BlockedBySeccomp, finding.Reason)
	}
	finding := diagnoseCrash(f, &worker.CrashError{How: "signal: segmentation fault"})
	assert.Equal(t, Inconclusive, finding.State)
	assert.Equal(t, Crashed, finding.Reason)
}
