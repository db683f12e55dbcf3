package cases

import (
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// completionMS is how long a case waits for a completion that must come.
const completionMS = 3000

// uring is an io_uring of the kernel under test.
func uring(e *Env) *sys.Uring {
	u, call, errno := e.Kernel.NewUring()
	if errno != 0 {
		e.Fatalf("%s: %w", call, error(errno))
	}
	e.Cleanup(u.Close)
	return u
}

// performed is one operation as a call: what its completion says.
func performed(e *Env, u *sys.Uring, entry sys.UringEntry) (int, sys.Errno) {
	submit(e, u, entry)
	done, errno := u.Complete(completionMS)
	if errno != 0 {
		return -1, errno // ETIME: it never came
	}
	return done.Result, done.Errno
}

// submit hands over entries, all of them.
func submit(e *Env, u *sys.Uring, entries ...sys.UringEntry) {
	n, errno := u.Submit(entries...)
	if errno == 0 && n == len(entries) {
		return
	}
	if errno == 0 {
		e.Fatalf("io_uring_enter took %d of %d", n, len(entries))
	}
	e.Fatalf("io_uring_enter: %w", error(errno))
}

// splicing is IORING_OP_SPLICE without offsets.
func splicing(in, out *fixture.FD, count int) sys.UringEntry {
	return sys.UringEntry{Op: sys.UringSplice, FD: out.Int(), In: in.Int(), Offset: sys.UringCurrent, InOffset: sys.UringCurrent, Count: count}
}

// teeing is IORING_OP_TEE, whose offsets must be zero.
func teeing(in, out *fixture.FD, count int) sys.UringEntry {
	return sys.UringEntry{Op: sys.UringTee, FD: out.Int(), In: in.Int(), Count: count}
}

// register registers descriptors with a ring.
func register(e *Env, u *sys.Uring, fds ...*fixture.FD) {
	list := make([]int, len(fds))
	for i, fd := range fds {
		list[i] = fd.Int()
	}
	if errno := u.RegisterFiles(list...); errno != 0 {
		e.Fatalf("io_uring_register: %w", error(errno))
	}
}

var uringSpliceCases = []*Case{
	{
		ID:       "linux/io_uring/splice-minus-one-offset",
		Title:    "An offset of -1 is the file position, which moves; an offset leaves the position alone",
		Facility: "io_uring",
		Level:    Must,
		Sources:  []string{"io_uring_enter(2), IORING_OP_SPLICE", "liburing test/splice.c, splice_to_pipe"},
		Covers:   []string{"linux/io_uring/splice-minus-one-offset"},
		Needs:    []string{"io_uring/splice"},
		Systems:  linuxOnly,
		Caller:   "Pass -1 for a pipe, always; the kernel does not tell the offset it came to, so add the result up.",
		Expect: []Expectation{
			{Facts: Want{"current.return": 5000, "current.errno": "", "current.position": 5010, "current.bytes": fixture.Right,
				"offset.return": 5000, "offset.errno": "", "offset.position": 5010, "offset.bytes": fixture.Right,
				"out.return": 5000, "out.errno": "", "out.position": 7, "out.bytes": fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(1, 20_000)
			in, out := fixture.File(e, p, os.O_RDONLY), fixture.File(e, nil, os.O_RDWR)
			r, w := roomyPipe(e)
			u := uring(e)
			fixture.SetPosition(e, in, 10)
			fixture.SetPosition(e, out, 7)

			n, errno := performed(e, u, splicing(in, w, 5000))
			e.Named("current", n, errno)
			e.Fact("current.position", fixture.Position(e, in))
			holds(e, "current.bytes", r, p[10:5010])

			entry := splicing(in, w, 5000)
			entry.InOffset = 9000
			n, errno = performed(e, u, entry)
			e.Named("offset", n, errno)
			e.Fact("offset.position", fixture.Position(e, in))
			holds(e, "offset.bytes", r, p[9000:14_000])

			fixture.WriteAll(e, w, p[:5000])
			entry = splicing(r, out, 5000)
			entry.Offset = 100
			n, errno = performed(e, u, entry)
			e.Named("out", n, errno)
			e.Fact("out.position", fixture.Position(e, out))
			e.Fact("out.bytes", fixture.Compare(fixture.Contents(e, out), append(make([]byte, 100), p[:5000]...)))
		},
	},
	{
		ID:       "linux/io_uring/splice-zero-len",
		Title:    "A splice of zero bytes completes with zero and moves nothing",
		Facility: "io_uring",
		Level:    Should,
		Sources:  []string{"liburing test/splice.c, check_zero_splice", "Linux io_uring/splice.c, io_splice"},
		Covers:   []string{"linux/io_uring/splice-zero-len"},
		Needs:    []string{"io_uring/splice"},
		Systems:  linuxOnly,
		Caller:   "Zero is no end of file where zero was asked for.",
		Expect:   []Expectation{{Facts: Want{Return: 0, Errno: "", Position: 0, "queued": 0, "pipe.return": 0, "pipe.errno": "", kept: fixture.Right}}},
		Body: func(e *Env) {
			p := fixture.Pattern(2, 100)
			in := fixture.File(e, p, os.O_RDONLY)
			r, w := roomyPipe(e)
			u := uring(e)
			e.Answer(performed(e, u, splicing(in, w, 0)))
			e.Fact(Position, fixture.Position(e, in))
			e.Fact("queued", fixture.Queued(e, r))
			r2, _ := loaded(e, p)
			n, errno := performed(e, u, splicing(r2, w, 0))
			e.Named("pipe", n, errno)
			holds(e, kept, r2, p)
		},
	},
	{
		ID:       "linux/io_uring/splice-pipe-offset-error",
		Title:    "An offset for a pipe is ESPIPE at either end, and the bytes stay",
		Facility: "io_uring",
		Level:    Must,
		Sources:  []string{"liburing test/splice.c, fail_splice_pipe_offset: ESPIPE or EINVAL", "splice(2), ERRORS ESPIPE"},
		Covers:   []string{"linux/io_uring/splice-pipe-offset-error"},
		Needs:    []string{"io_uring/splice"},
		Systems:  linuxOnly,
		Caller:   "Pass -1 for a pipe: 0 is an offset.",
		Expect:   []Expectation{{Facts: Want{"in.return": -1, "in.errno": "ESPIPE", "out.return": -1, "out.errno": "ESPIPE", kept: fixture.Right, Position: 0, "queued": 0}}},
		Body: func(e *Env) {
			p := fixture.Pattern(3, 100)
			file := fixture.File(e, p, os.O_RDWR)
			full, _ := loaded(e, p)
			r, w := roomyPipe(e)
			u := uring(e)
			entry := splicing(full, file, 100)
			entry.InOffset = 0
			n, errno := performed(e, u, entry)
			e.Named("in", n, errno)
			entry = splicing(file, w, 100)
			entry.Offset = 0
			n, errno = performed(e, u, entry)
			e.Named("out", n, errno)
			holds(e, kept, full, p)
			e.Fact(Position, fixture.Position(e, file))
			e.Fact("queued", fixture.Queued(e, r))
		},
	},
	{
		ID:       "linux/io_uring/splice-fixed-fd",
		Title:    "Registered descriptors work at both ends of splice and tee, and an index beyond them is EBADF",
		Facility: "io_uring",
		Level:    Must,
		Sources:  []string{"io_uring_enter(2), SPLICE_F_FD_IN_FIXED, IOSQE_FIXED_FILE", "liburing test/splice.c, test_splice with registered files"},
		Covers:   []string{"linux/io_uring/splice-fixed-fd"},
		Needs:    []string{"io_uring/splice", "io_uring/tee"},
		Systems:  linuxOnly,
		Caller:   "Each end has a flag of its own: IOSQE_FIXED_FILE is only for the destination.",
		Expect: []Expectation{
			{Facts: Want{"splice.return": 5000, "splice.errno": "", Position: 5000, "tee.return": 5000, "tee.errno": "", "tee.bytes": fixture.Right,
				"splice.bytes": fixture.Right, "in.errno": "EBADF", "out.errno": "EBADF"}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(4, 5000)
			in := fixture.File(e, p, os.O_RDONLY)
			r, w := roomyPipe(e)
			r2, w2 := roomyPipe(e)
			u := uring(e)
			register(e, u, in, w, r, w2)
			fixed := func(op, from, to int, offset int64) sys.UringEntry {
				return sys.UringEntry{Op: op, Flags: sys.UringFixedFile, OpFlags: sys.SpliceInFixed, In: from, FD: to,
					Offset: offset, InOffset: offset, Count: len(p)}
			}
			n, errno := performed(e, u, fixed(sys.UringSplice, 0, 1, sys.UringCurrent))
			e.Named("splice", n, errno)
			e.Fact(Position, fixture.Position(e, in))
			n, errno = performed(e, u, fixed(sys.UringTee, 2, 3, 0))
			e.Named("tee", n, errno)
			_, errno = performed(e, u, fixed(sys.UringSplice, 9, 1, sys.UringCurrent))
			e.Fact("in.errno", sys.ErrnoName(errno))
			_, errno = performed(e, u, fixed(sys.UringSplice, 2, 9, sys.UringCurrent))
			e.Fact("out.errno", sys.ErrnoName(errno))
			holds(e, "tee.bytes", r2, p)
			holds(e, "splice.bytes", r, p)
		},
	},
	{
		ID:       "linux/io_uring/tee-basic-errors",
		Title:    "A tee duplicates and leaves the source whole; zero is zero, no pipe or an offset is EINVAL",
		Facility: "io_uring",
		Level:    Must,
		Sources:  []string{"io_uring_enter(2), IORING_OP_TEE", "liburing test/splice.c, check_tee, check_zero_tee, fail_tee_with_file, fail_tee_offset"},
		Covers:   []string{"linux/io_uring/tee-basic-errors"},
		Needs:    []string{"io_uring/tee"},
		Systems:  linuxOnly,
		Caller:   "The offsets of a tee are 0, not the -1 of a splice.",
		Expect: []Expectation{
			{Facts: Want{"tee.return": 5000, "tee.errno": "", "tee.bytes": fixture.Right, "zero.return": 0, "zero.errno": "",
				"file-in.errno": "EINVAL", "file-out.errno": "EINVAL", "offset.errno": "EINVAL", "in-offset.errno": "EINVAL", kept: fixture.Right, "queued": 0}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(5, 5000)
			file := fixture.File(e, p, os.O_RDWR)
			r, _ := loaded(e, p)
			r2, w2 := roomyPipe(e)
			u := uring(e)
			n, errno := performed(e, u, teeing(r, w2, len(p)))
			e.Named("tee", n, errno)
			holds(e, "tee.bytes", r2, p)
			n, errno = performed(e, u, teeing(r, w2, 0))
			e.Named("zero", n, errno)
			offset, inOffset := teeing(r, w2, 100), teeing(r, w2, 100)
			offset.Offset, inOffset.InOffset = 1, 1
			for name, entry := range map[string]sys.UringEntry{
				"file-in": teeing(file, w2, 100), "file-out": teeing(r, file, 100), "offset": offset, "in-offset": inOffset,
			} {
				_, errno := performed(e, u, entry)
				e.Fact(name+".errno", sys.ErrnoName(errno))
			}
			holds(e, kept, r, p)
			e.Fact("queued", fixture.Queued(e, r2))
		},
	},
	{
		ID:       "linux/io_uring/probe-ebadf",
		Title:    "A splice of descriptors that are not open is EBADF, an operation that does not exist EINVAL, and the kernel's own list says the same",
		Facility: "io_uring",
		Level:    Must,
		Sources:  []string{"liburing test/splice.c, check_splice_support", "io_uring_register(2), IORING_REGISTER_PROBE", "axboe/liburing#290"},
		Covers:   []string{"linux/io_uring/probe-ebadf", "bug/T11-uring-splice-version"},
		Needs:    []string{"io_uring/splice"},
		Systems:  linuxOnly,
		Caller:   "Ask IORING_REGISTER_PROBE once instead of trying.",
		Expect: []Expectation{
			{Facts: Want{"in.errno": "EBADF", "out.errno": "EBADF", "none.errno": "EINVAL", "knows-splice": true, "knows-none": false}},
		},
		Body: func(e *Env) {
			r, w := loaded(e, fixture.Pattern(6, 100))
			u := uring(e)
			entry := splicing(r, w, 100)
			entry.In = -1
			_, errno := performed(e, u, entry)
			e.Fact("in.errno", sys.ErrnoName(errno))
			entry = splicing(r, w, 100)
			entry.FD = -1
			_, errno = performed(e, u, entry)
			e.Fact("out.errno", sys.ErrnoName(errno))
			const none = 255 // IORING_OP_LAST grows by a few a year
			_, errno = performed(e, u, sys.UringEntry{Op: none, FD: -1})
			e.Fact("none.errno", sys.ErrnoName(errno))
			for name, op := range map[string]int{"knows-splice": sys.UringSplice, "knows-none": none} {
				knows, errno := u.Knows(op)
				e.Fact(name, knows && errno == 0)
			}
		},
	},
	{
		ID:       "linux/io_uring/splice-eagain-not-polled",
		Title:    "A splice into a full socket in non-blocking mode completes with EAGAIN: the ring does not wait for room",
		Facility: "io_uring",
		Level:    Should,
		Sources:  []string{"lalinsky/zio#630", "Linux io_uring/splice.c, io_splice: the result is that of do_splice"},
		Covers:   []string{"linux/io_uring/splice-eagain-not-polled", "bug/T10-uring-splice-eagain"},
		Needs:    []string{"io_uring/splice"},
		Systems:  linuxOnly,
		Caller:   "Poll the socket in the ring first, or leave it in blocking mode: then a thread of the kernel waits.",
		Expect:   []Expectation{{Facts: Want{Return: -1, Errno: "EAGAIN", kept: fixture.Right, "later.return": 100, "later.errno": "", Bytes: fixture.Right}}},
		Body: func(e *Env) {
			p := fixture.Pattern(7, 60_000)
			r, _ := loaded(e, p)
			r2, w2 := roomyPipe(e)
			a, b := fixture.TCP(e)
			narrow(e, a, b)
			if errno := sys.SetNonblock(a.Int(), true); errno != 0 {
				e.Fatalf("set O_NONBLOCK: %w", error(errno))
			}
			full := fixture.Stuff(e, a)
			u := uring(e)
			// A full socket still takes what fits behind its last segment.
			took, n, errno := 0, 0, sys.Errno(0)
			for took < len(p)-100 {
				if n, errno = performed(e, u, splicing(r, a, 100)); n <= 0 {
					break
				}
				took += n
			}
			e.Answer(n, errno)
			e.Kernel.Tee(r.Int(), w2.Int(), len(p), sys.SpliceNonblock)
			holds(e, kept, r2, p[took:])
			fixture.ReadN(e, b, full)
			fixture.Rest(e, a)
			n, errno = performed(e, u, splicing(r, a, 100))
			e.Named("later", n, errno)
			e.Arrived(fixture.ReadN(e, b, took+100), p[:took+100])
		},
	},
	{
		ID:       "linux/io_uring/splice-short-breaks-link",
		Title:    "A splice that moves less than was asked completes with its count, and what was linked to it is cancelled",
		Facility: "io_uring",
		Level:    Must,
		Sources:  []string{"io_uring_enter(2), IOSQE_IO_LINK", "axboe/liburing#248", "crystal-lang/crystal#17299"},
		Covers:   []string{"bug/T12-uring-link-short"},
		Needs:    []string{"io_uring/splice"},
		Systems:  linuxOnly,
		Caller:   "Link only what must not run after a short count; else submit the next one when the first is done.",
		Expect: []Expectation{
			{Facts: Want{"whole.first": 100, "whole.second": 0, "whole.errno": "", "short.first": 100, "short.second": -1, "short.errno": "ECANCELED", Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(8, 200)
			r, w := loaded(e, p[:100])
			r2, w2 := roomyPipe(e)
			u := uring(e)
			linked := func(name string, count int) {
				first := splicing(r, w2, count)
				first.Flags, first.Tag = sys.UringLink, 1
				submit(e, u, first, sys.UringEntry{Op: sys.UringNop, Tag: 2})
				results := map[uint64]sys.UringCompletion{}
				for range 2 {
					if done, errno := u.Complete(completionMS); errno == 0 {
						results[done.Tag] = done
					}
				}
				e.Fact(name+".first", results[1].Result)
				e.Fact(name+".second", results[2].Result)
				e.Fact(name+".errno", sys.ErrnoName(results[2].Errno))
			}
			linked("whole", 100)
			fixture.WriteAll(e, w, p[100:])
			linked("short", 1000)
			holds(e, Bytes, r2, p)
		},
	},
	{
		ID:       "linux/io_uring/read-fixed-urandom",
		Title:    "A read of /dev/urandom into a registered buffer completes",
		Facility: "io_uring",
		Level:    Should,
		Sources:  []string{"axboe/liburing#549", "io_uring_enter(2), IORING_OP_READ_FIXED"},
		Covers:   []string{"bug/T14-uring-urandom-hang"},
		Needs:    []string{"io_uring/setup"},
		Systems:  linuxOnly,
		Caller:   "Nothing to do.",
		Expect:   []Expectation{{Facts: Want{Return: 256, Errno: "", "content": "noise", "rest": "zeros"}}},
		Body: func(e *Env) {
			in, ok := fixture.Existing(e, "/dev/urandom", os.O_RDONLY)
			if !ok {
				e.Skip(SkipPlace)
			}
			m := fixture.Memory(e, 4096)
			u := uring(e)
			registerBuffer(e, u, m)
			e.Answer(performed(e, u, sys.UringEntry{Op: sys.UringReadFixed, FD: in.Int(), Memory: m[:256], Count: 256}))
			e.Fact("content", texture(m[:256]))
			e.Fact("rest", texture(m[256:]))
		},
	},
}

// registerBuffer registers memory as the only buffer of a ring.
func registerBuffer(e *Env, u *sys.Uring, p []byte) {
	if errno := u.RegisterBuffer(p); errno != 0 {
		e.Fatalf("io_uring_register: %w", error(errno))
	}
}
