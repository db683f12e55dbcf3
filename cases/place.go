package cases

import (
	"errors"
	"os"
	"slices"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// The cases of this file ask the same questions of files on every filesystem
// that a mount of its own can be had of: each has its own code below the calls.

// place is a filesystem of this type, empty, for one body, which ends as skipped
// where there is none for this user or in this kernel.
func place(e *Env, fstype string) *fixture.Place {
	switch fstype {
	case "fuse":
		return served(e, fixture.FUSEOptions{}).Place
	case "fuse-direct":
		return served(e, fixture.FUSEOptions{Direct: true}).Place
	}
	p, err := fixture.Mount(e.Scope, fstype, "")
	placed(e, err)
	return p
}

// served is a FUSE filesystem that the case serves itself.
func served(e *Env, options fixture.FUSEOptions) *fixture.FUSE {
	f, err := fixture.ServeFUSE(e.Scope, options)
	placed(e, err)
	return f
}

func placed(e *Env, err error) {
	switch {
	case errors.Is(err, fixture.ErrNoPrivilege):
		e.Skip(SkipPrivilege)
	case errors.Is(err, fixture.ErrNoPlace):
		e.Skip(SkipPlace)
	case err != nil:
		e.Fatalf("%w", err)
	}
}

// filesystem is what is peculiar to a type.
type filesystem struct {
	name    string
	source  string // where its calls are
	witness fixture.Witness
	why     string // why the witness is not by-reference
	sharing bool   // copies share blocks on disk
	blocks  bool   // fallocate(2) works
	direct  bool   // O_DIRECT works everywhere
	maps    bool   // its files can be mapped without a wait that the Go runtime knows nothing of
}

var filesystems = []filesystem{
	{name: "ext4", source: "fs/ext4/file.c", witness: fixture.ByReference, blocks: true, direct: true, maps: true},
	{name: "xfs", source: "fs/xfs/xfs_file.c", witness: fixture.ByReference, blocks: true, direct: true, maps: true, sharing: true},
	{name: "btrfs", source: "fs/btrfs/file.c", witness: fixture.ByReference, blocks: true, direct: true, maps: true, sharing: true},
	{name: "tmpfs", source: "mm/shmem.c", witness: fixture.ByReference, blocks: true, maps: true},
	{name: "overlay", source: "fs/overlayfs/file.c", witness: fixture.ByReference, blocks: true, maps: true},
	{name: "fuse", source: "fs/fuse/file.c", witness: fixture.ByReference},
	{name: "fuse-direct", source: "fs/fuse/file.c, FOPEN_DIRECT_IO", witness: fixture.Copied,
		why: "a write with FOPEN_DIRECT_IO goes past the page cache: what a pipe or a socket holds stays as it was"},
}

// onEach makes a case of each filesystem.
func onEach(makeCase func(filesystem) *Case) []*Case {
	list := make([]*Case, len(filesystems))
	for i, f := range filesystems {
		list[i] = makeCase(f)
		list[i].Systems, list[i].Root = linuxOnly, true
	}
	return list
}

var placeCases = slices.Concat(onEach(sendfileFrom), onEach(spliceFrom), onEach(spliceTo), onEach(copyWithin))

// firstOf is the first n bytes, as far as there are any: what a call reports may
// be wrong.
func firstOf(p []byte, n int) []byte { return p[:min(max(n, 0), len(p))] }

// uncached writes a file out and has its pages forgotten, so that the next call
// reads them from the filesystem. The kernel is free to keep some.
func uncached(e *Env, file *fixture.FD) {
	sys.Fsync(file.Int())
	sys.DropCache(file.Int())
}

// sparse is a file on a place whose content is data between two holes, with the
// content.
func sparse(t fixture.T) (*fixture.FD, []byte) {
	want := make([]byte, 120_000)
	copy(want[50_000:], fixture.Pattern(21, 20_001))
	file := fixture.File(t, nil, os.O_RDWR)
	fixture.Truncate(t, file, int64(len(want)))
	fixture.Overwrite(t, file, want[50_000:70_001], 50_000)
	return file, want
}

// allocated is a file whose blocks are there and hold nothing but a little data
// in the middle.
func allocated(e *Env, t fixture.T) (*fixture.FD, []byte) {
	want := make([]byte, 100_000)
	copy(want[70_001:], fixture.Pattern(22, 5000))
	file := fixture.File(t, nil, os.O_RDWR)
	if errno := sys.Allocate(file.Int(), 0, int64(len(want))); errno != 0 {
		e.Fatalf("fallocate: %w", error(errno))
	}
	fixture.Overwrite(t, file, want[70_001:75_001], 70_001)
	return file, want
}

// overTCP is what comes out of a TCP connection of a file's range.
func overTCP(e *Env, file *fixture.FD, offset int64, count int) []byte {
	a, b := fixture.TCP(e)
	var got []byte
	for done := 0; done < count; {
		n, errno := e.Kernel.Sendfile(a.Int(), file.Int(), &offset, min(count-done, fixture.WitnessSize))
		if n <= 0 || errno != 0 {
			break
		}
		done += n
		got = append(got, fixture.ReadN(e, b, n)...)
	}
	a.Close()
	return append(got, fixture.ReadAll(e, b)...)
}

func sendfileFrom(f filesystem) *Case {
	want := Want{"cold": fixture.Right, "odd": fixture.Right, "sparse": fixture.Right, "end.return": 0, "end.errno": "", Witness: f.witness}
	if f.blocks {
		want["unwritten"] = fixture.Right
	}
	return &Case{
		ID:       "linux/sendfile/from-" + f.name,
		Title:    "What sendfile sends of a file on " + f.name + " is right: cold, at odd offsets, holes and unwritten blocks as zeros",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2)", f.source + ", splice_read", "xfstests generic/591, generic/013"},
		Needs:    []string{"sendfile/file-tcp"},
		Caller:   "Nothing to do; what is sent by reference must not be changed in place before the peer has it.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: gvisorCopies, Known: gvisorSource + "sentry/syscalls/linux/sys_splice.go#L386-L425",
				Facts: with(want, Want{Witness: fixture.Copied})},
			{Facts: want, Why: f.why},
		},
		Body: func(e *Env) {
			on := place(e, f.name)
			p := fixture.Pattern(20, 100_001)
			file := fixture.File(on, p, os.O_RDWR)
			uncached(e, file)
			e.Fact("cold", fixture.Compare(overTCP(e, file, 0, len(p)), p))
			e.Fact("odd", fixture.Compare(overTCP(e, file, 4095, 4098), p[4095:][:4098]))
			holes, content := sparse(on)
			uncached(e, holes)
			e.Fact("sparse", fixture.Compare(overTCP(e, holes, 0, len(content)), content))
			if f.blocks {
				blocks, content := allocated(e, on)
				uncached(e, blocks)
				e.Fact("unwritten", fixture.Compare(overTCP(e, blocks, 0, len(content)), content))
			}
			a, b := fixture.TCP(e)
			fixture.Roomy(a, b)
			end := int64(len(p))
			n, errno := e.Kernel.Sendfile(a.Int(), file.Int(), &end, 1)
			e.Named("end", n, errno)

			before := fixture.Pattern(23, fixture.WitnessSize)
			after := fixture.Rewritten(before)
			shared := fixture.File(on, before, os.O_RDWR)
			zero := int64(0)
			total, _ := sendAll(e, a, shared, &zero, len(before))
			fixture.Overwrite(e, shared, after, 0)
			e.Fact(Witness, fixture.Witnessed(fixture.ReadN(e, b, total), before, after))
		},
	}
}

