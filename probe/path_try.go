package probe

import (
	"fmt"
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// ordinarySize is how many bytes the ordinary move takes: some pages and a bit.
const ordinarySize = 20_011

// attempt is a path with its ends still to be opened.
type attempt struct {
	Path
	SourceFile string `json:",omitempty"` // the ordinary move reads this file, and never changes it
	SourceDir  string `json:",omitempty"` // the source is else a file that is made here and deleted
	SinkDir    string `json:",omitempty"` // the destination is a file that is made here and deleted
	Unshared   string `json:",omitempty"` // why no witness can be had; "" where one can
}

// answer is what a worker says of an attempt: the result, and what it has no
// field for.
type answer struct {
	PathResult
	Note string `json:"note,omitempty"` // why it was not tried or not witnessed
}

// try makes the ordinary move, and where that went well the one that is
// witnessed.
func (a attempt) try(kernel *sys.Kernel, scratch string) answer {
	result := answer{PathResult: a.result()}
	m := mover(a.Facility)
	err := fixture.Run(scratch, func(s *fixture.Scope) {
		source, sink := a.open(s)
		want := source.Fill(fixture.Pattern(1, min(ordinarySize, source.Room, sink.Room)))
		n, errno := m.Move(&move{s, kernel, source, sink, len(want)})
		result.Errno = sys.ErrnoName(errno)
		result.Works = errno == 0 && n == len(want)
		if !result.Works {
			return
		}
		// Where nothing can be read back, the count is all there is.
		result.BytesRight = sink.Arrived == nil || fixture.Compare(sink.Arrived(n), want) == fixture.Right
	})
	if err != nil {
		result.Works, result.BytesRight, result.Errno, result.Note = false, false, PathSetUp, err.Error()
		return result
	}
	if result.Works && result.BytesRight {
		result.Witness, result.Note = a.witness(m, kernel, scratch)
	}
	return result
}

// result is what is said of an attempt of which nothing is known.
func (a attempt) result() PathResult {
	return PathResult{Facility: a.Facility, Source: a.Source, Destination: a.Destination, Witness: fixture.NotWitnessed}
}

// open opens both ends for the ordinary move.
func (a attempt) open(t fixture.T) (*Source, *Sink) {
	if a.SourceFile != "" {
		return fixedSource(t, a.SourceFile), a.sink(t)
	}
	return a.source(t), a.sink(t)
}

func (a attempt) source(t fixture.T) *Source {
	if a.SourceDir != "" {
		return fileSource(t, temporary(t, a.SourceDir))
	}
	return kind(a.Source).Source(t)
}

func (a attempt) sink(t fixture.T) *Sink {
	if a.SinkDir != "" {
		return fileSink(t, temporary(t, a.SinkDir))
	}
	return kind(a.Destination).Sink(t)
}

// witness moves pages, changes them in place while nobody has read them, and
// looks at what arrives; the note says why nothing was learned.
func (a attempt) witness(m *Mover, kernel *sys.Kernel, scratch string) (w fixture.Witness, note string) {
	w = fixture.NotWitnessed
	err := fixture.Run(scratch, func(s *fixture.Scope) {
		sink := a.sink(s)
		if sink.Arrived == nil {
			w = m.unseen()
			return
		}
		if note = a.Unshared; note != "" {
			return
		}
		source := a.source(s)
		if source.Share == nil {
			note = "the source cannot be overwritten"
			return
		}
		size := wholePages(min(fixture.WitnessSize, source.Room, sink.Room))
		before := fixture.Pattern(2, size)
		after := fixture.Rewritten(before)
		overwrite := source.Share(before)
		n, errno := m.Move(&move{s, kernel, source, sink, size})
		if errno != 0 || n != size {
			note = fmt.Sprintf("moved %d of %d bytes %s", n, size, sys.ErrnoName(errno))
			return
		}
		if sink.Reflinked != nil && sink.Reflinked() {
			w = fixture.ByReference
			return
		}
		overwrite(after)
		w = fixture.Witnessed(sink.Arrived(size), before, after)
		switch {
		case sink.Keeps && w == fixture.Copied:
			w = m.unseen()
		case source.Fed && w != fixture.ByReference && !a.feedShares(s):
			w, note = fixture.NotWitnessed, "what waited in the source was a copy already"
		case w == fixture.NotWitnessed:
			note = "the bytes that arrived were neither the old nor the new ones"
		}
	})
	if err != nil {
		w, note = fixture.NotWitnessed, err.Error()
	}
	if m.UserSpace && w == fixture.NotWitnessed { // by its nature
		w, note = fixture.Copied, ""
	}
	return w, note
}

// unseen is the witness where the destination cannot show whose bytes it holds.
func (m *Mover) unseen() fixture.Witness {
	if m.UserSpace {
		return fixture.Copied
	}
	return fixture.KernelOnly
}

// feedShares is the control for a source that was filled through another call:
// bytes read straight from it are shared with the file that they came from.
func (a attempt) feedShares(t fixture.T) bool {
	source := a.source(t)
	size := wholePages(source.Room)
	before := fixture.Pattern(2, size)
	after := fixture.Rewritten(before)
	source.Share(before)(after)
	return fixture.Witnessed(fixture.ReadN(t, source.FD, size), before, after) == fixture.ByReference
}

// wholePages rounds down to pages, but never to nothing.
func wholePages(n int) int {
	if page := os.Getpagesize(); n > page {
		return n / page * page
	}
	return n
}
