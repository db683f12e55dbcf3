package cases

import (
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// Which descriptors are refused, and how.
var sendfileDescriptors = []*Case{
	{
		ID:       "linux/sendfile/bad-out-fd-ebadf",
		Title:    "An output that is no open descriptor is refused with EBADF, and nothing is read",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2), ERRORS: EBADF", "LTP sendfile03"},
		Covers:   []string{"linux/sendfile/bad-out-fd-ebadf"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "A mistake of the caller: most often a use after close.",
		Expect: []Expectation{
			{Facts: Want{"minus.return": -1, "minus.errno": "EBADF", "unused.return": -1, "unused.errno": "EBADF", Position: 7}},
		},
		Body: func(e *Env) {
			file := fixture.File(e, fixture.Pattern(1, 100), os.O_RDONLY)
			fixture.SetPosition(e, file, 7)
			for name, fd := range map[string]int{"minus": -1, "unused": 1 << 30} {
				n, errno := e.Kernel.Sendfile(fd, file.Int(), nil, 10)
				e.Named(name, n, errno)
			}
			e.Fact(Position, fixture.Position(e, file))
		},
	},
	{
		ID:       "linux/sendfile/bad-in-fd-ebadf",
		Title:    "An input that is no open descriptor is refused with EBADF, and nothing is written",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2), ERRORS: EBADF", "LTP sendfile03"},
		Covers:   []string{"linux/sendfile/bad-in-fd-ebadf"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "A mistake of the caller: most often a use after close.",
		Expect: []Expectation{
			{Facts: Want{"minus.return": -1, "minus.errno": "EBADF", "unused.return": -1, "unused.errno": "EBADF", Offset: 3, "queued": 0}},
		},
		Body: func(e *Env) {
			a, b := fixture.TCP(e)
			offset := int64(3)
			for name, fd := range map[string]int{"minus": -1, "unused": 1 << 30} {
				n, errno := e.Kernel.Sendfile(a.Int(), fd, &offset, 10)
				e.Named(name, n, errno)
			}
			e.Fact(Offset, offset)
			e.Fact("queued", fixture.Queued(e, b))
		},
	},
	{
		ID:       "linux/sendfile/out-not-writable-ebadf",
		Title:    "An output that was opened for reading only is refused with EBADF",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2), ERRORS: EBADF", "LTP sendfile03", "gVisor SendFileFailsIfOutfileIsNotWritable"},
		Covers:   []string{"linux/sendfile/out-not-writable-ebadf"},
		Needs:    []string{"sendfile/file-file"},
		Systems:  linuxOnly,
		Caller:   "A mistake of the caller.",
		Expect: []Expectation{
			{Facts: Want{Return: -1, Errno: "EBADF", "pipe.return": -1, "pipe.errno": "EBADF", Position: 0, "content": fixture.Right}},
		},
		Body: func(e *Env) {
			in := fixture.File(e, fixture.Pattern(1, 100), os.O_RDONLY)
			content := fixture.Pattern(2, 100)
			out := fixture.File(e, content, os.O_RDONLY)
			e.Answer(e.Kernel.Sendfile(out.Int(), in.Int(), nil, 10))
			r, _ := fixture.Pipe(e)
			n, errno := e.Kernel.Sendfile(r.Int(), in.Int(), nil, 10)
			e.Named("pipe", n, errno)
			e.Fact(Position, fixture.Position(e, in))
			e.Fact("content", fixture.Compare(fixture.Contents(e, out), content))
		},
	},
	{
		ID:       "linux/sendfile/in-not-readable-ebadf",
		Title:    "An input that was opened for writing only is refused with EBADF",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2), ERRORS: EBADF", "LTP sendfile03", "gVisor SendFileFailsIfInfileIsNotReadable"},
		Covers:   []string{"linux/sendfile/in-not-readable-ebadf"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "A mistake of the caller.",
		Expect: []Expectation{
			{Facts: Want{"null.return": -1, "null.errno": "EBADF", "offset.return": -1, "offset.errno": "EBADF", Offset: 3, "queued": 0}},
		},
		Body: func(e *Env) {
			in := fixture.File(e, fixture.Pattern(1, 100), os.O_WRONLY)
			a, b := fixture.TCP(e)
			n, errno := e.Kernel.Sendfile(a.Int(), in.Int(), nil, 10)
			e.Named("null", n, errno)
			offset := int64(3)
			n, errno = e.Kernel.Sendfile(a.Int(), in.Int(), &offset, 10)
			e.Named("offset", n, errno)
			e.Fact(Offset, offset)
			e.Fact("queued", fixture.Queued(e, b))
		},
	},
	{
		ID:       "linux/sendfile/o-path-ebadf",
		Title:    "A descriptor of O_PATH is refused with EBADF, as input and as output",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"open(2), O_PATH", "LTP splice07"},
		Covers:   []string{"linux/sendfile/o-path-ebadf"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "Open the file again through /proc/self/fd to read it.",
		Expect: []Expectation{
			{Facts: Want{"in.return": -1, "in.errno": "EBADF", "out.return": -1, "out.errno": "EBADF", "queued": 0, Position: 0}},
		},
		Body: func(e *Env) {
			in, path := fixture.NamedFile(e, fixture.Pattern(1, 100), os.O_RDONLY)
			only := fixture.Open(e, path, sys.PathOnly)
			a, b := fixture.TCP(e)
			n, errno := e.Kernel.Sendfile(a.Int(), only.Int(), nil, 10)
			e.Named("in", n, errno)
			n, errno = e.Kernel.Sendfile(only.Int(), in.Int(), nil, 10)
			e.Named("out", n, errno)
			e.Fact("queued", fixture.Queued(e, b))
			e.Fact(Position, fixture.Position(e, in))
		},
	},
	{
		ID:       "linux/sendfile/out-append-einval",
		Title:    "A destination with O_APPEND is refused with EINVAL, and nothing is written",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2), ERRORS: EINVAL", "gVisor DoNotSendfileIfOutfileIsAppendOnly", "Rust std copies_append_mode_sink"},
		Covers:   []string{"linux/sendfile/out-append-einval"},
		Needs:    []string{"sendfile/file-file"},
		Systems:  linuxOnly,
		Caller:   "Copy with read and write: that is what a shell's >> needs.",
		Expect: []Expectation{
			{Facts: Want{Return: -1, Errno: "EINVAL", Position: 0, "content": fixture.Right, "written": 20, "appended": fixture.Right}},
		},
		Body: func(e *Env) {
			source, old := fixture.Pattern(1, 20), fixture.Pattern(2, 100)
			in := fixture.File(e, source, os.O_RDONLY)
			out, path := fixture.NamedFile(e, old, os.O_WRONLY|os.O_APPEND)
			e.Answer(e.Kernel.Sendfile(out.Int(), in.Int(), nil, 20))
			e.Fact(Position, fixture.Position(e, in))
			e.Fact("content", fixture.Compare(fixture.Content(e, path), old))
			n, _ := e.Kernel.Write(out.Int(), source)
			e.Fact("written", n)
			e.Fact("appended", fixture.Compare(fixture.Content(e, path), append(old, source...)))
		},
	},
	{
		ID:       "linux/sendfile/append-set-later-einval",
		Title:    "O_APPEND that another holder of the description sets later makes sendfile and splice fail with EINVAL where they worked before, and write goes on",
		Facility: "sendfile",
		Level:    Should,
		Sources:  []string{"fcntl(2), F_SETFL", "axboe/liburing#291"},
		Covers:   []string{"bug/K08-make-sets-append-on-tty"},
		Needs:    []string{"sendfile/file-file", "splice/pipe-file"},
		Systems:  linuxOnly,
		Caller:   "Standard output can change under a program (make sets O_APPEND on it): be ready to fall back in the middle.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: gvisorAppends,
				Known: gvisorSource + "sentry/syscalls/linux/sys_splice.go#L57-L104",
				Facts: Want{
					"after.errno": "", "after.return": 10, "before.return": 10, "content": "wrong from 20 of 30", "sendfile.errno": "EINVAL",
					"sendfile.return": -1, "splice.errno": "", "splice.return": 10, "write.errno": "", "write.return": 10,
				}},
			{Facts: Want{
				"before.return": 10, "sendfile.return": -1, "sendfile.errno": "EINVAL", "splice.return": -1, "splice.errno": "EINVAL",
				"write.return": 10, "write.errno": "", "content": fixture.Right, "after.return": 10, "after.errno": "",
			}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 40)
			in := fixture.File(e, content, os.O_RDONLY)
			out, path := fixture.NamedFile(e, nil, os.O_WRONLY)
			other, errno := sys.Dup(out.Int())
			if errno != 0 {
				e.Fatalf("dup: %w", errno)
			}
			fixture.Adopt(e, other)
			n, errno := e.Kernel.Sendfile(out.Int(), in.Int(), nil, 10)
			e.Named("before", n, errno)
			if errno := sys.SetAppend(other, true); errno != 0 {
				e.Fatalf("fcntl F_SETFL: %w", errno)
			}
			n, errno = e.Kernel.Sendfile(out.Int(), in.Int(), nil, 10)
			e.Named("sendfile", n, errno)
			r, w := fixture.Pipe(e)
			fixture.WriteAll(e, w, content[10:20])
			n, errno = e.Kernel.Splice(r.Int(), nil, out.Int(), nil, 10, 0)
			e.Named("splice", n, errno)
			n, errno = e.Kernel.Write(out.Int(), content[10:20])
			e.Named("write", n, errno)
			sys.SetAppend(other, false)
			fixture.SetPosition(e, in, 20)
			n, errno = e.Kernel.Sendfile(out.Int(), in.Int(), nil, 10)
			e.Named("after", n, errno)
			e.Fact("content", fixture.Compare(fixture.Content(e, path), content[:30]))
		},
	},
	{
		ID:       "linux/sendfile/in-directory-einval",
		Title:    "A directory as input is refused with EINVAL",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2), ERRORS: EINVAL", "gVisor SendToNotARegularFile"},
		Covers:   []string{"linux/sendfile/in-directory-einval"},
		Needs:    []string{"sendfile/file-tcp", "sendfile/file-file"},
		Systems:  linuxOnly,
		Caller:   "read says EISDIR: fall back, and the plain copy names the mistake.",
		Expect: []Expectation{
			{Facts: Want{"tcp.return": -1, "tcp.errno": "EINVAL", "file.return": -1, "file.errno": "EINVAL", "queued": 0}},
		},
		Body: func(e *Env) {
			directory := fixture.Directory(e)
			a, b := fixture.TCP(e)
			n, errno := e.Kernel.Sendfile(a.Int(), directory.Int(), nil, 10)
			e.Named("tcp", n, errno)
			out := fixture.File(e, nil, os.O_WRONLY)
			n, errno = e.Kernel.Sendfile(out.Int(), directory.Int(), nil, 10)
			e.Named("file", n, errno)
			e.Fact("queued", fixture.Queued(e, b))
		},
	},
	{
		ID:       "linux/sendfile/in-pipe-einval",
		Title:    "A pipe as input is refused with EINVAL whatever the destination, with an offset with ESPIPE, and keeps its bytes and its mode",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2), DESCRIPTION: mmap-like operations", "sendfile(2), ERRORS: EINVAL, ESPIPE", "Go net TestSendfilePipe"},
		Covers:   []string{"linux/sendfile/in-pipe-einval", "suite/go/pipe-stays-nonblocking"},
		Needs:    []string{"sendfile/file-tcp", "sendfile/file-file", "sendfile/file-pipe"},
		Systems:  linuxOnly,
		Caller:   "Use splice: that is its work.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: "the type of the source is looked at before the offset (Sendfile)",
				Known: gvisorSource + "sentry/syscalls/linux/sys_splice.go#L310-L325",
				Facts: Want{
					Bytes: fixture.Right, "file.errno": "EINVAL", "file.return": -1, "nonblocking": true, Offset: 0, "offset.errno": "EINVAL",
					"offset.return": -1, "pipe.errno": "EINVAL", "pipe.return": -1, "queued": 100, "tcp.errno": "EINVAL", "tcp.return": -1,
				}},
			{Facts: Want{
				"tcp.return": -1, "tcp.errno": "EINVAL", "file.return": -1, "file.errno": "EINVAL", "pipe.return": -1, "pipe.errno": "EINVAL",
				"offset.return": -1, "offset.errno": "ESPIPE", Offset: 0, "queued": 100, "nonblocking": true, Bytes: fixture.Right,
			}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 100)
			r, w := fixture.Pipe(e)
			r.Nonblock(e)
			fixture.WriteAll(e, w, content)
			a, _ := fixture.TCP(e)
			_, w2 := fixture.Pipe(e)
			for name, out := range map[string]*fixture.FD{"tcp": a, "file": fixture.File(e, nil, os.O_WRONLY), "pipe": w2} {
				n, errno := e.Kernel.Sendfile(out.Int(), r.Int(), nil, 10)
				e.Named(name, n, errno)
			}
			offset := int64(0)
			n, errno := e.Kernel.Sendfile(a.Int(), r.Int(), &offset, 10)
			e.Named("offset", n, errno)
			e.Fact(Offset, offset)
			e.Fact("queued", fixture.Queued(e, r))
			nonblocking, errno := sys.Nonblocking(r.Int())
			if errno != 0 {
				e.Fatalf("fcntl F_GETFL: %w", errno)
			}
			e.Fact("nonblocking", nonblocking)
			e.Arrived(fixture.ReadReady(e, r, 100), content)
		},
	},
	{
		ID:       "linux/sendfile/in-socket-einval",
		Title:    "A socket as input is refused with EINVAL where the output is no pipe, with an offset with ESPIPE, and keeps its bytes",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2), DESCRIPTION and ERRORS", "Linux fs/splice.c, splice_direct_to_actor", "CPython test_shutil test_non_regular_file_src"},
		Covers:   []string{"linux/sendfile/in-socket-einval"},
		Needs:    []string{"sendfile/file-tcp", "sendfile/file-file", "sendfile/file-unix"},
		Systems:  linuxOnly,
		Caller:   "Relay with splice through a pipe.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: "the type of the source is looked at before the offset (Sendfile)",
				Known: gvisorSource + "sentry/syscalls/linux/sys_splice.go#L310-L325",
				Facts: Want{
					Offset: 0, "offset.errno": "EINVAL", "offset.return": -1, "tcp-file.errno": "EINVAL", "tcp-file.return": -1,
					"tcp-tcp.errno": "EINVAL", "tcp-tcp.return": -1, "tcp.bytes": fixture.Right, "unix-file.errno": "EINVAL", "unix-file.return": -1,
					"unix.bytes": fixture.Right,
				}},
			{Facts: Want{
				"tcp-file.return": -1, "tcp-file.errno": "EINVAL", "tcp-tcp.return": -1, "tcp-tcp.errno": "EINVAL",
				"unix-file.return": -1, "unix-file.errno": "EINVAL", "offset.return": -1, "offset.errno": "ESPIPE", Offset: 0,
				"tcp.bytes": fixture.Right, "unix.bytes": fixture.Right,
			}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 100)
			a, b := fixture.TCP(e)
			x, y := fixture.Unix(e, sys.Stream)
			sink, _ := fixture.TCP(e)
			out := fixture.File(e, nil, os.O_WRONLY)
			fixture.WriteAll(e, a, content)
			fixture.WriteAll(e, x, content)
			try := func(name string, out, in *fixture.FD, offset *int64) {
				n, errno := e.Kernel.Sendfile(out.Int(), in.Int(), offset, 10)
				e.Named(name, n, errno)
			}
			offset := int64(0)
			try("tcp-file", out, b, nil)
			try("tcp-tcp", sink, b, nil)
			try("unix-file", out, y, nil)
			try("offset", out, b, &offset)
			e.Fact(Offset, offset)
			e.Fact("tcp.bytes", fixture.Compare(fixture.ReadN(e, b, 100), content))
			e.Fact("unix.bytes", fixture.Compare(fixture.ReadN(e, y, 100), content))
		},
	},
	{
		ID:       "linux/sendfile/in-socket-to-pipe-works",
		Title:    "A socket as input works where the output is a pipe, as splice would, and no other pair of pipes and sockets does",
		Facility: "sendfile",
		Level:    Info,
		// The manual page still asks for an input that can be mapped. Since 5.12 a
		// pipe as output goes straight to the input's splice_read.
		Sources: []string{"Linux commit b964bf53e540", "asterinas/asterinas#3226"},
		Covers:  []string{"linux/sendfile/in-socket-to-pipe-works", "bug/K16-sendfile-socket-in"},
		Needs:   []string{"sendfile/file-pipe"},
		Systems: linuxOnly,
		Caller:  "Do not rest on it: the manual page does not promise it. Use splice.",
		Expect: []Expectation{
			{Until: "5.12", Facts: Want{
				"socket-pipe.return": -1, "socket-pipe.errno": "EINVAL", "unix-pipe.return": -1, "unix-pipe.errno": "EINVAL",
				"socket-socket.errno": "EINVAL", "pipe-socket.errno": "EINVAL", "pipe-pipe.errno": "EINVAL",
			}, Why: "before commit b964bf53e540 every input had to be a regular file or a block device"},
			{Facts: Want{
				"socket-pipe.return": 100, "socket-pipe.errno": "", "socket-pipe.bytes": fixture.Right,
				"unix-pipe.return": 100, "unix-pipe.errno": "", "unix-pipe.bytes": fixture.Right,
				"socket-socket.errno": "EINVAL", "pipe-socket.errno": "EINVAL", "pipe-pipe.errno": "EINVAL",
			}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 100)
			try := func(name string, out, in *fixture.FD, check *fixture.FD) {
				n, errno := e.Kernel.Sendfile(out.Int(), in.Int(), nil, 100)
				e.Named(name, n, errno)
				if check != nil {
					e.Fact(name+".bytes", fixture.Compare(fixture.ReadReady(e, check, max(n, 0)), content))
				}
			}
			a, b := fixture.TCP(e)
			fixture.WriteAll(e, a, content)
			fixture.Readable(e, b, 1000)
			r, w := fixture.Pipe(e)
			try("socket-pipe", w, b, r)
			x, y := fixture.Unix(e, sys.Stream)
			fixture.WriteAll(e, x, content)
			r2, w2 := fixture.Pipe(e)
			try("unix-pipe", w2, y, r2)

			fixture.WriteAll(e, a, content)
			fixture.Readable(e, b, 1000)
			r3, w3 := fixture.Pipe(e)
			fixture.WriteAll(e, w3, content)
			_, w4 := fixture.Pipe(e)
			try("socket-socket", x, b, nil)
			try("pipe-socket", x, r3, nil)
			try("pipe-pipe", w4, r3, nil)
		},
	},
}
