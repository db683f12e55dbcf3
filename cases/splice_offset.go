package cases

import (
	"bytes"
	"math"
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

var spliceOffset = []*Case{
	{
		ID:       "linux/splice/file-to-pipe-null-offset",
		Title:    "Without an offset, splice reads a file at its position and moves the position by what it took",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"splice(2), DESCRIPTION", "LTP splice01", "gVisor SpliceTest.ToPipe", "CPython test_splice"},
		Covers:   []string{"linux/splice/file-to-pipe-null-offset"},
		Needs:    []string{"splice/file-pipe"},
		Systems:  linuxOnly,
		Caller:   "Do not seek after the call; do not share the file's position between threads.",
		Expect: []Expectation{
			{Facts: Want{Return: 3000, Errno: "", Position: 3100, Bytes: fixture.Right, "next.return": 500, "next.bytes": fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 10_000)
			file := fixture.File(e, content, os.O_RDONLY)
			fixture.SetPosition(e, file, 100)
			r, w := roomyPipe(e)
			e.Answer(e.Kernel.Splice(file.Int(), nil, w.Int(), nil, 3000, 0))
			e.Fact(Position, fixture.Position(e, file))
			e.Arrived(fixture.ReadReady(e, r, 3001), content[100:3100])
			n, _ := e.Kernel.Splice(file.Int(), nil, w.Int(), nil, 500, 0)
			e.Fact("next.return", n)
			holds(e, "next.bytes", r, content[3100:3600])
		},
	},
	{
		ID:       "linux/splice/file-to-pipe-explicit-offset",
		Title:    "With an input offset, splice reads a file from there, moves the offset, and leaves the file position alone",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"splice(2), DESCRIPTION", "gVisor SpliceTest.ToPipeOffset", "CPython test_splice_offset_in"},
		Covers:   []string{"linux/splice/file-to-pipe-explicit-offset", "bug/R13-netty-epoll-offset"},
		Needs:    []string{"splice/file-pipe"},
		Systems:  linuxOnly,
		Caller:   "Take the offset as the count of what was taken; threads may share the file this way.",
		Expect: []Expectation{
			{Facts: Want{Return: 5000, Errno: "", Offset: 7048, Position: 7, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(2, 10_000)
			file := fixture.File(e, content, os.O_RDONLY)
			fixture.SetPosition(e, file, 7)
			r, w := roomyPipe(e)
			offset := int64(2048) // half a page, where pages have 4 KiB
			e.Answer(e.Kernel.Splice(file.Int(), &offset, w.Int(), nil, 5000, 0))
			e.Fact(Offset, offset)
			e.Fact(Position, fixture.Position(e, file))
			e.Arrived(fixture.ReadReady(e, r, 5001), content[2048:7048])
		},
	},
	{
		ID:       "linux/splice/pipe-to-file-null-offset",
		Title:    "Without an offset, splice writes a file at its position and moves the position by what it wrote",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"splice(2), DESCRIPTION", "LTP splice01, splice02", "gVisor SpliceTest.FromPipe, FromPipeMultiple"},
		Covers:   []string{"linux/splice/pipe-to-file-null-offset"},
		Needs:    []string{"splice/pipe-file"},
		Systems:  linuxOnly,
		Caller:   "Do not seek between calls; each goes on where the one before ended.",
		Expect: []Expectation{
			{Facts: Want{"first.return": 3000, "first.errno": "", "first.position": 3010,
				"second.return": 2000, "second.errno": "", "second.position": 5010, Bytes: fixture.Right, kept: fixture.Right}},
		},
		Body: func(e *Env) {
			before, p := fixture.Pattern(3, 6000), fixture.Pattern(4, 5500)
			file := fixture.File(e, before, os.O_RDWR)
			fixture.SetPosition(e, file, 10)
			r, _ := loaded(e, p)
			for _, part := range []struct {
				name  string
				count int
			}{{"first", 3000}, {"second", 2000}} {
				n, errno := e.Kernel.Splice(r.Int(), nil, file.Int(), nil, part.count, 0)
				e.Named(part.name, n, errno)
				e.Fact(part.name+"."+Position, fixture.Position(e, file))
			}
			want := bytes.Clone(before)
			copy(want[10:], p[:5000])
			e.Arrived(fixture.Contents(e, file), want)
			holds(e, kept, r, p[5000:])
		},
	},
	{
		ID:       "linux/splice/pipe-to-file-explicit-offset",
		Title:    "With an output offset, splice writes a file there, moves the offset, leaves the position alone and truncates nothing",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"splice(2), DESCRIPTION", "gVisor SpliceTest.FromPipeOffset", "CPython test_splice_offset_out"},
		Covers:   []string{"linux/splice/pipe-to-file-explicit-offset"},
		Needs:    []string{"splice/pipe-file"},
		Systems:  linuxOnly,
		Caller:   "Take the offset as the count of what was written; truncate a longer file yourself.",
		Expect: []Expectation{
			{Facts: Want{"inside.return": 1000, "inside.errno": "", "inside.offset": 3048, "inside.bytes": fixture.Right,
				"beyond.return": 1000, "beyond.errno": "", "beyond.offset": 21_000, "beyond.bytes": fixture.Right, Position: 7}},
		},
		Body: func(e *Env) {
			before, p := fixture.Pattern(5, 10_000), fixture.Pattern(6, 2000)
			file := fixture.File(e, before, os.O_RDWR)
			fixture.SetPosition(e, file, 7)
			r, _ := loaded(e, p)
			want := bytes.Clone(before)

			offset := int64(2048)
			n, errno := e.Kernel.Splice(r.Int(), nil, file.Int(), &offset, 1000, 0)
			copy(want[2048:], p[:1000])
			e.Named("inside", n, errno)
			e.Fact("inside."+Offset, offset)
			e.Fact("inside."+Bytes, fixture.Compare(fixture.Contents(e, file), want))

			offset = 20_000 // past the end: the gap becomes a hole
			n, errno = e.Kernel.Splice(r.Int(), nil, file.Int(), &offset, 1000, 0)
			want = append(want, make([]byte, 10_000)...)
			want = append(want, p[1000:]...)
			e.Named("beyond", n, errno)
			e.Fact("beyond."+Offset, offset)
			e.Fact("beyond."+Bytes, fixture.Compare(fixture.Contents(e, file), want))
			e.Fact(Position, fixture.Position(e, file))
		},
	},
	{
		ID:       "linux/splice/eof-zero",
		Title:    "At the end of a file and past it, splice returns zero and moves neither offset nor position",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"splice(2), RETURN VALUE", "gVisor SpliceTest.ToPipeEOF", "selftests splice/default_file_splice_read.sh"},
		Covers:   []string{"linux/splice/eof-zero"},
		Needs:    []string{"splice/file-pipe"},
		Systems:  linuxOnly,
		Caller:   "Zero from a regular file means its end: stop.",
		Expect: []Expectation{
			{Facts: Want{
				"end.return": 0, "end.errno": "", "end.offset": 5000,
				"past.return": 0, "past.errno": "", "past.offset": 5100,
				"far.return": 0, "far.errno": "", "far.offset": int64(1 << 40),
				"position.return": 0, "position.errno": "", Position: 5000, "empty.return": 0, "empty.errno": "", "queued": 0}},
		},
		Body: func(e *Env) {
			file := fixture.File(e, fixture.Pattern(7, 5000), os.O_RDONLY)
			r, w := roomyPipe(e)
			for _, at := range []struct {
				name   string
				offset int64
			}{{"end", 5000}, {"past", 5100}, {"far", 1 << 40}} {
				offset := at.offset
				n, errno := e.Kernel.Splice(file.Int(), &offset, w.Int(), nil, 100, 0)
				e.Named(at.name, n, errno)
				e.Fact(at.name+"."+Offset, offset)
			}
			fixture.SetPosition(e, file, 5000)
			n, errno := e.Kernel.Splice(file.Int(), nil, w.Int(), nil, 100, 0)
			e.Named("position", n, errno)
			e.Fact(Position, fixture.Position(e, file))
			n, errno = e.Kernel.Splice(fixture.File(e, nil, os.O_RDONLY).Int(), nil, w.Int(), nil, 100, 0)
			e.Named("empty", n, errno)
			e.Fact("queued", fixture.Queued(e, r))
		},
	},
	{
		ID:       "linux/splice/count-beyond-end-is-short",
		Title:    "A count that reaches past the end of a file moves what is there, then zero",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"splice(2), RETURN VALUE"},
		Needs:    []string{"splice/file-pipe"},
		Systems:  linuxOnly,
		Caller:   "A short count is no error and no end: ask again until zero.",
		Expect: []Expectation{
			{Facts: Want{Return: 777, Errno: "", Position: 4777, Bytes: fixture.Right, "next.return": 0, "next.errno": ""}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(8, 4777)
			file := fixture.File(e, content, os.O_RDONLY)
			fixture.SetPosition(e, file, 4000)
			r, w := roomyPipe(e)
			e.Answer(e.Kernel.Splice(file.Int(), nil, w.Int(), nil, 30_000, 0))
			e.Fact(Position, fixture.Position(e, file))
			n, errno := e.Kernel.Splice(file.Int(), nil, w.Int(), nil, 30_000, 0)
			e.Named("next", n, errno)
			e.Arrived(fixture.ReadReady(e, r, 5000), content[4000:])
		},
	},
	{
		ID:       "linux/splice/pipe-offset-espipe",
		Title:    "An offset for a pipe is ESPIPE on either side, and nothing moves",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"splice(2), ERRORS ESPIPE", "LTP splice03", "gVisor SpliceTest.PipeOffsets", "liburing splice.c"},
		Covers:   []string{"linux/splice/pipe-offset-espipe", "bug/K25-einval-vs-espipe"},
		Needs:    []string{"splice/file-pipe"},
		Systems:  linuxOnly,
		Caller:   "Pass no offset for the end that is a pipe.",
		Expect: []Expectation{
			{Facts: Want{"in.return": -1, "in.errno": "ESPIPE", "out.return": -1, "out.errno": "ESPIPE",
				"pipes.in.return": -1, "pipes.in.errno": "ESPIPE", "pipes.out.return": -1, "pipes.out.errno": "ESPIPE",
				"pipes.both.return": -1, "pipes.both.errno": "ESPIPE", Offset: 3, Position: 0, kept: fixture.Right, "queued": 0}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(9, 1000)
			file := fixture.File(e, p, os.O_RDWR)
			r, _ := loaded(e, p)
			r2, w2 := roomyPipe(e)
			a, b := int64(3), int64(3)
			ask := func(name string, in *fixture.FD, inOffset *int64, out *fixture.FD, outOffset *int64) {
				n, errno := e.Kernel.Splice(in.Int(), inOffset, out.Int(), outOffset, 100, 0)
				e.Named(name, n, errno)
			}
			ask("in", r, &a, file, nil)
			ask("out", file, nil, w2, &a)
			ask("pipes.in", r, &a, w2, nil)
			ask("pipes.out", r, nil, w2, &a)
			ask("pipes.both", r, &a, w2, &b)
			e.Fact(Offset, max(a, b))
			e.Fact(Position, fixture.Position(e, file))
			holds(e, kept, r, p)
			e.Fact("queued", fixture.Queued(e, r2))
		},
	},
	{
		ID:       "linux/splice/socket-offset-einval",
		Title:    "An offset for a socket is EINVAL, and nothing moves",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"splice(2), ERRORS EINVAL (not seekable)", "fs/splice.c, do_splice: FMODE_PREAD, FMODE_PWRITE"},
		Covers:   []string{"linux/splice/socket-offset-einval"},
		Needs:    []string{"splice/tcp-pipe", "splice/pipe-tcp"},
		Systems:  linuxOnly,
		Caller:   "Pass no offset for a socket; sendfile says ESPIPE to the same mistake.",
		Expect: []Expectation{
			{Facts: Want{"in.return": -1, "in.errno": "EINVAL", "out.return": -1, "out.errno": "EINVAL", Offset: 0,
				kept: fixture.Right, "socket.kept": fixture.Right, "sent": 0}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(10, 1000)
			a, b := fixture.TCP(e)
			fixture.WriteAll(e, b, p)
			fixture.Await(e, a, len(p))
			r, w := loaded(e, p)
			offset := int64(0)
			n, errno := e.Kernel.Splice(a.Int(), &offset, w.Int(), nil, 100, 0)
			e.Named("in", n, errno)
			n, errno = e.Kernel.Splice(r.Int(), nil, a.Int(), &offset, 100, 0)
			e.Named("out", n, errno)
			e.Fact(Offset, offset)
			e.Fact("sent", fixture.Queued(e, b))
			holds(e, kept, r, p)
			holds(e, "socket.kept", a, p)
		},
	},
	{
		ID:       "linux/splice/negative-offset-einval",
		Title:    "A negative offset is EINVAL on either side; offset and pipe stay as they were",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"gVisor SpliceTest.NegativeOffset", "fs/read_write.c, rw_verify_area"},
		Covers:   []string{"linux/splice/negative-offset-einval"},
		Needs:    []string{"splice/file-pipe", "splice/pipe-file"},
		Systems:  linuxOnly,
		Caller:   "Check offsets before the call.",
		Expect: []Expectation{
			{Facts: Want{"in.return": -1, "in.errno": "EINVAL", "in.offset": -1, "out.return": -1, "out.errno": "EINVAL", "out.offset": -1,
				Bytes: fixture.Right, kept: fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(11, 1000)
			file := fixture.File(e, p, os.O_RDWR)
			r, w := loaded(e, p)
			offset := int64(-1)
			n, errno := e.Kernel.Splice(file.Int(), &offset, w.Int(), nil, 100, 0)
			e.Named("in", n, errno)
			e.Fact("in."+Offset, offset)
			offset = -1
			n, errno = e.Kernel.Splice(r.Int(), nil, file.Int(), &offset, 100, 0)
			e.Named("out", n, errno)
			e.Fact("out."+Offset, offset)
			e.Arrived(fixture.Contents(e, file), p)
			holds(e, kept, r, p)
		},
	},
	{
		ID:       "linux/splice/write-overflow-einval",
		Title:    "An offset and a count whose sum leaves the range of offsets are EINVAL; the pipe keeps its bytes",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"gVisor SpliceTest.WriteOverflow", "fs/read_write.c, rw_verify_area"},
		Covers:   []string{"linux/splice/write-overflow-einval"},
		Needs:    []string{"splice/file-pipe", "splice/pipe-file"},
		Systems:  linuxOnly,
		Caller:   "Check the sum of offset and count before the call.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: "of the offset of a source no more is asked than that it is not negative (Splice), and it lies behind the end",
				Known: gvisorSource + "sentry/syscalls/linux/sys_splice.go#L92-L106",
				Facts: Want{
					Bytes: fixture.Right, "in.errno": "", "in.return": 0, kept: fixture.Right, Offset: int64(math.MaxInt64 - 1), "out.errno": "EINVAL",
					"out.return": -1,
				}},
			{Facts: Want{"out.return": -1, "out.errno": "EINVAL", "in.return": -1, "in.errno": "EINVAL", Offset: int64(math.MaxInt64 - 1),
				Bytes: fixture.Right, kept: fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(12, 1000)
			file := fixture.File(e, p, os.O_RDWR)
			r, w := loaded(e, p)
			offset := int64(math.MaxInt64 - 1)
			n, errno := e.Kernel.Splice(r.Int(), nil, file.Int(), &offset, 100, 0)
			e.Named("out", n, errno)
			e.Fact(Offset, offset)
			offset = math.MaxInt64 - 1
			n, errno = e.Kernel.Splice(file.Int(), &offset, w.Int(), nil, 100, 0)
			e.Named("in", n, errno)
			e.Arrived(fixture.Contents(e, file), p)
			holds(e, kept, r, p)
		},
	},
	{
		ID:       "linux/splice/len-negative-einval",
		Title:    "A count beyond SSIZE_MAX is EINVAL where one end is a file",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"fs/read_write.c, rw_verify_area: (ssize_t) count < 0", "kernel commit b70d8e2b8ce5"},
		Covers:   []string{"linux/splice/len-negative-einval"},
		Needs:    []string{"splice/file-pipe", "splice/pipe-file"},
		Systems:  linuxOnly,
		Caller:   "Never pass -1 for \"all\": pass a large positive count.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: gvisorNegative,
				Facts: Want{"in.errno": "EINVAL", "in.return": -1, kept: fixture.Right, "out.errno": "EINVAL", "out.return": -1, Position: 0}},
			{Until: "6.8", Why: "before b70d8e2b8ce5 the count from a file was cut to the room in the pipe before it was looked at",
				Facts: Want{"in.return": 1000, "in.errno": "", "out.return": -1, "out.errno": "EINVAL", Position: 1000, kept: fixture.Right}},
			{Facts: Want{"in.return": -1, "in.errno": "EINVAL", "out.return": -1, "out.errno": "EINVAL", Position: 0, kept: fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(13, 1000)
			file := fixture.File(e, p, os.O_RDWR)
			r, _ := loaded(e, p)
			_, w := roomyPipe(e)
			n, errno := e.Kernel.Splice(file.Int(), nil, w.Int(), nil, -1, 0)
			e.Named("in", n, errno)
			n, errno = e.Kernel.Splice(r.Int(), nil, file.Int(), nil, -1, 0)
			e.Named("out", n, errno)
			e.Fact(Position, fixture.Position(e, file))
			holds(e, kept, r, p)
		},
	},
	{
		ID:       "linux/splice/len-huge-between-pipes",
		Title:    "Between two pipes any count is taken, SIZE_MAX too: what is there moves",
		Facility: "splice",
		Level:    Info,
		Sources:  []string{"fs/splice.c, do_splice: no rw_verify_area between pipes"},
		Needs:    []string{"splice/pipe-pipe"},
		Systems:  linuxOnly,
		Caller:   "Do not rely on the kernel to catch a negative count.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: gvisorNegative,
				Known: gvisorSource + "sentry/syscalls/linux/sys_splice.go#L39-L50",
				Facts: Want{Bytes: "cut off at 0 of 1000", Errno: "EINVAL", "queued": 1000, Return: -1}},
			{Facts: Want{Return: 1000, Errno: "", Bytes: fixture.Right, "queued": 0}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(14, 1000)
			r, _ := loaded(e, p)
			r2, w2 := roomyPipe(e)
			e.Answer(e.Kernel.Splice(r.Int(), nil, w2.Int(), nil, -1, 0))
			e.Arrived(fixture.ReadReady(e, r2, 1001), p)
			e.Fact("queued", fixture.Queued(e, r))
		},
	},
	{
		ID:       "linux/splice/append-einval",
		Title:    "A destination in append mode is EINVAL, opened so or set so later; the pipe keeps its bytes",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"splice(2), ERRORS EINVAL (append mode)", "LTP splice03", "axboe/liburing#291", "Rust copies_append_mode_sink"},
		Covers:   []string{"linux/splice/append-einval", "bug/K08-make-sets-append-on-tty"},
		Needs:    []string{"splice/pipe-file"},
		Systems:  linuxOnly,
		Caller:   "On EINVAL copy with read and write: another process can set O_APPEND on a shared description at any time.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: gvisorAppends,
				Known: gvisorSource + "sentry/syscalls/linux/sys_splice.go#L57-L104",
				Facts: Want{
					"before.errno": "", "before.return": 100, Bytes: "wrong from 0 of 200", "copied": 100, kept: "wrong from 0 of 800", Offset: 100,
					"offset.errno": "", "offset.return": 100, "opened.errno": "", "opened.return": 100, "set.errno": "", "set.return": 100,
				}},
			{Facts: Want{"opened.return": -1, "opened.errno": "EINVAL", "before.return": 100, "before.errno": "",
				"set.return": -1, "set.errno": "EINVAL", "offset.return": -1, "offset.errno": "EINVAL", Offset: 0,
				kept: fixture.Right, "copied": 100, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(15, 1000)
			r, w := loaded(e, p)
			w.Close() // nothing waits for more, whatever becomes of the bytes
			appending := fixture.File(e, nil, os.O_WRONLY|os.O_APPEND)
			n, errno := e.Kernel.Splice(r.Int(), nil, appending.Int(), nil, 100, 0)
			e.Named("opened", n, errno)

			file := fixture.File(e, nil, os.O_RDWR)
			n, errno = e.Kernel.Splice(r.Int(), nil, file.Int(), nil, 100, 0)
			e.Named("before", n, errno)
			other, errno := sys.Dup(file.Int()) // as another process has it
			if errno != 0 {
				e.Fatalf("dup: %w", error(errno))
			}
			fixture.Append(e, fixture.Adopt(e, other))
			n, errno = e.Kernel.Splice(r.Int(), nil, file.Int(), nil, 100, 0)
			e.Named("set", n, errno)
			offset := int64(0)
			n, errno = e.Kernel.Splice(r.Int(), nil, file.Int(), &offset, 100, 0)
			e.Named("offset", n, errno)
			e.Fact(Offset, offset)

			// The way round: read and write.
			q := fixture.ReadN(e, r, 100)
			n, _ = e.Kernel.Write(file.Int(), q)
			e.Fact("copied", n)
			e.Arrived(fixture.Contents(e, file), p[:200])
			holds(e, kept, r, p[200:])
		},
	},
	{
		ID:       "linux/splice/offset-fault-efault",
		Title:    "An offset in memory that cannot be read is EFAULT before anything moves",
		Facility: "splice",
		Level:    Should,
		Sources:  []string{"fs/splice.c, __do_splice: copy_from_user"},
		Needs:    []string{"splice/file-pipe", "splice/pipe-file"},
		Systems:  linuxOnly,
		Caller:   "A mistake of the program; nothing was moved.",
		Expect: []Expectation{
			{Facts: Want{"in.return": -1, "in.errno": "EFAULT", "out.return": -1, "out.errno": "EFAULT", Bytes: fixture.Right, kept: fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(16, 1000)
			file := fixture.File(e, p, os.O_RDWR)
			r, w := loaded(e, p)
			offset := fixture.Guarded(e, sys.NoAccess)
			n, errno := e.Kernel.Splice(file.Int(), offset, w.Int(), nil, 100, 0)
			e.Named("in", n, errno)
			n, errno = e.Kernel.Splice(r.Int(), nil, file.Int(), offset, 100, 0)
			e.Named("out", n, errno)
			e.Arrived(fixture.Contents(e, file), p)
			holds(e, kept, r, p)
		},
	},
	{
		ID:       "linux/splice/rlimit-fsize-efbig",
		Title:    "At RLIMIT_FSIZE splice writes up to the limit, then EFBIG and SIGXFSZ; the pipe keeps the rest",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"write(2), ERRORS EFBIG", "gVisor SpliceTest.FromPipeMaxFileSize", "fs/read_write.c, generic_write_check_limits"},
		Covers:   []string{"linux/splice/rlimit-fsize-efbig"},
		Needs:    []string{"splice/pipe-file"},
		Systems:  linuxOnly,
		Alone:    true,
		Caller:   "Ignore or handle SIGXFSZ; what was not written is still in the pipe.",
		Expect: []Expectation{
			{Facts: Want{"first.return": 5000, "first.errno": "", "second.return": -1, "second.errno": "EFBIG", "raised": true,
				Position: 5000, Bytes: fixture.Right, kept: fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(17, 8192)
			file := fixture.File(e, nil, os.O_RDWR)
			r, _ := loaded(e, p)
			fixture.LimitFileSize(e, 5000)
			n, errno := e.Kernel.Splice(r.Int(), nil, file.Int(), nil, len(p), 0)
			e.Named("first", n, errno)
			e.Fact("raised", fixture.Raises(e, sys.FileSizeLimit, func() {
				n, errno = e.Kernel.Splice(r.Int(), nil, file.Int(), nil, len(p), 0)
			}))
			e.Named("second", n, errno)
			e.Fact(Position, fixture.Position(e, file))
			e.Arrived(fixture.Contents(e, file), p[:5000])
			holds(e, kept, r, p[5000:])
		},
	},
	{
		ID:       "linux/splice/large-file-copy-identical",
		Title:    "A large file goes through a pipe into another without a changed byte",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"xfstests generic/249", "LTP splice02", "netty spliceToFile", "axboe/liburing#278"},
		Covers:   []string{"linux/splice/large-file-copy-identical", "bug/K20-short-splice-4096"},
		Needs:    []string{"splice/file-pipe", "splice/pipe-file"},
		Systems:  linuxOnly,
		Caller:   "Loop over short counts: neither call promises to move all that it is asked to.",
		Expect:   []Expectation{{Facts: Want{"total": 4 * largeSize, Bytes: fixture.Right}}},
		Body: func(e *Env) {
			// Four copies at a time, so that they disturb each other.
			content := fixture.Pattern(18, largeSize)
			type outcome struct {
				total int
				file  *fixture.FD
			}
			results := make(chan outcome)
			for range 4 {
				in, out := fixture.MemoryFile(e, content), fixture.MemoryFile(e, nil)
				r, w := fixture.Pipe(e)
				go func() {
					total := 0
					for {
						n, errno := e.Kernel.Splice(in.Int(), nil, w.Int(), nil, largeSize, 0)
						if n <= 0 || errno != 0 {
							break
						}
						for n > 0 {
							k, errno := e.Kernel.Splice(r.Int(), nil, out.Int(), nil, n, 0)
							if k <= 0 || errno != 0 {
								break
							}
							n, total = n-k, total+k
						}
						if n > 0 {
							break
						}
					}
					results <- outcome{total, out}
				}()
			}
			total, verdict := 0, fixture.Right
			for range 4 {
				o := <-results
				total += o.total
				if v := fixture.Compare(fixture.Contents(e, o.file), content); v != fixture.Right {
					verdict = v
				}
			}
			e.Fact("total", total)
			e.Fact(Bytes, verdict)
		},
	},
}

// largeSize is what each of four copies moves: 32 MiB and some in all.
const largeSize = 8<<20 + 777
