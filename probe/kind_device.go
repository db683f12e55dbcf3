package probe

import (
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
)

var deviceKinds = []*Kind{
	{
		Name:   "zero",
		Title:  "/dev/zero",
		Nature: IsDevice,
		Source: func(t fixture.T) *Source { return fixedSource(t, "/dev/zero") },
	},
	{
		Name:   "proc",
		Title:  "a pseudo-file of /proc",
		Nature: IsDevice,
		Source: func(t fixture.T) *Source { return fixedSource(t, "/proc/version") },
	},
	{
		Name:   "null",
		Title:  "/dev/null",
		Nature: IsDevice,
		Sink: func(t fixture.T) *Sink {
			return &Sink{FD: fixture.Open(t, "/dev/null", os.O_WRONLY), Room: fixture.WitnessSize}
		},
	},
}

// fixedSource is a path whose content cannot be chosen. What it holds is read
// the plain way, through a descriptor of its own.
func fixedSource(t fixture.T, path string) *Source {
	fd := fixture.Open(t, path, os.O_RDONLY)
	return &Source{
		FD:   fd,
		Room: fixture.WitnessSize,
		Fill: func(p []byte) []byte {
			plain := fixture.Open(t, path, os.O_RDONLY)
			defer plain.Close()
			return fixture.ReadN(t, plain, len(p))
		},
	}
}
