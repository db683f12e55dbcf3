package probe

import (
	"context"
	"fmt"
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

// answer picks the best way and says what it means.
func (x *Explanation) answer(src, dst *Kind) {
	best := -1
	for i, w := range x.Ways {
		if w.Good() && w.Facility != readWrite && (best < 0 || worth(w.Witness) > worth(x.Ways[best].Witness)) {
			best = i
		}
	}
	pair := fmt.Sprintf("from %s to %s", src.Title, dst.Title)
	if src == dst {
		pair = fmt.Sprintf("from %s to another", src.Title)
	}
	if best < 0 {
		x.ZeroCopy = ZeroCopyUnknown
		if x.anyTried() {
			x.ZeroCopy = ZeroCopyNo
		}
		x.Sentences = append(x.Sentences, x.withoutWay(pair)...)
		return
	}
	w := x.Ways[best]
	x.Facility, x.Call = w.Facility, w.Call
	var sentence string
	x.ZeroCopy, sentence = inWords(w, pair)
	x.Sentences = append(x.Sentences, sentence)
	if h := hazard(src, dst); h != "" && (w.Witness == fixture.ByReference || w.Witness == fixture.Mixed) {
		x.Sentences = append(x.Sentences, h)
	}
}

// worth orders witnesses, the best highest.
func worth(w fixture.Witness) int {
	return map[fixture.Witness]int{
		fixture.ByReference: 4, fixture.Mixed: 3, fixture.KernelOnly: 2, fixture.NotWitnessed: 1,
	}[w]
}

func inWords(w Way, pair string) (ZeroCopy, string) {
	switch w.Witness {
	case fixture.ByReference:
		return ZeroCopyYes, fmt.Sprintf("Yes: %s moves bytes %s without a copy here.", w.Call, pair)
	case fixture.Mixed:
		return ZeroCopyPartly, fmt.Sprintf("Partly: %s shares some of the bytes %s and copies the rest.", w.Call, pair)
	case fixture.KernelOnly:
		return ZeroCopyKernel, fmt.Sprintf("The bytes stay in the kernel: %s moves them %s, and whether it shares or copies them there cannot be seen from outside.", w.Call, pair)
	case fixture.Copied:
		return ZeroCopyNo, fmt.Sprintf("No: %s works %s, but the kernel copies the bytes.", w.Call, pair)
	default:
		return ZeroCopyUnknown, fmt.Sprintf("%s works %s; whether without a copy was not seen: %s.", w.Call, pair, w.Why)
	}
}

func (x *Explanation) anyTried() bool {
	for _, w := range x.Ways {
		if w.Tried {
			return true
		}
	}
	return false
}

// withoutWay says why no way was found.
func (x *Explanation) withoutWay(pair string) []string {
	if !x.anyTried() {
		for _, w := range x.Ways {
			if w.Facility == readWrite {
				return []string{fmt.Sprintf("Nothing was tried %s: %s.", pair, w.Why)}
			}
		}
	}
	list := []string{fmt.Sprintf("No: no call moves bytes %s inside the kernel here; they pass through the process.", pair)}
	for _, w := range x.Ways {
		switch {
		case !w.Tried || w.Facility == readWrite:
		case w.Errno != "":
			list = append(list, fmt.Sprintf("%s was refused: %s.", w.Call, w.Errno))
		case !w.Works:
			list = append(list, w.Call+" moved less than it was asked to.")
		default:
			list = append(list, w.Call+" delivered wrong bytes: do not use it here.")
		}
	}
	return list
}
