package cases

import (
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// Where a call reads, and what it leaves in the offset and the file position.
var sendfileOffset = []*Case{
	{
		ID:       "linux/sendfile/offset-pointer-leaves-file-position",
		Title:    "With an offset pointer, sendfile reads from there, moves the offset by what it sent, and leaves the file position alone",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2), DESCRIPTION", "LTP sendfile02", "gVisor SendAndUpdateGivenOffset"},
		Covers:   []string{"linux/sendfile/offset-pointer-leaves-file-position"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "Take the offset as the count of what was sent; do not seek.",
		Expect: []Expectation{
			{Facts: Want{Return: 500, Errno: "", Offset: 1500, Position: 7, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 4000)
			file := fixture.File(e, content, os.O_RDONLY)
			fixture.SetPosition(e, file, 7)
			a, b := fixture.TCP(e)
			offset := int64(1000)
			e.Answer(e.Kernel.Sendfile(a.Int(), file.Int(), &offset, 500))
			e.Fact(Offset, offset)
			e.Fact(Position, fixture.Position(e, file))
			e.Arrived(fixture.ReadN(e, b, 500), content[1000:1500])
		},
	},
	{
		ID:       "linux/sendfile/null-offset-advances-file-position",
		Title:    "Without an offset pointer, sendfile reads at the file position and moves it by what it sent",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2), DESCRIPTION", "LTP sendfile06", "gVisor SendAndUpdateFileOffsetFromNonzeroStartingPoint", "Go net TestSendfileSeeked"},
		Covers:   []string{"linux/sendfile/null-offset-advances-file-position"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "Do not share such a descriptor between goroutines or processes: they share one position.",
		Expect: []Expectation{
			{Facts: Want{Return: 500, Errno: "", Position: 1500, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 4000)
			file := fixture.File(e, content, os.O_RDONLY)
			fixture.SetPosition(e, file, 1000)
			a, b := fixture.TCP(e)
			e.Answer(e.Kernel.Sendfile(a.Int(), file.Int(), nil, 500))
			e.Fact(Position, fixture.Position(e, file))
			e.Arrived(fixture.ReadN(e, b, 500), content[1000:1500])
		},
	},
	{
		ID:       "linux/sendfile/parts-join-exactly",
		Title:    "Calls in a row without an offset pointer, from a position in the file to its exact end, send every byte once",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2), DESCRIPTION", "Go net TestSendfileSeeked, TestSendfileParts, TestSendfileWithExactLimit"},
		Covers:   []string{"suite/go/seeked, parts, exact-limit"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "Go on where the last call ended; there is nothing to add up.",
		Expect: []Expectation{
			{Facts: Want{"odd.return": 3, "page.return": 4096, "rest.return": 1890, "end.return": 0, "end.errno": "", Position: 6000, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 6000)
			file := fixture.File(e, content, os.O_RDONLY)
			fixture.SetPosition(e, file, 11)
			a, b := fixture.TCP(e)
			send := func(name string, count int) {
				n, errno := e.Kernel.Sendfile(a.Int(), file.Int(), nil, count)
				e.Named(name, n, errno)
			}
			send("odd", 3)
			send("page", 4096)
			send("rest", 6000-11-3-4096) // its exact rest
			send("end", 1)
			e.Fact(Position, fixture.Position(e, file))
			e.Arrived(fixture.ReadN(e, b, 6000-11), content[11:])
		},
	},
	{
		ID:       "linux/sendfile/duplicates-share-position",
		Title:    "A duplicated descriptor shares the position that sendfile moves, and a second open of the file does not",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"open(2), NOTES: open file descriptions", "sendfile(2), DESCRIPTION"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "Hand an offset pointer in where a file is sent to several peers.",
		Expect: []Expectation{
			{Facts: Want{Return: 300, "duplicate.position": 300, "second.position": 0, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 1000)
			file, path := fixture.NamedFile(e, content, os.O_RDONLY)
			duplicate, errno := sys.Dup(file.Int())
			if errno != 0 {
				e.Fatalf("dup: %w", errno)
			}
			copied, second := fixture.Adopt(e, duplicate), fixture.Open(e, path, os.O_RDONLY)
			a, b := fixture.TCP(e)
			e.Answer(e.Kernel.Sendfile(a.Int(), file.Int(), nil, 300))
			e.Fact("duplicate.position", fixture.Position(e, copied))
			e.Fact("second.position", fixture.Position(e, second))
			e.Arrived(fixture.ReadN(e, b, 300), content[:300])
		},
	},
	{
		ID:       "linux/sendfile/at-eof-returns-zero",
		Title:    "At the end of the file and far behind it, sendfile returns 0, moves no offset and sends nothing",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2), RETURN VALUE", "CPython test_os test_offset_overflow", "gVisor SendPipeEOF"},
		Covers:   []string{"linux/sendfile/at-eof-returns-zero", "suite/cpython/offset-overflow"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "Where more bytes were promised, 0 means that the file was cut short: stop, or the loop spins.",
		Expect: []Expectation{
			{Facts: Want{
				"at.return": 0, "at.errno": "", "at.offset": 1000,
				"far.return": 0, "far.errno": "", "far.offset": 1_000_000_000,
				"null.return": 0, "null.errno": "", Position: 1000, "queued": 0,
			}},
		},
		Body: func(e *Env) {
			file := fixture.File(e, fixture.Pattern(1, 1000), os.O_RDONLY)
			a, b := fixture.TCP(e)
			for name, offset := range map[string]int64{"at": 1000, "far": 1_000_000_000} {
				n, errno := e.Kernel.Sendfile(a.Int(), file.Int(), &offset, 100)
				e.Named(name, n, errno)
				e.Fact(name+"."+Offset, offset)
			}
			fixture.SetPosition(e, file, 1000)
			n, errno := e.Kernel.Sendfile(a.Int(), file.Int(), nil, 100)
			e.Named("null", n, errno)
			e.Fact(Position, fixture.Position(e, file))
			e.Fact("queued", fixture.Queued(e, b))
		},
	},
	{
		ID:       "linux/sendfile/negative-offset-einval",
		Title:    "A negative offset is refused with EINVAL, and nothing moves",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2), ERRORS: EINVAL", "LTP sendfile05", "gVisor InvalidOffset"},
		Covers:   []string{"linux/sendfile/negative-offset-einval"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "A mistake of the caller; check offsets that come from outside.",
		Expect: []Expectation{
			{Facts: Want{
				"one.return": -1, "one.errno": "EINVAL", "one.offset": -1,
				"least.return": -1, "least.errno": "EINVAL", "least.offset": int64(-1 << 63),
				Position: 7, "queued": 0,
			}},
		},
		Body: func(e *Env) {
			file := fixture.File(e, fixture.Pattern(1, 1000), os.O_RDONLY)
			fixture.SetPosition(e, file, 7)
			a, b := fixture.TCP(e)
			for name, offset := range map[string]int64{"one": -1, "least": -1 << 63} {
				n, errno := e.Kernel.Sendfile(a.Int(), file.Int(), &offset, 10)
				e.Named(name, n, errno)
				e.Fact(name+"."+Offset, offset)
			}
			e.Fact(Position, fixture.Position(e, file))
			e.Fact("queued", fixture.Queued(e, b))
		},
	},
	{
		ID:       "linux/sendfile/offset-plus-count-overflow-einval",
		Title:    "An offset and a count that cross 2^63 together are refused with EINVAL, and the last place before it is not",
		Facility: "sendfile",
		Level:    Must,
		// The manual page has EOVERFLOW here. That comes from a later check against
		// the size limits of the two filesystems; the sum is looked at first.
		Sources: []string{"Linux fs/read_write.c, rw_verify_area", "gVisor SendFileTest Overflow"},
		Covers:  []string{"linux/sendfile/offset-plus-count-overflow-einval"},
		Needs:   []string{"sendfile/file-tcp"},
		Systems: linuxOnly,
		Caller:  "Cap a count by what the file holds; do not pass the largest number for \"until the end\" with an offset.",
		Expect: []Expectation{
			{Facts: Want{
				"across.return": -1, "across.errno": "EINVAL", "across.offset": int64(1<<63 - 2),
				"behind.errno": OneOf{"", "EOVERFLOW"}, "behind.offset": int64(1<<63 - 2), "queued": 0,
			}},
		},
		Body: func(e *Env) {
			file := fixture.File(e, fixture.Pattern(1, 1000), os.O_RDONLY)
			a, b := fixture.TCP(e)
			for name, count := range map[string]int{"across": 3, "behind": 1} {
				offset := int64(1<<63 - 2)
				n, errno := e.Kernel.Sendfile(a.Int(), file.Int(), &offset, count)
				e.Named(name, n, errno) // "behind": 0, or EOVERFLOW where the filesystem ends before that place
				e.Fact(name+"."+Offset, offset)
			}
			e.Fact("queued", fixture.Queued(e, b))
		},
	},
	{
		ID:       "linux/sendfile/offset-behind-size-limit-eoverflow",
		Title:    "An offset at the size limit of the smaller of the two filesystems is refused with EOVERFLOW, and a count that crosses it is cut there",
		Facility: "sendfile",
		Level:    Should,
		// A terminal lives on devpts, which sets no limit of its own and so has
		// 2^31-1 (alloc_super in fs/super.c): the output limits the input.
		Sources: []string{"sendfile(2), ERRORS: EOVERFLOW", "Linux fs/read_write.c, do_sendfile: max, s_maxbytes", "Linux fs/super.c, alloc_super: MAX_NON_LFS"},
		Needs:   []string{"sendfile/file-tcp"},
		Systems: linuxOnly,
		Caller:  "Fall back to read and write: the limit is not that of the file.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: "its filesystems have no size limit that sendfile asks for (Sendfile)",
				Known: gvisorSource + "sentry/syscalls/linux/sys_splice.go#L318-L349",
				Facts: Want{
					"across.errno": "", "across.offset": int64(1<<31 + 3), "across.return": 5, "at.errno": "", "at.offset": int64(1<<31 + 4), "at.return": 5,
					Bytes: "wrong from 0 of 1",
				}},
			{Facts: Want{"at.return": -1, "at.errno": "EOVERFLOW", "at.offset": int64(1<<31 - 1), "across.return": 1, "across.errno": "", "across.offset": int64(1<<31 - 1), Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			const limit = 1<<31 - 1
			file := fixture.Sparse(e, 3<<30)
			fixture.Overwrite(e, file, []byte("limit"), limit-1)
			master, slave := terminal(e)
			for _, c := range []struct {
				name   string
				offset int64
			}{{"at", limit}, {"across", limit - 1}} {
				n, errno := e.Kernel.Sendfile(slave.Int(), file.Int(), &c.offset, 5)
				e.Named(c.name, n, errno)
				e.Fact(c.name+"."+Offset, c.offset)
			}
			e.Arrived(fixture.ReadN(e, master, 1), []byte("l"))
		},
	},
	{
		ID:       "linux/sendfile/large-offset-over-4g",
		Title:    "Offsets and positions beyond 2 and 4 GiB are honoured to the byte",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2), HISTORY: sendfile64", "LTP sendfile09", "Linux commit 5d73320a96fcc"},
		Covers:   []string{"linux/sendfile/large-offset-over-4g"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "On 32-bit systems use sendfile64.",
		Expect: []Expectation{
			{Facts: Want{"3g.return": 4000, "3g.errno": "", Offset: int64(3<<30 + 4000), "3g.bytes": fixture.Right,
				"4g.return": 4000, "4g.errno": "", Position: int64(4<<30 + 5 + 4000), "4g.bytes": fixture.Right}},
		},
		Body: func(e *Env) {
			file := fixture.Sparse(e, 5<<30)
			low, high := fixture.Pattern(1, 4000), fixture.Pattern(2, 4000)
			fixture.Overwrite(e, file, low, 3<<30)
			fixture.Overwrite(e, file, high, 4<<30+5)
			a, b := fixture.TCP(e)
			offset := int64(3 << 30)
			n, errno := e.Kernel.Sendfile(a.Int(), file.Int(), &offset, 4000)
			e.Named("3g", n, errno)
			e.Fact(Offset, offset)
			e.Fact("3g.bytes", fixture.Compare(fixture.ReadN(e, b, 4000), low))
			fixture.SetPosition(e, file, 4<<30+5)
			n, errno = e.Kernel.Sendfile(a.Int(), file.Int(), nil, 4000)
			e.Named("4g", n, errno)
			e.Fact(Position, fixture.Position(e, file))
			e.Fact("4g.bytes", fixture.Compare(fixture.ReadN(e, b, 4000), high))
		},
	},
}
