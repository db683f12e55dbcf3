package cases

import (
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// Which end a caller has to wait for.
var spliceWait = []*Case{
	{
		ID:       "linux/splice/full-pipe-is-what-to-wait-for",
		Title:    "EAGAIN for a full pipe leaves the source readable: only waiting for the pipe waits, and room in it lets the bytes through",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"splice(2), ERRORS EAGAIN", "poll(2)", "golang/go#75304: a copy from a connection to a full pipe that waited for the connection and spun"},
		Covers:   []string{"bug/G02-readfrom-busy-loop"},
		Needs:    []string{"splice/tcp-pipe"},
		Systems:  linuxOnly,
		Caller:   "EAGAIN does not say which end it is: ask both with poll, and wait for the one that is not ready.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: gvisorFullPipe, Known: gvisorSource + "tcpip/transport/tcp/endpoint.go#L1512-L1516",
				Facts: Want{Return: -1, Errno: OneOf{"EFAULT", "EAGAIN"}, "source-ready": true, "pipe-ready": false,
					"then.return": 100, "then.errno": "", Bytes: fixture.Right}},
			{Facts: Want{Return: -1, Errno: "EAGAIN", "source-ready": true, "pipe-ready": false,
				"then.return": 100, "then.errno": "", Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(1, 100)
			a, b := fixture.TCP(e)
			fixture.WriteAll(e, a, p)
			fixture.Await(e, b, len(p))
			b.Nonblock(e)
			r, w := roomyPipe(e)
			w.Nonblock(e)
			full := fixture.Fill(e, w)
			e.Answer(e.Kernel.Splice(b.Int(), nil, w.Int(), nil, 1000, sys.SpliceNonblock))
			e.Fact("source-ready", fixture.Readable(e, b, 0))
			e.Fact("pipe-ready", fixture.Writable(e, w, 0))
			fixture.ReadReady(e, r, full)
			n, errno := e.Kernel.Splice(b.Int(), nil, w.Int(), nil, 1000, sys.SpliceNonblock)
			e.Named("then", n, errno)
			e.Arrived(fixture.ReadReady(e, r, len(p)+1), p)
		},
	},
	{
		ID:       "linux/splice/file-sink-cannot-be-waited-for",
		Title:    "A regular file takes what a socket sent, through a pipe, at once: epoll refuses it with EPERM and poll finds it always ready",
		Facility: "splice",
		Level:    Should,
		Sources:  []string{"epoll_ctl(2), ERRORS EPERM", "poll(2)", "golang/go#59041: waiting for unsupported file type"},
		Covers:   []string{"bug/G04-unsupported-file-type"},
		Needs:    []string{"splice/tcp-pipe", "splice/pipe-file", "splice/unix-pipe"},
		Systems:  linuxOnly,
		Caller:   "Wait for the socket only; EPERM from epoll means that the file needs no waiting.",
		Expect: []Expectation{
			{Facts: Want{"tcp.return": 6000, "tcp.errno": "", "tcp.bytes": fixture.Right, "unix.return": 6000, "unix.errno": "", "unix.bytes": fixture.Right,
				"epoll": "EPERM", "ready": true}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(2, 6000)
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
				file := fixture.File(e, nil, os.O_RDWR)
				r, w := roomyPipe(e)
				moved := 0
				var errno sys.Errno
				for moved < len(p) && errno == 0 {
					var n, k int
					if n, errno = e.Kernel.Splice(b.Int(), nil, w.Int(), nil, len(p)-moved, 0); n <= 0 {
						break
					}
					for n > 0 && errno == 0 {
						if k, errno = e.Kernel.Splice(r.Int(), nil, file.Int(), nil, n, 0); k <= 0 {
							break
						}
						n, moved = n-k, moved+k
					}
				}
				e.Named(from.name, moved, errno)
				e.Fact(from.name+"."+Bytes, fixture.Compare(fixture.Contents(e, file), p))
				e.Fact("epoll", sys.ErrnoName(sys.EpollAdd(fixture.Anonymous(e, "epoll").Int(), file.Int())))
				e.Fact("ready", fixture.Readable(e, file, 0) && fixture.Writable(e, file, 0))
			}
		},
	},
	{
		ID:       "linux/splice/pipe-size-sets-what-a-call-moves",
		Title:    "One call fills the pipe and no more: four times the pages in the pipe are a quarter of the calls",
		Facility: "splice",
		Level:    Should,
		Sources:  []string{"pipe(7), Pipe capacity", "fcntl(2), F_SETPIPE_SZ", "rust-lang/rust#155859: a relay said to be slow for its pipe of 64 KiB"},
		Covers:   []string{"bug/R04-rust-pipe-size"},
		Needs:    []string{"splice/file-pipe"},
		Systems:  linuxOnly,
		Caller:   "Give a relay's pipe the size of what arrives at once; zcprobe bench tells what more costs.",
		Expect:   []Expectation{{Facts: Want{"small.pages": 16, "small.calls": 16, "large.pages": 64, "large.calls": 4, Bytes: fixture.Right}}},
		Body: func(e *Env) {
			page := os.Getpagesize()
			p := fixture.Pattern(3, 256*page)
			file := fixture.File(e, p, os.O_RDONLY)
			var got []byte
			for _, pipe := range []struct {
				name  string
				pages int
			}{{"small", 16}, {"large", 64}} {
				r, w := roomyPipe(e)
				if _, errno := e.Kernel.SetPipeSize(w.Int(), pipe.pages*page); errno != 0 {
					e.Skip(SkipResources)
				}
				calls, got1 := 0, []byte(nil)
				for offset := int64(0); offset < int64(len(p)) && calls < len(p)/page; calls++ {
					n, _ := e.Kernel.Splice(file.Int(), &offset, w.Int(), nil, len(p)-int(offset), 0)
					if n <= 0 {
						break
					}
					if calls == 0 {
						e.Fact(pipe.name+".pages", n/page)
					}
					got1 = append(got1, fixture.ReadReady(e, r, n)...)
				}
				e.Fact(pipe.name+".calls", calls)
				got = append(got, got1...)
			}
			e.Arrived(got, append(append([]byte{}, p...), p...))
		},
	},
}
