package probe

import (
	"strings"
	"syscall"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// callFacts is what is known of a call before it is made: what to look at when
// it is refused.
type callFacts struct {
	since        string     // the first release with the call
	option       string     // the option of the kernel's configuration that builds it
	module       string     // the module that it may come in
	sysctl       string     // the setting that can forbid it
	capabilities [][]string // alternatives, each a list of what it takes

	// canary makes the call with arguments that a kernel refuses as soon as it
	// looks at them. Another answer than one of sane comes from something that
	// stands before the kernel and does not look: a filter, a tracer, an
	// emulator; or the kernel has no such call.
	canary func(*sys.Kernel) sys.Errno
	asks   string // the canary in words
	sane   []sys.Errno
}

const badDescriptors = "descriptors that are not open"

// knownCalls is by the beginning of what [Env.Must] is told.
var knownCalls = map[string]callFacts{
	"sendfile": {
		since: "2.2",
		asks:  badDescriptors,
		sane:  []sys.Errno{syscall.EBADF},
		canary: func(k *sys.Kernel) sys.Errno {
			_, errno := k.Sendfile(-1, -1, nil, 1)
			return errno
		},
	},
	"splice": {
		since: "2.6.17",
		asks:  badDescriptors,
		sane:  []sys.Errno{syscall.EBADF},
		canary: func(k *sys.Kernel) sys.Errno {
			_, errno := k.Splice(-1, nil, -1, nil, 1, 0)
			return errno
		},
	},
	"tee": {
		since: "2.6.17",
		asks:  badDescriptors,
		sane:  []sys.Errno{syscall.EBADF},
		canary: func(k *sys.Kernel) sys.Errno {
			_, errno := k.Tee(-1, -1, 1, 0)
			return errno
		},
	},
	"vmsplice": {
		since: "2.6.17",
		asks:  badDescriptors,
		sane:  []sys.Errno{syscall.EBADF},
		canary: func(k *sys.Kernel) sys.Errno {
			_, errno := k.Vmsplice(-1, [][]byte{{0}}, 0)
			return errno
		},
	},
	"copy_file_range": {
		since: "4.5",
		asks:  badDescriptors,
		sane:  []sys.Errno{syscall.EBADF},
		canary: func(k *sys.Kernel) sys.Errno {
			_, errno := k.CopyFileRange(-1, nil, -1, nil, 1, 0)
			return errno
		},
	},
	"memfd_create": {
		since:  "3.17",
		option: "CONFIG_MEMFD_CREATE",
		asks:   "flags that do not exist",
		sane:   []sys.Errno{syscall.EINVAL},
		canary: func(*sys.Kernel) sys.Errno {
			_, errno := sys.MemfdCreate("canary", 1<<30)
			return errno
		},
	},
	"setsockopt": {
		asks:   badDescriptors,
		sane:   []sys.Errno{syscall.EBADF},
		canary: func(*sys.Kernel) sys.Errno { return sys.SetZerocopy(-1) },
	},
	"setsockopt TCP_ULP": {
		since:  "4.13",
		option: "CONFIG_TLS",
		module: "tls",
		asks:   badDescriptors,
		sane:   []sys.Errno{syscall.EBADF},
		canary: func(*sys.Kernel) sys.Errno { return sys.AttachTLS(-1) },
	},
	"getsockopt TCP_ULP": {since: "4.13"},
	"fcntl F_SETPIPE_SZ": {
		since: "2.6.35",
		asks:  badDescriptors,
		sane:  []sys.Errno{syscall.EBADF},
		canary: func(k *sys.Kernel) sys.Errno {
			_, errno := k.SetPipeSize(-1, 4096)
			return errno
		},
	},
	"ioctl FICLONE": {
		since:  "4.5",
		asks:   badDescriptors,
		sane:   []sys.Errno{syscall.EBADF},
		canary: func(*sys.Kernel) sys.Errno { return sys.Clone(-1, -1) },
	},
	// Its settings are asked by io_uring_setup before it looks at anything, so
	// the canary is a call of the same family that is not asked about them.
	"io_uring_setup": {
		since:        "5.1",
		option:       "CONFIG_IO_URING",
		sysctl:       "kernel.io_uring_disabled",
		capabilities: [][]string{{"CAP_SYS_ADMIN"}}, // with 1 in the setting
		asks:         "io_uring_enter on a descriptor that is not open",
		sane:         []sys.Errno{syscall.EBADF},
		canary:       func(*sys.Kernel) sys.Errno { return sys.EnterNoRing() },
	},
	"io_uring_enter": {
		since:  "5.1",
		option: "CONFIG_IO_URING",
		asks:   badDescriptors,
		sane:   []sys.Errno{syscall.EBADF},
		canary: func(*sys.Kernel) sys.Errno { return sys.EnterNoRing() },
	},
	// Older kernels ask the setting before they look at the command (commit
	// c8644cd0efe7): a user without the capabilities gets EPERM for the canary.
	"bpf": {
		since:        "3.18",
		option:       "CONFIG_BPF_SYSCALL",
		sysctl:       "kernel.unprivileged_bpf_disabled",
		capabilities: [][]string{{"CAP_SYS_ADMIN"}, {"CAP_BPF", "CAP_NET_ADMIN"}},
		asks:         "a command that does not exist",
		sane:         []sys.Errno{syscall.EINVAL},
		canary:       func(*sys.Kernel) sys.Errno { return sys.BPFNoCommand() },
	},
	"socket AF_INET IPPROTO_MPTCP": {
		since:  "5.6",
		option: "CONFIG_MPTCP",
		sysctl: "net.mptcp.enabled",
		asks:   "a socket type that does not exist",
		sane:   []sys.Errno{syscall.EINVAL},
		canary: func(*sys.Kernel) sys.Errno {
			_, errno := sys.FamilySocket(sys.MPTCP, sys.NoSocketType)
			return errno
		},
	},
	// EAFNOSUPPORT is sane too: a family that is not there is found out after
	// the number of the type was refused, or before, and no filter says it.
	"socket AF_VSOCK": {
		since:  "3.9",
		option: "CONFIG_VSOCKETS",
		module: "vsock",
		asks:   "a socket type that does not exist",
		sane:   []sys.Errno{syscall.EINVAL, syscall.EAFNOSUPPORT},
		canary: func(*sys.Kernel) sys.Errno {
			_, errno := sys.FamilySocket(sys.VSock, sys.NoSocketType)
			return errno
		},
	},
	"bind AF_VSOCK": {
		since:  "5.6",
		option: "CONFIG_VSOCKETS_LOOPBACK",
		module: "vsock_loopback",
	},
}

// factsOf finds what is known of a call: the longest entry that it begins with.
func factsOf(call string) (callFacts, bool) {
	words := strings.Fields(call)
	for n := len(words); n > 0; n-- {
		if facts, ok := knownCalls[strings.Join(words[:n], " ")]; ok {
			return facts, true
		}
	}
	return callFacts{}, false
}
