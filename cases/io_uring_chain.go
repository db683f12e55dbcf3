package cases

import (
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// Splices that hang together, and ones that are called off.
var uringChainCases = []*Case{
	{
		ID:       "linux/io_uring/splice-link-file-to-socket",
		Title:    "Two linked splices, file to pipe and pipe to socket, bring the bytes over in order and by reference",
		Facility: "io_uring",
		Level:    Should,
		Sources:  []string{"io_uring_enter(2), IOSQE_IO_LINK and IORING_OP_SPLICE"},
		Needs:    []string{"io_uring/splice", "splice/file-pipe", "splice/pipe-tcp"},
		Systems:  linuxOnly,
		Caller:   "Ask for no more than the pipe holds: a short splice breaks the link.",
		Expect: []Expectation{
			{Facts: Want{"first.return": fixture.WitnessSize, "first.errno": "", "second.return": fixture.WitnessSize, "second.errno": "", Witness: "by-reference"}},
		},
		Body: func(e *Env) {
			before, after := fixture.Pattern(1, fixture.WitnessSize), fixture.Pattern(2, fixture.WitnessSize)
			file := fixture.File(e, before, os.O_RDWR)
			a, b := fixture.TCP(e)
			fixture.Roomy(a, b)
			r, w := roomyPipe(e)
			u := uring(e)
			first, second := splicing(file, w, len(before)), splicing(r, a, len(before))
			first.Flags, first.Tag, second.Tag = sys.UringLink, 1, 2
			submit(e, u, first, second)
			for range 2 {
				done, errno := u.Complete(completionMS)
				if errno != 0 {
					done.Result, done.Errno = -1, errno
				}
				e.Named(map[uint64]string{1: "first", 2: "second"}[done.Tag], done.Result, done.Errno)
			}
			fixture.Overwrite(e, file, after, 0)
			e.Fact(Witness, fixture.Witnessed(fixture.ReadReady(e, b, len(before)+1), before, after))
		},
	},
	{
		ID:       "linux/io_uring/cancel-waiting-splice",
		Title:    "A splice that waits for an empty pipe ends when it is cancelled, and what comes later stays in the pipe",
		Facility: "io_uring",
		Level:    Should,
		Sources:  []string{"io_uring_enter(2), IORING_OP_ASYNC_CANCEL: EALREADY where it already runs", "Linux io_uring/splice.c, io_splice"},
		Needs:    []string{"io_uring/splice"},
		Systems:  linuxOnly,
		Caller:   "Wait for the completion of the splice itself after a cancel: it may have moved bytes.",
		Expect: []Expectation{
			{Facts: Want{"cancel.errno": OneOf{"", "EALREADY"}, "ended": true, "moved": false, kept: fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(3, 100)
			r, w := roomyPipe(e)
			out := fixture.File(e, nil, os.O_RDWR)
			u := uring(e)
			waiting := splicing(r, out, 1000)
			waiting.Tag = 7
			submit(e, u, waiting, sys.UringEntry{Op: sys.UringCancel, FD: -1, RawMemory: 7, Tag: 8})
			ended, moved := false, false
			for range 2 {
				done, errno := u.Complete(completionMS)
				switch {
				case errno != 0:
				case done.Tag == 8:
					e.Fact("cancel.errno", sys.ErrnoName(done.Errno))
				default:
					ended, moved = true, done.Result > 0
				}
			}
			e.Fact("ended", ended)
			e.Fact("moved", moved)
			fixture.WriteAll(e, w, p)
			holds(e, kept, r, p)
		},
	},
}
