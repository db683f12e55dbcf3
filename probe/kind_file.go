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
		Name:   "memfd",
		Title:  "a file in memory (memfd_create, tmpfs)",
		Nature: IsFile,
		Source: func(t fixture.T) *Source { return fileSource(t, memfd(t)) },
		Sink:   func(t fixture.T) *Sink { return fileSink(t, memfd(t)) },
	},
}

func memfd(t fixture.T) *fixture.FD {
	fd, errno := sys.Memfd("zcprobe")
	if errno != 0 {
		t.Fatalf("memfd_create: %w", error(errno))
	}
	return fixture.Adopt(t, fd)
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
