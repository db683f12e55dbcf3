package probe

import (
	"os"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// Headroom is how much of what zero-copy I/O uses up this process may still
// have. It changes from moment to moment and is no part of a run record.
type Headroom struct {
	Descriptors     uint64 // the soft limit (ulimit -n)
	DescriptorsUsed int    // open now; -1 where that cannot be told
	MemoryLock      uint64 // bytes (ulimit -l): io_uring before Linux 5.12, MSG_ZEROCOPY, BPF before 5.11
	PipeMaxSize     int    // bytes: the largest pipe without CAP_SYS_RESOURCE; 0 where unknown
	PipeSoftPages   int    // pages in all pipes of one user, past which new pipes are tiny; 0 is no limit
	PipeHardPages   int    // pages past which there are no new pipes; 0 is no limit
	PipeExempt      bool   // this process is over both limits (CAP_SYS_RESOURCE or CAP_SYS_ADMIN, pipe(7))
	Seccomp         string // "none", "filter", "strict", "" where unknown
}

// Unlimited is the value of a limit that is none.
const Unlimited uint64 = sys.Unlimited

// ThisHeadroom asks for it.
func ThisHeadroom() Headroom {
	p := thisProcess()
	limit, open := sys.DescriptorLimit()
	return Headroom{
		Descriptors:     limit,
		DescriptorsUsed: open,
		MemoryLock:      sys.MemoryLockLimit(),
		PipeMaxSize:     number(text("/proc/sys/fs/pipe-max-size"), 0),
		PipeSoftPages:   number(text("/proc/sys/fs/pipe-user-pages-soft"), 0),
		PipeHardPages:   number(text("/proc/sys/fs/pipe-user-pages-hard"), 0),
		PipeExempt:      p.pipeExempt(),
		Seccomp:         p.seccompWord(),
	}
}

// LargePipes is how many pipes of 1 MiB one user may have in all before new
// ones are tiny; 0 is no limit. A relay that keeps one for each direction gets
// half as many connections.
func (h Headroom) LargePipes() int {
	if h.PipeExempt {
		return 0
	}
	return h.PipeSoftPages / max(1<<20/os.Getpagesize(), 1)
}

// pipeExempt tells whether the limits of pipes hold for a process: they do not
// with either of two capabilities (pipe_is_unprivileged_user in fs/pipe.c). In
// a user namespace these do not count.
func (p process) pipeExempt() bool {
	return !p.Namespace && (p.has("CAP_SYS_RESOURCE") || p.has("CAP_SYS_ADMIN"))
}
