package probe

import (
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

var fileKinds = []*Kind{
	{
		Name:   "file",
		Title:  "a regular file",
		Nature: IsFile,
		Source: func(t fixture.T) *Source {
			path := fixture.Path(t, "source")
			return fileSource(t, fixture.Open(t, path, os.O_RDWR|os.O_CREATE|os.O_EXCL))
		},
		Sink: func(t fixture.T) *Sink {
			path := fixture.Path(t, "sink")
			return fileSink(t, fixture.Open(t, path, os.O_RDWR|os.O_CREATE|os.O_EXCL))
		},
	},
	{
		Name:   "append",
		Title:  "a regular file opened with O_APPEND",
		Nature: IsFile,
		Sink: func(t fixture.T) *Sink {
			path := fixture.Path(t, "sink")
			return fileSink(t, fixture.Open(t, path, os.O_RDWR|os.O_APPEND|os.O_CREATE|os.O_EXCL))
		},
	},
	{
		Name:   "file-direct",
		Title:  "a regular file opened with O_DIRECT",
		Nature: IsFile,
		Source: func(t fixture.T) *Source {
			direct, plain := directFile(t)
			s := fileSource(t, plain)
			s.FD, s.Unit = direct, directUnit
			return s
		},
		Sink: func(t fixture.T) *Sink {
			direct, plain := directFile(t)
			s := fileSink(t, plain)
			s.FD, s.Unit = direct, directUnit
			return s
		},
	},
	{
		Name:   "file-deleted",
		Title:  "a regular file that has no name any more",
		Nature: IsFile,
		Source: func(t fixture.T) *Source { return fileSource(t, temporary(t, t.TempDir())) },
		Sink:   func(t fixture.T) *Sink { return fileSink(t, temporary(t, t.TempDir())) },
	},
	{
		Name:   "file-sparse",
		Title:  "a regular file that is one hole",
		Nature: IsFile,
		Source: func(t fixture.T) *Source {
			return &Source{
				FD:   fixture.Sparse(t, fixture.WitnessSize),
				Room: fixture.WitnessSize,
				Fill: func(p []byte) []byte { return make([]byte, len(p)) },
			}
		},
	},
	{
		Name:   "file-wronly",
		Title:  "a regular file opened for writing only",
		Nature: IsFile,
		Source: func(t fixture.T) *Source {
			return &Source{
				FD:   fixture.File(t, fixture.Pattern(1, fixture.WitnessSize), os.O_WRONLY),
				Room: fixture.WitnessSize,
				Fill: func(p []byte) []byte { return fixture.Pattern(1, len(p)) },
			}
		},
	},
	{
		Name:   "file-rdonly",
		Title:  "a regular file opened for reading only",
		Nature: IsFile,
		Sink: func(t fixture.T) *Sink {
			return fileSink(t, fixture.File(t, nil, os.O_RDONLY))
		},
	},
}

// directUnit is a multiple of what any disk asks of O_DIRECT (open(2), NOTES).
const directUnit = 4096

// directFile opens a new file with O_DIRECT, and the ordinary way.
func directFile(t fixture.T) (direct, plain *fixture.FD) {
	path := fixture.Path(t, "direct")
	plain = fixture.Open(t, path, os.O_RDWR|os.O_CREATE|os.O_EXCL)
	fd, errno := sys.Open(path, os.O_RDWR|sys.Direct)
	if errno != 0 { // EINVAL: the filesystem has none (open(2))
		t.Fatalf("open with O_DIRECT: %w", error(errno))
	}
	return fixture.Adopt(t, fd), plain
}

// fileSource makes a source of an empty file that is open for reading and
// writing.
func fileSource(t fixture.T, fd *fixture.FD) *Source {
	write := func(p []byte) { fixture.Overwrite(t, fd, p, 0) }
	return &Source{
		FD:   fd,
		Room: fixture.WitnessSize,
		Fill: func(p []byte) []byte {
			write(p)
			return p
		},
		Share: func(p []byte) func([]byte) {
			write(p)
			return write
		},
	}
}

// fileSink makes a sink of an empty file.
func fileSink(t fixture.T, fd *fixture.FD) *Sink {
	return &Sink{
		FD:      fd,
		Room:    fixture.WitnessSize,
		Arrived: func(int) []byte { return fixture.Contents(t, fd) },
		Reflinked: func() bool {
			shared, errno := sys.SharedExtents(fd.Int())
			return errno == 0 && shared
		},
		Keeps: true,
	}
}
