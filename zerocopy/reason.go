package zerocopy

import (
	"strconv"
	"syscall"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// Path is a way that bytes take to dst.
type Path string

// The paths. More may be added for other systems.
const (
	PathNone     Path = ""         // no byte was moved
	PathSendfile Path = "sendfile" // sendfile(2)
	PathSplice   Path = "splice"   // splice(2) through a pipe
	PathCopied   Path = "copied"   // through a buffer in user space
)

// Reason says why bytes did not take the best path. The set is closed within
// one version of this module; the strings are stable and fit for labels.
type Reason string

// The reasons.
const (
	// ReasonNone: the best path was taken.
	ReasonNone Reason = ""
	// ReasonDenied: EPERM or EACCES. A seccomp filter or a security module
	// forbids the call.
	ReasonDenied Reason = "denied"
	// ReasonMissing: ENOSYS. The kernel, or the sandbox in front of it, does
	// not have the call; or this package does not use one on this system yet.
	ReasonMissing Reason = "missing"
	// ReasonRefused: EINVAL, EOPNOTSUPP and their kin. The call exists, but not
	// for these two descriptors (a file of /proc without splice_read, say).
	ReasonRefused Reason = "refused"
	// ReasonNoMemory: ENOMEM or ENOBUFS. A copy may still get through.
	ReasonNoMemory Reason = "no-memory"
	// ReasonOverflow: EOVERFLOW or EFBIG. The offset is beyond what the call
	// accepts.
	ReasonOverflow Reason = "overflow"
	// ReasonSourceError: EIO and its kin. The copy that follows either gets
	// through or names the side that fails.
	ReasonSourceError Reason = "source-error"
	// ReasonUnexpected: an errno that no manual lists for the call.
	ReasonUnexpected Reason = "unexpected"
	// ReasonBlockingDescriptor: O_NONBLOCK is not set, so that the call could
	// block where neither a deadline nor Close reaches it.
	ReasonBlockingDescriptor Reason = "blocking-descriptor"
	// ReasonNoPipe: pipe2(2) failed (EMFILE, ENFILE, …).
	ReasonNoPipe Reason = "no-pipe"
	// ReasonPipeLimit: the engine has [Config.MaxPipes] pipes in use.
	ReasonPipeLimit Reason = "pipe-limit"
	// ReasonStuntedPipe: a new pipe has less than 64 KiB, which happens beyond
	// /proc/sys/fs/pipe-user-pages-soft (pipe(7)); a copy is faster.
	ReasonStuntedPipe Reason = "stunted-pipe"
	// ReasonFalseEnd: the call said that the source was at its end, and reading
	// found more.
	ReasonFalseEnd Reason = "false-end"
	// ReasonFalseWait: the call said EAGAIN on descriptors that were ready, as
	// splice does in front of a byte of urgent data.
	ReasonFalseWait Reason = "false-wait"
	// ReasonResumed: the bytes were in flight when an earlier call of a [Relay]
	// failed, and were delivered from memory.
	ReasonResumed Reason = "resumed"
	// ReasonOpaque: an end is a Go value that only its own Read or Write knows
	// the bytes of: memory, a TLS connection, a wrapper that does not implement
	// [SourceWrapper] or [DestinationWrapper].
	ReasonOpaque Reason = "opaque"
	// ReasonUntried: there was nothing to try a [Mechanism] on.
	ReasonUntried Reason = "untried"
)

// reasons is the closed set, in the order of the counters.
var reasons = [...]Reason{
	ReasonDenied, ReasonMissing, ReasonRefused, ReasonNoMemory, ReasonOverflow,
	ReasonSourceError, ReasonUnexpected, ReasonBlockingDescriptor, ReasonNoPipe,
	ReasonPipeLimit, ReasonStuntedPipe, ReasonFalseEnd, ReasonFalseWait, ReasonResumed,
	ReasonOpaque, ReasonUntried,
}

// Reasons returns every Reason except ReasonNone.
func Reasons() []Reason { return append([]Reason(nil), reasons[:]...) }

// Result tells what one transfer did.
type Result struct {
	// N is the number of bytes that dst's kernel accepted.
	N int64
	// Copied is how many of them went through a buffer in user space.
	Copied int64
	// Path is the way that the last of them took; PathNone where N is 0.
	Path Path
	// Reason says why a better path was given up last, ReasonNone if never.
	Reason Reason
	// Call is the system call that gave the reason, "" where none did.
	Call string
	// Errno is what it said, 0 where it said none.
	Errno syscall.Errno
}

// Why puts the reason in words, such as "sendfile: denied (EPERM)". It is ""
// where the best path was taken throughout.
func (r Result) Why() string { return because(r.Reason, r.Call, r.Errno) }

// String is a line for a log, such as
// "65536 bytes, copied (sendfile: denied (EPERM))".
func (r Result) String() string {
	s := strconv.FormatInt(r.N, 10) + " bytes"
	if r.Path != PathNone {
		s += ", " + string(r.Path)
	}
	if why := r.Why(); why != "" {
		s += " (" + why + ")"
	}
	return s
}

func because(reason Reason, call string, errno syscall.Errno) string {
	s := string(reason)
	if call != "" {
		s = call + ": " + s
	}
	if errno != 0 {
		s += " (" + sys.ErrnoName(errno) + ")"
	}
	return s
}

// refusal is why a path could not be taken.
type refusal struct {
	reason Reason
	call   string
	errno  syscall.Errno
}

// passing tells whether the reason is about this moment and not about these
// descriptors: the next chunk may try again.
func (f refusal) passing() bool {
	switch f.reason {
	case ReasonNoPipe, ReasonPipeLimit, ReasonStuntedPipe, ReasonFalseEnd, ReasonFalseWait, ReasonResumed:
		return true
	default:
		return false
	}
}
