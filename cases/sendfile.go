package cases

import (
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
)

var sendfileCases = []*Case{
	{
		ID:       "linux/sendfile/offset-pointer-leaves-file-position",
		Title:    "With an offset pointer, sendfile reads from there, moves the offset by what it sent, and leaves the file position alone",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2), DESCRIPTION", "LTP sendfile02", "gVisor SendAndUpdateGivenOffset"},
		Covers:   []string{"linux/sendfile/offset-pointer-leaves-file-position"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "Take the offset as the count of what was sent; do not seek.",
		Expect: []Expectation{
			{Facts: Want{Return: 500, Errno: "", Offset: 1500, Position: 7, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 4000)
			file := fixture.File(e, content, os.O_RDONLY)
			fixture.SetPosition(e, file, 7)
			a, b := fixture.TCP(e)
			offset := int64(1000)
			e.Answer(e.Kernel.Sendfile(a.Int(), file.Int(), &offset, 500))
			e.Fact(Offset, offset)
			e.Fact(Position, fixture.Position(e, file))
			e.Arrived(fixture.ReadN(e, b, 500), content[1000:1500])
		},
	},
}
