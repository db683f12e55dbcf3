package probe

import (
	"slices"
	"strings"

	"github.com/zcprobe/zcprobe/internal/fixture"
)

// Kind is one sort of thing that bytes come from or go to. To add one, add a
// value to a list of kind_*.go.
type Kind struct {
	Name   string // "tcp"
	Title  string // "a TCP connection"
	Nature Nature // what the calls ask about
	Source func(t fixture.T) *Source
	Sink   func(t fixture.T) *Sink
}

// Nature is what a call has to know about an end before it is worth trying.
type Nature int

// The natures of ends.
const (
	IsFile Nature = iota
	IsPipe
	IsSocket
	IsDevice
	IsMemory
	IsOther // a descriptor of something that is no stream of bytes
)

// Source is an open end that bytes come from.
type Source struct {
	FD     *fixture.FD // what a call reads from; nil for memory
	Pipe   bool        // FD is a pipe
	Memory []byte      // the user's pages
	Gift   bool        // they are given away with them
	Room   int         // how many bytes it can hold
	Unit   int         // it is read in multiples of this many bytes; 0 is 1

	// Fill puts p in and returns what the source holds now: p, or its own
	// content where that cannot be chosen; nothing where it has no bytes.
	Fill func(p []byte) []byte

	// Right looks at what arrived from a source whose bytes cannot be known
	// before; nil where they are what Fill returned.
	Right func(arrived []byte) bool

	// Ends says that the source is at its end from the start: to move nothing is
	// right.
	Ends bool

	// Share puts p in so that it can be overwritten in place while it is on its
	// way, and returns how; nil where that is not possible.
	Share func(p []byte) (overwrite func(p []byte))

	// Fed says that Share itself rests on a call that may have copied: it proves
	// nothing where bytes read straight from FD are not shared either.
	Fed bool
}

// Sink is an open end that bytes go to.
type Sink struct {
	FD      *fixture.FD
	Pipe    bool               // FD is a pipe
	Room    int                // how many bytes it takes while nobody reads
	Unit    int                // it is written in multiples of this many bytes; 0 is 1
	Arrived func(n int) []byte // what has come, n bytes or fewer; nil where nothing can be read back

	// Reflinked tells whether the end shares the place of its bytes on disk with
	// another file; nil where it has none.
	Reflinked func() bool

	// NoSpace says that the end itself answers ENOSPC, which elsewhere tells of
	// the set-up and not of the call.
	NoSpace bool

	// Keeps says that the end must hold bytes of its own: to show the source's
	// later bytes would be wrong there, so that sharing cannot be seen.
	Keeps bool
}

// Kinds lists every kind of end, by name.
func Kinds() []*Kind {
	list := allKinds()
	slices.SortFunc(list, func(a, b *Kind) int { return compare(a.Name, b.Name) })
	return list
}

// allKinds has those that are alike together.
func allKinds() []*Kind {
	return slices.Concat(fileKinds, memfdKinds, placeKinds, pseudoKinds, deviceKinds, blockKinds, pipeKinds,
		socketKinds, familyKinds, tlsKinds, messageKinds, terminalKinds, eventKinds, muteKinds, memoryKinds)
}

// kind finds a kind; nil where there is none.
func kind(name string) *Kind {
	for _, k := range allKinds() {
		if k.Name == name {
			return k
		}
	}
	return nil
}

// kindNames lists the kinds that can be a source, or a destination.
func kindNames(source bool) string {
	var names []string
	for _, k := range Kinds() {
		if source && k.Source != nil || !source && k.Sink != nil {
			names = append(names, k.Name)
		}
	}
	return strings.Join(names, ", ")
}
