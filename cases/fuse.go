package cases

import (
	"os"
	"syscall"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// The cases of this file ask what only a filesystem that does as it is told can
// show: reads that fail or come short, and files that change behind the kernel's
// back. NFS, SMB and virtiofs do all of that, too, when they feel like it.

var fuseCases = []*Case{
	{
		ID:       "linux/sendfile/source-read-error",
		Title:    "A read error of the source ends sendfile after the bytes before it, and the next call says EIO; the offset is exact",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2), ERRORS EIO", "fs/splice.c, splice_direct_to_actor: read_failure", "mm/filemap.c, filemap_splice_read", "nginx/nginx#845"},
		Covers:   []string{"bug/K28-sendfile-eio-ambiguous"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Root:     true,
		Caller:   "EIO is of the source, never of the socket: do not close the connection as if the peer had failed, and do not send the length that was promised.",
		Expect:   []Expectation{{Facts: Want{"total": 64 << 10, Errno: "EIO", Offset: 64 << 10, Bytes: fixture.Right, "healed.return": 4096, "healed.errno": "", "healed.bytes": fixture.Right}}},
		Body: func(e *Env) {
			f, p := served(e, fixture.FUSEOptions{}), fixture.Pattern(31, 128<<10)
			file, heal := failing(e, f, p, 64<<10)
			a, b := fixture.TCP(e)
			fixture.Roomy(a, b)
			offset := int64(0)
			total, errno := sendAll(e, a, file, &offset, len(p))
			e.Fact("total", total)
			e.Fact(Errno, sys.ErrnoName(errno))
			e.Fact(Offset, offset)
			e.Arrived(fixture.ReadN(e, b, total), firstOf(p, total))
			heal()
			offset = 64 << 10
			n, errno := e.Kernel.Sendfile(a.Int(), file.Int(), &offset, 4096)
			e.Named("healed", n, errno)
			e.Fact("healed.bytes", fixture.Compare(fixture.ReadN(e, b, max(n, 0)), p[64<<10:][:4096]))
		},
	},
	{
		ID:       "linux/splice/source-read-error",
		Title:    "A read error of the source ends splice after the bytes before it, then EIO; the pipe holds what was counted",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"splice(2)", "mm/filemap.c, filemap_splice_read", "nginx/nginx#845"},
		Needs:    []string{"splice/file-pipe"},
		Systems:  linuxOnly,
		Root:     true,
		Caller:   "Deliver what the pipe holds, then report the error: it is of the source.",
		Expect:   []Expectation{{Facts: Want{"total": 32 << 10, Errno: "EIO", Offset: 32 << 10, Bytes: fixture.Right}}},
		Body: func(e *Env) {
			f, p := served(e, fixture.FUSEOptions{}), fixture.Pattern(32, 64<<10)
			file, _ := failing(e, f, p, 32<<10)
			r, w := roomyPipe(e)
			offset, total := int64(0), 0
			var errno sys.Errno
			for total < len(p) {
				var n int
				if n, errno = e.Kernel.Splice(file.Int(), &offset, w.Int(), nil, len(p)-total, sys.SpliceNonblock); n <= 0 {
					break
				}
				total += n
			}
			e.Fact("total", total)
			e.Fact(Errno, sys.ErrnoName(errno))
			e.Fact(Offset, offset)
			e.Arrived(fixture.ReadReady(e, r, len(p)), p[:32<<10])
		},
	},
	{
		ID:       "linux/splice/short-read-of-server",
		Title:    "A server that answers a read short has said where the file ends: no byte of what it did not send comes out",
		Facility: "splice",
		Level:    Should,
		Sources:  []string{"fs/fuse/file.c, fuse_short_read: a short read means the end of the file"},
		Needs:    []string{"splice/file-pipe"},
		Systems:  linuxOnly,
		Root:     true,
		Caller:   "Compare what has come with the size that was promised: zeros or an early end are both possible on such filesystems.",
		Expect:   []Expectation{{Facts: Want{"total": 40_000, Bytes: fixture.Right, "rest": "nothing"}}},
		Body: func(e *Env) {
			f, p := served(e, fixture.FUSEOptions{}), fixture.Pattern(33, 100_000)
			const end = 40_000
			f.Put("short", &fixture.FUSEFile{Content: p[:end], Says: int64(len(p))})
			file := fixture.Open(e, f.TempDir()+"/short", os.O_RDONLY)
			got := throughPipe(e, file, 0, len(p))
			e.Fact("total", len(got))
			e.Arrived(got[:min(end, len(got))], p[:end])
			e.Fact("rest", texture(got[min(end, len(got)):]))
		},
	},
	{
		ID:       "linux/sendfile/grown-behind-the-kernel",
		Title:    "A file that its server lets grow is sent to its old end until somebody asks for its size; read(2) asks by itself",
		Facility: "sendfile",
		Level:    Should,
		Sources:  []string{"fs/fuse/file.c, fuse_cache_read_iter: asks for the size where a read goes beyond it", "fs/fuse/file.c, fuse_splice_read"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Root:     true,
		Caller:   "Call fstat before you take 0 for the end of a file that another host appends to.",
		Expect: []Expectation{
			{Since: "6.5", Why: spliceByCache,
				Facts: Want{"first": 8192, "grown.return": 0, "grown.errno": "", "read": 11_808, "asked": 11_808, Bytes: fixture.Right}},
			{Facts: Want{"first": 8192, "grown.return": 11_808, "grown.errno": "", "read": 11_808, "asked": 0, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			f, p := served(e, fixture.FUSEOptions{}), fixture.Pattern(34, 20_000)
			f.Put("log", &fixture.FUSEFile{Content: p[:8192]})
			file := fixture.Open(e, f.TempDir()+"/log", os.O_RDONLY)
			a, b := fixture.TCP(e)
			offset := int64(0)
			n, _ := sendAll(e, a, file, &offset, 8192)
			e.Fact("first", n)
			f.Change("log", func(x *fixture.FUSEFile) { x.Content = p })
			n, errno := sendAll(e, a, file, &offset, len(p)-8192)
			e.Named("grown", n, errno)
			q := make([]byte, len(p))
			n, _ = e.Kernel.Pread(file.Int(), q, 8192)
			e.Fact("read", n)
			n, _ = sendAll(e, a, file, &offset, len(p)-int(offset))
			e.Fact("asked", n)
			e.Arrived(fixture.ReadN(e, b, len(p)), p)
		},
	},
	{
		ID:       "linux/sendfile/page-cache-of-server",
		Title:    "Opening a file drops what is cached of it unless the server says that it may be kept; what is kept is sent, however old",
		Facility: "sendfile",
		Level:    Should,
		Sources:  []string{"include/uapi/linux/fuse.h, FOPEN_KEEP_CACHE", "fs/fuse/file.c, fuse_finish_open", "kata-containers/runtime#1902", "golang/go#9694"},
		Covers:   []string{"bug/V07-virtiofs-cache-always"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Root:     true,
		Caller:   "On shared folders trust neither sendfile nor read for changes of the other side: both take the page cache. zcprobe fs tells.",
		Expect: []Expectation{{Facts: Want{"dropped.bytes": fixture.Right, "dropped.asked": true, "kept.bytes": "old", "kept.asked": false, "kept.read": "old",
			"uncached.bytes": fixture.Right}}},
		Body: func(e *Env) {
			f := served(e, fixture.FUSEOptions{})
			before, after := fixture.Pattern(35, 20_000), fixture.Pattern(36, 20_000)
			for _, keep := range []bool{false, true} {
				name := "dropped"
				if keep {
					name = "kept"
				}
				path := f.Put(name, &fixture.FUSEFile{Content: before, KeepCache: keep})
				file := fixture.Open(e, path, os.O_RDONLY)
				overTCP(e, file, 0, len(before))
				f.Change(name, func(x *fixture.FUSEFile) { x.Content = after })
				reads := f.Reads(name)
				again := fixture.Open(e, path, os.O_RDONLY)
				got := overTCP(e, again, 0, len(before))
				e.Fact(name+".bytes", ageOf(got, before, after))
				e.Fact(name+".asked", f.Reads(name) > reads)
				if keep {
					q := make([]byte, len(before))
					e.Kernel.Pread(again.Int(), q, 0)
					e.Fact("kept.read", ageOf(q, before, after))
					sys.DropCache(again.Int())
					e.Fact("uncached.bytes", ageOf(overTCP(e, again, 0, len(before)), before, after))
				}
			}
		},
	},
	{
		ID:       "linux/splice/server-with-no-size",
		Title:    "A file without a size that is read past the cache gives its bytes to splice and sendfile, and none to copy_file_range",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"uutils/coreutils#9609", "fs/fuse/file.c: FOPEN_DIRECT_IO takes no notice of the size", "fs/read_write.c, generic_copy_file_checks: the count is cut to the size", "copy_file_range(2), BUGS"},
		Covers:   []string{"bug/F15-fuse-direct_io-splice"},
		Needs:    []string{"splice/file-pipe", "sendfile/file-tcp"},
		Systems:  linuxOnly,
		Root:     true,
		Caller:   "A size of 0 says nothing about a file of procfs, sysfs or FUSE: read it before you take 0 bytes for its end.",
		Expect: []Expectation{
			{Since: "6.5", Why: directByCache, Known: directRepaired, Facts: Want{
				"none.splice": "cut off at 0 of 70000", "none.sendfile": "cut off at 0 of 70000", "none.copy.return": 0, "none.copy.errno": "",
				"less.splice": "cut off at 5000 of 70000", "less.sendfile": "cut off at 5000 of 70000", "less.copy.return": 5000, "less.copy.errno": "",
				"more.splice": fixture.Right, "more.sendfile": fixture.Right, "more.copy.return": 70_000, "more.copy.errno": ""}},
			{Facts: Want{
				"none.splice": fixture.Right, "none.sendfile": fixture.Right, "none.copy.return": 0, "none.copy.errno": "",
				"less.splice": fixture.Right, "less.sendfile": fixture.Right, "less.copy.return": 5000, "less.copy.errno": "",
				"more.splice": fixture.Right, "more.sendfile": fixture.Right, "more.copy.return": 70_000, "more.copy.errno": ""}},
		},
		Body: func(e *Env) {
			f, p := served(e, fixture.FUSEOptions{}), fixture.Pattern(37, 70_000)
			for name, says := range map[string]int64{"none": -1, "less": 5000, "more": 100_000} {
				path := f.Put(name, &fixture.FUSEFile{Content: p, Says: says, Direct: true})
				file := fixture.Open(e, path, os.O_RDONLY)
				e.Fact(name+".splice", fixture.Compare(throughPipe(e, file, 0, 100_000), p))
				e.Fact(name+".sendfile", fixture.Compare(overTCP(e, file, 0, 100_000), p))
				out := fixture.File(f, nil, os.O_RDWR)
				n, errno := e.Kernel.CopyFileRange(file.Int(), new(int64(0)), out.Int(), new(int64(0)), 100_000, 0)
				e.Named(name+".copy", n, errno)
			}
		},
	},
	{
		ID:       "linux/splice/direct-io-of-server",
		Title:    "A file whose server wants direct I/O is asked for anew by each call: no page cache stands between",
		Facility: "splice",
		Level:    Should,
		Sources:  []string{"include/uapi/linux/fuse.h, FOPEN_DIRECT_IO: bypass page cache for this open file", "fs/fuse/file.c, fuse_splice_read", directRepaired, "uutils/coreutils#9609"},
		Needs:    []string{"splice/file-pipe", "sendfile/file-tcp"},
		Systems:  linuxOnly,
		Root:     true,
		Caller:   "Use read(2) for files of FUSE that change by themselves: splice and sendfile go by the page cache there.",
		Expect: []Expectation{
			{Since: "6.5", Why: directByCache, Known: directRepaired,
				Facts: Want{"first": fixture.Right, "splice": "old", "sendfile": "old", "read": fixture.Right}},
			{Facts: Want{"first": fixture.Right, "splice": fixture.Right, "sendfile": fixture.Right, "read": fixture.Right}},
		},
		Body: func(e *Env) {
			f := served(e, fixture.FUSEOptions{})
			before, after := fixture.Pattern(38, 20_000), fixture.Pattern(39, 20_000)
			path := f.Put("direct", &fixture.FUSEFile{Content: before, Direct: true})
			file := fixture.Open(e, path, os.O_RDONLY)
			e.Fact("first", ageOf(throughPipe(e, file, 0, len(before)), after, before))
			f.Change("direct", func(x *fixture.FUSEFile) { x.Content = after })
			e.Fact("splice", ageOf(throughPipe(e, file, 0, len(before)), before, after))
			e.Fact("sendfile", ageOf(overTCP(e, file, 0, len(before)), before, after))
			q := make([]byte, len(before))
			e.Kernel.Pread(file.Int(), q, 0)
			e.Fact("read", ageOf(q, before, after))
		},
	},
}

// failing is a file whose reads from an offset on fail with EIO, until it heals.
func failing(e *Env, f *fixture.FUSE, p []byte, from int64) (file *fixture.FD, heal func()) {
	path := f.Put("failing", &fixture.FUSEFile{Content: p, Read: func(offset int64, size int) ([]byte, sys.Errno) {
		if offset+int64(size) > from {
			return nil, syscall.EIO
		}
		return p[offset:][:size], 0
	}})
	return fixture.Open(e, path, os.O_RDONLY), func() {
		f.Change("failing", func(x *fixture.FUSEFile) { x.Read = nil })
	}
}

// Since 6.5 FUSE takes what it splices out of the page cache, also for files that
// are to go past it; a repair has been proposed.
const (
	spliceByCache  = "since 2cb1e08985e3 splice and sendfile take pages of the cache, where read_iter was asked before"
	directByCache  = spliceByCache + ": also with FOPEN_DIRECT_IO, and no further than the size that is known"
	directRepaired = "https://lore.kernel.org/all/20260513231437.1806724-1-joannelkoong@gmail.com/"
)

// ageOf tells whether these are the bytes of before or, as they should be, of
// after.
func ageOf(got, before, after []byte) string {
	if fixture.Compare(got, before) == fixture.Right {
		return "old"
	}
	return fixture.Compare(got, after)
}
