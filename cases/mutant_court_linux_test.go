package cases

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zcprobe/zcprobe/internal/worker"
	"github.com/zcprobe/zcprobe/probe"
)

const (
	benches       = 16 // trials at a time: most of their time they wait for bytes that are lost
	docket        = 6  // trials that a worker is given at a time
	usualPatience = 3 * time.Second
	shortPatience = slowness * 250 * time.Millisecond
	trialLimit    = slowness * 2500 * time.Millisecond // in which a case waits for lost bytes several times
	appealLimit   = slowness * 6 * time.Second
)

// court hears trials in worker processes and judges them.
type court struct {
	pool       *worker.Pool
	host       probe.Host
	exhaustive bool
	lies       map[string][]string // by mutant: the calls
	proven     map[string][]string // by case: the mutants with which the proof was found before

	room  chan struct{} // for cases that are open
	mu    sync.Mutex
	tried map[string]int    // by mutant
	skill map[[2]string]int // by mutant and the last word of a fact: how many it has changed
	found map[string]bool   // the mutants that a case has noticed
}

func newCourt(pool *worker.Pool, host probe.Host, exhaustive bool) *court {
	c := &court{
		pool: pool, host: host, exhaustive: exhaustive, lies: map[string][]string{}, room: make(chan struct{}, benches),
		tried: map[string]int{}, skill: map[[2]string]int{}, found: map[string]bool{},
	}
	for _, m := range mutants {
		c.lies[m.name] = m.lies()
	}
	return c
}

// row is what is known of a case.
type row struct {
	question *Case
	unfit    string // why it proves nothing on this kernel
	expected Want
	calls    []string
	killers  map[string][]string // by fact: the mutants that change it to a misfit
	verdicts map[string]string   // by mutant: the facts that it changes, or how the case ended
	took     map[string]float64  // by mutant: seconds
}

// begin asks a case of the honest kernel, and then of lying ones until each of
// its facts has been changed.
func (c *court) begin(t *testing.T, x *Case) *row {
	r := &row{question: x, killers: map[string][]string{}, verdicts: map[string]string{}, took: map[string]float64{}}
	c.room <- struct{}{} // the others profit by what is learned of this one
	defer func() { <-c.room }()
	expected, ok := x.Expected(c.host)
	if !ok {
		r.unfit = "nothing is expected of this kernel"
		return r
	}
	heard := c.hear(t, x, []string{""}, usualPatience, DefaultTimeout)
	if len(heard) == 0 {
		r.unfit = "it cannot be heard"
		return r
	}
	first := heard[0]
	if v, _, _ := x.judge(c.host, first.Facts); first.Hung || first.Skip != "" || first.Broken != "" || v != Conforms {
		r.unfit = cmp.Or(string(first.Skip), first.Broken, string(v))
		return r
	}
	r.expected, r.calls = expected.Facts, first.Calls
	for {
		next := c.next(r)
		if len(next) == 0 {
			c.appeal(t, r)
			return r
		}
		c.try(t, r, next, trialLimit)
	}
}

// relevant are the mutants that lie about a call of the case and were not tried.
func (c *court) relevant(r *row) []string {
	var names []string
	for _, m := range mutants {
		_, tried := r.verdicts[m.name]
		if !tried && slices.ContainsFunc(c.lies[m.name], func(call string) bool { return slices.Contains(r.calls, call) }) {
			names = append(names, m.name)
		}
	}
	return names
}

// next are the mutants to try next: those of the proof that was found before,
// then, while facts are open, those that have changed such facts.
func (c *court) next(r *row) []string {
	open := c.open(r)
	names := c.relevant(r)
	if known := slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return !slices.Contains(c.proven[r.question.ID], name)
	}); len(known) > 0 {
		return known
	}
	if len(open) == 0 && !c.exhaustive {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	hope := map[string]float64{}
	for _, name := range names {
		for _, fact := range open {
			hope[name] += (float64(c.skill[[2]string{name, lastWord(fact)}]) + 0.05) / float64(c.tried[name]+1)
		}
		if !c.found[name] {
			hope[name] += 0.02
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(hope[b], hope[a]) })
	return names[:min(docket, len(names))]
}

