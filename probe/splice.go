package probe

import (
	"bytes"
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

var spliceFeatures = []*Feature{
	{
		ID:       "splice/file-pipe",
		Facility: "splice",
		Title:    "splice(2) from a regular file to a pipe",
		Since:    "2.6.17",
		Source:   "splice(2)",
		Systems:  linuxOnly,
		Ends:     Filesystem,
		Try: func(e *Env) {
			want := fixture.Pattern(1, pageful)
			r, w := fixture.Pipe(e)
			splice(e, fixture.File(e, want, os.O_RDONLY), w, want)
			e.Arrives(r, want)
		},
	},
	{
		ID:       "splice/pipe-file",
		Facility: "splice",
		Title:    "splice(2) from a pipe to a regular file",
		Since:    "2.6.17",
		Source:   "splice(2)",
		Systems:  linuxOnly,
		Ends:     Filesystem,
		Try: func(e *Env) {
			want := fixture.Pattern(1, pageful)
			out, path := fixture.NamedFile(e, nil, os.O_WRONLY)
			splice(e, filledPipe(e, want), out, want)
			e.Same(fixture.Content(e, path), want)
		},
	},
	{
		ID:       "splice/pipe-pipe",
		Facility: "splice",
		Title:    "splice(2) from a pipe to a pipe",
		Since:    "2.6.31",
		Source:   "splice(2), HISTORY; commit 7c77f0b3f920",
		Systems:  linuxOnly,
		Try: func(e *Env) {
			want := fixture.Pattern(1, pageful)
			r, w := fixture.Pipe(e)
			splice(e, filledPipe(e, want), w, want)
			e.Arrives(r, want)
		},
	},
	{
		ID:       "splice/pipe-tcp",
		Facility: "splice",
		Title:    "splice(2) from a pipe to a TCP socket",
		Since:    "2.6.17",
		Source:   "splice(2)",
		Systems:  linuxOnly,
		Ends:     SocketType,
		Try: func(e *Env) {
			want := fixture.Pattern(1, pageful)
			a, b := fixture.TCP(e)
			splice(e, filledPipe(e, want), a, want)
			e.Arrives(b, want)
		},
	},
	{
		ID:       "splice/tcp-pipe",
		Facility: "splice",
		Title:    "splice(2) from a TCP socket to a pipe",
		Since:    "2.6.25",
		Source:   "commit 9c55e01c0cc8 ([TCP]: Splice receive support)",
		Systems:  linuxOnly,
		Ends:     SocketType,
		Try: func(e *Env) {
			want := fixture.Pattern(1, pageful)
			r, w := fixture.Pipe(e)
			splice(e, filled(e, fixture.TCP, want), w, want)
			e.Arrives(r, want)
		},
	},
	{
		ID:       "splice/tcp-tcp",
		Facility: "splice",
		Title:    "splice(2) from a TCP socket to another, through a pipe",
		Since:    "2.6.25",
		Source:   "commit 9c55e01c0cc8 ([TCP]: Splice receive support)",
		Systems:  linuxOnly,
		Ends:     SocketType,
		Try: func(e *Env) {
			want := fixture.Pattern(1, 20_000)
			a, b := fixture.TCP(e)
			relay(e, filled(e, fixture.TCP, want), a, want)
			e.Arrives(b, want)
		},
	},
	{
		ID:       "splice/pipe-unix",
		Facility: "splice",
		Title:    "splice(2) from a pipe to a UNIX stream socket",
		Since:    "2.6.17",
		Source:   "splice(2)",
		Systems:  linuxOnly,
		Ends:     SocketType,
		Try: func(e *Env) {
			want := fixture.Pattern(1, pageful)
			a, b := fixture.Unix(e, sys.Stream)
			splice(e, filledPipe(e, want), a, want)
			e.Arrives(b, want)
		},
	},
	{
		ID:       "splice/unix-pipe",
		Facility: "splice",
		Title:    "splice(2) from a UNIX stream socket to a pipe",
		Since:    "4.2",
		Source:   "commit 2b514574f7e8 (net: af_unix: implement splice for stream af_unix sockets)",
		Systems:  linuxOnly,
		Ends:     SocketType,
		Try: func(e *Env) {
			want := fixture.Pattern(1, pageful)
			r, w := fixture.Pipe(e)
			splice(e, filled(e, unixStream, want), w, want)
			e.Arrives(r, want)
		},
	},
	{
		ID:       "splice/unix-unix",
		Facility: "splice",
		Title:    "splice(2) from a UNIX stream socket to another, through a pipe",
		Since:    "4.2",
		Source:   "commit 2b514574f7e8 (net: af_unix: implement splice for stream af_unix sockets)",
		Systems:  linuxOnly,
		Ends:     SocketType,
		Try: func(e *Env) {
			want := fixture.Pattern(1, 20_000)
			a, b := fixture.Unix(e, sys.Stream)
			relay(e, filled(e, unixStream, want), a, want)
			e.Arrives(b, want)
		},
	},
	{
		ID:       "splice/unix-tcp",
		Facility: "splice",
		Title:    "splice(2) from a UNIX stream socket to a TCP socket, through a pipe",
		Since:    "4.2",
		Source:   "commit 2b514574f7e8 (net: af_unix: implement splice for stream af_unix sockets)",
		Systems:  linuxOnly,
		Ends:     SocketType,
		Try: func(e *Env) {
			want := fixture.Pattern(1, 20_000)
			a, b := fixture.TCP(e)
			relay(e, filled(e, unixStream, want), a, want)
			e.Arrives(b, want)
		},
	},
	{
		ID:       "splice/udp-pipe",
		Facility: "splice",
		Title:    "splice(2) from a UDP socket to a pipe, one datagram",
		Since:    "2.6.25",
		Source:   "splice(2)",
		Systems:  linuxOnly,
		Ends:     SocketType,
		Try: func(e *Env) {
			want := fixture.Pattern(1, 1000)
			a, b := fixture.UDP(e)
			fixture.WriteAll(e, a, want)
			r, w := fixture.Pipe(e)
			n, errno := e.Kernel.Splice(b.Int(), nil, w.Int(), nil, len(want), 0)
			e.Moved("splice", n, errno, len(want))
			e.Arrives(r, want)
		},
	},
	{
		ID:       "splice/pipe-udp",
		Facility: "splice",
		Title:    "splice(2) from a pipe to a connected UDP socket, as one datagram",
		Since:    "2.6.17",
		Source:   "splice(2)",
		Systems:  linuxOnly,
		Ends:     SocketType,
		Try: func(e *Env) {
			want := fixture.Pattern(1, 1000)
			a, b := fixture.UDP(e)
			n, errno := e.Kernel.Splice(filledPipe(e, want).Int(), nil, a.Int(), nil, len(want), 0)
			e.Moved("splice", n, errno, len(want))
			e.Arrives(b, want)
		},
	},
	{
		ID:       "splice/devurandom-pipe",
		Facility: "splice",
		Title:    "splice(2) from /dev/urandom to a pipe",
		Since:    "5.19",
		Source:   "commit 79025e727a84 (random: wire up fops->splice_{read,write}_iter())",
		Systems:  linuxOnly,
		Ends:     Filesystem,
		Try: func(e *Env) {
			// Nobody knows which bytes are right, but not these.
			r, w := fixture.Pipe(e)
			random := fixture.Open(e, "/dev/urandom", os.O_RDONLY)
			splice(e, random, w, make([]byte, pageful))
			got := fixture.ReadN(e, r, pageful)
			if len(got) != pageful || bytes.Equal(got, make([]byte, pageful)) {
				e.wrong("zeros, or too few bytes")
			}
		},
	},
	{
		ID:       "splice/pipe-devnull",
		Facility: "splice",
		Title:    "splice(2) from a pipe to /dev/null",
		Since:    "2.6.17",
		Source:   "splice(2)",
		Systems:  linuxOnly,
		Ends:     Filesystem,
		Try: func(e *Env) {
			want := fixture.Pattern(1, pageful)
			r := filledPipe(e, want)
			splice(e, r, fixture.Open(e, "/dev/null", os.O_WRONLY), want)
			e.Same(fixture.ReadReady(e, r, 1), nil) // the pipe is empty
		},
	},
	{
		ID:       "splice/pty-pipe",
		Facility: "splice",
		Title:    "splice(2) from a pseudo-terminal to a pipe",
		Since:    "5.12",
		Source:   "commit dd78b0c483e3 (tty: implement read_iter)",
		Systems:  linuxOnly,
		Ends:     Filesystem,
		Try: func(e *Env) {
			want := fixture.Pattern(1, terminalful)
			master, slave := terminal(e)
			fixture.WriteAll(e, slave, want)
			e.waitFor(master)
			r, w := fixture.Pipe(e)
			splice(e, master, w, want)
			e.Arrives(r, want)
		},
	},
	{
		ID:       "splice/pipe-pty",
		Facility: "splice",
		Title:    "splice(2) from a pipe to a pseudo-terminal",
		Since:    "5.11",
		Source:   "commit 9bb48c82aced (tty: implement write_iter)",
		Systems:  linuxOnly,
		Ends:     Filesystem,
		Try: func(e *Env) {
			want := fixture.Pattern(1, terminalful)
			master, slave := terminal(e)
			splice(e, filledPipe(e, want), slave, want)
			e.Arrives(master, want)
		},
	},
	{
		ID:       "splice/direct-pipe",
		Facility: "splice",
		Title:    "splice(2) from a file opened with O_DIRECT to a pipe",
		Since:    "2.6.17",
		Source:   "open(2), O_DIRECT",
		Systems:  linuxOnly,
		Ends:     Filesystem,
		Try: func(e *Env) {
			want := fixture.Pattern(1, 4096)
			r, w := fixture.Pipe(e)
			splice(e, direct(e, want), w, want)
			e.Arrives(r, want)
		},
	},
	{
		ID:       "tee/pipe-pipe",
		Facility: "tee",
		Title:    "tee(2): bytes of a pipe in a second pipe, and still in the first",
		Since:    "2.6.17",
		Source:   "tee(2)",
		Systems:  linuxOnly,
		Try: func(e *Env) {
			want := fixture.Pattern(1, pageful)
			first := filledPipe(e, want)
			r, w := fixture.Pipe(e)
			n, errno := e.Kernel.Tee(first.Int(), w.Int(), len(want), 0)
			e.Moved("tee", n, errno, len(want))
			e.Arrives(r, want)
			e.Arrives(first, want)
		},
	},
}

// splice moves want from one descriptor to the other, one of which is a pipe.
func splice(e *Env, in, out *fixture.FD, want []byte) {
	e.Moves("splice", len(want), func(left int) (int, sys.Errno) {
		return e.Kernel.Splice(in.Int(), nil, out.Int(), nil, left, 0)
	})
}

// relay moves want from one socket to another through a pipe, as a proxy does.
func relay(e *Env, in, out *fixture.FD, want []byte) {
	r, w := fixture.Pipe(e)
	for done := 0; done < len(want); {
		n, errno := e.Kernel.Splice(in.Int(), nil, w.Int(), nil, len(want)-done, 0)
		e.Must("splice", errno)
		if n <= 0 || n > len(want)-done {
			e.wrong("splice stopped short of the end")
		}
		splice(e, r, out, want[done:done+n])
		done += n
	}
}

// filledPipe is the end to read of a pipe that holds want, and then ends: a
// call that says less than it did finds the end, and does not wait for ever.
func filledPipe(e *Env, want []byte) *fixture.FD {
	r, w := fixture.Pipe(e)
	fixture.WriteAll(e, w, want)
	w.Close()
	return r
}

// filled is one of a pair of sockets, at which want has arrived, and then the
// end.
func filled(e *Env, pair func(fixture.T) (a, b *fixture.FD), want []byte) *fixture.FD {
	far, near := pair(e)
	fixture.WriteAll(e, far, want)
	far.Close()
	e.waitFor(near)
	return near
}

func unixStream(t fixture.T) (a, b *fixture.FD) { return fixture.Unix(t, sys.Stream) }
