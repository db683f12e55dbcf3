package probe

import (
	"strings"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

var memfdKinds = []*Kind{
	{
		Name:   "memfd",
		Title:  "a file in memory (memfd_create, tmpfs)",
		Nature: IsFile,
		Source: func(t fixture.T) *Source { return fileSource(t, memfd(t, 0)) },
		Sink:   func(t fixture.T) *Sink { return fileSink(t, memfd(t, 0)) },
	},
	{
		Name:   "memfd-sealed",
		Title:  "a file in memory that is sealed (F_SEAL_WRITE)",
		Nature: IsFile,
		Source: func(t fixture.T) *Source {
			fd := memfd(t, sys.MemfdAllowSealing)
			s := fileSource(t, fd)
			write := s.Fill
			s.Fill = func(p []byte) []byte {
				write(p)
				seal(t, fd)
				return p
			}
			s.Share = nil // nobody can change it any more
			return s
		},
		Sink: func(t fixture.T) *Sink {
			fd := memfd(t, sys.MemfdAllowSealing)
			seal(t, fd)
			return fileSink(t, fd)
		},
	},
	{
		Name:   "memfd-huge",
		Title:  "a file on hugetlbfs (memfd_create with MFD_HUGETLB)",
		Nature: IsFile,
		Source: hugeSource,
		Sink: func(t fixture.T) *Sink {
			fd, size := hugeFile(t)
			return &Sink{
				FD:      fd,
				Room:    fixture.WitnessSize,
				Arrived: func(n int) []byte { return fixture.Contents(t, fd)[:min(n, size)] },
				Keeps:   true,
			}
		},
	},
}

func memfd(t fixture.T, flags int) *fixture.FD {
	fd, errno := sys.MemfdCreate("zcprobe", flags)
	if errno != 0 {
		t.Fatalf("memfd_create: %w", error(errno))
	}
	return fixture.Adopt(t, fd)
}

func seal(t fixture.T, fd *fixture.FD) {
	if errno := sys.AddSeals(fd.Int(), sys.SealWrite|sys.SealGrow|sys.SealShrink); errno != 0 {
		t.Fatalf("fcntl F_ADD_SEALS: %w", error(errno))
	}
}

// hugeFile is a file of one huge page, which is a hole.
func hugeFile(t fixture.T) (fd *fixture.FD, size int) {
	fd = memfd(t, sys.MemfdHugetlb)
	size = hugePage()
	fixture.Truncate(t, fd, int64(size))
	return fd, size
}

// hugeSource is filled through a mapping, because hugetlbfs has no write(2).
// Where no huge page is left for that (vm.nr_hugepages), it stays a hole, which
// needs none.
func hugeSource(t fixture.T) *Source {
	fd, size := hugeFile(t)
	s := &Source{FD: fd, Room: fixture.WitnessSize}
	mapped, free, errno := sys.Shared(fd.Int(), size)
	if errno != 0 {
		s.Fill = func(p []byte) []byte { return make([]byte, len(p)) }
		return s
	}
	t.Cleanup(free)
	s.Fill = func(p []byte) []byte { return p[:copy(mapped, p)] }
	s.Share = func(p []byte) func([]byte) {
		copy(mapped, p)
		return func(p []byte) { copy(mapped, p) }
	}
	return s
}

// hugePage is the size of a huge page in bytes (proc(5), /proc/meminfo).
func hugePage() int {
	for line := range strings.Lines(text("/proc/meminfo")) {
		if value, ok := strings.CutPrefix(line, "Hugepagesize:"); ok {
			return number(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 2048) << 10
		}
	}
	return 2 << 20
}
