// Package mount tells whether zero copy is right on a mount: whether sendfile,
// splice, copy_file_range and mmap deliver there what a plain read delivers, and
// whether they share it or copy it. Filesystems have their own code for each of
// these calls, and each can be stale, zero, cut short or refused by itself.
//
// Every way is asked in every situation on a file of its own, so that no way's
// reading repairs another one's cache.
package mount

import (
	"github.com/zcprobe/zcprobe/internal/fixture"
)

// Schema names the form of a [Result].
const Schema = "zcprobe.fs/1"

// Result is what was found on all mounts that were asked about.
type Result struct {
	Schema string   `json:"schema"`
	Mounts []Report `json:"mounts"`
}

// Verdict is an answer in a word.
type Verdict string

// The verdicts on a mount.
const (
	Right   Verdict = "right"   // every way that works delivers the right bytes
	Wrong   Verdict = "wrong"   // some way delivers wrong bytes, or never returns
	Untried Verdict = "untried" // nothing could be learned; Why says why
)

// Report is what was found on one mount.
type Report struct {
	Path    string  `json:"path"`  // as it was given
	Kind    Kind    `json:"kind"`  // what was asked of it
	Mount   Mount   `json:"mount"` // where it lies
	Verdict Verdict `json:"verdict"`
	Why     string  `json:"why,omitempty"` // why it is untried

	// Sentences are the verdict in words, the most important one first.
	// Remedies are what to do about it, and Notes what else the reader should
	// know.
	Sentences []string `json:"sentences"`
	Remedies  []string `json:"remedies"`
	Notes     []string `json:"notes"`

	Ways       []WayReport       `json:"ways"`
	Situations []SituationReport `json:"situations"`
	Cache      CacheReport       `json:"cache"`
}

// Kind is what is asked of a path.
type Kind string

// The kinds.
const (
	Directory Kind = "directory" // files are made in it, changed and removed
	File      Kind = "file"      // it is only read
	Changed   Kind = "changed"   // files in it were changed from the other side
)

// State is what came of one way.
type State string

// The states of a way.
const (
	WayRight         State = "right"
	WayWrong         State = "wrong"          // wrong bytes
	WayRefused       State = "refused"        // an error in place of bytes, in every situation
	WayPartly        State = "partly-refused" // right, but refused in some situations
	WayTimeout       State = "timeout"        // it never returned
	WayCrashed       State = "crashed"        // it took its process with it
	WayNotApplicable State = "not-applicable" // this mount or this system does not have it, which is no fault
)

// WayReport is what came of one way of reading.
type WayReport struct {
	Way      string          `json:"way"`  // "sendfile"
	Call     string          `json:"call"` // "sendfile(2) to a socket"
	State    State           `json:"state"`
	Errno    string          `json:"errno"`         // of the first refusal
	Why      string          `json:"why,omitempty"` // evidence beside the state
	Witness  fixture.Witness `json:"witness"`
	Compared int             `json:"compared"` // readings that were compared
	Faults   int             `json:"faults"`   // how many of them were wrong
	Examples []Fault         `json:"examples"` // the first ones
	Refused  []string        `json:"refused"`  // the situations in which it was refused

	// Shows is, of files that were changed from the other side, by situation,
	// which content the way shows: new, old, mixed, zeros or other.
	Shows map[string]string `json:"shows,omitempty"`

	// Short tells that a call moved less than it was asked for in the middle of
	// a file, which it may: its caller has to go on.
	Short bool `json:"short,omitempty"`
}

// Fault is one reading that was wrong.
type Fault struct {
	Situation  string `json:"situation"`
	Descriptor string `json:"descriptor"` // "held" since before the change, or "new"
	Offset     int64  `json:"offset"`
	Length     int    `json:"length"` // of the range that was asked for
	What       string `json:"what"`   // old bytes, zeros, wrong bytes, cut short …
	At         int64  `json:"at"`     // where in the file the first wrong byte is
	Differ     int    `json:"differ"` // how many bytes are wrong, missing ones included
	Got        int    `json:"got"`    // how many bytes came
	Want       int    `json:"want"`   // how many there are
	PlainRead  string `json:"plain_read"`
}

// SituationReport is whether a situation could be made on this mount.
type SituationReport struct {
	Situation string `json:"situation"`
	Words     string `json:"words"`
	Made      bool   `json:"made"`
	Why       string `json:"why,omitempty"`
}

// CacheReport is whether the page cache was really dropped where a situation is
// a cold one.
type CacheReport struct {
	Dropped string `json:"dropped"` // yes, partly, no, unknown
	Pages   int    `json:"pages"`   // pages looked at after they should have been dropped
	Cached  int    `json:"cached"`  // those that were still there
	Why     string `json:"why,omitempty"`
}

// Way finds what came of a way; an empty report where it was not asked.
func (r *Report) Way(id string) WayReport { return *r.way(id) }

func (r *Report) way(id string) *WayReport {
	for i := range r.Ways {
		if r.Ways[i].Way == id {
			return &r.Ways[i]
		}
	}
	return &WayReport{}
}
