package cases

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/zcprobe/zcprobe/probe"
)

// Verdict is what a case came to.
type Verdict string

// The verdicts, never mixed: a failed set-up is broken, not deviates.
const (
	Conforms Verdict = "conforms"
	Deviates Verdict = "deviates"
	Known    Verdict = "known"    // deviates, as an expectation with a link says it will
	Recorded Verdict = "recorded" // observed, and no source says what is right here
	Skipped  Verdict = "skipped"
	Broken   Verdict = "broken" // the harness could not try
	TimedOut Verdict = "timeout"
	Crashed  Verdict = "crashed"
)

// Verdicts is the closed set.
var Verdicts = []Verdict{Conforms, Deviates, Known, Recorded, Skipped, Broken, TimedOut, Crashed}

// Expected is the expectation of c for a host; false where no source says.
func (c *Case) Expected(host probe.Host) (Expectation, bool) {
	for _, x := range c.Expect {
		if x.holds(host) {
			return x, true
		}
	}
	return Expectation{}, false
}

func (x Expectation) holds(host probe.Host) bool {
	return (x.OS == "" || x.OS == host.OS) &&
		(x.Arch == "" || x.Arch == host.Arch) &&
		(x.Emulator == "" || x.Emulator == host.Emulator) &&
		(x.Filesystem == "" || x.Filesystem == host.Filesystem) &&
		(x.Since == "" || !host.Before(x.Since)) &&
		(x.Until == "" || host.Before(x.Until))
}

// judge compares facts with what they should be.
func (c *Case) judge(host probe.Host, facts Facts) (Verdict, Want, string) {
	x, ok := c.Expected(host)
	if !ok {
		return Recorded, Want{}, ""
	}
	for _, name := range slices.Sorted(maps.Keys(x.Facts)) {
		if _, ok := facts[name]; !ok {
			return Broken, x.Facts, "no fact " + name
		}
	}
	if len(misfits(facts, x.Facts)) > 0 {
		return Deviates, x.Facts, ""
	}
	if x.Known != "" {
		return Known, x.Facts, x.Known
	}
	return Conforms, x.Facts, ""
}

// misfits are the names of the facts that are not what was wanted.
func misfits(facts Facts, want Want) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if !fits(facts[name], want[name]) {
			names = append(names, name)
		}
	}
	return names
}

// fits tells whether a fact is what was wanted.
func fits(got, want any) bool {
	switch want := want.(type) {
	case OneOf:
		for _, w := range want {
			if fits(got, w) {
				return true
			}
		}
		return false
	case Between:
		n, ok := got.(int64)
		return ok && want.Min <= n && n <= want.Max
	default:
		return got == plain(want)
	}
}

// plain brings a value into the form in which facts are kept and compared.
func plain(value any) any {
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return int64(v.Uint())
	case reflect.String:
		return v.String()
	case reflect.Bool:
		return v.Bool()
	default:
		panic(fmt.Sprintf("a fact cannot be a %T", value))
	}
}

// Ranges are the systems and releases of each expectation, in words.
func (c *Case) Ranges() []string {
	list := make([]string, len(c.Expect))
	for i, x := range c.Expect {
		words := strings.Join(c.Systems, ", ")
		if x.OS != "" {
			words = x.OS
		}
		if x.Arch != "" {
			words += " on " + x.Arch
		}
		if x.Emulator != "" {
			words += " under " + x.Emulator
		}
		if x.Filesystem != "" {
			words += " with files on " + x.Filesystem
		}
		if x.Since != "" {
			words += " from " + x.Since
		}
		if x.Until != "" {
			words += " until " + x.Until
		}
		if i > 0 && x.Since+x.Until+x.Emulator+x.Filesystem == "" {
			words += " otherwise" // the first one that fits counts
		}
		list[i] = words
	}
	return list
}