// open are the facts that no lie has changed so far, though one can.
func (c *court) open(r *row) []string {
	var facts []string
	for fact := range r.expected {
		if len(r.killers[fact]) == 0 && !slices.Contains(unchangeable[r.question.ID].facts, fact) {
			facts = append(facts, fact)
		}
	}
	return facts
}

// lastWord is "errno" of "second.errno".
func lastWord(fact string) string { return fact[strings.LastIndexByte(fact, '.')+1:] }

// unnoticed tries the mutants that no case has noticed so far, until one does.
func (c *court) unnoticed(t *testing.T, rows []*row) {
	room := make(chan struct{}, benches)
	var group sync.WaitGroup
	for _, r := range rows {
		maps.DeleteFunc(r.verdicts, func(name, verdict string) bool { return verdict == "" && !c.found[name] })
	}
	for _, r := range rows {
		room <- struct{}{}
		group.Go(func() {
			defer func() { <-room }()
			for {
				names := slices.DeleteFunc(c.relevant(r), func(name string) bool {
					c.mu.Lock()
					defer c.mu.Unlock()
					return c.found[name]
				})
				if r.unfit != "" || len(names) == 0 {
					return
				}
				c.try(t, r, names[:min(docket, len(names))], trialLimit)
			}
		})
	}
	group.Wait()
}

// appeal gives more time to what hung or broke while a fact of the case is
// still open: the machine may have been slow.
func (c *court) appeal(t *testing.T, r *row) {
	for name, verdict := range r.verdicts {
		if len(c.open(r)) == 0 {
			return
		}
		if verdict == hangs || verdict == slow || strings.HasPrefix(verdict, string(Broken)) {
			c.try(t, r, []string{name}, appealLimit)
		}
	}
}

// Verdicts of trials that a deadline ends. Where it ends a call the case has
// noticed that something is wrong, but not what; else it may just be slow.
const (
	hangs = "hangs"
	slow  = "does not end"
)

// try asks the case of some lying kernels.
func (c *court) try(t *testing.T, r *row, names []string, limit time.Duration) {
	heard := c.hear(t, r.question, names, shortPatience, limit)
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, name := range names {
		if i >= len(heard) {
			r.verdicts[name] = "not heard"
			continue
		}
		x := heard[i]
		v, _, _ := r.question.judge(c.host, x.Facts)
		c.tried[name]++
		r.took[name] = float64(x.DurationUS) / 1e6
		switch {
		case x.Stuck:
			r.verdicts[name] = hangs
			c.found[name] = true
		case x.Hung:
			r.verdicts[name] = slow
		case x.Skip != "" || x.Broken != "" || v == Broken:
			r.verdicts[name] = fmt.Sprintf("%s (%s)", Broken, cmp.Or(string(x.Skip), x.Broken, "a fact is missing"))
		case v == Deviates:
			wrong := misfits(x.Facts, r.expected)
			r.verdicts[name] = strings.Join(wrong, " ")
			c.found[name] = true
			for _, fact := range wrong {
				r.killers[fact] = append(r.killers[fact], name)
				c.skill[[2]string{name, lastWord(fact)}]++
			}
		default:
			r.verdicts[name] = ""
		}
	}
}

// hear asks a case of these mutants, in as many processes as it takes.
func (c *court) hear(t *testing.T, x *Case, names []string, patience, limit time.Duration) []testimony {
	var heard []testimony
	size := len(names)
	for len(heard) < len(names) {
		b := batch{Patience: patience, Limit: limit}
		for _, name := range names[len(heard):min(len(heard)+size, len(names))] {
			b.Trials = append(b.Trials, trial{x.ID, name})
		}
		var some []testimony
		err := c.pool.Do(t.Context(), "trials", b, &some, time.Duration(len(b.Trials))*limit+time.Minute, x.Alone)
		var crash *worker.CrashError
		switch {
		case errors.As(err, &crash) && strings.Contains(crash.Output, unclean):
		case errors.As(err, &crash) && size > 1:
			size = 1 // one of them: each for itself
		case errors.As(err, &crash):
			heard = append(heard, testimony{outcome: outcome{Broken: crash.Error()}})
		case err != nil:
			t.Errorf("%s: %v", x.ID, err)
			return heard
		default:
			heard = append(heard, some...)
		}
	}
	return heard
}
