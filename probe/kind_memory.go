package probe

import "github.com/zcprobe/zcprobe/internal/fixture"

var memoryKinds = []*Kind{
	{
		Name:   "memory",
		Title:  "memory of the process",
		Nature: IsMemory,
		Source: memorySource,
	},
	{
		Name:   "gift",
		Title:  "memory of the process, given away (SPLICE_F_GIFT)",
		Nature: IsMemory,
		Source: func(t fixture.T) *Source {
			s := memorySource(t)
			s.Gift = true
			return s
		},
	},
}

func memorySource(t fixture.T) *Source {
	s := &Source{Memory: fixture.Memory(t, fixture.WitnessSize), Room: fixture.WitnessSize}
	s.Fill = func(p []byte) []byte {
		copy(s.Memory, p)
		return p
	}
	s.Share = func(p []byte) func([]byte) {
		copy(s.Memory, p)
		return func(p []byte) { copy(s.Memory, p) }
	}
	return s
}
