package cases

import (
	"os"
	"syscall"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// halfPages ends in the middle of a page of any size.
const halfPages = fixture.WitnessSize/4 + 2000

// What a pipe keeps of the pages and the packets in it.
var spliceKept = []*Case{
	{
		ID:       "linux/splice/resize-keeps-shared-pages",
		Title:    "A pipe that shrinks and grows while pages of a file lie in it still holds those very pages",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"fcntl(2), F_SETPIPE_SZ", "Linux fs/pipe.c, pipe_resize_ring: the buffers are moved, not their pages"},
		Needs:    []string{"splice/file-pipe"},
		Systems:  linuxOnly,
		Caller:   "A pipe can be made larger in the middle of a transfer.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: gvisorPipe, Known: gvisorSource + "sentry/kernel/pipe/vfs.go#L317-L341",
				Facts: Want{"shrunk": true, "grown": true, "bytes-queued": fixture.WitnessSize, Witness: "copied"}},
			{Facts: Want{"shrunk": true, "grown": true, "bytes-queued": fixture.WitnessSize, Witness: "by-reference"}},
		},
		Body: func(e *Env) {
			before, after := fixture.Pattern(1, fixture.WitnessSize), fixture.Pattern(2, fixture.WitnessSize)
			file := fixture.File(e, before, os.O_RDWR)
			r, w := roomyPipe(e)
			grow := 2 * max(fixture.WitnessSize, os.Getpagesize())
			if _, errno := e.Kernel.SetPipeSize(w.Int(), grow); errno != 0 {
				e.Skip(SkipResources)
			}
			for done := int64(0); done < fixture.WitnessSize; {
				if n, _ := e.Kernel.Splice(file.Int(), &done, w.Int(), nil, fixture.WitnessSize-int(done), sys.SpliceNonblock); n <= 0 {
					break
				}
			}
			n, errno := e.Kernel.SetPipeSize(w.Int(), fixture.WitnessSize)
			e.Fact("shrunk", errno == 0 && n == fixture.WitnessSize)
			n, errno = e.Kernel.SetPipeSize(w.Int(), grow)
			e.Fact("grown", errno == 0 && n == grow)
			e.Fact("bytes-queued", fixture.Queued(e, r))
			fixture.Overwrite(e, file, after, 0)
			e.Fact(Witness, fixture.Witnessed(fixture.ReadReady(e, r, len(before)+1), before, after))
		},
	},
	{
		ID:       "linux/splice/pipe-to-pipe-by-reference",
		Title:    "Pages of a file that go from one pipe into two others, half a page each way too, are the file's own in both",
		Facility: "splice",
		Level:    Should,
		Sources:  []string{"splice(2)", "Linux fs/splice.c, splice_pipe_to_pipe", "golang/go#80977: a copy from pipe to pipe that went through user space"},
		Covers:   []string{"bug/G03-pipe-splice-gone"},
		Needs:    []string{"splice/file-pipe", "splice/pipe-pipe"},
		Systems:  linuxOnly,
		Caller:   "Hand pages from pipe to pipe; cut them where you like.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: gvisorPipe, Known: gvisorSource + "sentry/kernel/pipe/vfs.go#L317-L341",
				Facts: Want{"first.return": halfPages, "second.return": fixture.WitnessSize - halfPages, Witness: "copied"}},
			{Facts: Want{"first.return": halfPages, "second.return": fixture.WitnessSize - halfPages, Witness: "by-reference"}},
		},
		Body: func(e *Env) {
			before, after := fixture.Pattern(10, fixture.WitnessSize), fixture.Pattern(11, fixture.WitnessSize)
			file := fixture.File(e, before, os.O_RDWR)
			r, w := roomyPipe(e)
			for done := int64(0); done < fixture.WitnessSize; {
				if n, _ := e.Kernel.Splice(file.Int(), &done, w.Int(), nil, fixture.WitnessSize-int(done), sys.SpliceNonblock); n <= 0 {
					break
				}
			}
			r1, w1 := roomyPipe(e)
			r2, w2 := roomyPipe(e)
			n, _ := e.Kernel.Splice(r.Int(), nil, w1.Int(), nil, halfPages, sys.SpliceNonblock)
			e.Fact("first.return", n)
			n, _ = e.Kernel.Splice(r.Int(), nil, w2.Int(), nil, len(before), sys.SpliceNonblock)
			e.Fact("second.return", n)
			fixture.Overwrite(e, file, after, 0)
			got := append(fixture.ReadReady(e, r1, len(before)+1), fixture.ReadReady(e, r2, len(before)+1)...)
			e.Fact(Witness, fixture.Witnessed(got, before, after))
		},
	},
	{
		ID:       "linux/splice/packets-stay-packets",
		Title:    "What was written into a pipe of packets (O_DIRECT) stays packets in the pipe it is spliced into: a read takes one, and drops what it has no room for",
		Facility: "splice",
		Level:    Info,
		Sources:  []string{"pipe(2), O_DIRECT", "Linux fs/splice.c, splice_pipe_to_pipe: PIPE_BUF_FLAG_PACKET goes along"},
		Needs:    []string{"splice/pipe-pipe"},
		Systems:  linuxOnly,
		Caller:   "Read from a pipe that others splice into with a buffer as large as their packets.",
		Expect: []Expectation{
			{Facts: Want{Return: 350, Errno: "", "first": 100, "second": 50, "third": 50, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(3, 350)
			n, m, errno := sys.PacketPipe()
			if errno == syscall.EINVAL { // pipe2(2): before 3.4; and gVisor, which has no such pipes
				e.Skip(SkipFeature)
			}
			if errno != 0 {
				e.Fatalf("pipe2 O_DIRECT: %w", error(errno))
			}
			from, packets := fixture.Adopt(e, n), fixture.Adopt(e, m)
			for _, part := range [][]byte{p[:100], p[100:300], p[300:]} {
				fixture.WriteAll(e, packets, part)
			}
			r, w := roomyPipe(e)
			e.Answer(e.Kernel.Splice(from.Int(), nil, w.Int(), nil, 1000, sys.SpliceNonblock))
			r.Nonblock(e)
			buffer, got := make([]byte, 4096), []byte(nil)
			for _, read := range []struct {
				name string
				room int
			}{{"first", 4096}, {"second", 50}, {"third", 4096}} {
				n, _ := e.Kernel.Read(r.Int(), buffer[:read.room])
				e.Fact(read.name, n)
				got = append(got, buffer[:max(n, 0)]...)
			}
			e.Arrived(got, slicesOf(p, 0, 150, 300, 350))
		},
	},
	{
		ID:       "linux/splice/copy-into-pipe-is-a-snapshot",
		Title:    "What read and write bring into a pipe does not change with the file any more, what splice brings does",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"pipe(7)", "Rust dont_splice_pipes_from_files: io::copy must not share a file's pages with a pipe"},
		Covers:   []string{"linux/fallback/rust-no-splice-file-to-pipe"},
		Needs:    []string{"splice/file-pipe"},
		Systems:  linuxOnly,
		Caller:   "Copy into a pipe what must stay as it is; splice what nobody changes.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: gvisorPipe, Known: gvisorSource + "sentry/kernel/pipe/vfs.go#L317-L341",
				Facts: Want{"written": "copied", "spliced": "copied"}},
			{Facts: Want{"written": "copied", "spliced": "by-reference"}},
		},
		Body: func(e *Env) {
			before, after := fixture.Pattern(4, fixture.WitnessSize), fixture.Pattern(5, fixture.WitnessSize)
			file := fixture.File(e, before, os.O_RDWR)
			r, w := roomyPipe(e)
			r2, w2 := roomyPipe(e)
			buffer := make([]byte, len(before))
			n, _ := e.Kernel.Pread(file.Int(), buffer, 0)
			_, _ = e.Kernel.Write(w.Nonblock(e).Int(), buffer[:max(n, 0)])
			for done := int64(0); done < fixture.WitnessSize; {
				if n, _ := e.Kernel.Splice(file.Int(), &done, w2.Int(), nil, fixture.WitnessSize-int(done), sys.SpliceNonblock); n <= 0 {
					break
				}
			}
			fixture.Overwrite(e, file, after, 0)
			e.Fact("written", fixture.Witnessed(fixture.ReadReady(e, r, len(before)+1), before, after))
			e.Fact("spliced", fixture.Witnessed(fixture.ReadReady(e, r2, len(before)+1), before, after))
		},
	},
	{
		ID:       "linux/splice/fifo-both-ways",
		Title:    "A FIFO is a pipe: splice goes into it and out of it, and shares what lies in it",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"fifo(7)", "splice(2)"},
		Needs:    []string{"splice/file-pipe", "splice/pipe-file"},
		Systems:  linuxOnly,
		Caller:   "Treat a FIFO as any pipe.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: gvisorPipe, Known: gvisorSource + "sentry/kernel/pipe/vfs.go#L317-L341",
				Facts: Want{"in.return": fixture.WitnessSize, "in.errno": "", "out.return": fixture.WitnessSize, "out.errno": "", Witness: "copied"}},
			{Facts: Want{"in.return": fixture.WitnessSize, "in.errno": "", "out.return": fixture.WitnessSize, "out.errno": "", Witness: "by-reference"}},
		},
		Body: func(e *Env) {
			path := fixture.Path(e, "fifo")
			if errno := sys.MakeFIFO(path); errno != 0 {
				e.Fatalf("mkfifo: %w", error(errno))
			}
			before, after := fixture.Pattern(6, fixture.WitnessSize), fixture.Pattern(7, fixture.WitnessSize)
			file, out := fixture.File(e, before, os.O_RDWR), fixture.File(e, nil, os.O_RDWR)
			fifo := fixture.Open(e, path, os.O_RDWR) // which does not wait for the other end, fifo(7)
			for _, call := range []struct {
				name    string
				in, out *fixture.FD
			}{{"in", file, fifo}, {"out", fifo, out}} {
				moved := 0
				var errno sys.Errno
				for moved < fixture.WitnessSize && errno == 0 {
					var n int
					if n, errno = e.Kernel.Splice(call.in.Int(), nil, call.out.Int(), nil, fixture.WitnessSize-moved, sys.SpliceNonblock); n <= 0 {
						break
					}
					moved += n
				}
				e.Named(call.name, moved, errno)
				if call.name == "in" {
					fixture.Overwrite(e, file, after, 0)
				}
			}
			e.Fact(Witness, fixture.Witnessed(fixture.Contents(e, out), before, after))
		},
	},
	{
		ID:       "linux/splice/peeked-bytes-come-once",
		Title:    "Bytes that were looked at with MSG_PEEK are spliced once, whole and in order",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"recv(2), MSG_PEEK", "Linux net/ipv4/tcp.c, tcp_splice_read", "Linux net/unix/af_unix.c, unix_stream_splice_read"},
		Needs:    []string{"splice/tcp-pipe", "splice/unix-pipe"},
		Systems:  linuxOnly,
		Caller:   "A proxy may peek at the first bytes to choose its way, and splice all of them then.",
		Expect: []Expectation{
			{Facts: Want{"tcp.peeked": fixture.Right, "tcp.bytes": fixture.Right, "unix.peeked": fixture.Right, "unix.bytes": fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(8, 9000)
			for _, from := range []struct {
				name string
				pair func(fixture.T) (a, b *fixture.FD)
			}{
				{"tcp", fixture.TCP},
				{"unix", func(t fixture.T) (a, b *fixture.FD) { return fixture.Unix(t, sys.Stream) }},
			} {
				a, b := from.pair(e)
				fixture.WriteAll(e, a, p)
				fixture.Await(e, b, len(p))
				peeked := make([]byte, 700)
				n, _ := e.Kernel.Recv(b.Int(), peeked, msgPeek)
				e.Fact(from.name+".peeked", fixture.Compare(peeked[:max(n, 0)], p[:700]))
				r, w := roomyPipe(e)
				b.Nonblock(e)
				for moved := 0; moved < len(p); {
					n, _ := e.Kernel.Splice(b.Int(), nil, w.Int(), nil, len(p)-moved, sys.SpliceNonblock)
					if n <= 0 {
						break
					}
					moved += n
				}
				holds(e, from.name+"."+Bytes, r, p)
			}
		},
	},
	{
		ID:       "linux/splice/unix-rights-are-dropped",
		Title:    "A descriptor that comes along on a UNIX socket is closed when its bytes are spliced, and a call ends behind those bytes",
		Facility: "splice",
		Level:    Should,
		Sources:  []string{"unix(7), SCM_RIGHTS", "Linux net/unix/af_unix.c, unix_stream_read_generic: scm_destroy without a message, and a stop behind descriptors"},
		Needs:    []string{"splice/unix-pipe"},
		Systems:  linuxOnly,
		Caller:   "A relay by splice loses passed descriptors, as one by read does: use recvmsg where a protocol passes them.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: "descriptors that nobody asked for are closed, and what lies behind them is read on (streamQueueReceiver.Recv)",
				Known: gvisorSource + "sentry/socket/unix/transport/unix.go#L652-L680",
				Facts: Want{"first.return": 300, "first.errno": "", "second.return": -1, "second.errno": "EAGAIN", Bytes: fixture.Right, "closed": true}},
			{Facts: Want{"first.return": 100, "first.errno": "", "second.return": 200, "second.errno": "", Bytes: fixture.Right, "closed": true}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(9, 300)
			a, b := fixture.Unix(e, sys.Stream)
			passedR, passed := fixture.Pipe(e)
			if errno := sys.SendRights(a.Int(), p[:100], passed.Int()); errno != 0 {
				e.Fatalf("sendmsg SCM_RIGHTS: %w", error(errno))
			}
			passed.Close()
			fixture.WriteAll(e, a, p[100:])
			fixture.Await(e, b, len(p))
			b.Nonblock(e)
			r, w := roomyPipe(e)
			for _, name := range []string{"first", "second"} {
				n, errno := e.Kernel.Splice(b.Int(), nil, w.Int(), nil, 1000, sys.SpliceNonblock)
				e.Named(name, n, errno)
			}
			e.Arrived(fixture.ReadReady(e, r, len(p)+1), p)
			e.Fact("closed", fixture.Readable(e, passedR, 0)) // its end: the writer is gone
		},
	},
}
