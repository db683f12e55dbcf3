package probe

import (
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// pseudoKinds are files that the kernel makes up as they are read. What a call
// can do with one depends on how the kernel makes it up, so that there are
// several. None is a destination: to write there changes the system.
var pseudoKinds = []*Kind{
	pseudoKind("proc", "a pseudo-file of /proc (seq_file)", "/proc/version"),
	pseudoKind("proc-sysctl", "a sysctl of /proc/sys", "/proc/sys/kernel/ostype"),
	pseudoKind("proc-cmdline", "/proc/self/cmdline, which reads memory of the process", "/proc/self/cmdline"),
	{
		Name:   "proc-mem",
		Title:  "/proc/self/mem",
		Nature: IsDevice,
		Source: func(t fixture.T) *Source {
			memory := fixture.LowMemory(t, fixture.WitnessSize)
			fd := fixture.Open(t, "/proc/self/mem", os.O_RDONLY)
			fixture.SetPosition(t, fd, sys.AddressOf(memory))
			s := &Source{FD: fd, Room: len(memory)}
			s.Fill = func(p []byte) []byte { return p[:copy(memory, p)] }
			s.Share = func(p []byte) func([]byte) {
				copy(memory, p)
				return func(p []byte) { copy(memory, p) }
			}
			return s
		},
	},
	pseudoKind("sysfs", "an attribute of sysfs", "/sys/devices/system/cpu/possible"),
	pseudoKind("sysfs-bin", "a binary attribute of sysfs", "/sys/kernel/notes"),
}

func pseudoKind(name, title, path string) *Kind {
	return &Kind{
		Name:   name,
		Title:  title,
		Nature: IsDevice,
		Source: func(t fixture.T) *Source { return fixedSource(t, path) },
	}
}
