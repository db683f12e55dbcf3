package probe

import (
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

var copyFileRangeFeatures = []*Feature{
	{
		ID:       "copy_file_range/same-filesystem",
		Facility: "copy_file_range",
		Title:    "copy_file_range(2) between two files of the scratch directory",
		Since:    "4.5",
		Source:   "copy_file_range(2)",
		Systems:  linuxOnly,
		Ends:     Filesystem,
		Try: func(e *Env) {
			want := fixture.Pattern(1, 10_000)
			out, path := fixture.NamedFile(e, nil, os.O_WRONLY)
			copyRange(e, fixture.File(e, want, os.O_RDONLY), out, want)
			e.Same(fixture.Content(e, path), want)
		},
	},
	{
		ID:       "copy_file_range/memfd-memfd",
		Facility: "copy_file_range",
		Title:    "copy_file_range(2) between two files in memory",
		Since:    "4.5",
		Source:   "copy_file_range(2)",
		Systems:  linuxOnly,
		Ends:     Filesystem,
		Try: func(e *Env) {
			want := fixture.Pattern(1, 10_000)
			out := memoryFile(e, nil, 0)
			copyRange(e, memoryFile(e, want, 0), out, want)
			e.Same(fixture.Contents(e, out), want)
		},
	},
	{
		ID:       "copy_file_range/across-filesystems",
		Facility: "copy_file_range",
		Title:    "copy_file_range(2) from one filesystem to another",
		// From 5.3 to 5.18 every pair; since 5.19 pairs of one type only, where
		// that type does it itself (nfs, cifs, ceph …).
		Since:   "5.3",
		Source:  "copy_file_range(2), VERSIONS; commit 868f9f2f8e00",
		Systems: linuxOnly,
		Ends:    Filesystem,
		Try: func(e *Env) {
			want := fixture.Pattern(1, 10_000)
			in := fixture.File(e, want, os.O_RDONLY)
			out := memoryFile(e, nil, 0)
			if device(e, in) == device(e, out) {
				e.Is(NotApplicable, Filesystem, "the scratch directory and memfd_create share a filesystem", "")
			}
			e.Evidence("from %s to tmpfs (memfd_create)", orUnknown(sys.FilesystemName(e.TempDir())))
			copyRange(e, in, out, want)
			e.Same(fixture.Contents(e, out), want)
		},
	},
	{
		ID:       "copy_file_range/reflink",
		Facility: "copy_file_range",
		Title:    "two files of the scratch directory can share blocks (FICLONE)",
		Since:    "4.5",
		Source:   "ioctl_ficlonerange(2)",
		Systems:  linuxOnly,
		Ends:     Filesystem,
		Try: func(e *Env) {
			want := fixture.Pattern(1, 64<<10)
			out, path := fixture.NamedFile(e, nil, os.O_WRONLY)
			in := fixture.File(e, want, os.O_RDONLY)
			e.Evidence("on %s", orUnknown(sys.FilesystemName(e.TempDir())))
			e.Must("ioctl FICLONE", sys.Clone(out.Int(), in.Int()))
			e.Same(fixture.Content(e, path), want)
		},
	},
}

func copyRange(e *Env, in, out *fixture.FD, want []byte) {
	e.Moves("copy_file_range", len(want), func(left int) (int, sys.Errno) {
		return e.Kernel.CopyFileRange(in.Int(), nil, out.Int(), nil, left, 0)
	})
}

func device(e *Env, fd *fixture.FD) uint64 {
	st, errno := sys.Fstat(fd.Int())
	e.Must("fstat", errno)
	return st.Device
}

func orUnknown(name string) string {
	if name == "" {
		return "an unknown filesystem"
	}
	return name
}
