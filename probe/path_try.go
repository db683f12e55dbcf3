package probe

import (
	"fmt"
	"os"
	"strings"

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
	Nonblock   bool   `json:",omitempty"` // what would wait says EAGAIN (O_NONBLOCK at both ends)
	Again      bool   `json:",omitempty"` // it is tried for the second time

	// under is told when the call under test begins and when it has returned;
	// nil where nobody minds.
	under *under
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
		size := wholeUnits(min(ordinarySize, source.Room, sink.Room), max(source.Unit, sink.Unit))
		want := source.Fill(fixture.Pattern(1, size))
		ask := len(want)
		if ask == 0 {
			ask = size // it has nothing, and has to say so
		}
		n, errno := a.move(m, &move{s, kernel, source, sink, ask})
		if sys.IsResourceLimit(errno) && !sink.NoSpace {
			s.Fatalf("%s: %w", a.Facility, error(errno)) // of this machine, not of the call
		}
		result.Errno = sys.ErrnoName(errno)
		result.Works = errno == 0 && n == len(want) && (n > 0 || source.Ends)
		if !result.Works {
			return
		}
		// Where nothing can be read back, the count is all there is.
		result.BytesRight = sink.Arrived == nil || source.right(sink.Arrived(n), want)
	})
	if err != nil {
		result.Works, result.BytesRight, result.Errno, result.Note = false, false, PathSetUp, err.Error()
		result.Reason = reason(err, scratch)
		return result
	}
	if result.Works && result.BytesRight {
		// In a thread of its own: an io_uring that was closed interrupts the calls
		// of the thread that has used it, see worker.Serve.
		fixture.InThread(func() { result.Witness, result.Note = a.witness(m, kernel, scratch) })
	}
	return result
}

// right compares what arrived with what the source held.
func (s *Source) right(arrived, want []byte) bool {
	if s.Right != nil {
		return len(arrived) == len(want) && s.Right(arrived)
	}
	return fixture.Compare(arrived, want) == fixture.Right
}

// move has the mover move, between ends that wait or do not.
func (a attempt) move(m *Mover, move *move) (int, sys.Errno) {
	if a.Nonblock {
		for _, end := range []*fixture.FD{move.source.FD, move.sink.FD} {
			if end != nil {
				sys.SetNonblock(end.Int(), true) // an O_PATH descriptor has no mode
			}
		}
	}
	a.under.begin()
	defer a.under.end()
	return m.Move(move)
}

// reason is why an end could not be had, in the same words in two runs: without
// the names of private files.
func reason(err error, scratch string) string {
	var words []string
	for _, w := range strings.Fields(err.Error()) {
		private := scratch != "" && strings.HasPrefix(w, scratch) || strings.Contains(w, "/.zcprobe-")
		switch {
		case !private:
			words = append(words, w)
		case strings.HasSuffix(w, ":") && len(words) > 0:
			words[len(words)-1] += ":"
		}
	}
	return strings.Join(words, " ")
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
		n, errno := a.move(m, &move{s, kernel, source, sink, size})
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

// wholeUnits rounds down to units, but never to nothing.
func wholeUnits(n, unit int) int {
	if unit < 2 {
		return n
	}
	return max(n/unit, 1) * unit
}
