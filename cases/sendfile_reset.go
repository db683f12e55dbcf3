package cases

import (
	"os"
	"syscall"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// Peers that are not there, or no more.
var sendfileReset = []*Case{
	{
		ID:       "linux/sendfile/tcp-unconnected-epipe",
		Title:    "A TCP socket that is not connected, or listens, is refused with EPIPE and SIGPIPE",
		Facility: "sendfile",
		Level:    Should,
		Sources:  []string{"send(2), ERRORS: EPIPE", "Linux net/ipv4/tcp.c, tcp_sendmsg_locked"},
		Covers:   []string{"linux/sendfile/tcp-unconnected-epipe"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "Ignore SIGPIPE in the process: sendfile has no MSG_NOSIGNAL.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: gvisorSilent,
				Known: gvisorSource + "sentry/syscalls/linux/error.go#L62-L150",
				Facts: Want{
					"fresh.errno": "EPIPE", "fresh.return": -1, "fresh.signal": false, "listening.errno": "EPIPE", "listening.return": -1,
					"listening.signal": false, Position: 0,
				}},
			{Facts: Want{
				"fresh.return": -1, "fresh.errno": "EPIPE", "fresh.signal": true,
				"listening.return": -1, "listening.errno": "EPIPE", "listening.signal": true, Position: 0,
			}},
		},
		Body: func(e *Env) {
			file := fixture.File(e, fixture.Pattern(1, 1000), os.O_RDONLY)
			for _, name := range []string{"fresh", "listening"} {
				n, errno := sys.Socket(sys.Stream)
				if errno != 0 {
					e.Fatalf("socket: %w", errno)
				}
				socket := fixture.Adopt(e, n)
				if name == "listening" {
					if errno := sys.Listen(n); errno != 0 {
						e.Fatalf("listen: %w", errno)
					}
				}
				sendRaising(e, name, socket, file, nil)
			}
			e.Fact(Position, fixture.Position(e, file))
		},
	},
	{
		ID:       "linux/sendfile/sigpipe-epipe",
		Title:    "A socket that was shut down for writing, a UNIX peer that is closed and a pipe without a reader answer EPIPE and raise SIGPIPE, and no offset moves",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"send(2), ERRORS: EPIPE", "pipe(7)", "gVisor Shutdown", "CPython test_close_peer_in_the_middle"},
		Covers:   []string{"linux/sendfile/sigpipe-epipe"},
		Needs:    []string{"sendfile/file-tcp", "sendfile/file-unix", "sendfile/file-pipe"},
		Systems:  linuxOnly,
		Caller:   "Ignore SIGPIPE in the process: sendfile has no MSG_NOSIGNAL.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: gvisorSilent,
				Known: gvisorSource + "sentry/syscalls/linux/error.go#L62-L150",
				Facts: Want{
					Offset: 3, "pipe.errno": "EPIPE", "pipe.return": -1, "pipe.signal": false, Position: 0, "shutdown.errno": "EPIPE",
					"shutdown.return": -1, "shutdown.signal": false, "unix.errno": "EPIPE", "unix.return": -1, "unix.signal": false,
				}},
			{Facts: Want{
				"shutdown.return": -1, "shutdown.errno": "EPIPE", "shutdown.signal": true,
				"unix.return": -1, "unix.errno": "EPIPE", "unix.signal": true,
				"pipe.return": -1, "pipe.errno": "EPIPE", "pipe.signal": true, Offset: 3, Position: 0,
			}},
		},
		Body: func(e *Env) {
			file := fixture.File(e, fixture.Pattern(1, 1000), os.O_RDONLY)
			offset := int64(3)
			a, _ := fixture.TCP(e)
			if errno := sys.Shutdown(a.Int(), 1); errno != 0 {
				e.Fatalf("shutdown: %w", errno)
			}
			sendRaising(e, "shutdown", a, file, &offset)
			x, y := fixture.Unix(e, sys.Stream)
			y.Close()
			sendRaising(e, "unix", x, file, &offset)
			r, w := fixture.Pipe(e)
			r.Close()
			sendRaising(e, "pipe", w, file, &offset)
			e.Fact(Offset, offset)
			e.Fact(Position, fixture.Position(e, file))
		},
	},
	{
		ID:       "linux/sendfile/eof-peer-close-first-call-ok",
		Title:    "To a peer that has closed, the first call succeeds, and once its reset has come the next says EPIPE",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"RFC 9293, 3.5.2: reset of a closed connection", "Linux net/ipv4/tcp_input.c, tcp_reset: EPIPE in CLOSE_WAIT"},
		Covers:   []string{"linux/sendfile/eof-peer-close-first-call-ok"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "A count tells nothing about the peer: a protocol needs an answer of its own.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: gvisorSilent,
				Known: gvisorSource + "sentry/syscalls/linux/error.go#L62-L150",
				Facts: Want{
					"first.errno": "", "first.return": 100, "first.signal": false, Offset: 100, "second.errno": "EPIPE", "second.return": -1,
					"second.signal": false,
				}},
			{Facts: Want{
				"first.return": 100, "first.errno": "", "first.signal": false,
				"second.return": -1, "second.errno": "EPIPE", "second.signal": true, Offset: 100,
			}},
		},
		Body: func(e *Env) {
			file := fixture.File(e, fixture.Pattern(1, 1000), os.O_RDONLY)
			a, b := fixture.TCP(e)
			b.Close()
			fixture.Readable(e, a, 1000) // the FIN
			offset := int64(0)
			if n := sendRaising(e, "first", a, file, &offset); n > 0 {
				fixture.Broken(e, a) // the reset that answers it
			}
			sendRaising(e, "second", a, file, &offset)
			e.Fact(Offset, offset)
		},
	},
	{
		ID:       "linux/sendfile/rst-econnreset-then-epipe",
		Title:    "After a reset the first call says ECONNRESET, without a signal, and later ones EPIPE with SIGPIPE",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"tcp(7), ERRORS", "Linux net/core/stream.c, sk_stream_error", "gVisor Shutdown"},
		Covers:   []string{"linux/sendfile/rst-econnreset-then-epipe"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "Both mean that the peer is gone.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: gvisorSilent,
				Known: gvisorSource + "sentry/syscalls/linux/error.go#L62-L150",
				Facts: Want{
					"first.errno": "ECONNRESET", "first.return": -1, "first.signal": false, Offset: 3, "second.errno": "EPIPE", "second.return": -1,
					"second.signal": false,
				}},
			{Facts: Want{
				"first.return": -1, "first.errno": "ECONNRESET", "first.signal": false,
				"second.return": -1, "second.errno": "EPIPE", "second.signal": true, Offset: 3,
			}},
		},
		Body: func(e *Env) {
			file := fixture.File(e, fixture.Pattern(1, 1000), os.O_RDONLY)
			a, b := fixture.TCP(e)
			fixture.Reset(e, b, a)
			offset := int64(3)
			sendRaising(e, "first", a, file, &offset)
			sendRaising(e, "second", a, file, &offset)
			e.Fact(Offset, offset)
		},
	},
	{
		ID:       "linux/sendfile/rst-mid-transfer-partial",
		Title:    "A reset while a call waits half way ends it with the count of what was taken, and the offset agrees; the next call hears of the reset",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2), RETURN VALUE", "Linux fs/splice.c, splice_direct_to_actor", "CPython asyncio test_sendfile_close_peer_in_the_middle_of_receiving"},
		Covers:   []string{"linux/sendfile/rst-mid-transfer-partial"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "A short count may be the last good news: the error comes with the next call.",
		Expect: []Expectation{
			{Facts: Want{"waited": true, "short": true, Errno: "", "offset-moved-by-return": true, "next.return": -1, "next.refused": true}},
		},
		Body: func(e *Env) {
			const size = 8 << 20
			file := fixture.Sparse(e, size)
			a, b := fixture.TCP(e)
			fixture.Small(e, a, b)
			offset := int64(0)
			call := begin(func() (int, sys.Errno) { return e.Kernel.Sendfile(a.Int(), file.Int(), &offset, size) })
			e.Fact("waited", call.Waits() && fixture.Readable(e, b, 1000))
			fixture.Reset(e, b, a)
			n, errno, ok := call.Returned()
			e.Fact("short", ok && 0 < n && n < size)
			e.Fact(Errno, sys.ErrnoName(errno))
			e.Fact("offset-moved-by-return", ok && offset == int64(n))
			// Whether the waiting call has taken the socket's error with it is a
			// matter of where it stood.
			n, errno = e.Kernel.Sendfile(a.Int(), file.Int(), &offset, size)
			e.Fact("next."+Return, n)
			e.Fact("next.refused", errno == syscall.ECONNRESET || errno == syscall.EPIPE)
		},
	},
}

// sendRaising sends 100 bytes and records the answer, and whether SIGPIPE came
// with it.
func sendRaising(e *Env, name string, out, in *fixture.FD, offset *int64) (n int) {
	raised := fixture.Raises(e, sys.BrokenPipe, func() {
		var errno sys.Errno
		n, errno = e.Kernel.Sendfile(out.Int(), in.Int(), offset, 100)
		e.Named(name, n, errno)
	})
	e.Fact(name+".signal", raised)
	return n
}