// throughPipe is what comes out of a pipe of a file's range.
func throughPipe(e *Env, file *fixture.FD, offset int64, count int) []byte {
	r, w := roomyPipe(e)
	var got []byte
	for len(got) < count {
		n, errno := e.Kernel.Splice(file.Int(), &offset, w.Int(), nil, count-len(got), sys.SpliceNonblock)
		if n <= 0 || errno != 0 {
			break
		}
		got = append(got, fixture.ReadReady(e, r, n)...)
	}
	w.Close()
	return append(got, fixture.ReadAll(e, r)...)
}

func spliceFrom(f filesystem) *Case {
	want := Want{
		"cold": fixture.Right, "odd": fixture.Right, "sparse": fixture.Right, Offset: 3 * 4096, "end.return": 0, "end.errno": "",
		"truncated": fixture.Right, Witness: f.witness,
	}
	if f.blocks {
		want["unwritten"], want["punched"] = fixture.Right, fixture.Right
	}
	if f.direct {
		want["direct.bytes"], want["direct.witness"] = fixture.Right, fixture.Copied
	}
	return &Case{
		ID:       "linux/splice/from-" + f.name,
		Title:    "What splice takes of a file on " + f.name + " is right, and stays in the pipe when the file is cut, punched or rewritten beneath it",
		Facility: "splice",
		Level:    Must,
		Sources: []string{"splice(2)", f.source + ", splice_read", "fs/splice.c, page_cache_pipe_buf_confirm", "xfstests generic/591",
			"mm/truncate.c: whole pages leave the cache, not the pipe"},
		Needs:  []string{"splice/file-pipe"},
		Caller: "Replace files rather than changing them in place while their bytes are under way.",
		Expect: []Expectation{{Facts: want, Why: f.why}},
		Body: func(e *Env) {
			on := place(e, f.name)
			p := fixture.Pattern(24, 100_001)
			file, path := fixture.NamedFile(on, p, os.O_RDWR)
			uncached(e, file)
			e.Fact("cold", fixture.Compare(throughPipe(e, file, 0, len(p)), p))
			e.Fact("odd", fixture.Compare(throughPipe(e, file, 8191, 4098), p[8191:][:4098]))
			holes, content := sparse(on)
			uncached(e, holes)
			e.Fact("sparse", fixture.Compare(throughPipe(e, holes, 0, len(content)), content))
			if f.blocks {
				blocks, content := allocated(e, on)
				uncached(e, blocks)
				e.Fact("unwritten", fixture.Compare(throughPipe(e, blocks, 0, len(content)), content))
			}
			if f.direct {
				direct := fixture.Open(on, path, os.O_RDONLY|sys.Direct)
				got, before, after := beneath(e, direct, func(p []byte) { fixture.Overwrite(e, file, p, 0) }, p[:fixture.WitnessSize])
				e.Fact("direct.bytes", fixture.Compare(got, before))
				e.Fact("direct.witness", fixture.Witnessed(got, before, after))
			}

			const some = 3 * 4096
			r, w := roomyPipe(e)
			cut := fixture.File(on, p[:some], os.O_RDWR)
			offset := int64(0)
			e.Kernel.Splice(cut.Int(), &offset, w.Int(), nil, some, 0)
			e.Fact(Offset, offset)
			n, errno := e.Kernel.Splice(cut.Int(), &offset, w.Int(), nil, some, sys.SpliceNonblock)
			e.Named("end", n, errno)
			fixture.Truncate(e, cut, 0)
			fixture.Overwrite(e, cut, p[some:2*some], 0)
			e.Fact("truncated", fixture.Compare(fixture.ReadReady(e, r, some+1), p[:some]))
			if f.blocks {
				offset = 0
				e.Kernel.Splice(cut.Int(), &offset, w.Int(), nil, some, 0)
				if errno := sys.PunchHole(cut.Int(), 0, some); errno != 0 {
					e.Fatalf("fallocate FALLOC_FL_PUNCH_HOLE: %w", error(errno))
				}
				e.Fact("punched", fixture.Compare(fixture.ReadReady(e, r, some+1), p[some:2*some]))
			}

			shared := fixture.File(on, p[:fixture.WitnessSize], os.O_RDWR)
			got, before, after := beneath(e, shared, func(p []byte) { fixture.Overwrite(e, shared, p, 0) }, p[:fixture.WitnessSize])
			e.Fact(Witness, fixture.Witnessed(got, before, after))
		},
	}
}

// beneath has the beginning of a file in a pipe while the file is overwritten.
func beneath(e *Env, file *fixture.FD, overwrite func([]byte), before []byte) (got, was, after []byte) {
	r, w := roomyPipe(e)
	for offset := int64(0); int(offset) < len(before); {
		if n, _ := e.Kernel.Splice(file.Int(), &offset, w.Int(), nil, len(before)-int(offset), sys.SpliceNonblock); n <= 0 {
			break
		}
	}
	after = fixture.Rewritten(before)
	overwrite(after)
	return fixture.ReadReady(e, r, len(before)+1), before, after
}
