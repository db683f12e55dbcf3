package probe

import (
	"syscall"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// Memory that is a file: what a program has made itself can be sent with
// sendfile from it.
var memfdFeatures = []*Feature{
	{
		ID:       "memfd/create",
		Facility: "sendfile",
		Title:    "memfd_create(2): memory of a process as a file",
		Since:    "3.17",
		Source:   "memfd_create(2)",
		Systems:  linuxOnly,
		Try: func(e *Env) {
			want := fixture.Pattern(1, pageful)
			e.Same(fixture.Contents(e, memoryFile(e, want, 0)), want)
		},
	},
	{
		ID:       "memfd/seals",
		Facility: "sendfile",
		Title:    "a memfd can be sealed, after which nobody changes it on its way",
		Since:    "3.17",
		Source:   "fcntl(2), File Sealing",
		Systems:  linuxOnly,
		Try: func(e *Env) {
			want := fixture.Pattern(1, pageful)
			file := memoryFile(e, want, sys.SealWrite|sys.SealGrow|sys.SealShrink)
			if _, errno := e.Kernel.Pwrite(file.Int(), []byte("x"), 0); errno != syscall.EPERM {
				e.Answered("pwrite", errno)
				e.wrong("a sealed file can be written")
			}
			e.Same(fixture.Contents(e, file), want)
		},
	},
}
