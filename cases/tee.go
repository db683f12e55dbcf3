package cases

import (
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// beginTee starts tee(2) in a thread of its own.
func beginTee(e *Env, in, out *fixture.FD, count, flags int) *fixture.Call {
	from, to := in.Int(), out.Int()
	return fixture.Begin(func() (int, sys.Errno) { return e.Kernel.Tee(from, to, count, flags) })
}

var teeCases = []*Case{
	{
		ID:       "linux/tee/duplicates-without-consuming",
		Title:    "Tee puts the bytes into the other pipe and leaves them in the first",
		Facility: "tee",
		Level:    Must,
		Sources:  []string{"tee(2), DESCRIPTION", "LTP tee01", "gVisor TeeTest.MultiPage", "liburing splice.c, check_tee"},
		Covers:   []string{"linux/tee/duplicates-without-consuming"},
		Needs:    []string{"tee/pipe-pipe"},
		Systems:  linuxOnly,
		Caller:   "Take the bytes out of the first pipe afterwards, or the next tee duplicates them again.",
		Expect: []Expectation{
			{Facts: Want{Return: 10_000, Errno: "", Bytes: fixture.Right, kept: fixture.Right, "again": 10_000}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(1, 10_000)
			r, w := loaded(e, p)
			w.Close()
			r2, w2 := roomyPipe(e)
			e.Answer(e.Kernel.Tee(r.Int(), w2.Int(), len(p), 0))
			e.Arrived(fixture.ReadReady(e, r2, len(p)+1), p)
			n, _ := e.Kernel.Tee(r.Int(), w2.Int(), len(p), 0)
			e.Fact("again", n)
			holds(e, kept, r, p)
		},
	},
	{
		ID:       "linux/tee/by-reference",
		Title:    "Tee hands on references: what changes in the page of a file shows in both pipes",
		Facility: "tee",
		Level:    Should,
		Sources:  []string{"tee(2), NOTES: no real copying takes place", "fs/splice.c, link_pipe"},
		Needs:    []string{"tee/pipe-pipe", "splice/file-pipe"},
		Systems:  linuxOnly,
		Caller:   "Leave the source alone until both copies have been consumed.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: gvisorPipe,
				Known: gvisorSource + "sentry/kernel/pipe/vfs.go#L476-L502",
				Facts: Want{"first": "copied", Witness: fixture.Copied}},
			{Facts: Want{Witness: "by-reference", "first": "by-reference"}},
		},
		Body: func(e *Env) {
			before, after := fixture.Pattern(2, fixture.WitnessSize), fixture.Pattern(3, fixture.WitnessSize)
			r, w := roomyPipe(e)
			r2, w2 := roomyPipe(e)
			file := fixture.SharePipe(e, w, before)
			e.Kernel.Tee(r.Int(), w2.Int(), fixture.WitnessSize, 0)
			fixture.Overwrite(e, file, after, 0)
			e.Fact(Witness, fixture.Witnessed(fixture.ReadReady(e, r2, fixture.WitnessSize), before, after))
			e.Fact("first", fixture.Witnessed(fixture.ReadReady(e, r, fixture.WitnessSize), before, after))
		},
	},
	{
		ID:       "linux/tee/appends-to-destination",
		Title:    "What the destination held before comes out of it first",
		Facility: "tee",
		Level:    Must,
		Sources:  []string{"tee(2), DESCRIPTION", "pipe(7)"},
		Covers:   []string{"linux/tee/appends-to-destination"},
		Needs:    []string{"tee/pipe-pipe"},
		Systems:  linuxOnly,
		Caller:   "Nothing to do: a pipe keeps its order.",
		Expect:   []Expectation{{Facts: Want{Return: 100, Errno: "", Bytes: fixture.Right}}},
		Body: func(e *Env) {
			p, q := fixture.Pattern(4, 100), fixture.Pattern(5, 50)
			r, _ := loaded(e, p)
			r2, w2 := loaded(e, q)
			e.Answer(e.Kernel.Tee(r.Int(), w2.Int(), 100, 0))
			e.Arrived(fixture.ReadReady(e, r2, 200), append(q, p...))
		},
	},
	{
		ID:       "linux/tee/partial-len",
		Title:    "A count smaller than what is there duplicates just that much, and the source stays whole",
		Facility: "tee",
		Level:    Must,
		Sources:  []string{"tee(2), DESCRIPTION"},
		Covers:   []string{"linux/tee/partial-len"},
		Needs:    []string{"tee/pipe-pipe"},
		Systems:  linuxOnly,
		Caller:   "Tee always begins at the first byte: take the duplicated bytes out before the next.",
		Expect:   []Expectation{{Facts: Want{Return: 7, Errno: "", Bytes: fixture.Right, kept: fixture.Right}}},
		Body: func(e *Env) {
			p := fixture.Pattern(6, 100)
			r, _ := loaded(e, p)
			r2, w2 := roomyPipe(e)
			e.Answer(e.Kernel.Tee(r.Int(), w2.Int(), 7, 0))
			e.Arrived(fixture.ReadReady(e, r2, 100), p[:7])
			holds(e, kept, r, p)
		},
	},
	{
		ID:       "linux/tee/short-when-less-data",
		Title:    "A count greater than what is there duplicates what is there, SIZE_MAX included",
		Facility: "tee",
		Level:    Must,
		Sources:  []string{"tee(2), RETURN VALUE", "gVisor TeeTest", "stress-ng passes INT_MAX", "fs/splice.c, tee: no look at the count"},
		Covers:   []string{"linux/tee/short-when-less-data", "linux/tee/len-huge"},
		Needs:    []string{"tee/pipe-pipe"},
		Systems:  linuxOnly,
		Caller:   "INT_MAX for \"all\" is fine; the kernel does not catch a negative count.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: gvisorNegative,
				Known: gvisorSource + "sentry/syscalls/linux/sys_splice.go#L185-L196",
				Facts: Want{
					Bytes: "cut off at 200 of 300", "int-max.errno": "", "int-max.return": 100, kept: fixture.Right, "more.errno": "",
					"more.return": 100, "size-max.errno": "EINVAL", "size-max.return": -1,
				}},
			{Facts: Want{"more.return": 100, "more.errno": "", "int-max.return": 100, "int-max.errno": "", "size-max.return": 100, "size-max.errno": "",
				Bytes: fixture.Right, kept: fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(7, 100)
			r, _ := loaded(e, p)
			r2, w2 := roomyPipe(e)
			var want []byte
			for _, count := range []struct {
				name string
				n    int
			}{{"more", 5000}, {"int-max", 1<<31 - 1}, {"size-max", -1}} {
				n, errno := e.Kernel.Tee(r.Int(), w2.Int(), count.n, 0)
				e.Named(count.name, n, errno)
				want = append(want, p...)
			}
			e.Arrived(fixture.ReadReady(e, r2, 1000), want)
			holds(e, kept, r, p)
		},
	},
	{
		ID:       "linux/tee/short-when-less-room",
		Title:    "Where the destination has room for less, tee duplicates what fits",
		Facility: "tee",
		Level:    Must,
		Sources:  []string{"tee(2), RETURN VALUE", "fs/splice.c, link_pipe"},
		Needs:    []string{"tee/pipe-pipe"},
		Systems:  linuxOnly,
		Caller:   "Take exactly the returned count out of the source before the next tee.",
		Expect:   []Expectation{{Facts: Want{"pages": 1, "whole": true, Bytes: fixture.Right, kept: fixture.Right}}},
		Body: func(e *Env) {
			page := os.Getpagesize()
			p := fixture.Pattern(8, 3*page)
			r, _ := loaded(e, p)
			r2, w2 := fixture.PipeOf(e, page)
			n, _ := e.Kernel.Tee(r.Int(), w2.Int(), len(p), 0)
			e.Fact("pages", n/page)
			e.Fact("whole", n%page == 0)
			holds(e, Bytes, r2, p[:page])
			holds(e, kept, r, p)
		},
	},
	{
		ID:       "linux/tee/empty-blocks-until-data",
		Title:    "From an empty pipe that has a writer tee waits for bytes",
		Facility: "tee",
		Level:    Must,
		Sources:  []string{"tee(2)", "gVisor TeeTest.Blocking"},
		Covers:   []string{"linux/tee/empty-blocks-until-data"},
		Needs:    []string{"tee/pipe-pipe"},
		Systems:  linuxOnly,
		Caller:   "Pass SPLICE_F_NONBLOCK where the thread must not wait.",
		Expect:   []Expectation{{Facts: Want{"waits": true, Return: 100, Errno: "", Bytes: fixture.Right, kept: fixture.Right}}},
		Body: func(e *Env) {
			p := fixture.Pattern(9, 100)
			r, w := roomyPipe(e)
			r2, w2 := roomyPipe(e)
			call := beginTee(e, r, w2, 1000, 0)
			e.Fact("waits", call.Waits())
			fixture.WriteAll(e, w, p)
			returned(e, "", call)
			holds(e, Bytes, r2, p)
			holds(e, kept, r, p)
		},
	},
	{
		ID:       "linux/tee/dest-full-blocks",
		Title:    "Into a full pipe tee waits for room",
		Facility: "tee",
		Level:    Must,
		Sources:  []string{"tee(2)", "gVisor TeeTest.BlockingWrite"},
		Covers:   []string{"linux/tee/dest-full-blocks"},
		Needs:    []string{"tee/pipe-pipe"},
		Systems:  linuxOnly,
		Caller:   "Pass SPLICE_F_NONBLOCK where one thread also drains the destination.",
		Expect:   []Expectation{{Facts: Want{"waits": true, Return: 100, Errno: "", Bytes: fixture.Right, kept: fixture.Right}}},
		Body: func(e *Env) {
			p := fixture.Pattern(10, 100)
			r, _ := loaded(e, p)
			r2, w2 := roomyPipe(e)
			full := fixture.Fill(e, w2)
			call := beginTee(e, r, w2, 1000, 0)
			e.Fact("waits", call.Waits())
			fixture.ReadN(e, r2, full)
			returned(e, "", call)
			holds(e, Bytes, r2, p)
			holds(e, kept, r, p)
		},
	},
	{
		ID:       "linux/tee/nonblock-eagain",
		Title:    "With SPLICE_F_NONBLOCK tee is EAGAIN where it would wait, for bytes or for room",
		Facility: "tee",
		Level:    Must,
		Sources:  []string{"tee(2), ERRORS EAGAIN", "gVisor TeeTest.NonBlocking"},
		Covers:   []string{"linux/tee/nonblock-eagain"},
		Needs:    []string{"tee/pipe-pipe"},
		Systems:  linuxOnly,
		Caller:   "Poll both pipes, then ask again.",
		Expect: []Expectation{
			{Facts: Want{"empty.return": -1, "empty.errno": "EAGAIN", "full.return": -1, "full.errno": "EAGAIN", kept: fixture.Right, "same": true}},
		},
		Body: func(e *Env) { askTeeNonblock(e, sys.SpliceNonblock) },
	},
	{
		ID:       "linux/tee/o-nonblock-honoured",
		Title:    "With O_NONBLOCK on either pipe tee is EAGAIN where it would wait",
		Facility: "tee",
		Level:    Should,
		Sources:  []string{"kernel commit ee5e001196d1", "fs/splice.c, do_tee"},
		Covers:   []string{"linux/tee/o-nonblock-honoured"},
		Needs:    []string{"tee/pipe-pipe"},
		Systems:  linuxOnly,
		Caller:   "Pass the flag as well: kernels before 5.1 look at nothing else.",
		Expect: []Expectation{
			{Since: "5.1", Why: "honoured since ee5e001196d1; before, the call waits for ever",
				Facts: Want{"empty.return": -1, "empty.errno": "EAGAIN", "full.return": -1, "full.errno": "EAGAIN", kept: fixture.Right, "same": true}},
		},
		Body: func(e *Env) { askTeeNonblock(e, 0) },
	},
	{
		ID:       "linux/tee/no-writer-zero",
		Title:    "From a pipe that is empty and has no writer any more tee returns zero",
		Facility: "tee",
		Level:    Must,
		Sources:  []string{"tee(2), RETURN VALUE"},
		Covers:   []string{"linux/tee/no-writer-zero"},
		Needs:    []string{"tee/pipe-pipe"},
		Systems:  linuxOnly,
		Caller:   "Zero is the end only once the pipe is empty too.",
		Expect: []Expectation{
			{Facts: Want{"data.return": 10, "data.errno": "", Return: 0, Errno: "", "queued": 10}},
		},
		Body: func(e *Env) {
			r, w := loaded(e, fixture.Pattern(11, 10))
			r2, w2 := roomyPipe(e)
			w.Close()
			n, errno := e.Kernel.Tee(r.Int(), w2.Int(), 100, 0) // the bytes come first
			e.Named("data", n, errno)
			fixture.ReadN(e, r, 10)
			e.Answer(e.Kernel.Tee(r.Int(), w2.Int(), 100, 0))
			e.Fact("queued", fixture.Queued(e, r2))
		},
	},
	{
		ID:       "linux/tee/len-zero",
		Title:    "A count of zero returns zero whatever the descriptors are, but unknown flags are EINVAL all the same",
		Facility: "tee",
		Level:    Should,
		Sources:  []string{"fs/splice.c, tee: flags before the count, unlike splice", "liburing splice.c, check_zero_tee", "stress-ng"},
		Covers:   []string{"linux/tee/len-zero"},
		Needs:    []string{"tee/pipe-pipe"},
		Systems:  linuxOnly,
		Caller:   "Do not test a descriptor with a count of zero.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: "a count of zero is answered before the flags are looked at (Tee)",
				Known: gvisorSource + "sentry/syscalls/linux/sys_splice.go#L188-L201",
				Facts: Want{
					"closed.errno": "", "closed.return": 0, "flags.errno": "", "flags.return": 0, "pipes.errno": "", "pipes.return": 0, "queued": 0,
				}},
			{Since: "4.10", Why: "unknown flags were ignored before 3d6ea290f337",
				Facts: Want{"pipes.return": 0, "pipes.errno": "", "closed.return": 0, "closed.errno": "", "flags.return": -1, "flags.errno": "EINVAL", "queued": 0}},
		},
		Body: func(e *Env) {
			r, _ := loaded(e, fixture.Pattern(12, 10))
			r2, w2 := roomyPipe(e)
			n, errno := e.Kernel.Tee(r.Int(), w2.Int(), 0, 0)
			e.Named("pipes", n, errno)
			n, errno = e.Kernel.Tee(-1, -1, 0, 0)
			e.Named("closed", n, errno)
			n, errno = e.Kernel.Tee(r.Int(), w2.Int(), 0, unknownFlag)
			e.Named("flags", n, errno)
			e.Fact("queued", fixture.Queued(e, r2))
		},
	},
	{
		ID:       "linux/tee/non-pipe-einval",
		Title:    "Where either end is no pipe tee is EINVAL",
		Facility: "tee",
		Level:    Must,
		Sources:  []string{"tee(2), ERRORS EINVAL", "LTP tee02", "gVisor TeeTest.RegularFile"},
		Covers:   []string{"linux/tee/non-pipe-einval"},
		Needs:    []string{"tee/pipe-pipe"},
		Systems:  linuxOnly,
		Caller:   "Splice into a pipe first.",
		Expect: []Expectation{
			{Facts: Want{"file.in": "EINVAL", "file.out": "EINVAL", "socket.in": "EINVAL", "socket.out": "EINVAL", kept: fixture.Right, "queued": 0}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(13, 100)
			r, _ := loaded(e, p)
			r2, w2 := roomyPipe(e)
			a, b := fixture.TCP(e)
			fixture.WriteAll(e, b, p)
			for _, other := range []struct {
				name string
				fd   *fixture.FD
			}{{"file", fixture.File(e, p, os.O_RDWR)}, {"socket", a}} {
				_, errno := e.Kernel.Tee(other.fd.Int(), w2.Int(), 100, 0)
				e.Fact(other.name+".in", sys.ErrnoName(errno))
				_, errno = e.Kernel.Tee(r.Int(), other.fd.Int(), 100, 0)
				e.Fact(other.name+".out", sys.ErrnoName(errno))
			}
			holds(e, kept, r, p)
			e.Fact("queued", fixture.Queued(e, r2))
		},
	},
	{
		ID:       "linux/tee/same-pipe-einval",
		Title:    "From a pipe into itself tee is EINVAL",
		Facility: "tee",
		Level:    Must,
		Sources:  []string{"tee(2), ERRORS EINVAL", "LTP tee02", "gVisor TeeTest.SamePipe", "stress-ng"},
		Covers:   []string{"linux/tee/same-pipe-einval"},
		Needs:    []string{"tee/pipe-pipe"},
		Systems:  linuxOnly,
		Caller:   "Use two pipes.",
		Expect:   []Expectation{{Facts: Want{Return: -1, Errno: "EINVAL", kept: fixture.Right}}},
		Body: func(e *Env) {
			p := fixture.Pattern(14, 100)
			r, w := loaded(e, p)
			e.Answer(e.Kernel.Tee(r.Int(), w.Int(), 100, 0))
			holds(e, kept, r, p)
		},
	},
	{
		ID:       "linux/tee/bad-fd-ebadf",
		Title:    "A descriptor that is closed or the wrong end of a pipe is EBADF",
		Facility: "tee",
		Level:    Must,
		Sources:  []string{"fs/splice.c, do_tee: FMODE_READ, FMODE_WRITE"},
		Covers:   []string{"linux/tee/bad-fd-ebadf"},
		Needs:    []string{"tee/pipe-pipe"},
		Systems:  linuxOnly,
		Caller:   "A mistake of the program.",
		Expect: []Expectation{
			{Facts: Want{"in-closed": "EBADF", "out-closed": "EBADF", "in-write-end": "EBADF", "out-read-end": "EBADF", kept: fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(15, 100)
			r, w := loaded(e, p)
			r2, w2 := roomyPipe(e)
			for _, pair := range []struct {
				name    string
				in, out int
			}{
				{"in-closed", -1, w2.Int()}, {"out-closed", r.Int(), -1},
				{"in-write-end", w.Int(), w2.Int()}, {"out-read-end", r.Int(), r2.Int()},
			} {
				_, errno := e.Kernel.Tee(pair.in, pair.out, 100, 0)
				e.Fact(pair.name, sys.ErrnoName(errno))
			}
			holds(e, kept, r, p)
		},
	},
	{
		ID:       "linux/tee/bad-flags-einval",
		Title:    "An unknown flag is EINVAL, and nothing is duplicated",
		Facility: "tee",
		Level:    Must,
		Sources:  []string{"kernel commit 3d6ea290f337", "stress-ng"},
		Covers:   []string{"linux/tee/bad-flags-einval"},
		Needs:    []string{"tee/pipe-pipe"},
		Systems:  linuxOnly,
		Caller:   "Pass only the four flags of splice(2).",
		Expect: []Expectation{
			{Until: "4.10", Why: "unknown flags were ignored before 3d6ea290f337", Facts: Want{Return: 100, Errno: "", "queued": 100}},
			{Facts: Want{Return: -1, Errno: "EINVAL", "queued": 0}},
		},
		Body: func(e *Env) {
			r, _ := loaded(e, fixture.Pattern(16, 100))
			r2, w2 := roomyPipe(e)
			e.Answer(e.Kernel.Tee(r.Int(), w2.Int(), 100, unknownFlag))
			e.Fact("queued", fixture.Queued(e, r2))
		},
	},
	{
		ID:       "linux/tee/no-reader-epipe",
		Title:    "Into a pipe without a reader tee is EPIPE with SIGPIPE",
		Facility: "tee",
		Level:    Must,
		Sources:  []string{"pipe(7)", "fs/splice.c, link_pipe: send_sig(SIGPIPE)"},
		Covers:   []string{"linux/tee/no-reader-epipe"},
		Needs:    []string{"tee/pipe-pipe"},
		Systems:  linuxOnly,
		Caller:   "Ignore SIGPIPE; the source still holds its bytes.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: gvisorSilent,
				Known: gvisorSource + "sentry/syscalls/linux/error.go#L62-L150",
				Facts: Want{Errno: "EPIPE", kept: fixture.Right, "raised": false, Return: -1}},
			{Facts: Want{Return: -1, Errno: "EPIPE", "raised": true, kept: fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(17, 100)
			r, _ := loaded(e, p)
			r2, w2 := roomyPipe(e)
			r2.Close()
			e.Fact("raised", fixture.Raises(e, sys.BrokenPipe, func() {
				e.Answer(e.Kernel.Tee(r.Int(), w2.Int(), 100, 0))
			}))
			holds(e, kept, r, p)
		},
	},
	{
		ID:       "linux/tee/signal-eintr",
		Title:    "A signal whose handler does not restart calls ends a waiting tee with EINTR",
		Facility: "tee",
		Level:    Must,
		Sources:  []string{"signal(7), Interruption of system calls", "fs/splice.c, ipipe_prep and opipe_prep"},
		Covers:   []string{"linux/tee/signal-eintr"},
		Needs:    []string{"tee/pipe-pipe"},
		Systems:  linuxOnly,
		Alone:    true,
		Caller:   "Ask again on EINTR.",
		Expect: []Expectation{
			{Facts: Want{"empty.waits": true, "empty.return": -1, "empty.errno": "EINTR", "full.waits": true, "full.return": -1, "full.errno": "EINTR",
				kept: fixture.Right, "queued": 0}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(18, 100)
			empty, _ := roomyPipe(e)
			r, _ := loaded(e, p)
			r2, w2 := roomyPipe(e)
			_, full := roomyPipe(e)
			fixture.Fill(e, full)
			fixture.Interruptible(e)
			for _, pair := range []struct {
				name    string
				in, out *fixture.FD
			}{{"empty", empty, w2}, {"full", r, full}} {
				call := beginTee(e, pair.in, pair.out, 100, 0)
				e.Fact(pair.name+".waits", call.Waits())
				call.Interrupt(e)
				returned(e, pair.name, call)
			}
			holds(e, kept, r, p)
			e.Fact("queued", fixture.Queued(e, r2))
		},
	},
}

// askTeeNonblock asks an empty source and a full destination, with flags, or,
// without any, with O_NONBLOCK on the pipe that would let the call wait.
func askTeeNonblock(e *Env, flags int) {
	p := fixture.Pattern(19, 100)
	empty, _ := roomyPipe(e)
	_, room := roomyPipe(e)
	r, _ := loaded(e, p)
	fullR, full := roomyPipe(e)
	size := fixture.Fill(e, full)
	if flags == 0 {
		empty.Nonblock(e)
		full.Nonblock(e)
	}
	n, errno := e.Kernel.Tee(empty.Int(), room.Int(), 100, flags)
	e.Named("empty", n, errno)
	n, errno = e.Kernel.Tee(r.Int(), full.Int(), 100, flags)
	e.Named("full", n, errno)
	holds(e, kept, r, p)
	e.Fact("same", fixture.Queued(e, fullR) == size)
}
