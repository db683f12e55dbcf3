// Package catalog holds what is known of zero-copy calls from the sources of
// others: test suites, kernels, man pages, bug reports. A row is a behaviour;
// the cases say which rows they cover, and where no case does, a reason stands
// beside it.
package catalog

import (
	"bytes"
	_ "embed" // the data
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
)

// Row is one behaviour. README.md says what the fields hold.
type Row struct {
	ID        string `json:"id"`
	Statement string `json:"statement,omitempty"`
	Expected  string `json:"expected,omitempty"`
	Versions  string `json:"versions,omitempty"`
	Sources   string `json:"sources"`
	Recipe    string `json:"recipe,omitempty"`
	Evidence  string `json:"evidence,omitempty"`
	Corrected string `json:"corrected,omitempty"` // why the row says something else than its sources did
}

// Group is what a row is counted with.
type Group string

// The groups.
const (
	Linux    Group = "linux"         // rows of Linux
	Suite    Group = "suite"         // rules that other projects encode
	BugLinux Group = "bug-linux"     // bugs that an ordinary Linux host shows
	BugOther Group = "bug-elsewhere" // bugs of a filesystem, a sandbox, another system
	Other    Group = "other-systems" // rows of other systems
)

// Groups is the closed set.
var Groups = []Group{Linux, Suite, BugLinux, BugOther, Other}

// Group tells what the row is counted with.
func (r Row) Group() Group {
	scope, _, _ := strings.Cut(r.ID, "/")
	switch {
	case scope == "linux":
		return Linux
	case scope == "suite":
		return Suite
	case scope != "bug":
		return Other
	case strings.HasPrefix(r.Evidence, "LINUX"):
		return BugLinux
	default:
		return BugOther
	}
}

// Reason is why no case covers a row, or the rows below a prefix that ends
// with a slash.
type Reason struct {
	ID   string `json:"id"`
	Kind Kind   `json:"kind"`
	Why  string `json:"why,omitempty"`
}

// Kind is what a case for the row would take.
type Kind string

// The kinds of reason.
const (
	OtherSystem Kind = "other-system"     // it asks another operating system
	Hardware    Kind = "hardware"         // a network card or a disk with some feature
	SecondHost  Kind = "second-host"      // another machine, or a link that is no loopback
	Filesystem  Kind = "filesystem"       // a filesystem or mount that is not made here
	Sandbox     Kind = "sandbox"          // a container, emulator or kernel of its own
	NoQuestion  Kind = "no-question"      // about the code of one program or a measurement, nothing a kernel answers
	Unsafe      Kind = "unsafe"           // asking could hurt the host, or is an attack
	Elsewhere   Kind = "asked-as-a-probe" // zcprobe tells it, not as a case
	NotYet      Kind = "not-yet"          // it can be asked; nobody has written the case
)

// Kinds is the closed set.
var Kinds = []Kind{OtherSystem, Hardware, SecondHost, Filesystem, Sandbox, NoQuestion, Unsafe, Elsewhere, NotYet}

//go:embed behaviours.jsonl
var behaviours []byte

//go:embed uncovered.jsonl
var uncovered []byte

// Rows is the catalogue, in its own order.
var Rows = sync.OnceValue(func() []Row { return must(parse[Row](behaviours)) })

// Reasons is why rows are not covered.
var Reasons = sync.OnceValue(func() []Reason { return must(parse[Reason](uncovered)) })

// ReasonFor is the reason for a row: its own, or that of the longest prefix.
func ReasonFor(id string) (Reason, bool) {
	var best Reason
	for _, r := range Reasons() {
		if r.ID == id || strings.HasSuffix(r.ID, "/") && strings.HasPrefix(id, r.ID) {
			if len(r.ID) > len(best.ID) {
				best = r
			}
		}
	}
	return best, best.ID != ""
}

// parse reads values of one shape, a line each, and accepts nothing beside it.
func parse[T any](data []byte) ([]T, error) {
	var list []T
	for number, line := range bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n")) {
		decoder := json.NewDecoder(bytes.NewReader(line))
		decoder.DisallowUnknownFields()
		var value T
		if err := decoder.Decode(&value); err != nil {
			return nil, fmt.Errorf("line %d: %w", number+1, err)
		}
		if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("line %d: more than one value", number+1)
		}
		list = append(list, value)
	}
	return list, nil
}

// must is for data that was built in: the tests parse it.
func must[T any](list []T, err error) []T {
	if err != nil {
		panic("catalog: " + err.Error())
	}
	return list
}
