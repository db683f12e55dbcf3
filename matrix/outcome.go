package matrix

import (
	"time"

	"github.com/zcprobe/zcprobe/cases"
)

// State is what came of trying a target.
type State string

// The states of a target.
const (
	Reported    State = "reported"    // its record came home whole
	Unavailable State = "unavailable" // it cannot be had here: no emulator, no package
	Crashed     State = "crashed"     // it died
	TimedOut    State = "timeout"     // it did not come to an end in time
	Truncated   State = "truncated"   // a part of its record did not come
	Broken      State = "broken"      // the harness could not try
	Interrupted State = "interrupted"
)

// Outcome is a target's record, or plain words on why there is none.
type Outcome struct {
	Target   string        `json:"target"`
	State    State         `json:"state"`
	Reason   string        `json:"reason,omitempty"`  // one line; "" when it reported as expected
	Console  []string      `json:"console,omitempty"` // the last lines of its console, unless it reported
	Notes    []string      `json:"notes,omitempty"`   // what a person should know beside the record
	Tests    string        `json:"tests,omitempty"`   // what the library's tests printed, where one of them failed
	Record   *Record       `json:"record,omitempty"`
	Attempts int           `json:"attempts,omitempty"`
	Took     time.Duration `json:"-"`
}

// Fails tells whether the target counts against the exit status: it deviates,
// crashed, was cut off, or answered less than the list of targets expects. One
// that cannot be had does not.
func (o *Outcome) Fails() bool {
	switch o.State {
	case Crashed, TimedOut, Truncated:
		return true
	case Reported:
		r := o.Record
		return o.Reason != "" || r.Count(cases.Deviates)+r.Count(cases.TimedOut)+r.Count(cases.Crashed) > 0 ||
			r.Target.LibraryTests != nil && r.Target.LibraryTests.Failed > 0
	}
	return false
}
