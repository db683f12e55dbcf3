package probe

import (
	"encoding/binary"
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
		Name:   "null",
		Title:  "/dev/null",
		Nature: IsDevice,
		Source: func(t fixture.T) *Source {
			s := fixedSource(t, "/dev/null")
			s.Ends = true
			return s
		},
		Sink: func(t fixture.T) *Sink {
			return &Sink{FD: fixture.Open(t, "/dev/null", os.O_WRONLY), Room: fixture.WitnessSize}
		},
	},
	{
		Name:   "full",
		Title:  "/dev/full",
		Nature: IsDevice,
		Source: func(t fixture.T) *Source { return fixedSource(t, "/dev/full") },
		Sink: func(t fixture.T) *Sink {
			return &Sink{FD: fixture.Open(t, "/dev/full", os.O_WRONLY), Room: fixture.WitnessSize, NoSpace: true}
		},
	},
	{
		Name:   "urandom",
		Title:  "/dev/urandom",
		Nature: IsDevice,
		Source: func(t fixture.T) *Source { return randomSource(t, "/dev/urandom") },
	},
	{
		Name:   "random",
		Title:  "/dev/random",
		Nature: IsDevice,
		Source: func(t fixture.T) *Source { return randomSource(t, "/dev/random") },
	},
}

// randomSource is a device whose bytes nobody knows before.
func randomSource(t fixture.T, path string) *Source {
	return &Source{
		FD:    fixture.Open(t, path, os.O_RDONLY),
		Room:  fixture.WitnessSize,
		Fill:  func(p []byte) []byte { return p },
		Right: looksRandom,
	}
}

// looksRandom tells whether every eight bytes of p are others: 2^-50 that random
// ones repeat in 20 kB. Zeros, stale memory and repeated pages do.
func looksRandom(p []byte) bool {
	seen := map[uint64]bool{}
	for ; len(p) >= 8; p = p[8:] {
		word := binary.NativeEndian.Uint64(p)
		if seen[word] {
			return false
		}
		seen[word] = true
	}
	return true
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
