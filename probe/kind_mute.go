package probe

import (
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// muteKinds are descriptors that can be neither read nor written. A call has to
// refuse them.
var muteKinds = []*Kind{
	muteKind("directory", "a directory", fixture.Directory),
	muteKind("o-path", "a regular file opened with O_PATH", func(t fixture.T) *fixture.FD {
		_, path := fixture.NamedFile(t, fixture.Pattern(1, ordinarySize), os.O_RDONLY)
		return fixture.Open(t, path, sys.PathOnly)
	}),
	muteKind("epoll", "an epoll descriptor", anonymous("epoll")),
	muteKind("pidfd", "a pidfd", anonymous("pidfd")),
	muteKind("io_uring", "an io_uring", anonymous("io_uring")),
}

func anonymous(kind string) func(fixture.T) *fixture.FD {
	return func(t fixture.T) *fixture.FD { return fixture.Anonymous(t, kind) }
}

func muteKind(name, title string, open func(fixture.T) *fixture.FD) *Kind {
	return &Kind{
		Name:   name,
		Title:  title,
		Nature: IsOther,
		Source: func(t fixture.T) *Source {
			return &Source{FD: open(t), Room: fixture.WitnessSize, Fill: func([]byte) []byte { return nil }}
		},
		Sink: func(t fixture.T) *Sink {
			return &Sink{FD: open(t), Room: fixture.WitnessSize}
		},
	}
}
