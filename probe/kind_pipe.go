package probe

import (
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

var pipeKinds = []*Kind{
	pipeKind("pipe", "a pipe or FIFO", fixture.Pipe),
	pipeKind("fifo", "a FIFO, opened by its name", fixture.FIFO),
}

// pipeKind is a kind of pipe, by how its two ends are had.
func pipeKind(name, title string, ends func(fixture.T) (r, w *fixture.FD)) *Kind {
	return &Kind{
		Name:   name,
		Title:  title,
		Nature: IsPipe,
		Source: func(t fixture.T) *Source {
			r, w := ends(t)
			return &Source{
				FD:   r,
				Pipe: true,
				Room: pipeRoom(w),
				Fill: func(p []byte) []byte {
					fixture.WriteAll(t, w, p)
					return p
				},
				Share: func(p []byte) func([]byte) {
					file := fixture.SharePipe(t, w, p)
					return func(p []byte) { fixture.Overwrite(t, file, p, 0) }
				},
				Fed: true,
			}
		},
		Sink: func(t fixture.T) *Sink {
			r, w := ends(t)
			return &Sink{
				FD:      w,
				Pipe:    true,
				Room:    pipeRoom(w),
				Arrived: func(n int) []byte { return fixture.ReadN(t, r, n) },
			}
		},
	}
}

// pipeRoom is how many bytes are sure to fit into a pipe. A pipe is a ring of
// slots that each hold one piece of a page, and bytes that come from a socket
// are cut at segments too (65483 bytes on loopback): with half of the pipe
// left free, 64 KiB that take 17 slots do not block for ever. A user over
// pipe-user-pages-soft gets pipes of two pages (pipe(7)).
func pipeRoom(pipe *fixture.FD) int {
	size, errno := sys.Native().PipeSize(pipe.Int())
	if errno != 0 {
		size = 2 * os.Getpagesize()
	}
	return min(size/2, fixture.WitnessSize)
}
