package matrix

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/zcprobe/zcprobe/cases"
	"github.com/zcprobe/zcprobe/probe"
)

// Kind is how something differs between two records.
type Kind string

// The kinds of difference.
const (
	Improved  Kind = "improved"
	Regressed Kind = "regressed"
	New       Kind = "new"
	Gone      Kind = "gone"
	Changed   Kind = "changed" // neither better nor worse: other facts, or one failure became another
)

// Difference is one thing that two records do not share.
type Difference struct {
	Kind   Kind   `json:"kind"`
	What   string `json:"what"` // "feature", "case", "path", "backend"
	ID     string `json:"id"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// Comparison is what changed from one record to another.
type Comparison struct {
	SameSuite   bool         `json:"same_suite"` // cases are compared only where it is the same
	SameTool    bool         `json:"same_tool"`
	Incomplete  []string     `json:"incomplete,omitempty"` // "before", "after": the run was cut short
	Differences []Difference `json:"differences"`
}

// Regressed tells whether anything became worse.
func (c *Comparison) Regressed() bool {
	return slices.ContainsFunc(c.Differences, func(d Difference) bool { return d.Kind == Regressed })
}

// Compare compares two records. Cases are compared only when both come from
// the same suite: another suite asks other questions under the same names.
func Compare(before, after *Record) Comparison {
	c := Comparison{
		SameSuite: before.Suite == after.Suite, SameTool: before.Tool == after.Tool,
		Differences: []Difference{},
	}
	if !before.Complete {
		c.Incomplete = append(c.Incomplete, "before")
	}
	if !after.Complete {
		c.Incomplete = append(c.Incomplete, "after")
	}
	if before.Backend != after.Backend {
		c.add("backend", "library", item{before.Backend, backendRank(before.Backend), ""}, item{after.Backend, backendRank(after.Backend), ""})
	}
	c.compare("feature", features(before), features(after))
	c.compare("path", paths(before), paths(after))
	if c.SameSuite {
		c.compare("case", results(before), results(after))
	}
	return c
}

// item is one thing of a record: in words, how good it is, and all of it.
type item struct {
	words string
	rank  int
	whole string
}

func (c *Comparison) compare(what string, before, after map[string]item) {
	ids := map[string]bool{}
	for id := range before {
		ids[id] = true
	}
	for id := range after {
		ids[id] = true
	}
	sorted := make([]string, 0, len(ids))
	for id := range ids {
		sorted = append(sorted, id)
	}
	slices.Sort(sorted)
	for _, id := range sorted {
		b, was := before[id]
		a, is := after[id]
		switch {
		case !was:
			c.Differences = append(c.Differences, Difference{New, what, id, "", a.words})
		case !is:
			c.Differences = append(c.Differences, Difference{Gone, what, id, b.words, ""})
		case a != b:
			c.add(what, id, b, a)
		}
	}
}

func (c *Comparison) add(what, id string, before, after item) {
	kind := Changed
	switch {
	case after.rank > before.rank && before.rank >= 0:
		kind = Improved
	case after.rank < before.rank && after.rank >= 0:
		kind = Regressed
	}
	c.Differences = append(c.Differences, Difference{kind, what, id, before.words, after.words})
}

// Ranks say what is better; -1 says nothing either way (not asked, not known).

func backendRank(name string) int {
	return slices.Index([]string{"none", "sendfile", "sendfile+splice"}, name)
}

func features(r *Record) map[string]item {
	ranks := map[probe.State]int{
		probe.Available: 2, probe.Degraded: 1, probe.Absent: 0, probe.Denied: 0,
		probe.Inconclusive: -1, probe.NotApplicable: -1,
	}
	items := map[string]item{}
	for _, f := range r.Features {
		items[f.ID] = item{join(string(f.State), string(f.Reason), f.Errno), ranks[f.State], whole(f)}
	}
	return items
}

func results(r *Record) map[string]item {
	ranks := map[cases.Verdict]int{
		cases.Conforms: 1, cases.Deviates: 0, cases.TimedOut: 0, cases.Crashed: 0, cases.Known: 0,
		cases.Recorded: -1, cases.Skipped: -1, cases.Broken: -1,
	}
	items := map[string]item{}
	for _, c := range r.Canonical().Cases {
		items[c.ID] = item{join(string(c.Verdict), c.Reason, factsOf(c)), ranks[c.Verdict], whole(c)}
	}
	return items
}

func paths(r *Record) map[string]item {
	items := map[string]item{}
	for _, p := range r.Paths {
		rank, words := 0, "does not work"
		switch {
		case p.Errno == probe.PathSetUp:
			items[p.Facility+" "+p.Source+" "+p.Destination] = item{join("not tried", p.Reason), -1, whole(p)}
			continue
		case p.Works && p.BytesRight:
			rank, words = 2, "works"
			if p.Witness == "by-reference" {
				rank = 3
			}
		case p.Works:
			rank, words = 1, "wrong bytes"
		}
		items[p.Facility+" "+p.Source+" "+p.Destination] = item{join(words, p.Errno, string(p.Witness)), rank, whole(p)}
	}
	return items
}

// factsOf shows facts where they are what tells two results apart.
func factsOf(c cases.Result) string {
	if len(c.Facts) == 0 {
		return ""
	}
	return whole(c.Facts)
}

func whole(v any) string {
	text, _ := json.Marshal(v) // types of this module, which marshal
	return string(text)
}

func join(words ...string) string {
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), ", ")
}
