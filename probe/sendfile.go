package probe

import (
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
)

var sendfileFeatures = []*Feature{
	{
		ID:       "sendfile/file-tcp",
		Facility: "sendfile",
		Title:    "sendfile(2) from a regular file to a TCP socket",
		Since:    "2.2",
		Source:   "sendfile(2)",
		Systems:  linuxOnly,
		Try: func(e *Env) {
			want := fixture.Pattern(1, 10_000)
			file := fixture.File(e, want, os.O_RDONLY)
			a, b := fixture.TCP(e)
			n, errno := e.Kernel.Sendfile(a.Int(), file.Int(), nil, len(want))
			e.Moved("sendfile", n, errno, len(want))
			e.Same(fixture.ReadN(e, b, len(want)), want)
		},
	},
}
