package mount

import (
	"os"
	"syscall"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// control tells whether the way is refused on a file in memory too: then it is
// not the mount that refuses.
func (c *check) control(r *WayReport) (why string) {
	err := fixture.Run(c.scratch, func(s *fixture.Scope) {
		fd, errno := sys.Memfd("zcprobe")
		if errno != 0 {
			s.Fatalf("memfd_create: %w", error(errno))
		}
		file := os.NewFile(uintptr(fd), "memfd")
		s.Cleanup(func() { file.Close() })
		if _, err := file.Write(fixture.Pattern(before, c.page)); err != nil {
			s.Fatalf("%w", err)
		}
		inMemory := *c
		inMemory.place = nil
		v := &view{check: &inMemory, T: s, file: file, fd: fd}
		switch got := c.way.read(v, 0, c.page); got.errno {
		case 0:
			why = "the same call works on a file in memory, so it is the mount that refuses"
		case syscall.EPERM, syscall.EACCES:
			why = "a file in memory is refused in the same way (" + got.refusal() + "): a filter of this process, not the mount"
		default:
			why = "a file in memory is refused too (" + got.refusal() + "): it is not the mount"
		}
	})
	if err != nil {
		return ""
	}
	return why
}
