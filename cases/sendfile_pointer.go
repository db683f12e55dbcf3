package cases

import (
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// The memory that the offset pointer points to.
var sendfilePointer = []*Case{
	{
		ID:       "linux/sendfile/offset-efault",
		Title:    "An offset pointer that cannot be read is refused with EFAULT before a byte is sent, and one that cannot be written with EFAULT also where nothing is to send",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2), ERRORS: EFAULT", "LTP sendfile04", "Linux fs/read_write.c, SYSCALL_DEFINE4(sendfile64)"},
		Covers:   []string{"linux/sendfile/offset-efault"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "A mistake of the caller.",
		Expect: []Expectation{
			{Facts: Want{
				"none.return": -1, "none.errno": "EFAULT",
				"foreign.return": -1, "foreign.errno": "EFAULT",
				"read-only.return": -1, "read-only.errno": "EFAULT",
				"read-execute.return": -1, "read-execute.errno": "EFAULT",
				"execute.return": -1, "execute.errno": "EFAULT",
				Position: 7, "queued": 0,
			}},
		},
		Body: func(e *Env) {
			full := fixture.File(e, fixture.Pattern(1, 1000), os.O_RDONLY)
			fixture.SetPosition(e, full, 7)
			empty := fixture.File(e, nil, os.O_RDONLY)
			a, b := fixture.TCP(e)
			try := func(name string, file *fixture.FD, offset *int64) {
				n, errno := e.Kernel.Sendfile(a.Int(), file.Int(), offset, 100)
				e.Named(name, n, errno)
			}
			try("none", full, fixture.Guarded(e, sys.NoAccess))
			try("foreign", full, sys.Foreign())
			// The offset is written back after a call that sent nothing, too. What
			// can be executed can be read on most machines: hence the empty file.
			try("read-only", empty, fixture.Guarded(e, sys.ReadOnly))
			try("read-execute", empty, fixture.Guarded(e, sys.ReadExecute))
			try("execute", empty, fixture.Guarded(e, sys.ExecuteOnly))
			e.Fact(Position, fixture.Position(e, full))
			e.Fact("queued", fixture.Queued(e, b))
		},
	},
	{
		ID:       "linux/sendfile/offset-writeback-efault-after-transfer",
		Title:    "Where the offset can be read but not written, the bytes are sent first and EFAULT comes after",
		Facility: "sendfile",
		Level:    Info,
		Sources:  []string{"Linux fs/read_write.c, SYSCALL_DEFINE4(sendfile64): put_user after do_sendfile"},
		Covers:   []string{"linux/sendfile/offset-writeback-efault-after-transfer"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "EFAULT does not say that nothing was sent: end the connection.",
		Expect: []Expectation{
			{Facts: Want{Return: -1, Errno: "EFAULT", Position: 7, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 1000)
			file := fixture.File(e, content, os.O_RDONLY)
			fixture.SetPosition(e, file, 7)
			a, b := fixture.TCP(e)
			e.Answer(e.Kernel.Sendfile(a.Int(), file.Int(), fixture.Guarded(e, sys.ReadOnly), 100))
			e.Fact(Position, fixture.Position(e, file))
			e.Arrived(fixture.ReadN(e, b, 100), content[:100])
		},
	},
}
