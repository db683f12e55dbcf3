package cases

import (
	"os"
	"strconv"
	"strings"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// pipeSetting is the value of a sysctl of pipes; the case is skipped where it
// cannot be read.
func pipeSetting(e *Env, name string) int {
	text, err := os.ReadFile("/proc/sys/fs/" + name)
	if err != nil {
		e.Skip(SkipPlace)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		e.Fatalf("%s: %w", name, err)
	}
	return n
}

var spliceSize = []*Case{
	{
		ID:       "linux/splice/pipe-size-set",
		Title:    "F_SETPIPE_SZ rounds up to a power of two of pages, and such a pipe takes that many pages",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"fcntl(2), F_SETPIPE_SZ", "gVisor PipeTest.SizeChange", "fs/pipe.c, round_pipe_size", "Go asks for 1 MiB"},
		Covers:   []string{"linux/splice/pipe-size-set"},
		Needs:    []string{"splice/file-pipe"},
		Systems:  linuxOnly,
		Caller:   "Read the size back: it is what the kernel chose.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: "a pipe takes exactly what was asked for (Pipe.SetFifoSize), and that it may take more is all that fcntl(2), F_SETPIPE_SZ, says",
				Facts: Want{
					"filled": true, "mebibyte": 1048576, "mebibyte.errno": "", "over.errno": "", "over.pages": 1, "read-back": 1048576,
					"three.pages": 3, "zero.errno": "", "zero.pages": 1,
				}},
			{Facts: Want{"zero.pages": 1, "zero.errno": "", "over.pages": 2, "over.errno": "", "three.pages": 4,
				"mebibyte": 1 << 20, "mebibyte.errno": "", "read-back": 1 << 20, "filled": true}},
		},
		Body: func(e *Env) {
			if pipeSetting(e, "pipe-max-size") < 1<<20 {
				e.Skip(SkipResources)
			}
			page := os.Getpagesize()
			r, w := roomyPipe(e)
			for _, ask := range []struct {
				name string
				size int
			}{{"zero", 0}, {"over", page + 1}, {"three", 3 * page}} {
				n, errno := e.Kernel.SetPipeSize(w.Int(), ask.size)
				e.Fact(ask.name+".pages", n/page)
				e.Fact(ask.name+".errno", sys.ErrnoName(errno))
			}
			n, errno := e.Kernel.SetPipeSize(w.Int(), 1<<20)
			e.Fact("mebibyte", n)
			e.Fact("mebibyte.errno", sys.ErrnoName(errno))
			n, _ = e.Kernel.PipeSize(r.Int())
			e.Fact("read-back", n)
			e.Fact("filled", fixture.Fill(e, w) == 1<<20)
		},
	},
	{
		ID:       "linux/splice/pipe-size-limits",
		Title:    "Without CAP_SYS_RESOURCE a size of pipe-max-size is granted and one beyond it EPERM; below its content a pipe is EBUSY; an absurd size is EINVAL",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"fcntl(2), F_SETPIPE_SZ, ERRORS EPERM and EBUSY", "gVisor PipeTest.SizeChangeMax, SizeChangeFull", "fs/pipe.c, pipe_set_size"},
		Covers:   []string{"linux/splice/pipe-size-limits", "bug/K24-f_setpipe_sz-eperm"},
		Needs:    []string{"splice/pipe-pipe"},
		Systems:  linuxOnly,
		Caller:   "On EPERM go on with the size that the pipe has.",
		Expect: []Expectation{
			{Facts: Want{"largest.errno": "", "max.errno": "EPERM", "absurd.errno": "EINVAL", "below.errno": "EBUSY", "same": true, kept: fixture.Right}},
		},
		Body: func(e *Env) {
			largest := pipeSetting(e, "pipe-max-size")
			page := os.Getpagesize()
			p := fixture.Pattern(1, 3*page)
			r, w := loaded(e, p)
			before, _ := e.Kernel.PipeSize(r.Int())
			_, other := roomyPipe(e)
			var dropped, allowed, beyond, absurd, below sys.Errno
			fixture.InThread(func() { // so that root is asked too
				if dropped = sys.DropThreadCapabilities(); dropped != 0 {
					return
				}
				_, allowed = e.Kernel.SetPipeSize(other.Int(), largest)
				_, beyond = e.Kernel.SetPipeSize(w.Int(), 2*largest)
				_, absurd = e.Kernel.SetPipeSize(w.Int(), -1)
				_, below = e.Kernel.SetPipeSize(w.Int(), page)
			})
			if dropped != 0 {
				e.Fatalf("capset: %w", error(dropped))
			}
			e.Fact("largest.errno", sys.ErrnoName(allowed))
			e.Fact("max.errno", sys.ErrnoName(beyond))
			e.Fact("absurd.errno", sys.ErrnoName(absurd))
			e.Fact("below.errno", sys.ErrnoName(below))
			after, _ := e.Kernel.PipeSize(r.Int())
			e.Fact("same", before == after)
			holds(e, kept, r, p)
		},
	},
	{
		ID:       "linux/splice/pipe-user-pages-soft",
		Title:    "A user with pipes of more than pipe-user-pages-soft pages gets pipes of two pages that cannot grow",
		Facility: "splice",
		Level:    Should,
		Sources:  []string{"pipe(7), /proc/sys/fs/pipe-user-pages-soft", "kernel commit 46c4c9d1beb7 (two pages)", "capnproto/capnproto#1403"},
		Covers:   []string{"linux/splice/pipe-user-pages-soft", "bug/K23-pipe-user-pages-soft", "bug/S10-capnproto-pipes"},
		Needs:    []string{"splice/pipe-pipe"},
		Systems:  linuxOnly,
		Root:     true, // to be a user with no other pipes
		Caller:   "Hold a pipe only while bytes are in it; expect one of 8 KiB.",
		Expect: []Expectation{
			{Until: "5.10.58", Why: "one page before 46c4c9d1beb7 (5.14 and stable)",
				Facts: Want{"before.pages": 16, "after.pages": 1, "grow.errno": "EPERM", "moves": 100}},
			{Facts: Want{"before.pages": 16, "after.pages": 2, "grow.errno": "EPERM", "moves": 100}},
		},
		Body: func(e *Env) {
			soft, largest := pipeSetting(e, "pipe-user-pages-soft"), pipeSetting(e, "pipe-max-size")
			page := os.Getpagesize()
			if soft == 0 || soft*page/largest > 1000 {
				e.Skip(SkipResources) // no limit, or one out of reach
			}
			// A user of this case's own: the pipes of a real one are left alone.
			user := 20_000 + os.Getpid()%40_000
			var failed sys.Errno
			var fds []int
			pipe := func() (pages, w int) {
				r, w, errno := e.Kernel.Pipe(false)
				if errno != 0 {
					failed = errno
					return 0, -1
				}
				fds = append(fds, r, w)
				size, _ := e.Kernel.PipeSize(r)
				return size / page, w
			}
			fixture.InThread(func() {
				if failed = sys.SetThreadUser(user); failed != 0 {
					return
				}
				before, w := pipe()
				e.Fact("before.pages", before)
				// Large pipes use the allowance up quickly; the last pages of it go
				// to pipes of the usual size.
				after := before
				for range 2*soft*page/largest + 2*before {
					if after, w = pipe(); after != before || failed != 0 {
						break
					}
					e.Kernel.SetPipeSize(w, largest)
				}
				e.Fact("after.pages", after)
				_, errno := e.Kernel.SetPipeSize(w, largest)
				e.Fact("grow.errno", sys.ErrnoName(errno))
			})
			for _, fd := range fds {
				fixture.Adopt(e, fd)
			}
			if failed != 0 {
				e.Fatalf("set-up: %w", error(failed))
			}
			r, _ := loaded(e, fixture.Pattern(2, 100))
			n, _ := e.Kernel.Splice(r.Int(), nil, fds[len(fds)-1], nil, 1000, 0)
			e.Fact("moves", n)
		},
	},
}
