package cases

import (
	"os"
	"syscall"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// Terminals.
var sendfileTerminal = []*Case{
	{
		ID:       "linux/sendfile/tty-destination",
		Title:    "A terminal takes the bytes of a file",
		Facility: "sendfile",
		Level:    Should,
		Sources:  []string{"Linux commit 9bb48c82aced", "Go os TestCopyFromTTY", "LTP issue 779"},
		Covers:   []string{"linux/sendfile/tty-destination"},
		Needs:    []string{"sendfile/file-file"},
		Systems:  linuxOnly,
		Caller:   "Fall back on EINVAL: 5.10 refused terminals.",
		Expect: []Expectation{
			{Facts: Want{Return: 1000, Errno: "", Position: 1000, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 1000)
			in := fixture.File(e, content, os.O_RDONLY)
			master, slave := terminal(e)
			e.Answer(e.Kernel.Sendfile(slave.Int(), in.Int(), nil, len(content)))
			e.Fact(Position, fixture.Position(e, in))
			e.Arrived(fixture.ReadN(e, master, len(content)), content)
		},
	},
	{
		ID:       "linux/sendfile/tty-source-einval",
		Title:    "A terminal as a source is refused with EINVAL where the output is no pipe, and keeps its bytes",
		Facility: "sendfile",
		Level:    Info,
		Sources:  []string{"Linux fs/splice.c, splice_direct_to_actor: FMODE_LSEEK", "Go os TestCopyFromTTY"},
		Needs:    []string{"sendfile/file-file"},
		Systems:  linuxOnly,
		Caller:   "Fall back on EINVAL; no byte was taken.",
		Expect: []Expectation{
			{Facts: Want{"file.return": -1, "file.errno": "EINVAL", "tcp.return": -1, "tcp.errno": "EINVAL", Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 100)
			master, slave := terminal(e)
			fixture.WriteAll(e, master, content)
			fixture.Readable(e, slave, 1000)
			out := fixture.File(e, nil, os.O_WRONLY)
			n, errno := e.Kernel.Sendfile(out.Int(), slave.Int(), nil, 100)
			e.Named("file", n, errno)
			a, _ := fixture.TCP(e)
			n, errno = e.Kernel.Sendfile(a.Int(), slave.Int(), nil, 100)
			e.Named("tcp", n, errno)
			e.Arrived(fixture.ReadN(e, slave, 100), content)
		},
	},
}

// terminal is a pseudo-terminal in raw mode, where there are any: a sandbox may
// have no devpts.
func terminal(e *Env) (master, slave *fixture.FD) {
	if m, s, _, errno := sys.OpenPTY(); errno == 0 {
		return fixture.Adopt(e, m), fixture.Adopt(e, s)
	} else if errno == syscall.ENOENT || errno == syscall.EACCES || errno == syscall.EPERM || errno == syscall.ENXIO {
		e.Skip(SkipPlace)
	}
	return fixture.Terminal(e) // says what is wrong
}
