// Package cases is the conformance suite: questions to a kernel about what its
// zero-copy calls do at the edges, and what the sources say it should answer.
//
// A case makes calls and records facts. Expectations compare facts. The two are
// kept apart: a body never asks which system it runs on, and a difference
// between systems or versions is an expectation of its own with the reason
// beside it.
package cases

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// Level tells how much it matters.
type Level string

// The levels: a must is documented and programs rest on it, a should is what
// careful kernels do, info is worth knowing.
const (
	Must   Level = "must"
	Should Level = "should"
	Info   Level = "info"
)

// Case is one question. To add one, add a value to the list of its topic's
// file.
type Case struct {
	ID       string   // "linux/sendfile/at-eof-returns-zero", or "any/…"
	Title    string   // what is required, a sentence without a full stop
	Facility string   // the facility of the vocabulary, or "library"
	Level    Level    //
	Sources  []string // man page sections, kernel commits, test suites, issues
	Covers   []string // rows of the behaviour catalogue
	Needs    []string // features without which the question makes no sense
	Systems  []string // values of GOOS
	Root     bool     // it needs privilege: a mount, another user
	Alone    bool     // it changes its process (limits, filters, signals): a worker of its own
	Caller   string   // what a caller should do about it, a sentence or two
	Expect   []Expectation
	Body     func(*Env) `json:"-"`
}

// Applies tells whether the case is for a system.
func (c *Case) Applies(goos string) bool { return slices.Contains(c.Systems, goos) }

// Expectation is what the sources say about a range of systems. The first one
// that fits the host counts; where none fits, facts are recorded, not judged.
type Expectation struct {
	OS    string // GOOS; "" is any
	Arch  string // GOARCH; "" is any
	Since string // the first release it holds for, "5.12"; "" is from the start
	Until string // the first release it holds for no more; "" is still

	Emulator   string // what stands in for the kernel, as in [probe.Host]: "gvisor"; "" is any and none
	Filesystem string // the type that the scratch directory lies on, "xfs"; "" is any

	Facts Want   // what must be
	Why   string // why this range differs: commit or man page
	Known string // a link: kernels of this range are known to answer this, though it is wrong
}

// Want is the facts that must be, by name: a plain value must be equal, and
// OneOf and Between say the rest.
type Want map[string]any

// OneOf accepts any of its values.
type OneOf []any

// Between accepts a whole number from Min to Max, both included.
type Between struct {
	Min int64 `json:"min"`
	Max int64 `json:"max"`
}

// Facts is what a body recorded, by name. Values are int64, string or bool, and
// the same in two runs on one kernel.
type Facts map[string]any

// Names of facts that most cases use.
const (
	Return   = "return"   // what the call returned, -1 included
	Errno    = "errno"    // its symbol, "" for none
	Offset   = "offset"   // the offset argument afterwards
	Position = "position" // the file position afterwards
	Bytes    = "bytes"    // fixture.Compare of what arrived
	Witness  = "witness"  // a fixture.Witness
)

var linuxOnly = []string{"linux"}

// Env is what the body of a case works with: the kernel under test, fixtures,
// and the facts. Fatalf, which fixtures call, makes the case broken.
type Env struct {
	*fixture.Scope
	Kernel *sys.Kernel
	facts  Facts
	skip   Skip
}

// Fact records what was seen. Ints of any size become int64.
func (e *Env) Fact(name string, value any) { e.facts[name] = plain(value) }

// Answer records what a call returned and its errno.
func (e *Env) Answer(n int, errno sys.Errno) { e.Named("", n, errno) }

// Named is Answer for one of several calls of a case: its facts are called
// "name.return" and "name.errno".
func (e *Env) Named(name string, n int, errno sys.Errno) {
	if name != "" {
		name += "."
	}
	e.Fact(name+Return, n)
	e.Fact(name+Errno, sys.ErrnoName(errno))
}

// Arrived records whether the bytes are right.
func (e *Env) Arrived(got, want []byte) { e.Fact(Bytes, fixture.Compare(got, want)) }

// Skip ends the body: the question cannot be asked here.
func (e *Env) Skip(why Skip) {
	e.skip = why
	e.Stop()
}

// Skip is why a case was not asked.
type Skip string

// The closed set of reasons to skip.
const (
	SkipFeature   Skip = "needs-feature"   // a feature of Needs is not available here, or what a fixture rests on
	SkipPrivilege Skip = "needs-privilege" // it needs root
	SkipResources Skip = "resource-limit"  // descriptors, space, memory or pipes ran out
	SkipPlace     Skip = "needs-filesystem"
	SkipSeccomp   Skip = "blocked-by-seccomp" // a seccomp filter kills what makes a call that the case makes
)

// Skips is the closed set, for schemas and checks.
var Skips = []Skip{SkipFeature, SkipPrivilege, SkipResources, SkipPlace, SkipSeccomp}

// All lists the cases of a system, by id; "" is every system.
func All(goos string) []*Case {
	var list []*Case
	for _, c := range all() {
		if goos == "" || c.Applies(goos) {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b *Case) int { return strings.Compare(a.ID, b.ID) })
	return list
}

// SuiteDigest is the digest of the list of cases of all systems: what is asked
// and what is expected. Records of one suite can be compared case by case.
func SuiteDigest() string {
	h := sha256.New()
	encoder := json.NewEncoder(h)
	for _, c := range All("") {
		if err := encoder.Encode(c); err != nil {
			panic(err) // a value of an expectation that JSON does not know: a mistake in a case
		}
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}
