package probe

import (
	"fmt"
	"syscall"

	"github.com/zcprobe/zcprobe/internal/fixture"
)

const mebibyte = 1 << 20

// The sizes of pipes decide how many calls a relay makes.
var pipeFeatures = []*Feature{
	{
		ID:       "pipe/size-1m",
		Facility: "splice",
		Title:    "a pipe of 1 MiB (F_SETPIPE_SZ), and a mebibyte in it",
		Since:    "2.6.35",
		Source:   "fcntl(2), F_SETPIPE_SZ",
		Systems:  linuxOnly,
		Try: func(e *Env) {
			r, w := fixture.Pipe(e)
			enlarge(e, w, mebibyte)
			want := fixture.Pattern(1, mebibyte)
			n, errno := e.Kernel.Write(w.Nonblock(e).Int(), want)
			e.Moved("write", n, errno, len(want))
			e.Arrives(r, want)
		},
	},
	{
		ID:       "pipe/size-over-max",
		Facility: "splice",
		Title:    "a pipe larger than fs.pipe-max-size",
		Since:    "2.6.35",
		Source:   "pipe(7), /proc/sys/fs/pipe-max-size",
		Systems:  linuxOnly,
		Try: func(e *Env) {
			largest := number(text("/proc/sys/fs/pipe-max-size"), 0)
			if largest == 0 {
				e.Is(Inconclusive, "", "/proc/sys/fs/pipe-max-size cannot be read", "")
			}
			e.Evidence("fs.pipe-max-size = %d", largest)
			_, w := fixture.Pipe(e)
			enlarge(e, w, 2*largest)
		},
	},
	{
		ID:       "pipe/64-of-1m",
		Facility: "splice",
		Title:    "a 65th pipe of 1 MiB beside 64 others of one user",
		Since:    "2.6.35",
		Source:   "pipe(7), /proc/sys/fs/pipe-user-pages-soft",
		Systems:  linuxOnly,
		Alone:    true,
		Try: func(e *Env) {
			noteSoftLimit(e)
			if room, large := manyPipes(e); large < 65 {
				e.Answered("fcntl F_SETPIPE_SZ", syscall.EPERM)
				e.Is(Degraded, ResourceLimit, fmt.Sprintf("past the limit a new pipe has %d bytes, and cannot be made larger", room),
					"keep fewer large pipes, or raise fs.pipe-user-pages-soft")
			}
		},
	},
}

// manyPipes makes pipes and enlarges them to 1 MiB: 65 of them, or until the
// limit has been reached and a new one is smaller than the first was. It tells
// how much fits into that one, and how many were enlarged.
func manyPipes(e *Env) (room, large int) {
	first := 0
	for n := 0; large < 65 && n < 100; n++ {
		r, w := fixture.Pipe(e)
		r.Close() // one end is enough to keep a pipe
		var errno syscall.Errno
		if room, errno = e.Kernel.PipeSize(w.Int()); errno != 0 {
			e.Must("fcntl F_GETPIPE_SZ", errno)
		}
		if n == 0 {
			first = room
		}
		got, errno := e.Kernel.SetPipeSize(w.Int(), mebibyte)
		switch {
		case errno == 0 && got >= mebibyte:
			large++
		case errno != syscall.EPERM:
			e.Must("fcntl F_SETPIPE_SZ", errno)
		case n > 0 && room < first:
			return room, large
		}
	}
	return room, large
}

// enlarge sets the size of a pipe.
func enlarge(e *Env, pipe *fixture.FD, size int) {
	got, errno := e.Kernel.SetPipeSize(pipe.Int(), size)
	if errno == syscall.EPERM {
		refusedSize(e, size)
	}
	e.Must("fcntl F_SETPIPE_SZ", errno)
	if got < size {
		e.wrong(fmt.Sprintf("fcntl F_SETPIPE_SZ answers %d where %d was asked for", got, size))
	}
}

// refusedSize explains EPERM, which the kernel says for two reasons (pipe(7)).
// It returns where neither holds.
func refusedSize(e *Env, size int) {
	p := thisProcess()
	largest := number(text("/proc/sys/fs/pipe-max-size"), 0)
	_, canary := e.Kernel.SetPipeSize(-1, size)
	switch {
	case canary != syscall.EBADF: // it was not the kernel that refused
	case largest > 0 && size > largest && (p.Namespace || !p.has("CAP_SYS_RESOURCE")):
		e.Answered("fcntl F_SETPIPE_SZ", syscall.EPERM)
		e.Is(Denied, NeedsPrivilege, "this process lacks CAP_SYS_RESOURCE", "stay below fs.pipe-max-size, or raise it")
	case !p.pipeExempt():
		noteSoftLimit(e)
		e.Answered("fcntl F_SETPIPE_SZ", syscall.EPERM)
		e.Is(Denied, ResourceLimit, "the pipes of this user have used up the limit", "keep fewer large pipes, or raise fs.pipe-user-pages-soft")
	}
}

func noteSoftLimit(e *Env) {
	if soft := text("/proc/sys/fs/pipe-user-pages-soft"); soft != "" {
		e.Evidence("fs.pipe-user-pages-soft = %s", soft)
	}
}
