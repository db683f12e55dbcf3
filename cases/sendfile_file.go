package cases

import (
	"bytes"
	"math/rand/v2"
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// A file as the destination: where the bytes go.
var sendfileFile = []*Case{
	{
		ID:       "linux/sendfile/file-to-file-allowed",
		Title:    "A regular file is a destination; its position moves by what was written, the source's stays with an offset",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2), DESCRIPTION: since Linux 2.6.33", "LTP sendfile02", "libuv fs_async_sendfile", "CPython test_shutil TestZeroCopySendfile"},
		Covers:   []string{"linux/sendfile/file-to-file-allowed"},
		Needs:    []string{"sendfile/file-file"},
		Systems:  linuxOnly,
		Caller:   "copy_file_range is better between files of one filesystem.",
		Expect: []Expectation{
			{Facts: Want{Return: 9000, Errno: "", Offset: 9010, Position: 7, "out.position": 9000, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 10_000)
			in := fixture.File(e, content, os.O_RDONLY)
			fixture.SetPosition(e, in, 7)
			out := fixture.File(e, nil, os.O_RDWR)
			offset := int64(10)
			e.Answer(e.Kernel.Sendfile(out.Int(), in.Int(), &offset, 9000))
			e.Fact(Offset, offset)
			e.Fact(Position, fixture.Position(e, in))
			e.Fact("out.position", fixture.Position(e, out))
			e.Arrived(fixture.Contents(e, out), content[10:9010])
		},
	},
	{
		ID:       "linux/sendfile/writes-at-output-position",
		Title:    "Output goes to the position of the output, wherever the input is read, over what is there, and cuts nothing off",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"LTP sendfile08", "Linux commit 2cb4b05e76478", "libuv/libuv#3056"},
		Covers:   []string{"linux/sendfile/writes-at-output-position", "bug/R01-libuv-cfr-offset"},
		Needs:    []string{"sendfile/file-file"},
		Systems:  linuxOnly,
		Caller:   "Seek the output first: there is no argument for its offset.",
		Expect: []Expectation{
			{Facts: Want{Return: 5, Errno: "", Offset: 1005, "out.position": 10, "content": fixture.Right}},
		},
		Body: func(e *Env) {
			source, old := fixture.Pattern(1, 2000), fixture.Pattern(2, 100)
			in := fixture.File(e, source, os.O_RDONLY)
			out := fixture.File(e, old, os.O_RDWR)
			fixture.SetPosition(e, out, 5)
			offset := int64(1000)
			e.Answer(e.Kernel.Sendfile(out.Int(), in.Int(), &offset, 5))
			e.Fact(Offset, offset)
			e.Fact("out.position", fixture.Position(e, out))
			want := bytes.Clone(old)
			copy(want[5:], source[1000:1005])
			e.Fact("content", fixture.Compare(fixture.Contents(e, out), want))
		},
	},
	{
		ID:       "linux/sendfile/large-file-copy",
		Title:    "A file of more than 16 MiB arrives in another whole, at odd offsets too",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"telegramdesktop/tdesktop#17324", "eclipse-vertx/vert.x#489"},
		Covers:   []string{"bug/R18-telegram-revert", "bug/R21-vert.x-truncate"},
		Needs:    []string{"sendfile/file-file"},
		Systems:  linuxOnly,
		Caller:   "Loop until the count is reached or 0 comes.",
		Expect: []Expectation{
			{Facts: Want{Return: 16<<20 + 777, Errno: "", Position: 16<<20 + 780, "size": 16<<20 + 777, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 16<<20+780)
			in := fixture.MemoryFile(e, content)
			fixture.SetPosition(e, in, 3)
			out := fixture.MemoryFile(e, nil)
			total := 0
			for {
				n, errno := e.Kernel.Sendfile(out.Int(), in.Int(), nil, 1<<30)
				if n <= 0 {
					e.Fact(Errno, sys.ErrnoName(errno))
					break
				}
				total += n
			}
			e.Fact(Return, total)
			e.Fact(Position, fixture.Position(e, in))
			e.Fact("size", fixture.Status(e, out).Size)
			e.Arrived(fixture.Contents(e, out), content[3:])
		},
	},
	{
		ID:       "linux/sendfile/to-self-overlap",
		Title:    "One file may be source and destination: it grows by reading its own output, and without an offset rewrites itself in place",
		Facility: "sendfile",
		Level:    Info,
		Sources:  []string{"gVisor SendFileToSelf"},
		Covers:   []string{"linux/sendfile/to-self-overlap"},
		Needs:    []string{"sendfile/file-file"},
		Systems:  linuxOnly,
		Caller:   "Do not: other systems and other releases may read all before they write.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: "the position has moved by what was read when the write begins: read and write share it (Sendfile)",
				Known: gvisorSource + "sentry/syscalls/linux/sys_splice.go#L400-L414",
				Facts: Want{
					"grow.bytes": fixture.Right, "grow.errno": "", "grow.return": 1000, "grow.size": 1001, Offset: 1000,
					"place.bytes": "5000 bytes too many", "place.errno": "", "place.return": 5000, Position: 10000,
				}},
			{Facts: Want{
				"grow.return": 1000, "grow.errno": "", Offset: 1000, "grow.size": 1001, "grow.bytes": fixture.Right,
				"place.return": 5000, "place.errno": "", Position: 5000, "place.bytes": fixture.Right,
			}},
		},
		Body: func(e *Env) {
			grows := fixture.MemoryFile(e, []byte("z"))
			fixture.SetPosition(e, grows, 1) // it writes there
			offset := int64(0)
			n, errno := e.Kernel.Sendfile(grows.Int(), grows.Int(), &offset, 1000)
			e.Named("grow", n, errno)
			e.Fact(Offset, offset)
			e.Fact("grow.size", fixture.Status(e, grows).Size)
			e.Fact("grow.bytes", fixture.Compare(fixture.Contents(e, grows), bytes.Repeat([]byte("z"), 1001)))

			content := fixture.Pattern(1, 5000)
			file := fixture.File(e, content, os.O_RDWR)
			n, errno = e.Kernel.Sendfile(file.Int(), file.Int(), nil, 6000)
			e.Named("place", n, errno)
			e.Fact(Position, fixture.Position(e, file))
			e.Fact("place.bytes", fixture.Compare(fixture.Contents(e, file), content))
		},
	},
	{
		ID:       "linux/sendfile/sparse-source-zero-fill",
		Title:    "Holes are sent as zeros, and a file as the destination gets them written out",
		Facility: "sendfile",
		Level:    Should,
		Sources:  []string{"libuv fs_async_sendfile: hole in the source", "LTP sendfile09"},
		Covers:   []string{"linux/sendfile/sparse-source-zero-fill"},
		Needs:    []string{"sendfile/file-tcp", "sendfile/file-file"},
		Systems:  linuxOnly,
		Caller:   "Use SEEK_DATA and copy the islands where holes are to stay holes.",
		Expect: []Expectation{
			{Facts: Want{"tcp.return": 60_000, "tcp.bytes": fixture.Right, "file.return": 300_000, "file.errno": "", "file.bytes": fixture.Right, "hole-filled": true}},
		},
		Body: func(e *Env) {
			island := fixture.Pattern(1, 5000)
			in := fixture.Sparse(e, 300_000)
			fixture.Overwrite(e, in, island, 30_000)
			want := make([]byte, 300_000)
			copy(want[30_000:], island)
			a, b := fixture.TCP(e)
			offset := int64(0)
			n, errno := e.Kernel.Sendfile(a.Int(), in.Int(), &offset, 60_000)
			e.Named("tcp", n, errno)
			e.Fact("tcp.bytes", fixture.Compare(fixture.ReadN(e, b, 60_000), want[:60_000]))
			out := fixture.File(e, nil, os.O_RDWR)
			n, errno = e.Kernel.Sendfile(out.Int(), in.Int(), nil, 300_000)
			e.Named("file", n, errno)
			e.Fact("file.bytes", fixture.Compare(fixture.Contents(e, out), want))
			e.Fact("hole-filled", fixture.Status(e, out).Allocated >= 300_000)
		},
	},
	{
		ID:       "linux/sendfile/mapped-files",
		Title:    "Stores through a shared mapping of the source are sent, and a mapping of the destination shows what was written",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"mmap(2), MAP_SHARED", "Linux mm/filemap.c: one page cache"},
		Needs:    []string{"sendfile/file-tcp", "sendfile/file-file"},
		Systems:  linuxOnly,
		Caller:   "No msync is needed before.",
		Expect: []Expectation{
			{Facts: Want{"tcp.return": 8000, "tcp.bytes": fixture.Right, "file.return": 8000, "file.bytes": fixture.Right}},
		},
		Body: func(e *Env) {
			in := fixture.File(e, fixture.Pattern(1, 8000), os.O_RDWR)
			content := fixture.Pattern(2, 8000)
			copy(fixture.Mapped(e, in, 8000), content)
			a, b := fixture.TCP(e)
			offset := int64(0)
			n, errno := e.Kernel.Sendfile(a.Int(), in.Int(), &offset, 8000)
			e.Named("tcp", n, errno)
			e.Fact("tcp.bytes", fixture.Compare(fixture.ReadN(e, b, 8000), content))
			out := fixture.File(e, fixture.Pattern(3, 8000), os.O_RDWR)
			shown := fixture.Mapped(e, out, 8000)
			n, errno = e.Kernel.Sendfile(out.Int(), in.Int(), nil, 8000)
			e.Named("file", n, errno)
			e.Fact("file.bytes", fixture.Compare(shown, content))
		},
	},
	{
		ID:       "linux/sendfile/random-operations-keep-bytes",
		Title:    "Random sendfile, copy_file_range, write and truncate on two files leave the bytes and sizes that a model of them has",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"asomers/fsx-rs", "openzfs/zfs#16297"},
		Covers:   []string{"suite/asomers/fsx-sendfile"},
		Needs:    []string{"sendfile/file-file"},
		Systems:  linuxOnly,
		Caller:   "Where this deviates, the filesystem or its kernel is broken: use read and write, and report it.",
		Expect: []Expectation{
			{Facts: Want{"steps": 200, "first": fixture.Right, "second": fixture.Right}},
		},
		Body: sendfileRandom,
	},
}

