package cases

import (
	"os"
	"syscall"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// Sockets that do not wait.
var sendfileNonblock = []*Case{
	{
		ID:       "linux/sendfile/nonblock-partial-then-eagain",
		Title:    "A non-blocking socket takes a part, then says EAGAIN, and with what was read in between every byte arrives once",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2), ERRORS: EAGAIN", "CPython test_os sendfile retry loop", "nginx ngx_linux_sendfile_chain.c"},
		Covers:   []string{"linux/sendfile/nonblock-partial-then-eagain"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "Go on from the offset; on EAGAIN wait until the socket can be written.",
		Expect: []Expectation{
			{Facts: Want{"short": true, "first.errno": "", "then": "EAGAIN", Offset: 1 << 20, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 1<<20)
			file := fixture.File(e, content, os.O_RDONLY)
			a, b := fixture.TCP(e)
			fixture.Small(e, a, b)
			a.Nonblock(e)
			offset := int64(0)
			n, errno := e.Kernel.Sendfile(a.Int(), file.Int(), &offset, len(content))
			e.Named("first", n, errno)
			delete(e.facts, "first."+Return) // how much is a matter of buffers
			e.Fact("short", 0 < n && n < len(content))
			_, errno = sendAll(e, a, file, &offset, len(content)-int(offset))
			e.Fact("then", sys.ErrnoName(errno))
			var arrived []byte
			for len(arrived) < len(content) {
				p := fixture.ReadReady(e, b, len(content)-len(arrived))
				if len(p) == 0 && !fixture.Readable(e, b, 1000) {
					break
				}
				arrived = append(arrived, p...)
				if rest := len(content) - int(offset); rest > 0 {
					sendAll(e, a, file, &offset, rest)
				}
			}
			e.Fact(Offset, offset)
			a.Close()
			e.Arrived(append(arrived, fixture.ReadAll(e, b)...), content)
		},
	},
	{
		ID:       "linux/sendfile/eagain-leaves-offsets",
		Title:    "On EAGAIN neither the offset nor the file position moves",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2), DESCRIPTION", "Linux fs/read_write.c, do_sendfile: only where retval > 0"},
		Covers:   []string{"linux/sendfile/eagain-leaves-offsets"},
		Needs:    []string{"sendfile/file-unix"},
		Systems:  linuxOnly,
		Caller:   "Retry with the same offset.",
		Expect: []Expectation{
			{Facts: Want{"offset.return": -1, "offset.errno": "EAGAIN", Offset: 3, "null.return": -1, "null.errno": "EAGAIN", Position: 7, "queued-more": false}},
		},
		Body: func(e *Env) {
			file := fixture.File(e, fixture.Pattern(1, 100_000), os.O_RDONLY)
			a, b := fullUnix(e, file)
			queued := fixture.Queued(e, b)
			a.Nonblock(e)
			fixture.SetPosition(e, file, 7)
			offset := int64(3)
			n, errno := e.Kernel.Sendfile(a.Int(), file.Int(), &offset, 5000)
			e.Named("offset", n, errno)
			e.Fact(Offset, offset)
			n, errno = e.Kernel.Sendfile(a.Int(), file.Int(), nil, 5000)
			e.Named("null", n, errno)
			e.Fact(Position, fixture.Position(e, file))
			e.Fact("queued-more", fixture.Queued(e, b) != queued)
		},
	},
	{
		ID:       "linux/sendfile/nonblock-dgram-eagain",
		Title:    "A full queue of a non-blocking AF_UNIX datagram socket answers EAGAIN, and no offset moves",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2), ERRORS: EAGAIN", "LTP sendfile07", "unix(7), /proc/sys/net/unix/max_dgram_qlen"},
		Covers:   []string{"linux/sendfile/nonblock-dgram-eagain"},
		Needs:    []string{"sendfile/file-unix"},
		Systems:  linuxOnly,
		Caller:   "Wait until the socket can be written.",
		Expect: []Expectation{
			{Facts: Want{Return: -1, Errno: "EAGAIN", Offset: 3, "after.return": 10, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 100)
			file := fixture.File(e, content, os.O_RDONLY)
			a, b := fixture.Unix(e, sys.Datagram)
			a.Nonblock(e)
			// gVisor counts bytes, not messages, and takes 200,000 of one byte.
			for _, size := range []int{4096, 1} {
				for i := 0; ; i++ {
					n, errno := e.Kernel.Write(a.Int(), make([]byte, size))
					if errno == syscall.EAGAIN {
						break
					}
					if n != size || i == 1<<20 {
						e.Fatalf("write: the queue does not fill: %w", errno)
					}
				}
			}
			offset := int64(3)
			e.Answer(e.Kernel.Sendfile(a.Int(), file.Int(), &offset, 10))
			e.Fact(Offset, offset)
			messages(e, b)
			n, errno := e.Kernel.Sendfile(a.Int(), file.Int(), &offset, 10)
			e.Named("after", n, errno)
			arrived, _ := messages(e, b)
			e.Arrived(arrived, content[3:13])
		},
	},
	{
		ID:       "linux/sendfile/nonblock-source-ignored",
		Title:    "O_NONBLOCK of the source changes nothing: a blocking socket still takes all",
		Facility: "sendfile",
		Level:    Should,
		Sources:  []string{"Linux fs/read_write.c, do_sendfile: the debate about O_NONBLOCK of in", "open(2), O_NONBLOCK"},
		Needs:    []string{"sendfile/file-unix"},
		Systems:  linuxOnly,
		Caller:   "Only the mode of the destination counts.",
		Expect: []Expectation{
			{Facts: Want{"waited": true, Return: 1 << 20, Errno: "", Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 1<<20)
			file := fixture.File(e, content, os.O_RDONLY).Nonblock(e)
			a, b := fixture.Unix(e, sys.Stream)
			call := begin(func() (int, sys.Errno) { return e.Kernel.Sendfile(a.Int(), file.Int(), nil, len(content)) })
			e.Fact("waited", call.Waits())
			arrived := fixture.ReadN(e, b, len(content))
			e.Ended("", call)
			a.Close()
			e.Arrived(append(arrived, fixture.ReadAll(e, b)...), content)
		},
	},
	{
		ID:       "linux/sendfile/nonblock-cold-file",
		Title:    "A non-blocking socket gets the bytes of a file that is not in memory: the call waits for the disk instead of saying EAGAIN",
		Facility: "sendfile",
		Level:    Info,
		Sources:  []string{"sendfile(2)", "open(2), O_NONBLOCK: no effect on regular files", "apache/kafka#14289"},
		Covers:   []string{"bug/K32-sendfile-blocks-on-disk"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "An event loop stalls at a cold file: read ahead elsewhere, or send from a thread.",
		Expect: []Expectation{
			{Facts: Want{Return: 50_000, Errno: "", Offset: 50_000, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 50_000)
			file := fixture.File(e, content, os.O_RDWR)
			if errno := sys.Forget(file.Int()); errno != 0 {
				e.Skip(SkipPlace)
			}
			a, b := fixture.TCP(e)
			fixture.Roomy(a, b)
			a.Nonblock(e)
			offset := int64(0)
			e.Answer(e.Kernel.Sendfile(a.Int(), file.Int(), &offset, len(content)))
			e.Fact(Offset, offset)
			e.Arrived(fixture.ReadN(e, b, len(content)), content)
		},
	},
}

// fullUnix is a pair of AF_UNIX stream sockets, blocking, the first of which
// takes no more byte of sendfile. Before Linux 6.5 a page could still be hung
// on to the last of the queued messages when write already had to wait
// (unix_stream_sendpage), so that the call itself fills up the rest.
func fullUnix(e *Env, file *fixture.FD) (a, b *fixture.FD) {
	a, b = fixture.Unix(e, sys.Stream)
	fixture.Fill(e, a)
	a.Nonblock(e)
	native := sys.Native()
	for i := 0; ; i++ {
		offset := int64(0)
		_, errno := native.Sendfile(a.Int(), file.Int(), &offset, 1000)
		if errno == syscall.EAGAIN {
			break
		}
		if errno != 0 || i == 10_000 {
			e.Fatalf("sendfile: the socket does not fill: %w", errno)
		}
	}
	if errno := sys.SetNonblock(a.Int(), false); errno != 0 {
		e.Fatalf("clear O_NONBLOCK: %w", errno)
	}
	return a, b
}
