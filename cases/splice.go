package cases

import (
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// kept is the fact that a source still holds what a call did not take.
const kept = "kept"

// roomyPipe is a pipe of the usual 16 pages. An ordinary user who has many
// pipes gets smaller ones (pipe(7), pipe-user-pages-soft): nothing about the
// calls under test.
func roomyPipe(e *Env) (r, w *fixture.FD) {
	r, w = fixture.Pipe(e)
	if size, errno := sys.Native().PipeSize(r.Int()); errno == 0 && size < 16*os.Getpagesize() {
		e.Skip(SkipResources)
	}
	return r, w
}

// loaded is a pipe with p in it.
func loaded(e *Env, p []byte) (r, w *fixture.FD) {
	r, w = roomyPipe(e)
	fixture.WriteAll(e, w, p)
	return r, w
}

// holds records whether a pipe or a socket holds these bytes and no more.
func holds(e *Env, name string, fd *fixture.FD, want []byte) {
	e.Fact(name, fixture.Compare(fixture.ReadReady(e, fd, len(want)+1), want))
}

// returned records what a call that may have waited returned.
func returned(e *Env, name string, c *fixture.Call) {
	n, errno, ok := c.Returned()
	e.Named(name, n, errno)
	if ok {
		return
	}
	if name != "" {
		name += "."
	}
	e.Fact(name+Errno, "still waits")
}

// beginSplice starts splice(2) without offsets in a thread of its own.
func beginSplice(e *Env, in, out *fixture.FD, count, flags int) *fixture.Call {
	from, to := in.Int(), out.Int()
	return fixture.Begin(func() (int, sys.Errno) { return e.Kernel.Splice(from, nil, to, nil, count, flags) })
}

// narrow gives the way from a to b small buffers, so that it is soon full. Not
// the smallest: once full, those open again only after the sender's next probe,
// some hundred milliseconds later.
func narrow(e *Env, a, b *fixture.FD) {
	const size = 64 << 10
	if errno := sys.SetSendBuffer(a.Int(), size); errno != 0 {
		e.Fatalf("setsockopt SO_SNDBUF: %w", error(errno))
	}
	if errno := sys.SetReceiveBuffer(b.Int(), size); errno != 0 {
		e.Fatalf("setsockopt SO_RCVBUF: %w", error(errno))
	}
}
