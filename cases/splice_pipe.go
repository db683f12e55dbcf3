package cases

import (
	"os"
	"sync"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

var splicePipe = []*Case{
	{
		ID:       "linux/splice/pipe-to-pipe",
		Title:    "Between two pipes splice moves the bytes: they leave the one and are in the other",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"splice(2), HISTORY: both may be pipes since 2.6.31", "LTP splice04", "gVisor SpliceTest.TwoPipes", "liburing splice.c"},
		Covers:   []string{"linux/splice/pipe-to-pipe"},
		Needs:    []string{"splice/pipe-pipe"},
		Systems:  linuxOnly,
		Caller:   "Use it to hand whole buffers on; tee keeps them in both.",
		Expect: []Expectation{
			{Facts: Want{Return: 6000, Errno: "", Bytes: fixture.Right, kept: fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(1, 10_000)
			r, _ := loaded(e, p)
			r2, w2 := roomyPipe(e)
			e.Answer(e.Kernel.Splice(r.Int(), nil, w2.Int(), nil, 6000, 0))
			e.Arrived(fixture.ReadReady(e, r2, 6001), p[:6000])
			holds(e, kept, r, p[6000:])
		},
	},
	{
		ID:       "linux/splice/empty-pipe-no-writer-zero",
		Title:    "From a pipe that is empty and has no writer any more splice returns zero, after the last bytes",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"splice(2), RETURN VALUE"},
		Covers:   []string{"linux/splice/empty-pipe-no-writer-zero"},
		Needs:    []string{"splice/pipe-file", "splice/pipe-pipe", "splice/pipe-tcp"},
		Systems:  linuxOnly,
		Caller:   "Zero from a pipe is the end of its stream.",
		Expect: []Expectation{
			{Facts: Want{"last.return": 100, "last.errno": "", "file.return": 0, "file.errno": "", "pipe.return": 0, "pipe.errno": "",
				"socket.return": 0, "socket.errno": "", Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(2, 100)
			file := fixture.File(e, nil, os.O_RDWR)
			r, w := loaded(e, p)
			_, w2 := roomyPipe(e)
			a, _ := fixture.TCP(e)
			w.Close()
			n, errno := e.Kernel.Splice(r.Int(), nil, file.Int(), nil, 1000, 0)
			e.Named("last", n, errno)
			n, errno = e.Kernel.Splice(r.Int(), nil, file.Int(), nil, 1000, 0)
			e.Named("file", n, errno)
			n, errno = e.Kernel.Splice(r.Int(), nil, w2.Int(), nil, 1000, 0)
			e.Named("pipe", n, errno)
			n, errno = e.Kernel.Splice(r.Int(), nil, a.Int(), nil, 1000, 0)
			e.Named("socket", n, errno)
			e.Arrived(fixture.Contents(e, file), p)
		},
	},
	{
		ID:       "linux/splice/empty-pipe-blocks",
		Title:    "From an empty pipe that has a writer splice waits for bytes and moves what comes first",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"splice(2)", "gVisor SpliceTest.Blocking"},
		Covers:   []string{"linux/splice/empty-pipe-blocks"},
		Needs:    []string{"splice/pipe-file", "splice/pipe-pipe"},
		Systems:  linuxOnly,
		Caller:   "Use O_NONBLOCK and poll where the thread must not wait.",
		Expect: []Expectation{
			{Facts: Want{"file.waits": true, "file.return": 100, "file.errno": "", "file.bytes": fixture.Right,
				"pipe.waits": true, "pipe.return": 100, "pipe.errno": "", "pipe.bytes": fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(3, 100)
			file := fixture.File(e, nil, os.O_RDWR)
			r, w := roomyPipe(e)
			r2, w2 := roomyPipe(e)
			for _, to := range []struct {
				name string
				out  *fixture.FD
			}{{"file", file}, {"pipe", w2}} {
				call := beginSplice(e, r, to.out, 1000, 0)
				e.Fact(to.name+".waits", call.Waits())
				fixture.WriteAll(e, w, p)
				returned(e, to.name, call)
			}
			e.Fact("file.bytes", fixture.Compare(fixture.Contents(e, file), p))
			holds(e, "pipe.bytes", r2, p)
		},
	},
	{
		ID:       "linux/splice/empty-pipe-nonblock-eagain",
		Title:    "From an empty pipe splice is EAGAIN with SPLICE_F_NONBLOCK or with O_NONBLOCK on the pipe",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"splice(2), ERRORS EAGAIN", "kernel commit ee5e001196d1 (O_NONBLOCK on the pipe)", "gVisor SpliceTest.NonBlocking"},
		Covers:   []string{"linux/splice/empty-pipe-nonblock-eagain"},
		Needs:    []string{"splice/pipe-file", "splice/pipe-pipe"},
		Systems:  linuxOnly,
		Caller:   "Wait for the pipe with poll, then ask again.",
		Expect: []Expectation{
			{Facts: Want{"flag.file": "EAGAIN", "flag.pipe": "EAGAIN", "flag.null": "EAGAIN",
				"o_nonblock.file": "EAGAIN", "o_nonblock.pipe": "EAGAIN", "o_nonblock.null": "EAGAIN", "then.return": 10}},
		},
		Body: func(e *Env) {
			file := fixture.File(e, nil, os.O_RDWR)
			null := fixture.Open(e, os.DevNull, os.O_WRONLY)
			r, w := roomyPipe(e)
			_, w2 := roomyPipe(e)
			for _, mode := range []struct {
				name  string
				flags int
			}{{"flag", sys.SpliceNonblock}, {"o_nonblock", 0}} {
				if mode.flags == 0 {
					r.Nonblock(e)
				}
				for _, to := range []struct {
					name string
					out  *fixture.FD
				}{{"file", file}, {"pipe", w2}, {"null", null}} {
					_, errno := e.Kernel.Splice(r.Int(), nil, to.out.Int(), nil, 100, mode.flags)
					e.Fact(mode.name+"."+to.name, sys.ErrnoName(errno))
				}
			}
			fixture.WriteAll(e, w, fixture.Pattern(4, 10))
			n, _ := e.Kernel.Splice(r.Int(), nil, file.Int(), nil, 100, 0)
			e.Fact("then.return", n)
		},
	},
	{
		ID:       "linux/splice/dest-pipe-full-nonblock-eagain",
		Title:    "Into a full pipe splice is EAGAIN with SPLICE_F_NONBLOCK or O_NONBLOCK, and the source keeps its bytes",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"splice(2), ERRORS EAGAIN", "xfstests src/splice-test.c", "kernel commit ee5e001196d1 (O_NONBLOCK on the pipe)"},
		Covers:   []string{"linux/splice/dest-pipe-full-nonblock-eagain"},
		Needs:    []string{"splice/file-pipe", "splice/pipe-pipe"},
		Systems:  linuxOnly,
		Caller:   "Drain the pipe, then ask again: nothing was lost.",
		Expect: []Expectation{
			{Facts: Want{"flag.file": "EAGAIN", "flag.pipe": "EAGAIN", "o_nonblock.file": "EAGAIN", "o_nonblock.pipe": "EAGAIN",
				Position: 7, kept: fixture.Right, "full": true}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(5, 1000)
			file := fixture.File(e, p, os.O_RDONLY)
			fixture.SetPosition(e, file, 7)
			r, _ := loaded(e, p)
			r2, w2 := roomyPipe(e)
			full := fixture.Fill(e, w2)
			for _, mode := range []struct {
				name  string
				flags int
			}{{"flag", sys.SpliceNonblock}, {"o_nonblock", 0}} {
				if mode.flags == 0 {
					w2.Nonblock(e)
				}
				for _, from := range []struct {
					name string
					in   *fixture.FD
				}{{"file", file}, {"pipe", r}} {
					_, errno := e.Kernel.Splice(from.in.Int(), nil, w2.Int(), nil, 100, mode.flags)
					e.Fact(mode.name+"."+from.name, sys.ErrnoName(errno))
				}
			}
			e.Fact(Position, fixture.Position(e, file))
			e.Fact("full", fixture.Queued(e, r2) == full)
			holds(e, kept, r, p)
		},
	},
	{
		ID:       "linux/splice/full-pipe-blocks",
		Title:    "Into a full pipe splice waits for room and then moves",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"splice(2)", "fs/splice.c, wait_for_space and opipe_prep"},
		Needs:    []string{"splice/file-pipe", "splice/pipe-pipe"},
		Systems:  linuxOnly,
		Caller:   "Never fill and drain one pipe from one thread without SPLICE_F_NONBLOCK.",
		Expect: []Expectation{
			{Facts: Want{"file.waits": true, "file.return": 1000, "file.errno": "", "file.bytes": fixture.Right, Position: 1000,
				"pipe.waits": true, "pipe.return": 1000, "pipe.errno": "", "pipe.bytes": fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(6, 1000)
			file := fixture.File(e, p, os.O_RDONLY)
			r, _ := loaded(e, p)
			r2, w2 := roomyPipe(e)
			for _, from := range []struct {
				name string
				in   *fixture.FD
			}{{"file", file}, {"pipe", r}} {
				full := fixture.Fill(e, w2)
				call := beginSplice(e, from.in, w2, len(p), 0)
				e.Fact(from.name+".waits", call.Waits())
				fixture.ReadN(e, r2, full)
				returned(e, from.name, call)
				holds(e, from.name+".bytes", r2, p)
			}
			e.Fact(Position, fixture.Position(e, file))
		},
	},
	{
		ID:       "linux/splice/partial-read-returns-short",
		Title:    "From a pipe that holds fewer bytes than asked for splice returns what is there and does not wait for more",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"splice(2), RETURN VALUE", "gVisor SpliceTest.TwoPipesPartialRead"},
		Covers:   []string{"linux/splice/partial-read-returns-short"},
		Needs:    []string{"splice/pipe-pipe", "splice/pipe-file"},
		Systems:  linuxOnly,
		Caller:   "Loop: a short count only says what was there.",
		Expect: []Expectation{
			{Facts: Want{"pipe.return": 2048, "pipe.errno": "", "pipe.bytes": fixture.Right,
				"file.return": 2048, "file.errno": "", "file.bytes": fixture.Right, "queued": 0}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(7, 2048)
			r, w := loaded(e, p)
			r2, w2 := roomyPipe(e)
			n, errno := e.Kernel.Splice(r.Int(), nil, w2.Int(), nil, 30_000, 0)
			e.Named("pipe", n, errno)
			holds(e, "pipe.bytes", r2, p)
			fixture.WriteAll(e, w, p)
			file := fixture.File(e, nil, os.O_RDWR)
			n, errno = e.Kernel.Splice(r.Int(), nil, file.Int(), nil, 30_000, 0)
			e.Named("file", n, errno)
			e.Fact("file.bytes", fixture.Compare(fixture.Contents(e, file), p))
			e.Fact("queued", fixture.Queued(e, r))
		},
	},
	{
		ID:       "linux/splice/partial-write-returns-short",
		Title:    "Into a pipe with little room splice moves what fits and the source keeps the rest",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"splice(2), RETURN VALUE", "gVisor SpliceTest.TwoPipesPartialWrite", "pipe(7), Pipe capacity"},
		Covers:   []string{"linux/splice/partial-write-returns-short"},
		Needs:    []string{"splice/file-pipe", "splice/pipe-pipe"},
		Systems:  linuxOnly,
		Caller:   "Loop, and never ask for more than the pipe's size in one go.",
		Expect: []Expectation{
			{Facts: Want{"pipe.pages": 2, "pipe.errno": "", "pipe.bytes": fixture.Right, kept: fixture.Right,
				"file.pages": 2, "file.errno": "", "file.bytes": fixture.Right, "moved": true}},
		},
		Body: func(e *Env) {
			page := os.Getpagesize()
			p := fixture.Pattern(8, 5*page)
			file := fixture.File(e, p, os.O_RDONLY)
			r, _ := loaded(e, p)
			r2, w2 := fixture.PipeOf(e, 2*page)
			n, errno := e.Kernel.Splice(r.Int(), nil, w2.Int(), nil, len(p), 0)
			e.Fact("pipe.pages", n/page)
			e.Fact("pipe.errno", sys.ErrnoName(errno))
			holds(e, "pipe.bytes", r2, p[:2*page])
			holds(e, kept, r, p[2*page:])
			n, errno = e.Kernel.Splice(file.Int(), nil, w2.Int(), nil, len(p), 0)
			e.Fact("file.pages", n/page)
			e.Fact("file.errno", sys.ErrnoName(errno))
			e.Fact("moved", fixture.Position(e, file) == int64(2*page))
			holds(e, "file.bytes", r2, p[:2*page])
		},
	},
	{
		ID:       "linux/splice/p2p-no-deadlock",
		Title:    "Two threads that splice between two pipes in opposite directions both come to an end",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"gVisor SpliceTest.TwoPipesCircular", "fs/splice.c, pipe_double_lock"},
		Covers:   []string{"linux/splice/p2p-no-deadlock"},
		Needs:    []string{"splice/pipe-pipe"},
		Systems:  linuxOnly,
		Caller:   "No order of locks has to be kept by the program.",
		Expect:   []Expectation{{Facts: Want{"forth": 300, "back": 300, "queued": 2}}},
		Body: func(e *Env) {
			r, w := loaded(e, []byte{1})
			r2, w2 := loaded(e, []byte{2})
			// Each byte that one direction moves lets the other go on: as many
			// rounds on both sides end without help.
			move := func(in, out *fixture.FD) int {
				total := 0
				for range 300 {
					n, _ := e.Kernel.Splice(in.Int(), nil, out.Int(), nil, 1, 0)
					total += n
				}
				return total
			}
			forth := make(chan int)
			go func() { forth <- move(r, w2) }()
			e.Fact("back", move(r2, w))
			e.Fact("forth", <-forth)
			e.Fact("queued", fixture.Queued(e, r)+fixture.Queued(e, r2))
		},
	},
	{
		ID:       "linux/splice/no-reader-epipe-keeps-source",
		Title:    "Into a pipe without a reader splice is EPIPE with SIGPIPE, and the source keeps its bytes",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"pipe(7)", "fs/splice.c, wait_for_space and splice_pipe_to_pipe: send_sig(SIGPIPE)"},
		Covers:   []string{"linux/splice/no-reader-epipe-keeps-source"},
		Needs:    []string{"splice/file-pipe", "splice/pipe-pipe"},
		Systems:  linuxOnly,
		Caller:   "Ignore SIGPIPE; the bytes are still in the source.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: gvisorSilent,
				Known: gvisorSource + "sentry/syscalls/linux/error.go#L62-L150",
				Facts: Want{
					"file.errno": "EPIPE", "file.raised": false, "file.return": -1, kept: fixture.Right, "pipe.errno": "EPIPE", "pipe.raised": false,
					"pipe.return": -1, Position: 7,
				}},
			{Facts: Want{"pipe.return": -1, "pipe.errno": "EPIPE", "pipe.raised": true, kept: fixture.Right,
				"file.return": -1, "file.errno": "EPIPE", "file.raised": true, Position: 7}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(9, 1000)
			file := fixture.File(e, p, os.O_RDONLY)
			fixture.SetPosition(e, file, 7)
			r, _ := loaded(e, p)
			r2, w2 := roomyPipe(e)
			r2.Close()
			for _, from := range []struct {
				name string
				in   *fixture.FD
			}{{"pipe", r}, {"file", file}} {
				e.Fact(from.name+".raised", fixture.Raises(e, sys.BrokenPipe, func() {
					n, errno := e.Kernel.Splice(from.in.Int(), nil, w2.Int(), nil, 100, 0)
					e.Named(from.name, n, errno)
				}))
			}
			e.Fact(Position, fixture.Position(e, file))
			holds(e, kept, r, p)
		},
	},
	{
		ID:       "linux/splice/small-capacity-blocks-not-spins",
		Title:    "A pipe with some bytes of room but no free page lets splice wait, asleep and interruptible",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"gVisor SpliceTest.ToPipeWithSmallCapacityDoesNotSpin", "signal(7)"},
		Covers:   []string{"linux/splice/small-capacity-blocks-not-spins"},
		Needs:    []string{"splice/file-pipe"},
		Systems:  linuxOnly,
		Alone:    true,
		Caller:   "POLLOUT may not come until a whole page is free: drain the pipe.",
		Expect: []Expectation{
			{Facts: Want{"waits": true, Return: -1, Errno: "EINTR", Position: 0, kept: fixture.Right}},
		},
		Body: func(e *Env) {
			page := os.Getpagesize()
			file := fixture.File(e, fixture.Pattern(10, page), os.O_RDONLY)
			r, w := fixture.PipeOf(e, page)
			p := fixture.Pattern(11, page/2)
			fixture.WriteAll(e, w, p)
			fixture.Interruptible(e)
			call := beginSplice(e, file, w, page, 0)
			e.Fact("waits", call.Waits())
			call.Interrupt(e)
			returned(e, "", call)
			e.Fact(Position, fixture.Position(e, file))
			holds(e, kept, r, p)
		},
	},
	{
		ID:       "linux/splice/signal-eintr",
		Title:    "A signal whose handler does not restart calls ends a waiting splice with EINTR; nothing has moved",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"signal(7), Interruption of system calls", "fs/splice.c: ERESTARTSYS", "Go internal/poll retries"},
		Covers:   []string{"linux/splice/signal-eintr"},
		Needs:    []string{"splice/file-pipe", "splice/pipe-file", "splice/pipe-pipe"},
		Systems:  linuxOnly,
		Alone:    true,
		Caller:   "Ask again on EINTR.",
		Expect: []Expectation{
			{Facts: Want{"empty.waits": true, "empty.return": -1, "empty.errno": "EINTR", "empty.file": fixture.Right,
				"full.waits": true, "full.return": -1, "full.errno": "EINTR", kept: fixture.Right,
				"file.waits": true, "file.return": -1, "file.errno": "EINTR", Position: 0, "then.return": 10}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(12, 1000)
			file := fixture.File(e, p, os.O_RDWR)
			empty, emptyW := roomyPipe(e)
			r, _ := loaded(e, p)
			_, full := roomyPipe(e)
			fixture.Fill(e, full)
			fixture.Interruptible(e)
			for _, pair := range []struct {
				name    string
				in, out *fixture.FD
			}{{"empty", empty, file}, {"full", r, full}, {"file", file, full}} {
				call := beginSplice(e, pair.in, pair.out, 100, 0)
				e.Fact(pair.name+".waits", call.Waits())
				call.Interrupt(e)
				returned(e, pair.name, call)
			}
			e.Fact("empty.file", fixture.Compare(fixture.Contents(e, file), p))
			e.Fact(Position, fixture.Position(e, file))
			holds(e, kept, r, p)
			fixture.WriteAll(e, emptyW, p[:10])
			n, _ := e.Kernel.Splice(empty.Int(), nil, file.Int(), nil, 100, 0)
			e.Fact("then.return", n)
		},
	},
	{
		ID:       "linux/splice/lseek-race",
		Title:    "While another thread seeks and reads the same file splice neither hangs nor tears a page",
		Facility: "splice",
		Level:    Should,
		Sources:  []string{"gVisor SpliceTest.FromPipeWithConcurrentIo", "fs/splice.c: f_pos without a lock"},
		Covers:   []string{"linux/splice/lseek-race"},
		Needs:    []string{"splice/file-pipe"},
		Systems:  linuxOnly,
		Caller:   "Use explicit offsets where a file is shared: the position is not atomic.",
		Expect:   []Expectation{{Facts: Want{"torn": 0, "moved": true}}},
		Body: func(e *Env) {
			const page, pages, rounds = 4096, 16, 200
			content := fixture.Pattern(13, page*pages)
			file := fixture.File(e, content, os.O_RDONLY)
			places := map[string]bool{}
			for at := 0; at < len(content); at += page {
				places[string(content[at:at+page])] = true
			}
			r, w := roomyPipe(e)
			stop := make(chan struct{})
			var others sync.WaitGroup
			others.Go(func() {
				p := make([]byte, page)
				for {
					select {
					case <-stop:
						return
					default:
						e.Kernel.Seek(file.Int(), 0, 0)
						e.Kernel.Read(file.Int(), p)
					}
				}
			})
			torn, moved := 0, false
			for range rounds {
				n, errno := e.Kernel.Splice(file.Int(), nil, w.Int(), nil, page, 0)
				if errno != 0 {
					torn++
				}
				if n > 0 {
					moved = true
					if !places[string(fixture.ReadReady(e, r, page+1))] {
						torn++
					}
				}
			}
			close(stop)
			others.Wait()
			e.Fact("torn", torn)
			e.Fact("moved", moved)
		},
	},
}
