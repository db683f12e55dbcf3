package cases

import (
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// Stream sockets as the destination.
var sendfileSocket = []*Case{
	{
		ID:       "linux/sendfile/tcp-basic",
		Title:    "A megabyte and a bit crosses TCP whole",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2)", "Go net TestSendfile", "CPython test_os test_send_whole_file", "netty testFileRegion", "gVisor SendMultiple"},
		Covers:   []string{"linux/sendfile/tcp-basic"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "Loop until the count is reached.",
		Expect: []Expectation{
			{Facts: Want{Return: 1<<20 + 777, Errno: "", Position: 1<<20 + 777, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 1<<20+777)
			file := fixture.File(e, content, os.O_RDONLY)
			a, b := fixture.TCP(e)
			call := begin(func() (int, sys.Errno) { return sendAll(e, a, file, nil, len(content)) })
			arrived := fixture.ReadN(e, b, len(content))
			e.Ended("", call)
			e.Fact(Position, fixture.Position(e, file))
			a.Close()
			e.Arrived(append(arrived, fixture.ReadAll(e, b)...), content) // and nothing more
		},
	},
	{
		ID:       "linux/sendfile/tcp-interleaved-with-send",
		Title:    "What is sent before, by and after sendfile arrives in that order",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"tcp(7): one stream", "CPython test_sock_sendfile_mix_with_regular_send", "kernel selftest tls send_then_sendfile", "MagicStack/uvloop#50"},
		Covers:   []string{"linux/sendfile/tcp-interleaved-with-send", "bug/R08-uvloop-order---missing-body"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "Flush what a program still buffers before the call: the kernel knows only its own order.",
		Expect: []Expectation{
			{Facts: Want{"prefix": 300, Return: 5000, Errno: "", "suffix": 200, "copied": 1000, "more": 700, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 7200)
			file := fixture.File(e, content, os.O_RDONLY)
			a, b := fixture.TCP(e)
			duplicate, errno := sys.Dup(a.Int()) // one socket under two numbers is one stream
			if errno != 0 {
				e.Fatalf("dup: %w", errno)
			}
			again := fixture.Adopt(e, duplicate)
			n, _ := e.Kernel.Send(a.Int(), content[:300], 0)
			e.Fact("prefix", n)
			offset := int64(300)
			e.Answer(e.Kernel.Sendfile(again.Int(), file.Int(), &offset, 5000))
			n, _ = e.Kernel.Send(a.Int(), content[5300:5500], 0)
			e.Fact("suffix", n)
			n, _ = e.Kernel.Write(a.Int(), content[5500:6500])
			e.Fact("copied", n)
			offset = 6500
			n, _ = e.Kernel.Sendfile(again.Int(), file.Int(), &offset, 700)
			e.Fact("more", n)
			e.Arrived(fixture.ReadN(e, b, 7200), content)
		},
	},
	{
		ID:       "linux/sendfile/unix-stream-destination",
		Title:    "A file crosses an AF_UNIX stream whole",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2)", "Go net sendfile-to-unix", "netty EpollDomainSocketFileRegionTest"},
		Covers:   []string{"linux/sendfile/unix-stream-destination"},
		Needs:    []string{"sendfile/file-unix"},
		Systems:  linuxOnly,
		Caller:   "As with TCP.",
		Expect: []Expectation{
			{Facts: Want{Return: 500_777, Errno: "", Offset: 500_777, Position: 0, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 500_777)
			file := fixture.File(e, content, os.O_RDONLY)
			a, b := fixture.Unix(e, sys.Stream)
			offset := int64(0)
			call := begin(func() (int, sys.Errno) { return sendAll(e, a, file, &offset, len(content)) })
			arrived := fixture.ReadN(e, b, len(content))
			e.Ended("", call)
			e.Fact(Offset, offset)
			e.Fact(Position, fixture.Position(e, file))
			a.Close()
			e.Arrived(append(arrived, fixture.ReadAll(e, b)...), content)
		},
	},
	{
		ID:       "linux/sendfile/mptcp-destination",
		Title:    "A file crosses a Multipath TCP connection, and splice crosses it too",
		Facility: "sendfile",
		Level:    Should,
		Sources:  []string{"RFC 8684", "lance0/xfr#87"},
		Covers:   []string{"bug/K35-mptcp-splice"},
		Needs:    []string{"sendfile/file-tcp", "splice/pipe-tcp"},
		Systems:  linuxOnly,
		Caller:   "As with TCP.",
		Expect: []Expectation{
			{Facts: Want{Return: 50_000, Errno: "", Offset: 50_000, Bytes: fixture.Right, "splice.return": 5000, "splice.errno": "", "splice.bytes": fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 50_000)
			file := fixture.File(e, content, os.O_RDONLY)
			x, y, _, errno := sys.FamilyPair(sys.MPTCP)
			if errno != 0 {
				e.Skip(SkipFeature) // not built, switched off, or too old
			}
			a, b := fixture.Adopt(e, x), fixture.Adopt(e, y)
			offset := int64(0)
			call := begin(func() (int, sys.Errno) { return sendAll(e, a, file, &offset, len(content)) })
			arrived := fixture.ReadN(e, b, len(content))
			e.Ended("", call)
			e.Fact(Offset, offset)
			e.Arrived(arrived, content)
			r, w := fixture.Pipe(e)
			fixture.WriteAll(e, w, content[:5000])
			n, errno := e.Kernel.Splice(r.Int(), nil, a.Int(), nil, 5000, 0)
			e.Named("splice", n, errno)
			e.Fact("splice.bytes", fixture.Compare(fixture.ReadN(e, b, max(n, 0)), content[:5000]))
		},
	},
	{
		ID:       "linux/sendfile/close-after-return-safe",
		Title:    "After the call returned, closing and unlinking the source and closing the socket loses no byte",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"tcp(7): close delivers what is queued", "CPython test_os sendfile close tests"},
		Covers:   []string{"linux/sendfile/close-after-return-safe"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "A returned count is the kernel's promise to this connection, not the peer's receipt.",
		Expect: []Expectation{
			{Facts: Want{Return: 60_000, Errno: "", Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 60_000)
			file, path := fixture.NamedFile(e, content, os.O_RDONLY)
			a, b := fixture.TCP(e)
			e.Answer(e.Kernel.Sendfile(a.Int(), file.Int(), nil, len(content)))
			file.Close()
			os.Remove(path)
			a.Close()
			e.Arrived(fixture.ReadAll(e, b), content)
		},
	},
	{
		ID:       "linux/sendfile/deleted-source",
		Title:    "A file without a name is sent as long as it is open",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"unlink(2)"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "Nothing to mind: a server may send what was replaced meanwhile.",
		Expect: []Expectation{
			{Facts: Want{Return: 10_000, Errno: "", Position: 10_000, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 10_000)
			file, path := fixture.NamedFile(e, content, os.O_RDONLY)
			os.Remove(path)
			a, b := fixture.TCP(e)
			e.Answer(e.Kernel.Sendfile(a.Int(), file.Int(), nil, len(content)))
			e.Fact(Position, fixture.Position(e, file))
			e.Arrived(fixture.ReadN(e, b, len(content)), content)
		},
	},
}

// sendAll calls sendfile as a program does, until count bytes are sent or a
// call returns something else than progress; it tells the sum, and the errno.
func sendAll(e *Env, out, in *fixture.FD, offset *int64, count int) (int, sys.Errno) {
	total := 0
	for total < count {
		n, errno := e.Kernel.Sendfile(out.Int(), in.Int(), offset, count-total)
		if n <= 0 {
			return total, errno
		}
		total += n
	}
	return total, 0
}

// begin starts a call that may wait, in a thread that no signal of Go's
// scheduler reaches: one that struck half way would end the call early.
func begin(call func() (int, sys.Errno)) *fixture.Call {
	return fixture.Begin(func() (int, sys.Errno) {
		defer sys.Undisturbed()()
		return call()
	})
}

// Ended records what a call that may have waited said. One that never returns
// is a fact as well.
func (e *Env) Ended(name string, call *fixture.Call) {
	n, errno, ok := call.Returned()
	if !ok {
		if name != "" {
			name += "."
		}
		e.Fact(name+Return, "never")
		e.Fact(name+Errno, "never")
		return
	}
	e.Named(name, n, errno)
}
