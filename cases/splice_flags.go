package cases

import (
	"os"
	"time"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// unknownFlag is a bit that no flag of splice, tee and vmsplice has.
const unknownFlag = 0x100

// timeoutMS is the SO_RCVTIMEO of a case that lets it run out.
const timeoutMS = 40

var spliceFlags = []*Case{
	{
		ID:       "linux/splice/len-zero-before-validation",
		Title:    "A count of zero returns zero before flags, descriptors or offsets are looked at",
		Facility: "splice",
		Level:    Should,
		Sources:  []string{"fs/splice.c, splice: if (unlikely(!len)) return 0", "liburing splice.c, check_zero_splice"},
		Covers:   []string{"linux/splice/len-zero-before-validation"},
		Needs:    []string{"splice/file-pipe"},
		Systems:  linuxOnly,
		Caller:   "Do not test a descriptor with a count of zero: it tells nothing.",
		Expect: []Expectation{
			{Facts: Want{"closed.return": 0, "closed.errno": "", "flags.return": 0, "flags.errno": "",
				"files.return": 0, "files.errno": "", "file.return": 0, "file.errno": "", Position: 5, "queued": 0}},
		},
		Body: func(e *Env) {
			file := fixture.File(e, fixture.Pattern(1, 1000), os.O_RDWR)
			fixture.SetPosition(e, file, 5)
			r, w := roomyPipe(e)
			n, errno := e.Kernel.Splice(-1, nil, -1, nil, 0, 0)
			e.Named("closed", n, errno)
			n, errno = e.Kernel.Splice(file.Int(), nil, w.Int(), nil, 0, unknownFlag)
			e.Named("flags", n, errno)
			n, errno = e.Kernel.Splice(file.Int(), nil, file.Int(), nil, 0, 0)
			e.Named("files", n, errno)
			n, errno = e.Kernel.Splice(file.Int(), nil, w.Int(), nil, 0, 0)
			e.Named("file", n, errno)
			e.Fact(Position, fixture.Position(e, file))
			e.Fact("queued", fixture.Queued(e, r))
		},
	},
	{
		ID:       "linux/splice/bad-flags-einval",
		Title:    "An unknown flag is EINVAL, and nothing moves",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"splice(2), ERRORS EINVAL", "kernel commit 3d6ea290f337", "stress-ng"},
		Covers:   []string{"linux/splice/bad-flags-einval"},
		Needs:    []string{"splice/file-pipe"},
		Systems:  linuxOnly,
		Caller:   "Pass only the four flags of splice(2).",
		Expect: []Expectation{
			{Until: "4.10", Why: "unknown flags were ignored before 3d6ea290f337",
				Facts: Want{Return: 100, Errno: "", Position: 100, "queued": 100}},
			{Facts: Want{Return: -1, Errno: "EINVAL", Position: 0, "queued": 0}},
		},
		Body: func(e *Env) {
			file := fixture.File(e, fixture.Pattern(2, 1000), os.O_RDONLY)
			r, w := roomyPipe(e)
			e.Answer(e.Kernel.Splice(file.Int(), nil, w.Int(), nil, 100, unknownFlag))
			e.Fact(Position, fixture.Position(e, file))
			e.Fact("queued", fixture.Queued(e, r))
		},
	},
	{
		ID:       "linux/splice/bad-fds-ebadf",
		Title:    "A descriptor that is closed, of the wrong mode or the wrong end of a pipe is EBADF",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"splice(2), ERRORS EBADF", "LTP splice03"},
		Covers:   []string{"linux/splice/bad-fds-ebadf"},
		Needs:    []string{"splice/file-pipe", "splice/pipe-file"},
		Systems:  linuxOnly,
		Caller:   "A mistake of the program: do not retry.",
		Expect: []Expectation{
			{Facts: Want{"in-closed": "EBADF", "out-closed": "EBADF", "in-write-only": "EBADF", "out-read-only": "EBADF",
				"in-write-end": "EBADF", "out-read-end": "EBADF", kept: fixture.Right, "queued": 0}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(3, 1000)
			readOnly, writeOnly := fixture.File(e, p, os.O_RDONLY).Int(), fixture.File(e, p, os.O_WRONLY).Int()
			r, w := loaded(e, p)
			r2, w2 := roomyPipe(e)
			for _, pair := range []struct {
				name    string
				in, out int
			}{
				{"in-closed", -1, w2.Int()},
				{"out-closed", r.Int(), -1},
				{"in-write-only", writeOnly, w2.Int()},
				{"out-read-only", r.Int(), readOnly},
				{"in-write-end", w.Int(), w2.Int()},
				{"out-read-end", readOnly, r2.Int()},
			} {
				_, errno := e.Kernel.Splice(pair.in, nil, pair.out, nil, 100, 0)
				e.Fact(pair.name, sys.ErrnoName(errno))
			}
			holds(e, kept, r, p)
			e.Fact("queued", fixture.Queued(e, r2))
		},
	},
	{
		ID:       "linux/splice/neither-pipe-einval",
		Title:    "Where neither end is a pipe splice is EINVAL, with offsets and without",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"splice(2), ERRORS EINVAL", "LTP splice03", "gVisor SpliceTest.TwoRegularFiles"},
		Covers:   []string{"linux/splice/neither-pipe-einval", "bug/K25-einval-vs-espipe"},
		Needs:    []string{"splice/file-pipe"},
		Systems:  linuxOnly,
		Caller:   "Put a pipe between, or use sendfile or copy_file_range.",
		Expect: []Expectation{
			{Facts: Want{"files.return": -1, "files.errno": "EINVAL", "offsets.return": -1, "offsets.errno": "EINVAL",
				"sockets.return": -1, "sockets.errno": "EINVAL", "file-socket.return": -1, "file-socket.errno": "EINVAL",
				Offset: 10, Position: 0, Bytes: fixture.Right, kept: fixture.Right}},
		},
		Body: func(e *Env) {
			p, q := fixture.Pattern(4, 1000), fixture.Pattern(5, 1000)
			in, out := fixture.File(e, p, os.O_RDONLY), fixture.File(e, q, os.O_RDWR)
			a, b := fixture.TCP(e)
			c, _ := fixture.TCP(e)
			fixture.WriteAll(e, b, p)
			fixture.Await(e, a, len(p))
			ask := func(name string, in *fixture.FD, inOffset *int64, out *fixture.FD, outOffset *int64) {
				n, errno := e.Kernel.Splice(in.Int(), inOffset, out.Int(), outOffset, 100, 0)
				e.Named(name, n, errno)
			}
			x, y := int64(10), int64(10)
			ask("files", in, nil, out, nil)
			ask("offsets", in, &x, out, &y)
			ask("sockets", a, nil, c, nil)
			ask("file-socket", in, nil, a, nil)
			e.Fact(Offset, max(x, y))
			e.Fact(Position, fixture.Position(e, in))
			e.Arrived(fixture.Contents(e, out), q)
			holds(e, kept, a, p)
		},
	},
	{
		ID:       "linux/splice/same-pipe-einval",
		Title:    "From a pipe into itself splice is EINVAL, and the pipe keeps its bytes",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"splice(2), ERRORS EINVAL", "gVisor SpliceTest.SamePipe", "stress-ng"},
		Covers:   []string{"linux/splice/same-pipe-einval", "bug/K25-einval-vs-espipe"},
		Needs:    []string{"splice/pipe-pipe"},
		Systems:  linuxOnly,
		Caller:   "Use two pipes.",
		Expect:   []Expectation{{Facts: Want{Return: -1, Errno: "EINVAL", kept: fixture.Right}}},
		Body: func(e *Env) {
			p := fixture.Pattern(6, 1000)
			r, w := loaded(e, p)
			e.Answer(e.Kernel.Splice(r.Int(), nil, w.Int(), nil, 100, 0))
			holds(e, kept, r, p)
		},
	},
	{
		ID:       "linux/splice/splice-f-move-noop",
		Title:    "SPLICE_F_MOVE changes nothing that can be seen",
		Facility: "splice",
		Level:    Should,
		Sources:  []string{"splice(2), SPLICE_F_MOVE: a no-op since 2.6.21", "stress-ng, haproxy and xfstests pass it"},
		Covers:   []string{"linux/splice/splice-f-move-noop"},
		Needs:    []string{"splice/file-pipe", "splice/pipe-file"},
		Systems:  linuxOnly,
		Caller:   "Leave it out; it promises nothing.",
		Expect:   []Expectation{{Facts: flagIgnored}},
		Body:     func(e *Env) { askWithFlag(e, sys.SpliceMove) },
	},
	{
		ID:       "linux/splice/splice-f-gift-accepted",
		Title:    "SPLICE_F_GIFT, a flag of vmsplice, is accepted by splice and changes nothing",
		Facility: "splice",
		Level:    Info,
		Sources:  []string{"splice(2), SPLICE_F_GIFT: unused for splice()"},
		Covers:   []string{"linux/splice/splice-f-gift-accepted"},
		Needs:    []string{"splice/file-pipe", "splice/pipe-file"},
		Systems:  linuxOnly,
		Caller:   "Leave it out.",
		Expect:   []Expectation{{Facts: flagIgnored}},
		Body:     func(e *Env) { askWithFlag(e, sys.SpliceGift) },
	},
	{
		ID:       "linux/splice/splice-f-more-delays-tail",
		Title:    "With SPLICE_F_MORE TCP holds a small segment back for about 200 ms, without it the segment leaves at once",
		Facility: "splice",
		Level:    Should,
		Sources:  []string{"splice(2), SPLICE_F_MORE", "tcp(7), TCP_CORK: 200 ms", "golang/go#10948", "daeuniverse/dae#1115"},
		Covers:   []string{"linux/splice/splice-f-more-delays-tail", "bug/K12-splice_f_more-200ms"},
		Needs:    []string{"splice/pipe-tcp"},
		Systems:  linuxOnly,
		Caller:   "Set the flag only where more bytes follow without waiting for anyone.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: "the flag is taken and forgotten (Splice), as a hint may be (splice(2), SPLICE_F_MORE)",
				Facts: Want{Bytes: fixture.Right, "more.held": false, "plain.prompt": true}},
			{Facts: Want{"plain.prompt": true, "more.held": true, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(7, 100)
			// A machine under load may be late, so the best of some rounds counts: a
			// segment that nothing holds back is there at once in one of them, and
			// one that is held back is missing at once in one of them.
			prompt, held := false, false
			arrived := fixture.Right
			for round := range 5 {
				a, b := fixture.TCP(e)
				r, _ := loaded(e, p)
				e.Kernel.Splice(r.Int(), nil, a.Int(), nil, len(p), 0)
				prompt = prompt || fixture.Readable(e, b, 50)
				if v := fixture.Compare(fixture.ReadN(e, b, len(p)), p); v != fixture.Right {
					arrived = v
				}
				if held && round > 0 {
					break
				}
				r, _ = loaded(e, p)
				e.Kernel.Splice(r.Int(), nil, a.Int(), nil, len(p), sys.SpliceMore)
				held = held || !fixture.Readable(e, b, 20)
				if v := fixture.Compare(fixture.ReadN(e, b, len(p)), p); v != fixture.Right {
					arrived = v // the timer has it sent in the end
				}
				if prompt && held {
					break
				}
			}
			e.Fact("plain.prompt", prompt)
			e.Fact("more.held", held)
			e.Fact(Bytes, arrived)
		},
	},
	{
		ID:       "linux/splice/socket-nonblock-needs-o_nonblock",
		Title:    "SPLICE_F_NONBLOCK does not keep a blocking TCP or UDP source from waiting; SO_RCVTIMEO ends the wait with EAGAIN",
		Facility: "splice",
		Level:    Should,
		Sources:  []string{"splice(2), SPLICE_F_NONBLOCK", "Go internal/poll, spliceNonblock", "net/ipv4/tcp.c, tcp_splice_read: sock_rcvtimeo"},
		Covers:   []string{"linux/splice/socket-nonblock-needs-o_nonblock"},
		Needs:    []string{"splice/tcp-pipe", "splice/udp-pipe"},
		Systems:  linuxOnly,
		Caller:   "Set O_NONBLOCK on the socket; the flag is for the pipe.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: "any sign of not waiting counts (Splice, nonBlock), which splice(2) leaves open: with the flag it may block nevertheless",
				Facts: Want{
					"tcp.bytes": "cut off at 0 of 5", "tcp.errno": "EAGAIN", "tcp.return": -1, "tcp.waits": false, "timeout.errno": "EAGAIN",
					"timeout.kept": false, "timeout.return": -1, "udp.bytes": "cut off at 0 of 5", "udp.errno": "EAGAIN", "udp.return": -1,
					"udp.waits": false,
				}},
			{Facts: Want{"tcp.waits": true, "tcp.return": 5, "tcp.errno": "", "tcp.bytes": fixture.Right,
				"udp.waits": true, "udp.return": 5, "udp.errno": "", "udp.bytes": fixture.Right,
				"timeout.return": -1, "timeout.errno": "EAGAIN", "timeout.kept": true}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(8, 5)
			for _, kind := range []struct {
				name string
				pair func(fixture.T) (a, b *fixture.FD)
			}{{"tcp", fixture.TCP}, {"udp", fixture.UDP}} {
				a, b := kind.pair(e)
				r, w := roomyPipe(e)
				call := beginSplice(e, a, w, 100, sys.SpliceNonblock)
				e.Fact(kind.name+".waits", call.Waits())
				fixture.WriteAll(e, b, p)
				returned(e, kind.name, call)
				holds(e, kind.name+".bytes", r, p)
			}
			a, _ := fixture.TCP(e)
			_, w := roomyPipe(e)
			fixture.Timeout(e, a, timeoutMS)
			begun := time.Now()
			n, errno := e.Kernel.Splice(a.Int(), nil, w.Int(), nil, 100, sys.SpliceNonblock)
			e.Named("timeout", n, errno)
			// The kernel's timer counts ticks, which may be 10 ms long.
			e.Fact("timeout.kept", time.Since(begun).Milliseconds() >= timeoutMS-10)
		},
	},
	{
		ID:       "linux/splice/unix-source-nonblock-flag",
		Title:    "SPLICE_F_NONBLOCK alone keeps a blocking AF_UNIX stream source from waiting, unlike TCP",
		Facility: "splice",
		Level:    Should,
		Sources:  []string{"net/unix/af_unix.c, unix_stream_splice_read: flags & SPLICE_F_NONBLOCK"},
		Needs:    []string{"splice/unix-pipe"},
		Systems:  linuxOnly,
		Caller:   "Set O_NONBLOCK on the socket all the same: other kinds of socket need it.",
		Expect: []Expectation{
			{Facts: Want{Return: -1, Errno: "EAGAIN", "queued": 0, "then.return": 5, "then.errno": "", Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(9, 5)
			a, b := fixture.Unix(e, sys.Stream)
			r, w := roomyPipe(e)
			e.Answer(e.Kernel.Splice(a.Int(), nil, w.Int(), nil, 100, sys.SpliceNonblock))
			e.Fact("queued", fixture.Queued(e, r))
			fixture.WriteAll(e, b, p)
			n, errno := e.Kernel.Splice(a.Int(), nil, w.Int(), nil, 100, sys.SpliceNonblock)
			e.Named("then", n, errno)
			e.Arrived(fixture.ReadReady(e, r, 100), p)
		},
	},
}

// flagIgnored is what a flag without effect leaves.
var flagIgnored = Want{"in.return": 5000, "in.errno": "", "out.return": 5000, "out.errno": "",
	Position: 5000, Bytes: fixture.Right, "source": fixture.Right, "queued": 0}

// askWithFlag splices with a flag from a file into another and looks at both.
func askWithFlag(e *Env, flag int) {
	p := fixture.Pattern(10, 5000)
	in, out := fixture.File(e, p, os.O_RDWR), fixture.File(e, nil, os.O_RDWR)
	r, w := roomyPipe(e)
	n, errno := e.Kernel.Splice(in.Int(), nil, w.Int(), nil, len(p), flag)
	e.Named("in", n, errno)
	n, errno = e.Kernel.Splice(r.Int(), nil, out.Int(), nil, len(p), flag)
	e.Named("out", n, errno)
	e.Fact(Position, fixture.Position(e, in))
	e.Arrived(fixture.Contents(e, out), p)
	e.Fact("source", fixture.Compare(fixture.Contents(e, in), p))
	e.Fact("queued", fixture.Queued(e, r))
}
