package cases

import (
	"maps"
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// sealsSink are the answers of a destination under each seal that concerns it.
var sealsSink = Want{
	"write.return": -1, "write.errno": "EPERM", "future.return": -1, "future.errno": "EPERM",
	"grow-beyond.return": -1, "grow-beyond.errno": "EPERM", "grow-within.return": 100, "grow-within.errno": "",
	"shrink.return": 100, "shrink.errno": "", "content": true,
}

// askSeals asks each seal of a memfd of 5000 bytes whether it lets 100 bytes in
// at an offset.
func askSeals(e *Env, call func(memfd *fixture.FD, offset *int64, p []byte) (int, sys.Errno)) {
	before, p := fixture.Pattern(1, 5000), fixture.Pattern(2, 100)
	whole := true
	for _, seal := range []struct {
		name   string
		seals  int
		offset int64
	}{
		{"write", sys.SealWrite, 0},
		{"future", sys.SealFutureWrite, 0},
		{"grow-beyond", sys.SealGrow, 5000},
		{"grow-within", sys.SealGrow, 4000},
		{"shrink", sys.SealShrink, 4000},
	} {
		memfd := fixture.MemoryFile(e, before)
		if errno := sys.AddSeals(memfd.Int(), seal.seals); errno != 0 {
			e.Fatalf("fcntl F_ADD_SEALS: %w", error(errno))
		}
		offset := seal.offset
		n, errno := call(memfd, &offset, p)
		e.Named(seal.name, n, errno)
		want := append([]byte{}, before...)
		if n > 0 {
			copy(want[seal.offset:], p[:n])
		}
		whole = whole && fixture.Compare(fixture.Contents(e, memfd), want) == fixture.Right
	}
	e.Fact("content", whole)
}

// with is a want and what else must be.
func with(want, more Want) Want {
	all := maps.Clone(want)
	maps.Copy(all, more)
	return all
}

var memfdCases = []*Case{
	{
		ID:       "linux/splice/sealed-memfd-sink",
		Title:    "Into a memfd splice keeps to its seals: EPERM under F_SEAL_WRITE, F_SEAL_FUTURE_WRITE and behind the end of F_SEAL_GROW, with the bytes kept in the pipe",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"fcntl(2), File Sealing", "Linux mm/shmem.c, shmem_write_begin", "Linux tools/testing/selftests/memfd"},
		Needs:    []string{"splice/pipe-file"},
		Systems:  linuxOnly,
		Caller:   "EPERM of a memfd is a seal, not a sandbox: take another file.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: gvisorSeals, Known: gvisorSource + "sentry/fsimpl/tmpfs/regular_file.go#L803-L813",
				Facts: with(sealsSink, Want{"future.return": 100, "future.errno": "", kept: true})},
			{Facts: with(sealsSink, Want{kept: true})},
		},
		Body: func(e *Env) {
			still := true
			askSeals(e, func(memfd *fixture.FD, offset *int64, p []byte) (int, sys.Errno) {
				r, _ := loaded(e, p)
				n, errno := e.Kernel.Splice(r.Int(), nil, memfd.Int(), offset, len(p), 0)
				still = still && fixture.Compare(fixture.ReadReady(e, r, len(p)+1), p[max(n, 0):]) == fixture.Right
				return n, errno
			})
			e.Fact(kept, still)
		},
	},
	{
		ID:       "linux/copy_file_range/sealed-memfd-sink",
		Title:    "From memfd to memfd copy_file_range copies, and keeps to the seals of the destination with EPERM",
		Facility: "copy_file_range",
		Level:    Must,
		Sources:  []string{"copy_file_range(2)", "fcntl(2), File Sealing", "Linux mm/shmem.c, shmem_write_begin"},
		Needs:    []string{"copy_file_range/same-filesystem"},
		Systems:  linuxOnly,
		Caller:   "EPERM of a memfd is a seal; a copy through user space meets it too.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: gvisorSeals, Known: gvisorSource + "sentry/fsimpl/tmpfs/regular_file.go#L803-L813",
				Facts: with(sealsSink, Want{"future.return": 100, "future.errno": ""})},
			{Facts: sealsSink},
		},
		Body: func(e *Env) {
			askSeals(e, func(memfd *fixture.FD, offset *int64, p []byte) (int, sys.Errno) {
				return e.Kernel.CopyFileRange(fixture.MemoryFile(e, p).Int(), nil, memfd.Int(), offset, len(p), 0)
			})
		},
	},
	{
		ID:       "linux/sendfile/memfd-to-memfd",
		Title:    "From a memfd sendfile writes into another file, whatever filesystem it lies on",
		Facility: "sendfile",
		Level:    Should,
		Sources:  []string{"sendfile(2): out_fd can be any file since 2.6.33"},
		Needs:    []string{"sendfile/file-file"},
		Systems:  linuxOnly,
		Caller:   "Where copy_file_range says EXDEV, sendfile still stays inside the kernel.",
		Expect:   []Expectation{{Facts: Want{"memory.return": 70_000, "memory.errno": "", "memory.bytes": fixture.Right, "disk.return": 70_000, "disk.errno": "", "disk.bytes": fixture.Right}}},
		Body: func(e *Env) {
			p := fixture.Pattern(3, 70_000)
			for _, to := range []struct {
				name string
				out  *fixture.FD
			}{{"memory", fixture.MemoryFile(e, nil)}, {"disk", fixture.File(e, nil, os.O_RDWR)}} {
				offset := int64(0)
				n, errno := e.Kernel.Sendfile(to.out.Int(), fixture.MemoryFile(e, p).Int(), &offset, len(p)+1)
				e.Named(to.name, n, errno)
				e.Fact(to.name+"."+Bytes, fixture.Compare(fixture.Contents(e, to.out), p))
			}
		},
	},
}
