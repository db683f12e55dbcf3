package probe

import (
	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// moveRing moves bytes with an io_uring: splice from a descriptor, send without
// a copy from memory.
func moveRing(m *move) (int, sys.Errno) {
	ring, _, errno := sys.NewRing()
	if errno != 0 {
		return -1, errno
	}
	m.Cleanup(ring.Close)
	if m.source.Memory != nil {
		return m.all(func(rest int) (int, sys.Errno) {
			return ringSend(ring, m.sink.FD, m.source.Memory[m.n-rest:m.n])
		})
	}
	splice := func(in, out *fixture.FD, count int) (int, sys.Errno) {
		done, errno := ring.Do(sys.Request{Op: sys.RingSplice, In: in.Int(), FD: out.Int(), Count: count})
		if errno == 0 {
			errno = done.Errno
		}
		return done.Result, errno
	}
	return m.through(func(pipe *fixture.FD, _, count int) (int, sys.Errno) {
		return splice(m.source.FD, pipe, count)
	}, func(pipe *fixture.FD, count int) (int, sys.Errno) {
		return splice(pipe, m.sink.FD, count)
	})
}

// ringSend sends p and waits until the kernel needs it no more, as moveZerocopy
// does.
func ringSend(ring *sys.Ring, socket *fixture.FD, p []byte) (int, sys.Errno) {
	sent, errno := ring.Do(sys.Request{Op: sys.RingSendZC, FD: socket.Int(), Buffer: p, Count: len(p)})
	if errno == 0 {
		errno = sent.Errno
	}
	for last := sent; errno == 0 && last.More; {
		last, errno = ring.Next()
	}
	return sent.Result, errno
}
