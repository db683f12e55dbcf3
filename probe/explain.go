package probe

import (
	"context"
	"runtime"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/worker"
)

// Explanation answers for one source and one destination: is it really zero
// copy here, with which call, and if not, why not.
type Explanation struct {
	Source      End      `json:"source"`
	Destination End      `json:"destination"`
	ZeroCopy    ZeroCopy `json:"zero_copy"`

	// Facility and Call are the best way that was found; "" where none works.
	Facility string `json:"facility"`
	Call     string `json:"call"`

	// Sentences are the answer in words, the most important one first.
	Sentences []string `json:"sentences"`

	// Ways is every facility that could serve the pair, and why the others
	// cannot.
	Ways []Way `json:"ways"`

	// GoCopy is what io.Copy of Go's standard library does with the pair.
	GoCopy string `json:"go_copy"`

	// Library is what package zerocopy does with it; nil until someone who
	// knows fills it in.
	Library *LibraryWay `json:"library,omitempty"`

	// Notes are what else the reader should know.
	Notes []string `json:"notes"`
}

// ZeroCopy is the answer in a word.
type ZeroCopy string

// The answers.
const (
	ZeroCopyYes     ZeroCopy = "yes"     // shared, as the witness saw
	ZeroCopyPartly  ZeroCopy = "partly"  // some of the bytes are shared
	ZeroCopyKernel  ZeroCopy = "kernel"  // the bytes stay in the kernel; sharing cannot be seen
	ZeroCopyNo      ZeroCopy = "no"      // they are copied
	ZeroCopyUnknown ZeroCopy = "unknown" // a call works, but nothing was seen of sharing
)

// Way is one facility and what came of it for this pair.
type Way struct {
	Facility   string          `json:"facility"`
	Call       string          `json:"call"`
	Tried      bool            `json:"tried"`
	Why        string          `json:"why,omitempty"` // why it was not tried, or not witnessed
	Works      bool            `json:"works"`
	Errno      string          `json:"errno"`
	BytesRight bool            `json:"bytes_right"`
	Witness    fixture.Witness `json:"witness"`
}

// Good tells whether a way can be used.
func (w Way) Good() bool { return w.Tried && w.Works && w.BytesRight }

// LibraryWay is the path that package zerocopy takes for a pair, and why.
type LibraryWay struct {
	Path   string `json:"path"`
	Reason string `json:"reason,omitempty"`
}

// Explain tries every facility that could move bytes from source to
// destination. Both are kinds ("file", "tcp"), paths, or addresses. Files of
// the user are read and never changed; no connection is made to an address, no
// FIFO or socket of the user is opened: ends of the same kind stand in for
// them. An error says in one line what is wrong with an argument.
func Explain(ctx context.Context, pool *worker.Pool, source, destination string) (Explanation, error) {
	src, err := findEnd(source, true)
	if err != nil {
		return Explanation{}, err
	}
	dst, err := findEnd(destination, false)
	if err != nil {
		return Explanation{}, err
	}
	x := Explanation{Source: src.End, Destination: dst.End, Ways: []Way{}}
	if err := x.tryWays(ctx, pool, src, dst); err != nil {
		return x, err
	}
	x.GoCopy = goCopy(src.kind, dst.kind)
	x.answer(src.kind, dst.kind)
	x.Notes = notes(&x, src, dst)
	return x, nil
}

// way is what came of a facility.
func (x *Explanation) way(facility string) Way {
	for _, w := range x.Ways {
		if w.Facility == facility {
			return w
		}
	}
	return Way{}
}

// tryWays fills in x.Ways.
func (x *Explanation) tryWays(ctx context.Context, pool *worker.Pool, src, dst *foundEnd) error {
	var attempts []attempt
	var at []int // where in x.Ways the answer of an attempt belongs
	for _, m := range movers {
		why := m.Refuses(src.kind, dst.kind)
		switch {
		case why != "":
		case src.untried != "":
			why = src.untried
		case dst.untried != "":
			why = dst.untried
		case len(Paths(runtime.GOOS)) == 0:
			why = "nothing is known yet of how to try it on " + runtime.GOOS
		default:
			attempts = append(attempts, attempt{
				Path:       Path{m.Facility, src.kind.Name, dst.kind.Name},
				SourceFile: src.file,
				SourceDir:  src.dir,
				SinkDir:    dst.dir,
				Unshared:   src.unshared,
			})
			at = append(at, len(x.Ways))
		}
		x.Ways = append(x.Ways, Way{
			Facility: m.Facility,
			Call:     m.Call(src.kind, dst.kind),
			Why:      why,
			Witness:  fixture.NotWitnessed,
		})
	}
	answers, err := runAttempts(ctx, pool, attempts, func(answer) {})
	if err != nil {
		return err
	}
	for i, a := range answers {
		w := &x.Ways[at[i]]
		w.Tried, w.Why = a.Errno != PathSetUp, a.Note
		w.Works, w.Errno, w.BytesRight, w.Witness = a.Works, a.Errno, a.BytesRight, a.Witness
	}
	return nil
}
