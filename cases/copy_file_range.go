package cases

import (
	"bytes"
	"math"
	"os"
	"time"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

var copyFileRangeCases = []*Case{
	{
		ID:       "linux/copy_file_range/offset-matrix",
		Title:    "Each side takes an offset or its file position, and moves what it took by what was copied and nothing else",
		Facility: "copy_file_range",
		Level:    Must,
		Sources:  []string{"copy_file_range(2), DESCRIPTION", "LTP copy_file_range01", "CPython test_copy_file_range_offset", "xfstests generic/430 to 433", "libuv/libuv#3056"},
		Covers:   []string{"linux/copy_file_range/offset-matrix", "bug/R01-libuv-cfr-offset"},
		Needs:    []string{"copy_file_range/same-filesystem"},
		Systems:  linuxOnly,
		Caller:   "Pass both offsets where files are shared; loop over short counts.",
		// Of 9999 bytes of 10,000 whole blocks are shared: 8192.
		Expect: append(sharingBlocks(offsetMatrix(OneOf{3, 4})), Expectation{Facts: offsetMatrix(4)}),
		Body: func(e *Env) {
			const count = 4097
			p, q := fixture.Pattern(1, 10_000), fixture.Pattern(2, 10_000)
			for _, side := range []struct {
				name    string
				in, out bool // by offset
			}{{"null-null", false, false}, {"null-off", false, true}, {"off-null", true, false}, {"off-off", true, true}} {
				in, out := fixture.File(e, p, os.O_RDONLY), fixture.File(e, q, os.O_RDWR)
				fixture.SetPosition(e, in, 10)
				fixture.SetPosition(e, out, 20)
				var inOffset, outOffset *int64
				from, to := 10, 20
				if side.in {
					from, inOffset = 499, new(int64(499))
				}
				if side.out {
					to, outOffset = 1000, new(int64(1000))
				}
				n, errno := e.Kernel.CopyFileRange(in.Int(), inOffset, out.Int(), outOffset, count, 0)
				e.Named(side.name, n, errno)
				e.Fact(side.name+".in", fixture.Position(e, in))
				e.Fact(side.name+".out", fixture.Position(e, out))
				if side.in {
					e.Fact(side.name+".in-offset", *inOffset)
				}
				if side.out {
					e.Fact(side.name+".out-offset", *outOffset)
				}
				want := bytes.Clone(q)
				copy(want[to:], p[from:from+count])
				e.Fact(side.name+"."+Bytes, fixture.Compare(fixture.Contents(e, out), want))
			}
			right := 0
			for _, count := range []int{1, 511, 4095, 9999} {
				in, out := fixture.File(e, p, os.O_RDONLY), fixture.File(e, nil, os.O_RDWR)
				n, _ := e.Kernel.CopyFileRange(in.Int(), nil, out.Int(), nil, count, 0)
				if n == count && bytes.Equal(fixture.Contents(e, out), p[:count]) {
					right++
				}
			}
			e.Fact("odd-lengths", right)
		},
	},
	{
		ID:       "linux/copy_file_range/eof",
		Title:    "A count beyond the end is short, at the end it is zero; neither offset moves then",
		Facility: "copy_file_range",
		Level:    Must,
		Sources:  []string{"copy_file_range(2), RETURN VALUE", "xfstests generic/430"},
		Needs:    []string{"copy_file_range/same-filesystem"},
		Systems:  linuxOnly,
		Caller:   "Zero is the end of the source, except where the source has no size: see the pseudo-files.",
		Expect: []Expectation{
			{Facts: Want{Return: 1000, Errno: "", Bytes: fixture.Right, "end.return": 0, "end.errno": "", "past.return": 0, "past.errno": "",
				"in": 10_000, "out": 1000}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(3, 10_000)
			in, out := fixture.File(e, p, os.O_RDONLY), fixture.File(e, nil, os.O_RDWR)
			from, to := int64(9000), int64(0)
			e.Answer(e.Kernel.CopyFileRange(in.Int(), &from, out.Int(), &to, 1<<20, 0))
			n, errno := e.Kernel.CopyFileRange(in.Int(), &from, out.Int(), &to, 1<<20, 0)
			e.Named("end", n, errno)
			past := int64(20_000)
			n, errno = e.Kernel.CopyFileRange(in.Int(), &past, out.Int(), &to, 1<<20, 0)
			e.Named("past", n, errno)
			e.Fact("in", from)
			e.Fact("out", to)
			e.Arrived(fixture.Contents(e, out), p[9000:])
		},
	},
	{
		ID:       "linux/copy_file_range/flags-nonzero",
		Title:    "Any flag is EINVAL, and nothing is copied",
		Facility: "copy_file_range",
		Level:    Must,
		Sources:  []string{"copy_file_range(2), ERRORS EINVAL", "LTP copy_file_range02"},
		Covers:   []string{"linux/copy_file_range/flags-nonzero"},
		Needs:    []string{"copy_file_range/same-filesystem"},
		Systems:  linuxOnly,
		Caller:   "Pass zero.",
		Expect:   []Expectation{{Facts: Want{"one": "EINVAL", "high": "EINVAL", "all": "EINVAL", Position: 0, Bytes: fixture.Right}}},
		Body: func(e *Env) {
			in, out := fixture.File(e, fixture.Pattern(4, 100), os.O_RDONLY), fixture.File(e, nil, os.O_RDWR)
			for name, flags := range map[string]int{"one": 1, "high": 1 << 30, "all": -1} {
				_, errno := e.Kernel.CopyFileRange(in.Int(), nil, out.Int(), nil, 100, flags)
				e.Fact(name, sys.ErrnoName(errno))
			}
			e.Fact(Position, fixture.Position(e, in))
			e.Arrived(fixture.Contents(e, out), nil)
		},
	},
	{
		ID:       "linux/copy_file_range/append-ebadf",
		Title:    "A destination in append mode is EBADF, where sendfile and splice say EINVAL",
		Facility: "copy_file_range",
		Level:    Must,
		Sources:  []string{"copy_file_range(2), ERRORS EBADF", "LTP copy_file_range02", "xfstests generic/434, generic/564", "rust-lang/rust#82410", "golang/go#60181"},
		Covers:   []string{"linux/copy_file_range/append-ebadf"},
		Needs:    []string{"copy_file_range/same-filesystem", "splice/pipe-file", "sendfile/file-file"},
		Systems:  linuxOnly,
		Caller:   "Do not take EBADF for a broken descriptor here: copy with read and write.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: gvisorAppends,
				Known: gvisorSource + "sentry/syscalls/linux/sys_splice.go#L57-L104",
				Facts: Want{Bytes: "100 bytes too many", Errno: "EBADF", Position: 0, Return: -1, "sendfile.errno": "EINVAL", "splice.errno": ""}},
			{Facts: Want{Return: -1, Errno: "EBADF", "sendfile.errno": "EINVAL", "splice.errno": "EINVAL", Position: 0, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			p, q := fixture.Pattern(5, 100), fixture.Pattern(6, 10)
			in := fixture.File(e, p, os.O_RDONLY)
			out, path := fixture.NamedFile(e, q, os.O_WRONLY|os.O_APPEND)
			r, _ := loaded(e, p)
			e.Answer(e.Kernel.CopyFileRange(in.Int(), nil, out.Int(), nil, 100, 0))
			_, errno := e.Kernel.Sendfile(out.Int(), in.Int(), nil, 100)
			e.Fact("sendfile.errno", sys.ErrnoName(errno))
			_, errno = e.Kernel.Splice(r.Int(), nil, out.Int(), nil, 100, 0)
			e.Fact("splice.errno", sys.ErrnoName(errno))
			e.Fact(Position, fixture.Position(e, in))
			e.Arrived(fixture.Content(e, path), q)
		},
	},
	{
		ID:       "linux/copy_file_range/modes-ebadf",
		Title:    "A descriptor that is closed or of the wrong mode is EBADF",
		Facility: "copy_file_range",
		Level:    Must,
		Sources:  []string{"copy_file_range(2), ERRORS EBADF", "LTP copy_file_range02", "xfstests generic/564"},
		Covers:   []string{"linux/copy_file_range/modes-ebadf"},
		Needs:    []string{"copy_file_range/same-filesystem"},
		Systems:  linuxOnly,
		Caller:   "A mistake of the program.",
		Expect: []Expectation{
			{Facts: Want{"in-closed": "EBADF", "out-closed": "EBADF", "in-write-only": "EBADF", "out-read-only": "EBADF", Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			p, q := fixture.Pattern(7, 100), fixture.Pattern(8, 100)
			in, out := fixture.File(e, p, os.O_RDONLY), fixture.File(e, q, os.O_RDWR)
			writeOnly := fixture.File(e, p, os.O_WRONLY)
			for _, pair := range []struct {
				name    string
				in, out int
			}{
				{"in-closed", -1, out.Int()}, {"out-closed", in.Int(), -1},
				{"in-write-only", writeOnly.Int(), out.Int()}, {"out-read-only", out.Int(), in.Int()},
			} {
				_, errno := e.Kernel.CopyFileRange(pair.in, nil, pair.out, nil, 100, 0)
				e.Fact(pair.name, sys.ErrnoName(errno))
			}
			e.Arrived(fixture.Contents(e, out), q)
		},
	},
	{
		ID:       "linux/copy_file_range/directory-eisdir",
		Title:    "A directory on either side is EISDIR, where sendfile says EINVAL",
		Facility: "copy_file_range",
		Level:    Must,
		Sources:  []string{"copy_file_range(2), ERRORS EISDIR", "LTP copy_file_range02", "xfstests generic/564"},
		Covers:   []string{"linux/copy_file_range/directory-eisdir"},
		Needs:    []string{"copy_file_range/same-filesystem", "sendfile/file-file"},
		Systems:  linuxOnly,
		Caller:   "A mistake of the program.",
		Expect:   []Expectation{{Facts: Want{"in": "EISDIR", "out": "EISDIR", "sendfile": "EINVAL", Bytes: fixture.Right}}},
		Body: func(e *Env) {
			p := fixture.Pattern(9, 100)
			file, directory := fixture.File(e, p, os.O_RDWR), fixture.Directory(e)
			_, errno := e.Kernel.CopyFileRange(directory.Int(), nil, file.Int(), nil, 100, 0)
			e.Fact("in", sys.ErrnoName(errno))
			_, errno = e.Kernel.CopyFileRange(file.Int(), nil, directory.Int(), nil, 100, 0)
			e.Fact("out", sys.ErrnoName(errno))
			_, errno = e.Kernel.Sendfile(file.Int(), directory.Int(), nil, 100)
			e.Fact("sendfile", sys.ErrnoName(errno))
			e.Arrived(fixture.Contents(e, file), p)
		},
	},
	{
		ID:       "linux/copy_file_range/nonregular-einval",
		Title:    "A pipe, a socket or a device on either side is EINVAL",
		Facility: "copy_file_range",
		Level:    Must,
		Sources:  []string{"copy_file_range(2), ERRORS EINVAL", "LTP copy_file_range02", "xfstests generic/434, generic/564", "Go internal/poll"},
		Covers:   []string{"linux/copy_file_range/nonregular-einval"},
		Needs:    []string{"copy_file_range/same-filesystem"},
		Systems:  linuxOnly,
		Caller:   "Fall back to splice or sendfile.",
		Expect: []Expectation{
			{Facts: Want{"pipe.in": "EINVAL", "pipe.out": "EINVAL", "socket.in": "EINVAL", "socket.out": "EINVAL",
				"null.in": "EINVAL", "null.out": "EINVAL", Position: 0, kept: fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(10, 100)
			file := fixture.File(e, p, os.O_RDWR)
			r, w := loaded(e, p)
			a, b := fixture.TCP(e)
			fixture.WriteAll(e, b, p)
			null := fixture.Open(e, os.DevNull, os.O_RDWR)
			for _, kind := range []struct {
				name    string
				in, out *fixture.FD
			}{{"pipe", r, w}, {"socket", a, a}, {"null", null, null}} {
				_, errno := e.Kernel.CopyFileRange(kind.in.Int(), nil, file.Int(), nil, 100, 0)
				e.Fact(kind.name+".in", sys.ErrnoName(errno))
				_, errno = e.Kernel.CopyFileRange(file.Int(), nil, kind.out.Int(), nil, 100, 0)
				e.Fact(kind.name+".out", sys.ErrnoName(errno))
			}
			e.Fact(Position, fixture.Position(e, file))
			holds(e, kept, r, p)
		},
	},
	{
		ID:       "linux/copy_file_range/overlap-einval",
		Title:    "Within one file overlapping ranges are EINVAL, ranges that touch are copied",
		Facility: "copy_file_range",
		Level:    Must,
		Sources:  []string{"copy_file_range(2), ERRORS EINVAL", "LTP copy_file_range02", "xfstests generic/564", "Go TestCopyFileItself", "openjdk/jdk#5061"},
		Covers:   []string{"linux/copy_file_range/overlap-einval", "bug/K30-overlap-same-file"},
		Needs:    []string{"copy_file_range/same-filesystem"},
		Systems:  linuxOnly,
		Caller:   "Copy overlapping ranges with read and write, from the right end.",
		Expect: []Expectation{
			{Since: "5.3", Why: "checked for all filesystems since 96e6e8f4a68d",
				Facts: Want{"overlap.return": -1, "overlap.errno": "EINVAL", "same.return": -1, "same.errno": "EINVAL",
					"overlap.in": 0, "overlap.out": 999, "touching.return": 1000, "touching.errno": "", Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(11, 4000)
			file := fixture.File(e, p, os.O_RDWR)
			want := bytes.Clone(p)
			copy(want[1000:2000], p[:1000])
			for _, part := range []struct {
				name string
				to   int64
			}{{"overlap", 999}, {"same", 0}, {"touching", 1000}} {
				from, to := int64(0), part.to
				n, errno := e.Kernel.CopyFileRange(file.Int(), &from, file.Int(), &to, 1000, 0)
				e.Named(part.name, n, errno)
				e.Fact(part.name+".in", from)
				e.Fact(part.name+".out", to)
			}
			e.Arrived(fixture.Contents(e, file), want)
		},
	},
	{
		ID:       "linux/copy_file_range/overflow",
		Title:    "A range that leaves the numbers is EOVERFLOW, as is a negative offset; one beyond the largest file is EFBIG",
		Facility: "copy_file_range",
		Level:    Should,
		Sources:  []string{"copy_file_range(2), ERRORS EOVERFLOW and EFBIG", "LTP copy_file_range02", "xfstests generic/564", "fs/read_write.c, generic_copy_file_checks"},
		Covers:   []string{"linux/copy_file_range/overflow"},
		Needs:    []string{"copy_file_range/same-filesystem"},
		Systems:  linuxOnly,
		Caller:   "Check offsets and counts before the call.",
		Expect: []Expectation{
			{Arch: "arm", Since: "5.3", Why: wrapsNever,
				Facts: Want{"wrap": "", "negative.in": "EOVERFLOW", "negative.out": "EOVERFLOW", "beyond": "EFBIG", Bytes: fixture.Right}},
			{Arch: "386", Since: "5.3", Why: wrapsNever,
				Facts: Want{"wrap": "", "negative.in": "EOVERFLOW", "negative.out": "EOVERFLOW", "beyond": "EFBIG", Bytes: fixture.Right}},
			{Since: "5.3", Why: "checked since 96e6e8f4a68d",
				Facts: Want{"wrap": "EOVERFLOW", "negative.in": "EOVERFLOW", "negative.out": "EOVERFLOW", "beyond": "EFBIG", Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			p, q := fixture.Pattern(12, 100), fixture.Pattern(13, 100)
			in, out := fixture.File(e, p, os.O_RDONLY), fixture.File(e, q, os.O_RDWR)
			for _, ask := range []struct {
				name     string
				from, to int64
				count    int
			}{
				{"wrap", math.MaxInt64 - 10, 0, -1},
				{"negative.in", -1, 0, 10},
				{"negative.out", 0, -1, 10},
				{"beyond", 0, math.MaxInt64, 10},
			} {
				from, to := ask.from, ask.to
				_, errno := e.Kernel.CopyFileRange(in.Int(), &from, out.Int(), &to, ask.count, 0)
				e.Fact(ask.name, sys.ErrnoName(errno))
			}
			e.Arrived(fixture.Contents(e, out), q)
		},
	},
	{
		ID:       "linux/copy_file_range/len-clamp",
		Title:    "A count beyond 32 bits is not cut to its low bits",
		Facility: "copy_file_range",
		Level:    Must,
		Sources:  []string{"copy_file_range(2)", "fs/read_write.c, vfs_copy_file_range: MAX_RW_COUNT", "Go asks for at most 0x7ffff000"},
		Covers:   []string{"linux/copy_file_range/len-clamp"},
		Needs:    []string{"copy_file_range/same-filesystem"},
		Systems:  linuxOnly,
		Caller:   "Loop: one call moves at most 0x7ffff000 bytes.",
		Expect:   []Expectation{{Facts: Want{"two-gib": 10_000, "four-gib": 10_000, Bytes: fixture.Right}}},
		Body: func(e *Env) {
			p := fixture.Pattern(14, 10_000)
			in, out := fixture.File(e, p, os.O_RDONLY), fixture.File(e, nil, os.O_RDWR)
			for name, count := range map[string]int64{"two-gib": 1<<31 + 5, "four-gib": 1<<32 + 5} {
				from, to := int64(0), int64(0)
				n, _ := e.Kernel.CopyFileRange(in.Int(), &from, out.Int(), &to, int(min(count, math.MaxInt)), 0)
				e.Fact(name, n)
			}
			e.Arrived(fixture.Contents(e, out), p)
		},
	},
	{
		ID:       "linux/copy_file_range/rlimit",
		Title:    "At RLIMIT_FSIZE what fits is copied, then EFBIG with SIGXFSZ",
		Facility: "copy_file_range",
		Level:    Must,
		Sources:  []string{"copy_file_range(2), ERRORS EFBIG", "xfstests generic/564", "fs/read_write.c, generic_write_check_limits"},
		Covers:   []string{"linux/copy_file_range/rlimit"},
		Needs:    []string{"copy_file_range/same-filesystem"},
		Systems:  linuxOnly,
		Alone:    true,
		Caller:   "Ignore or handle SIGXFSZ.",
		// Where blocks are shared the first call takes one, the second the rest.
		Expect: append(sharingBlocks(Want{"first.return": OneOf{4096, 5000}, "first.errno": "", "second.return": OneOf{904, -1},
			"second.errno": OneOf{"", "EFBIG"}, "raised": OneOf{false, true}, Position: 5000, Bytes: fixture.Right}),
			Expectation{Facts: Want{"first.return": 5000, "first.errno": "", "second.return": -1, "second.errno": "EFBIG", "raised": true,
				Position: 5000, Bytes: fixture.Right}}),
		Body: func(e *Env) {
			p := fixture.Pattern(15, 8192)
			in, out := fixture.File(e, p, os.O_RDONLY), fixture.File(e, nil, os.O_RDWR)
			fixture.LimitFileSize(e, 5000)
			n, errno := e.Kernel.CopyFileRange(in.Int(), nil, out.Int(), nil, len(p), 0)
			e.Named("first", n, errno)
			e.Fact("raised", fixture.Raises(e, sys.FileSizeLimit, func() {
				n, errno = e.Kernel.CopyFileRange(in.Int(), nil, out.Int(), nil, len(p), 0)
			}))
			e.Named("second", n, errno)
			e.Fact(Position, fixture.Position(e, in))
			e.Arrived(fixture.Contents(e, out), p[:5000])
		},
	},
	{
		ID:       "linux/copy_file_range/cross-fs-exdev",
		Title:    "Between two filesystems copy_file_range is EXDEV, and nothing moves",
		Facility: "copy_file_range",
		Level:    Should,
		Sources:  []string{"copy_file_range(2), ERRORS EXDEV, VERSIONS", "kernel commits 5dae222a5ff0, 868f9f2f8e00", "xfstests generic/565", "transmission/transmission#3654", "libuv/libuv#3108"},
		Covers:   []string{"linux/copy_file_range/cross-fs-exdev", "bug/K06-cfr-exdev-5.18.10"},
		Needs:    []string{"copy_file_range/same-filesystem", "memfd/create"},
		Systems:  linuxOnly,
		Caller:   "Always have a way to copy beside it: the answer has changed twice.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: gvisorCrosses,
				Facts: Want{Bytes: fixture.Right, Errno: "", "in": 1000, "out": 1000, Return: 1000}},
			{Until: "5.3", Why: "refused before 5dae222a5ff0",
				Facts: Want{Return: -1, Errno: "EXDEV", "in": 0, "out": 0, Bytes: fixture.Right}},
			{Until: "5.19", Why: "copied since 5dae222a5ff0, refused again since 868f9f2f8e00, which stable releases took up one after the other",
				Facts: Want{Return: OneOf{-1, 1000}, Errno: OneOf{"", "EXDEV"}, Bytes: fixture.Right}},
			{Facts: Want{Return: -1, Errno: "EXDEV", "in": 0, "out": 0, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(16, 1000)
			in, out := fixture.File(e, p, os.O_RDONLY), fixture.MemoryFile(e, nil)
			n, errno := e.Kernel.CopyFileRange(in.Int(), nil, out.Int(), nil, len(p), 0)
			e.Answer(n, errno)
			e.Fact("in", fixture.Position(e, in))
			e.Fact("out", fixture.Position(e, out))
			e.Arrived(fixture.Contents(e, out), p[:max(n, 0)])
		},
	},
	{
		ID:       "linux/copy_file_range/procfs-silent-zero",
		Title:    "From a file of procfs or sysfs copy_file_range does not claim that there was nothing to copy",
		Facility: "copy_file_range",
		Level:    Must,
		Sources:  []string{"copy_file_range(2), BUGS", "kernel commit 868f9f2f8e00", "golang/go#44272", "systemd/systemd#18810", "LWN 846403"},
		Covers:   []string{"linux/copy_file_range/procfs-silent-zero", "bug/K05-cfr-zero-procfs"},
		Needs:    []string{"copy_file_range/same-filesystem"},
		Systems:  linuxOnly,
		Caller:   "Take zero at the first call for \"cannot\" and read the file instead.",
		Expect: []Expectation{
			{Until: "5.3", Why: "refused before 5dae222a5ff0",
				Facts: Want{"proc.return": -1, "proc.errno": "EXDEV", "proc.has": true, "sys.return": -1, "sys.errno": "EXDEV"}},
			{Until: "5.19", Why: "5dae222a5ff0 let it answer zero until 868f9f2f8e00, which stable releases took up one after the other",
				Facts: Want{"proc.return": OneOf{0, -1}, "proc.errno": OneOf{"", "EXDEV"}, "proc.has": true, "sys.return": OneOf{0, -1, 1000}, "sys.errno": OneOf{"", "EXDEV"}}},
			{Facts: Want{"proc.return": -1, "proc.errno": "EXDEV", "proc.has": true, "sys.return": -1, "sys.errno": "EXDEV"}},
		},
		Body: func(e *Env) {
			for name, path := range map[string]string{"proc": "/proc/version", "sys": "/sys/kernel/notes"} {
				in, ok := fixture.Existing(e, path, os.O_RDONLY)
				if !ok {
					e.Skip(SkipPlace)
				}
				out := fixture.File(e, nil, os.O_RDWR)
				n, errno := e.Kernel.CopyFileRange(in.Int(), nil, out.Int(), nil, 1000, 0)
				e.Named(name, n, errno)
				if name == "proc" {
					n, _ = sys.Native().Read(in.Int(), make([]byte, 100))
					e.Fact("proc.has", n > 0)
				}
			}
		},
	},
	{
		ID:       "linux/copy_file_range/mtime",
		Title:    "The copy sets the modification time of the destination and leaves that of the source",
		Facility: "copy_file_range",
		Level:    Must,
		Sources:  []string{"LTP copy_file_range03", "xfstests generic/564"},
		Covers:   []string{"linux/copy_file_range/mtime"},
		Needs:    []string{"copy_file_range/same-filesystem"},
		Systems:  linuxOnly,
		Caller:   "Set the time yourself where the copy is to keep it.",
		Expect:   []Expectation{{Facts: Want{Return: 1000, Errno: "", "advanced": true, "source.same": true}}},
		Body: func(e *Env) {
			in, inPath := fixture.NamedFile(e, fixture.Pattern(17, 1000), os.O_RDONLY)
			out, outPath := fixture.NamedFile(e, fixture.Pattern(18, 1000), os.O_RDWR)
			old := time.Unix(1_000_000_000, 0)
			for _, path := range []string{inPath, outPath} {
				if err := os.Chtimes(path, old, old); err != nil {
					e.Fatalf("utimensat: %w", err)
				}
			}
			e.Answer(e.Kernel.CopyFileRange(in.Int(), nil, out.Int(), nil, 1000, 0))
			e.Fact("advanced", fixture.Status(e, out).ModifiedNS > old.UnixNano())
			e.Fact("source.same", fixture.Status(e, in).ModifiedNS == old.UnixNano())
		},
	},
	{
		ID:       "linux/copy_file_range/sparse-expanded",
		Title:    "Where blocks are not shared a hole in the source becomes zeros that take space in the destination",
		Facility: "copy_file_range",
		Level:    Info,
		Sources:  []string{"copy_file_range(2), NOTES: holes"},
		Covers:   []string{"linux/copy_file_range/sparse-expanded"},
		Needs:    []string{"copy_file_range/same-filesystem"},
		Systems:  linuxOnly,
		Caller:   "Find the holes with SEEK_DATA and SEEK_HOLE and copy between them.",
		Expect:   []Expectation{{Facts: Want{Return: sparseSize, Errno: "", "expanded": true, Bytes: fixture.Right}}},
		Body: func(e *Env) {
			// Others may share blocks or keep holes, each in its own way.
			if name := sys.FilesystemName(e.TempDir()); name != "ext4" && name != "tmpfs" {
				e.Skip(SkipPlace)
			}
			in, out := fixture.Sparse(e, sparseSize), fixture.File(e, nil, os.O_RDWR)
			want := make([]byte, sparseSize)
			p := fixture.Pattern(19, 100)
			copy(want[sparseSize-100:], p)
			fixture.Overwrite(e, in, p, sparseSize-100)
			e.Answer(e.Kernel.CopyFileRange(in.Int(), nil, out.Int(), nil, sparseSize, 0))
			e.Fact("expanded", fixture.Status(e, out).Allocated >= sparseSize)
			e.Arrived(fixture.Contents(e, out), want)
		},
	},
}

// sparseSize is the size of a file with a hole.
const sparseSize = 1 << 20

// wrapsNever: 32 bits of count, added to an offset without a sign.
const wrapsNever = "counts have 32 bits, and the check adds without a sign (generic_copy_file_checks in fs/read_write.c): 2^64 is out of reach"

// sharingBlocks is what holds on filesystems that can share blocks between
// files. There the kernel shares the whole blocks of a range first and returns,
// short, as copy_file_range(2), RETURN VALUE, lets it; only a range without any
// is copied in the same call. Whether blocks can be shared is a choice of
// mkfs.xfs, and of the filesystem below an overlay.
func sharingBlocks(facts Want) (list []Expectation) {
	for _, name := range []string{"btrfs", "overlay", "xfs"} {
		list = append(list, Expectation{Filesystem: name, Facts: facts,
			Why: "blocks are shared where they can be: fs/read_write.c, vfs_copy_file_range; fs/remap_range.c, generic_remap_checks: REMAP_FILE_CAN_SHORTEN, ALIGN_DOWN"})
	}
	return list
}

// offsetMatrix is what the matrix of offsets and positions comes to; odd is how
// many odd counts one call takes whole.
func offsetMatrix(odd any) Want {
	return Want{
		"null-null.return": 4097, "null-null.errno": "", "null-null.in": 4107, "null-null.out": 4117, "null-null.bytes": fixture.Right,
		"null-off.return": 4097, "null-off.errno": "", "null-off.in": 4107, "null-off.out": 20, "null-off.out-offset": 5097, "null-off.bytes": fixture.Right,
		"off-null.return": 4097, "off-null.errno": "", "off-null.in": 10, "off-null.out": 4117, "off-null.in-offset": 4596, "off-null.bytes": fixture.Right,
		"off-off.return": 4097, "off-off.errno": "", "off-off.in": 10, "off-off.out": 20, "off-off.in-offset": 4596, "off-off.out-offset": 5097,
		"off-off.bytes": fixture.Right, "odd-lengths": odd,
	}
}