// sendfileRandom mixes operations on two files and keeps a model beside them;
// the seed is fixed, so that each run makes the same ones. It ends at the first
// step that went another way.
func sendfileRandom(e *Env) {
	const most = 150_000
	random := rand.New(rand.NewPCG(1, 2))
	models := [2][]byte{fixture.Pattern(1, 50_000), fixture.Pattern(2, 70_000)}
	files := [2]*fixture.FD{fixture.File(e, models[0], os.O_RDWR), fixture.File(e, models[1], os.O_RDWR)}
	put := func(at int, p []byte, offset int) { // as pwrite does it
		if len(p) == 0 {
			return
		}
		if short := offset + len(p) - len(models[at]); short > 0 {
			models[at] = append(models[at], make([]byte, short)...)
		}
		copy(models[at][offset:], p)
	}
	native, written := sys.Native(), make([]byte, most)
	good, steps := true, 0
	for ; steps < 200 && good; steps++ {
		from, to := 0, 1
		if random.IntN(2) == 1 {
			from, to = 1, 0
		}
		offset, target, count := int64(random.IntN(most)), int64(random.IntN(most)), random.IntN(30_000)
		// What is there to be moved.
		part := models[from][min(int(offset), len(models[from])):min(int(offset)+count, len(models[from]))]
		start := target
		move := random.IntN(5)
		switch move {
		case 0:
			fixture.SetPosition(e, files[to], target)
			n, _ := e.Kernel.Sendfile(files[to].Int(), files[from].Int(), &offset, count)
			good = n == len(part)
			put(to, part, int(target))
		case 1:
			fixture.SetPosition(e, files[to], target)
			fixture.SetPosition(e, files[from], offset)
			n, _ := e.Kernel.Sendfile(files[to].Int(), files[from].Int(), nil, count)
			good = n == len(part) && fixture.Position(e, files[from]) == offset+int64(len(part))
			put(to, part, int(target))
		case 2:
			n, _ := e.Kernel.CopyFileRange(files[from].Int(), &offset, files[to].Int(), &target, count, 0)
			good = n == len(part)
			put(to, part, int(start))
		case 3:
			p := fixture.PatternAt(uint64(steps+10), offset, count)
			fixture.Overwrite(e, files[to], p, target)
			put(to, p, int(target))
		case 4:
			fixture.Truncate(e, files[to], target)
			if cut := int(target); cut <= len(models[to]) {
				models[to] = models[to][:cut:cut]
			} else {
				models[to] = append(models[to], make([]byte, cut-len(models[to]))...)
			}
		}
		if move < 3 && good && len(part) > 0 { // what comes later may write over a mistake
			native.Pread(files[to].Int(), written[:len(part)], start)
			good = bytes.Equal(written[:len(part)], part)
		}
	}
	e.Fact("steps", steps)
	e.Fact("first", fixture.Compare(fixture.Contents(e, files[0]), models[0]))
	e.Fact("second", fixture.Compare(fixture.Contents(e, files[1]), models[1]))
}
