package cases

import (
	"sync"
	"syscall"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// fullTries is how often a case asks a full socket again in which room came up.
const fullTries = 5

var spliceSocket = []*Case{
	{
		ID:       "linux/splice/tcp-to-pipe-short",
		Title:    "From a TCP socket splice returns what has arrived and does not wait for the rest of the count",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"splice(2), RETURN VALUE", "gVisor SpliceTest", "Go TestSplice"},
		Covers:   []string{"linux/splice/tcp-to-pipe-short"},
		Needs:    []string{"splice/tcp-pipe"},
		Systems:  linuxOnly,
		Caller:   "Loop: a short count is not the end.",
		Expect:   []Expectation{{Facts: Want{Return: 5, Errno: "", Bytes: fixture.Right, "left": 0}}},
		Body: func(e *Env) {
			p := fixture.Pattern(1, 5)
			a, b := fixture.TCP(e)
			r, w := roomyPipe(e)
			fixture.WriteAll(e, b, p)
			fixture.Await(e, a, len(p))
			e.Answer(e.Kernel.Splice(a.Int(), nil, w.Int(), nil, 1000, 0))
			e.Fact("left", fixture.Queued(e, a))
			e.Arrived(fixture.ReadReady(e, r, 1000), p)
		},
	},
	{
		ID:       "linux/splice/tcp-to-pipe-leaves-rest",
		Title:    "A count smaller than what has arrived leaves the rest in the socket",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"splice(2), DESCRIPTION"},
		Needs:    []string{"splice/tcp-pipe"},
		Systems:  linuxOnly,
		Caller:   "Take a header off with splice and leave the body where it is.",
		Expect:   []Expectation{{Facts: Want{Return: 100, Errno: "", Bytes: fixture.Right, kept: fixture.Right}}},
		Body: func(e *Env) {
			p := fixture.Pattern(2, 3000)
			a, b := fixture.TCP(e)
			r, w := roomyPipe(e)
			fixture.WriteAll(e, b, p)
			fixture.Await(e, a, len(p))
			e.Answer(e.Kernel.Splice(a.Int(), nil, w.Int(), nil, 100, 0))
			e.Arrived(fixture.ReadReady(e, r, 1000), p[:100])
			holds(e, kept, a, p[100:])
		},
	},
	{
		ID:       "linux/splice/tcp-eof-zero",
		Title:    "After the last bytes of a peer that has shut down splice returns zero, again and again",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"splice(2), RETURN VALUE", "Go TestSplice readerAtEOF", "haproxy: older kernels said EAGAIN"},
		Covers:   []string{"linux/splice/tcp-eof-zero"},
		Needs:    []string{"splice/tcp-pipe"},
		Systems:  linuxOnly,
		Caller:   "Zero from a stream is its end.",
		Expect: []Expectation{
			{Facts: Want{Return: 100, Errno: "", "end.return": 0, "end.errno": "", "again.return": 0, "again.errno": "",
				"nonblock.return": 0, "nonblock.errno": "", Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(3, 100)
			a, b := fixture.TCP(e)
			r, w := roomyPipe(e)
			fixture.WriteAll(e, b, p)
			b.Close()
			fixture.Await(e, a, len(p))
			e.Answer(e.Kernel.Splice(a.Int(), nil, w.Int(), nil, 1000, 0))
			fixture.AwaitEnd(e, a)
			for _, name := range []string{"end", "again"} {
				n, errno := e.Kernel.Splice(a.Int(), nil, w.Int(), nil, 1000, 0)
				e.Named(name, n, errno)
			}
			n, errno := e.Kernel.Splice(a.Nonblock(e).Int(), nil, w.Int(), nil, 1000, sys.SpliceNonblock)
			e.Named("nonblock", n, errno)
			e.Arrived(fixture.ReadReady(e, r, 1000), p)
		},
	},
	{
		ID:       "linux/splice/tcp-rst",
		Title:    "From a connection that its peer has reset splice is ECONNRESET once, then zero",
		Facility: "splice",
		Level:    Should,
		Sources:  []string{"net/ipv4/tcp.c, tcp_splice_read: sock_error, SOCK_DONE", "tcp(7)"},
		Covers:   []string{"linux/splice/tcp-rst"},
		Needs:    []string{"splice/tcp-pipe"},
		Systems:  linuxOnly,
		Caller:   "Act on the first error: the next answer looks like a clean end.",
		Expect: []Expectation{
			{Facts: Want{Return: -1, Errno: "ECONNRESET", "again.return": 0, "again.errno": "", "queued": 0}},
		},
		Body: func(e *Env) {
			a, b := fixture.TCP(e)
			r, w := roomyPipe(e)
			fixture.Reset(e, b, a)
			e.Answer(e.Kernel.Splice(a.Int(), nil, w.Int(), nil, 1000, 0))
			n, errno := e.Kernel.Splice(a.Int(), nil, w.Int(), nil, 1000, 0)
			e.Named("again", n, errno)
			e.Fact("queued", fixture.Queued(e, r))
		},
	},
	{
		ID:       "linux/splice/tcp-notconn",
		Title:    "From a TCP socket without a peer splice is ENOTCONN; into one it is EPIPE with SIGPIPE, and the pipe keeps its bytes",
		Facility: "splice",
		Level:    Should,
		Sources:  []string{"LTP splice07", "net/ipv4/tcp.c, tcp_splice_read and tcp_sendmsg", "tcp(7), ERRORS EPIPE"},
		Covers:   []string{"linux/splice/tcp-notconn"},
		Needs:    []string{"splice/tcp-pipe", "splice/pipe-tcp"},
		Systems:  linuxOnly,
		Caller:   "A mistake of the program: connect first.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: gvisorSilent,
				Known: gvisorSource + "sentry/syscalls/linux/error.go#L62-L150",
				Facts: Want{
					"fresh.errno": "ENOTCONN", "fresh.return": -1, "into.errno": "EPIPE", "into.raised": false, "into.return": -1,
					kept: fixture.Right, "listening.errno": "ENOTCONN", "listening.return": -1,
				}},
			{Facts: Want{"fresh.return": -1, "fresh.errno": "ENOTCONN", "listening.return": -1, "listening.errno": "ENOTCONN",
				"into.return": -1, "into.errno": "EPIPE", "into.raised": true, kept: fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(4, 100)
			r, _ := loaded(e, p)
			_, w := roomyPipe(e)
			fresh := fixture.Unconnected(e, sys.Stream)
			n, errno := e.Kernel.Splice(fresh.Int(), nil, w.Int(), nil, 1000, 0)
			e.Named("fresh", n, errno)
			e.Fact("into.raised", fixture.Raises(e, sys.BrokenPipe, func() {
				n, errno := e.Kernel.Splice(r.Int(), nil, fresh.Int(), nil, 1000, 0)
				e.Named("into", n, errno)
			}))
			if errno := sys.Listen(fresh.Int()); errno != 0 {
				e.Fatalf("listen: %w", error(errno))
			}
			n, errno = e.Kernel.Splice(fresh.Int(), nil, w.Int(), nil, 1000, 0)
			e.Named("listening", n, errno)
			holds(e, kept, r, p)
		},
	},
	{
		ID:       "linux/splice/tcp-sink-reset",
		Title:    "Into a connection that its peer has reset splice is ECONNRESET, then EPIPE with SIGPIPE; the pipe keeps its bytes",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"tcp(7), ERRORS EPIPE", "net/core/stream.c, sk_stream_error"},
		Needs:    []string{"splice/pipe-tcp"},
		Systems:  linuxOnly,
		Caller:   "The bytes in the pipe were not sent: take them out before the pipe is used again.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: gvisorSilent,
				Known: gvisorSource + "sentry/syscalls/linux/error.go#L62-L150",
				Facts: Want{
					"first.errno": "ECONNRESET", "first.raised": false, "first.return": -1, kept: fixture.Right, "second.errno": "EPIPE",
					"second.raised": false, "second.return": -1,
				}},
			{Facts: Want{"first.return": -1, "first.errno": "ECONNRESET", "first.raised": false,
				"second.return": -1, "second.errno": "EPIPE", "second.raised": true, kept: fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(5, 1000)
			a, b := fixture.TCP(e)
			r, w := loaded(e, p)
			w.Close()
			fixture.Reset(e, b, a)
			for _, name := range []string{"first", "second"} {
				e.Fact(name+".raised", fixture.Raises(e, sys.BrokenPipe, func() {
					n, errno := e.Kernel.Splice(r.Int(), nil, a.Int(), nil, len(p), 0)
					e.Named(name, n, errno)
				}))
			}
			holds(e, kept, r, p)
		},
	},
	{
		ID:       "linux/splice/nonblock-socket-eagain-ambiguous",
		Title:    "EAGAIN from a socket to a pipe says that the socket is empty or that the pipe is full, and not which",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"splice(2), ERRORS EAGAIN", "haproxy raw_sock.c", "Go internal/poll splice_linux.go"},
		Covers:   []string{"linux/splice/nonblock-socket-eagain-ambiguous"},
		Needs:    []string{"splice/tcp-pipe"},
		Systems:  linuxOnly,
		Caller:   "Splice into an empty pipe only: then EAGAIN means the socket.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: gvisorFullPipe,
				Known: gvisorSource + "tcpip/transport/tcp/endpoint.go#L1512-L1516",
				Facts: Want{
					Bytes: fixture.Right, "empty.errno": "EAGAIN", "empty.return": -1, "full.errno": OneOf{"EFAULT", "EAGAIN"}, "full.return": -1,
					kept: 1000, "room.errno": "", "room.return": 1000,
				}},
			{Facts: Want{"empty.return": -1, "empty.errno": "EAGAIN", "full.return": -1, "full.errno": "EAGAIN", kept: 1000,
				"room.return": 1000, "room.errno": "", Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(6, 1000)
			a, b := fixture.TCP(e)
			a.Nonblock(e)
			r, w := roomyPipe(e)
			n, errno := e.Kernel.Splice(a.Int(), nil, w.Int(), nil, 5000, sys.SpliceNonblock)
			e.Named("empty", n, errno)
			fixture.WriteAll(e, b, p)
			fixture.Await(e, a, len(p))
			full := fixture.Fill(e, w)
			n, errno = e.Kernel.Splice(a.Int(), nil, w.Int(), nil, 5000, sys.SpliceNonblock)
			e.Named("full", n, errno)
			e.Fact(kept, fixture.Queued(e, a))
			fixture.ReadN(e, r, full)
			n, errno = e.Kernel.Splice(a.Int(), nil, w.Int(), nil, 5000, sys.SpliceNonblock)
			e.Named("room", n, errno)
			e.Arrived(fixture.ReadReady(e, r, 5000), p)
		},
	},
	{
		ID:       "linux/splice/unix-stream-both-ways",
		Title:    "An AF_UNIX stream socket works as source and as sink",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"LTP splice05", "kernel commit 2b514574f7e8 (AF_UNIX as source, 4.2)", "Go TestSplice unix-to-tcp, tcp-to-unix"},
		Covers:   []string{"linux/splice/unix-stream-both-ways"},
		Needs:    []string{"splice/unix-pipe", "splice/pipe-unix"},
		Systems:  linuxOnly,
		Caller:   "Treat it as a TCP socket; it cannot take pages by reference everywhere.",
		Expect: []Expectation{
			{Since: "4.2", Why: "AF_UNIX is a source since 2b514574f7e8", Facts: Want{"out.return": 9000, "out.errno": "", "in.return": 9000, "in.errno": "", Bytes: fixture.Right,
				"end.return": 0, "end.errno": ""}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(7, 9000)
			a, b := fixture.Unix(e, sys.Stream)
			r, _ := loaded(e, p)
			r2, w2 := roomyPipe(e)
			n, errno := e.Kernel.Splice(r.Int(), nil, a.Int(), nil, len(p), 0)
			e.Named("out", n, errno)
			// A stream socket may hand its buffers out one by one.
			total := 0
			for total < len(p) {
				n, errno = e.Kernel.Splice(b.Int(), nil, w2.Int(), nil, len(p)-total, sys.SpliceNonblock)
				if n <= 0 {
					break
				}
				total += n
			}
			e.Named("in", total, errno)
			e.Arrived(fixture.ReadReady(e, r2, len(p)+1), p)
			a.Close()
			n, errno = e.Kernel.Splice(b.Int(), nil, w2.Int(), nil, len(p), 0)
			e.Named("end", n, errno)
		},
	},
	{
		ID:       "linux/splice/unix-dgram-seqpacket-source",
		Title:    "From an AF_UNIX datagram or seqpacket socket splice takes one message a call",
		Facility: "splice",
		Level:    Info,
		Sources:  []string{"net/socket.c, sock_splice_read: the generic way where the protocol has none", "Go TestSplice no-unixpacket, no-unixgram"},
		Covers:   []string{"linux/splice/unix-dgram-seqpacket-source"},
		Needs:    []string{"splice/unix-pipe"},
		Systems:  linuxOnly,
		Caller:   "Refuse such sockets: the borders between messages are lost in the pipe.",
		Expect: []Expectation{
			{Facts: Want{"datagram.return": 5, "datagram.errno": "", "datagram.next": 7, "datagram.bytes": fixture.Right,
				"seqpacket.return": 5, "seqpacket.errno": "", "seqpacket.next": 7, "seqpacket.bytes": fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(8, 12)
			for _, kind := range []struct {
				name string
				typ  sys.SocketType
			}{{"datagram", sys.Datagram}, {"seqpacket", sys.Seqpacket}} {
				a, b := fixture.Unix(e, kind.typ)
				r, w := roomyPipe(e)
				fixture.WriteAll(e, b, p[:5])
				fixture.WriteAll(e, b, p[5:])
				a.Nonblock(e)
				n, errno := e.Kernel.Splice(a.Int(), nil, w.Int(), nil, 1000, 0)
				e.Named(kind.name, n, errno)
				n, _ = e.Kernel.Splice(a.Int(), nil, w.Int(), nil, 1000, 0)
				e.Fact(kind.name+".next", n)
				holds(e, kind.name+".bytes", r, p)
			}
		},
	},
	{
		ID:       "linux/splice/udp-source",
		Title:    "From a UDP socket splice takes one datagram a call, and what a small count cuts off is lost",
		Facility: "splice",
		Level:    Info,
		Sources:  []string{"udp(7)", "net/socket.c, sock_splice_read", "Go internal/poll: only stream sockets"},
		Covers:   []string{"linux/splice/udp-source"},
		Needs:    []string{"splice/udp-pipe"},
		Systems:  linuxOnly,
		Caller:   "Ask for 64 KiB, or refuse UDP.",
		Expect: []Expectation{
			{Facts: Want{"whole.return": 1000, "whole.errno": "", "cut.return": 100, "cut.errno": "", Bytes: fixture.Right, "left": 0}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(9, 1500)
			a, b := fixture.UDP(e)
			r, w := roomyPipe(e)
			fixture.WriteAll(e, b, p[:1000])
			fixture.WriteAll(e, b, p[1000:])
			fixture.Await(e, a, 1)
			n, errno := e.Kernel.Splice(a.Int(), nil, w.Int(), nil, 4096, 0)
			e.Named("whole", n, errno)
			fixture.Await(e, a, 1)
			n, errno = e.Kernel.Splice(a.Int(), nil, w.Int(), nil, 100, 0)
			e.Named("cut", n, errno)
			e.Fact("left", fixture.Queued(e, a))
			e.Arrived(fixture.ReadReady(e, r, 4096), p[:1100])
		},
	},
	{
		ID:       "linux/splice/udp-sink-one-datagram",
		Title:    "What one splice moves from a pipe into a UDP socket is one datagram, from however many buffers",
		Facility: "splice",
		Level:    Should,
		Sources:  []string{"gVisor RawPacket SpliceTooLong", "fs/splice.c, splice_to_socket: one sendmsg for 16 buffers"},
		Covers:   []string{"linux/splice/udp-sink-one-datagram"},
		Needs:    []string{"splice/pipe-udp", "splice/file-pipe"},
		Systems:  linuxOnly,
		Caller:   "Keep what goes into one call to the size of one datagram.",
		Expect:   []Expectation{{Facts: Want{Return: 6000, Errno: "", "datagram": 6000, Bytes: fixture.Right, "more": false}}},
		Body: func(e *Env) {
			p := fixture.Pattern(10, 6000)
			a, b := fixture.UDP(e)
			r, w := roomyPipe(e)
			// Each splice from a file is a buffer of its own.
			fixture.SharePipe(e, w, p[:4096])
			fixture.SharePipe(e, w, p[4096:])
			e.Answer(e.Kernel.Splice(r.Int(), nil, a.Int(), nil, len(p), 0))
			fixture.AwaitEnd(e, b)
			got := make([]byte, 10_000)
			n, _ := e.Kernel.Recv(b.Int(), got, sys.NoWait)
			e.Fact("datagram", n)
			e.Arrived(got[:max(n, 0)], p)
			_, errno := e.Kernel.Recv(b.Int(), got, sys.NoWait)
			e.Fact("more", errno != syscall.EAGAIN)
		},
	},
	{
		ID:       "linux/splice/full-nonblock-tcp-partial",
		Title:    "Into a TCP socket with little room splice is short, then EAGAIN; what was not sent stays in the pipe",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"gVisor SpliceTest.LargeSpliceFromPipe", "Go internal/poll, splicePump"},
		Covers:   []string{"linux/splice/full-nonblock-tcp-partial"},
		Needs:    []string{"splice/pipe-tcp"},
		Systems:  linuxOnly,
		Caller:   "Wait for POLLOUT, then go on with what is in the pipe.",
		Expect: []Expectation{
			{Facts: Want{"errno": "EAGAIN", "again.return": -1, "again.errno": "EAGAIN", "remainder": true, Bytes: fixture.Right, kept: fixture.Right}},
		},
		Body: func(e *Env) {
			const chunk = 64 << 10
			a, b := fixture.TCP(e)
			narrow(e, a, b)
			a.Nonblock(e)
			var p []byte // all that went into the pipe
			r, w := roomyPipe(e)
			sent := 0
			var last sys.Errno
			for last == 0 && len(p) < 64<<20 { // some systems grow their buffers to many MiB
				more := fixture.PatternAt(11, int64(len(p)), chunk)
				fixture.WriteAll(e, w, more)
				p = append(p, more...)
				for rested := false; sent < len(p); {
					n, errno := e.Kernel.Splice(r.Int(), nil, a.Int(), nil, len(p)-sent, sys.SpliceNonblock)
					if last = errno; n > 0 {
						sent, rested = sent+n, false
						continue
					}
					if rested || n == 0 {
						break
					}
					fixture.Rest(e, a) // what is under way makes room when it arrives
					rested = true
				}
			}
			e.Fact(Errno, sys.ErrnoName(last))
			n, errno := e.Kernel.Splice(r.Int(), nil, a.Int(), nil, chunk, sys.SpliceNonblock)
			e.Named("again", n, errno)
			e.Fact("remainder", sent < len(p))
			e.Arrived(fixture.ReadN(e, b, sent), p[:sent])
			holds(e, kept, r, p[sent:])
		},
	},
	{
		ID:       "linux/splice/nonblock-is-for-the-pipe",
		Title:    "Into a full socket in non-blocking mode splice is EAGAIN even without the flag; from an empty pipe the flag decides",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"splice(2), SPLICE_F_NONBLOCK", "golang/go#59041", "fs/splice.c, splice_to_socket: MSG_DONTWAIT from O_NONBLOCK"},
		Covers:   []string{"bug/K18-splice-nonblock-meaning", "bug/K19-splice-to-socket-o_nonblock"},
		Needs:    []string{"splice/pipe-tcp"},
		Systems:  linuxOnly,
		Caller:   "Set both: O_NONBLOCK for the socket, SPLICE_F_NONBLOCK for the pipe.",
		Expect: []Expectation{
			{Facts: Want{"socket.return": -1, "socket.errno": "EAGAIN", kept: 4096,
				"pipe.return": -1, "pipe.errno": "EAGAIN", "blocking.waits": true, "blocking.return": 10, "blocking.errno": "",
				"full.waits": true, "full.return": 64 << 10, "full.errno": "", Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			const most = 64 << 10
			p := fixture.Pattern(12, most)
			a, b := fixture.TCP(e)
			narrow(e, a, b)
			filled := 0
			var r *fixture.FD
			var call *fixture.Call
			// A window probe can bring up some room in a socket that was full:
			// that is asked again.
			for range fullTries {
				filled += fixture.Stuff(e, a)
				r, _ = loaded(e, p[:4096])
				a.Nonblock(e)
				call = beginSplice(e, r, a, 4096, 0)
				n, _, ok := call.Returned()
				if !ok || n <= 0 {
					break
				}
				filled += n
			}
			returned(e, "socket", call)
			e.Fact(kept, fixture.Queued(e, r))

			// The reverse: a blocking socket that is full, with the flag, and more
			// bytes than any room that comes up.
			if errno := sys.SetNonblock(a.Int(), false); errno != 0 {
				e.Fatalf("clear O_NONBLOCK: %w", error(errno))
			}
			r, _ = loaded(e, p)
			call = beginSplice(e, r, a, most, sys.SpliceNonblock)
			e.Fact("full.waits", call.Waits())
			fixture.ReadN(e, b, filled)
			got := fixture.ReadN(e, b, most)
			returned(e, "full", call)
			e.Arrived(got, p)

			// A socket with room and an empty pipe.
			a.Nonblock(e)
			r, w := roomyPipe(e)
			n, errno := e.Kernel.Splice(r.Int(), nil, a.Int(), nil, 100, sys.SpliceNonblock)
			e.Named("pipe", n, errno)
			call = beginSplice(e, r, a, 100, 0)
			e.Fact("blocking.waits", call.Waits())
			fixture.WriteAll(e, w, p[:10])
			returned(e, "blocking", call)
		},
	},
	{
		ID:       "linux/splice/relay-tail-after-fin",
		Title:    "Bytes that wait in a pipe when the source ends still arrive at a sink that was stalled",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"haproxy/haproxy#2505"},
		Covers:   []string{"bug/S06-haproxy-splice-cut"},
		Needs:    []string{"splice/tcp-tcp"},
		Systems:  linuxOnly,
		Caller:   "After the end of the source go on until the pipe is empty.",
		Expect:   []Expectation{{Facts: Want{"stalled": "EAGAIN", "end.return": 0, "end.errno": "", "queued": 3000, Bytes: fixture.Right}}},
		Body: func(e *Env) {
			tail := fixture.Pattern(13, 3000)
			server, from := fixture.TCP(e)
			to, client := fixture.TCP(e)
			narrow(e, to, client)
			fixture.WriteAll(e, server, tail)
			server.Close()
			fixture.Await(e, from, len(tail))
			r, w := roomyPipe(e)
			for moved := 0; moved < len(tail); {
				n, errno := e.Kernel.Splice(from.Int(), nil, w.Int(), nil, 10_000, sys.SpliceNonblock)
				if n <= 0 || errno != 0 {
					break
				}
				moved += n
			}
			filled := fixture.Stuff(e, to) // the client does not read
			to.Nonblock(e)
			_, errno := e.Kernel.Splice(r.Int(), nil, to.Int(), nil, len(tail), sys.SpliceNonblock)
			e.Fact("stalled", sys.ErrnoName(errno))
			fixture.AwaitEnd(e, from)
			n, errno := e.Kernel.Splice(from.Int(), nil, w.Int(), nil, 10_000, sys.SpliceNonblock)
			e.Named("end", n, errno)
			e.Fact("queued", fixture.Queued(e, r))
			fixture.ReadN(e, client, filled)
			var got []byte
			for len(got) < len(tail) {
				// That the client has room again is news which takes its time.
				if !fixture.Writable(e, to, int(fixture.Patience().Milliseconds())) {
					break
				}
				n, _ := e.Kernel.Splice(r.Int(), nil, to.Int(), nil, len(tail), sys.SpliceNonblock)
				p := fixture.ReadN(e, client, max(n, 0))
				if len(p) == 0 {
					break
				}
				got = append(got, p...)
			}
			e.Arrived(got, tail)
		},
	},
	{
		ID:       "linux/splice/relay-bytes-identical",
		Title:    "A relay from socket to pipe to socket neither loses nor repeats a byte, whatever the single calls return",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"axboe/liburing#278", "Go TestSplice"},
		Needs:    []string{"splice/tcp-tcp", "splice/unix-unix"},
		Systems:  linuxOnly,
		Caller:   "Count what each call returns, never what was asked for.",
		Expect:   []Expectation{{Facts: Want{"tcp.bytes": fixture.Right, "tcp.end": 0, "unix.bytes": fixture.Right, "unix.end": 0}}},
		Body: func(e *Env) {
			p := fixture.Pattern(14, 300_000)
			for _, kind := range []struct {
				name string
				pair func() (a, b *fixture.FD)
			}{
				{"tcp", func() (a, b *fixture.FD) { return fixture.TCP(e) }},
				{"unix", func() (a, b *fixture.FD) { return fixture.Unix(e, sys.Stream) }},
			} {
				source, from := kind.pair()
				to, sink := kind.pair()
				r, w := roomyPipe(e)
				native := sys.Native()
				var writer sync.WaitGroup
				writer.Go(func() {
					for rest := p; len(rest) > 0; {
						n, errno := native.Write(source.Int(), rest[:min(len(rest), 777)])
						if errno != 0 {
							return
						}
						rest = rest[n:]
					}
					sys.Shutdown(source.Int(), 1)
				})
				end := make(chan int)
				go func() {
					for {
						n, _ := e.Kernel.Splice(from.Int(), nil, w.Int(), nil, 50_000, 0)
						if n <= 0 {
							sys.Shutdown(to.Int(), 1)
							end <- n
							return
						}
						for n > 0 {
							k, _ := e.Kernel.Splice(r.Int(), nil, to.Int(), nil, n, 0)
							if k <= 0 {
								break
							}
							n -= k
						}
					}
				}()
				e.Fact(kind.name+".bytes", fixture.Compare(fixture.ReadAll(e, sink), p))
				e.Fact(kind.name+".end", <-end)
				writer.Wait()
			}
		},
	},
	{
		ID:       "linux/splice/netlink-source",
		Title:    "A netlink answer can be spliced into a pipe and is whole there",
		Facility: "splice",
		Level:    Info,
		Sources:  []string{"gVisor NetlinkRouteTest", "net/socket.c, sock_splice_read", "rtnetlink(7)"},
		Covers:   []string{"linux/splice/netlink-source"},
		Needs:    []string{"splice/tcp-pipe"},
		Systems:  linuxOnly,
		Caller:   "Nothing is won by it: read netlink with recv.",
		Expect: []Expectation{
			{Emulator: "qemu-user", Arch: "s390x", Why: "messages are turned into the program's byte order where it receives them, which splice goes around (fd-trans.c)",
				Known: qemuSource + "fd-trans.c", Facts: Want{"moved": true, Errno: "", "valid": false}},
			{Facts: Want{"moved": true, Errno: "", "valid": true}},
		},
		Body: func(e *Env) {
			route := fixture.RouteSocket(e)
			if errno := sys.AskLinks(route.Int()); errno != 0 {
				e.Fatalf("send RTM_GETLINK: %w", error(errno))
			}
			fixture.AwaitEnd(e, route)
			r, w := roomyPipe(e)
			n, errno := e.Kernel.Splice(route.Int(), nil, w.Int(), nil, 48<<10, 0)
			e.Fact("moved", n > 0)
			e.Fact(Errno, sys.ErrnoName(errno))
			e.Fact("valid", sys.LinkMessages(fixture.ReadReady(e, r, 64<<10)) > 0)
		},
	},
	{
		ID:       "linux/splice/mptcp-both-ways",
		Title:    "An MPTCP socket works as source and as sink",
		Facility: "splice",
		Level:    Should,
		Sources:  []string{"net/mptcp/protocol.c, mptcp_splice_read", "lance0/xfr#87"},
		Covers:   []string{"bug/K35-mptcp-splice"},
		Needs:    []string{"mptcp/splice-receive", "mptcp/splice-send"},
		Systems:  linuxOnly,
		Caller:   "Treat it as a TCP socket.",
		Expect: []Expectation{
			{Since: "5.6", Why: "no MPTCP before", Facts: Want{"out.return": 9000, "out.errno": "", "in.return": 9000, "in.errno": "", Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			if fd, errno := sys.FamilySocket(sys.MPTCP, 0); errno == 0 {
				sys.Close(fd)
			} else {
				e.Skip(SkipFeature)
			}
			p := fixture.Pattern(15, 9000)
			a, b, ok := fixture.Multipath(e)
			if !ok {
				e.Skip(SkipFeature)
			}
			r, _ := loaded(e, p)
			r2, w2 := roomyPipe(e)
			n, errno := e.Kernel.Splice(r.Int(), nil, a.Int(), nil, len(p), 0)
			e.Named("out", n, errno)
			total := 0
			for total < len(p) && errno == 0 {
				fixture.AwaitEnd(e, b)
				n, errno = e.Kernel.Splice(b.Int(), nil, w2.Int(), nil, len(p)-total, 0)
				if n <= 0 {
					break
				}
				total += n
			}
			e.Named("in", total, errno)
			e.Arrived(fixture.ReadReady(e, r2, len(p)+1), p)
		},
	},
	{
		ID:       "linux/splice/socket-pipe-signal-eintr",
		Title:    "A signal ends a splice that waits for a TCP socket, on either side, with EINTR",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"signal(7), Interruption of system calls", "net/ipv4/tcp.c, tcp_splice_read: sock_intr_errno"},
		Needs:    []string{"splice/tcp-pipe", "splice/pipe-tcp"},
		Systems:  linuxOnly,
		Alone:    true,
		Caller:   "Ask again on EINTR; look at the pipe before you count a byte as lost.",
		Expect: []Expectation{
			{Facts: Want{"source.waits": true, "source.return": -1, "source.errno": "EINTR",
				"sink.waits": true, "sink.return": -1, "sink.errno": "EINTR", kept: fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(16, 1000)
			a, b := fixture.TCP(e)
			narrow(e, a, b)
			_, w := roomyPipe(e)
			r, w2 := loaded(e, p)
			fixture.Interruptible(e)
			call := beginSplice(e, a, w, 100, 0)
			e.Fact("source.waits", call.Waits())
			call.Interrupt(e)
			returned(e, "source", call)
			waits := false
			for range fullTries { // see nonblock-is-for-the-pipe
				fixture.Stuff(e, a)
				call = beginSplice(e, r, a, len(p), 0)
				if waits = call.Waits(); waits {
					call.Interrupt(e)
				}
				if n, _, ok := call.Returned(); !ok || n <= 0 {
					break
				}
				fixture.ReadReady(e, r, len(p))
				fixture.WriteAll(e, w2, p)
			}
			e.Fact("sink.waits", waits)
			returned(e, "sink", call)
			holds(e, kept, r, p)
		},
	},
}
