package probe

import (
	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// throughPipe names a call that needs a pipe between two ends of which neither
// is one.
func throughPipe(call string) func(source, sink *Kind) string {
	return func(source, sink *Kind) string {
		switch {
		case source.Nature == IsPipe || sink.Nature == IsPipe:
			return call
		case source.Nature == IsMemory:
			return call + " into a pipe, splice(2) out of it"
		default:
			return call + " through a pipe"
		}
	}
}

func moveSplice(m *move) (int, sys.Errno) {
	return m.through(func(pipe *fixture.FD, _, count int) (int, sys.Errno) {
		return m.kernel.Splice(m.source.FD.Int(), nil, pipe.Int(), nil, count, 0)
	}, m.kernelSplice)
}

func moveVmsplice(m *move) (int, sys.Errno) {
	flags := 0
	if m.source.Gift {
		flags = sys.SpliceGift
	}
	return m.through(func(pipe *fixture.FD, done, count int) (int, sys.Errno) {
		return m.kernel.Vmsplice(pipe.Int(), [][]byte{m.source.Memory[done : done+count]}, flags)
	}, m.kernelSplice)
}

// kernelSplice takes bytes out of a pipe into the sink.
func (m *move) kernelSplice(pipe *fixture.FD, count int) (int, sys.Errno) {
	return m.kernel.Splice(pipe.Int(), nil, m.sink.FD.Int(), nil, count, 0)
}

// through moves bytes straight where one of the ends is a pipe, else through a
// pipe of its own: some in, the same out. done is how many have moved before.
func (m *move) through(
	in func(pipe *fixture.FD, done, count int) (int, sys.Errno),
	out func(pipe *fixture.FD, count int) (int, sys.Errno),
) (int, sys.Errno) {
	if m.sink.Pipe {
		return m.all(func(rest int) (int, sys.Errno) { return in(m.sink.FD, m.n-rest, rest) })
	}
	if m.source.Pipe {
		return m.all(func(rest int) (int, sys.Errno) { return out(m.source.FD, rest) })
	}
	r, w := fixture.Pipe(m.T)
	// One step never asks for more than the pipe holds: vmsplice, as a write,
	// waits for room until the last byte is in.
	room := pipeRoom(w)
	return m.all(func(rest int) (int, sys.Errno) {
		k, errno := in(w, m.n-rest, min(rest, room))
		if errno != 0 || k <= 0 {
			return k, errno
		}
		return repeat(k, func(rest int) (int, sys.Errno) { return out(r, rest) })
	})
}
