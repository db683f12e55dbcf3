package cases

import (
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/internal/worker"
	"github.com/zcprobe/zcprobe/probe"
)

// For each fact that a case checks on this kernel there is a lie that changes
// this fact to what is not expected, and each lie is noticed by a case.
//
// Cases are asked of tampered kernels until that is shown: first of those with
// which it was shown before, in testdata/mutants.csv, then of others. The file
// only saves time; ZCPROBE_MUTANTS=proof writes it anew, in some minutes.
//
// With ZCPROBE_MUTANTS naming another file, each case is asked of all kernels
// that lie about a call that it makes, and the table of case and mutant is
// written there: as Markdown where the name ends in .md, else as CSV.
//
// The proof is whole for root; others are only told what theirs lacks.
func TestNoLieGoesUnnoticed(t *testing.T) {
	t.Parallel()
	path := os.Getenv("ZCPROBE_MUTANTS")
	scratch := t.TempDir()
	c := newCourt(worker.NewPool(benches, scratch, nil), probe.ThisHost(scratch), path != "")
	c.proven = proof(t)
	t.Cleanup(c.pool.Close)

	list := All("linux")
	rows := make([]*row, len(list))
	var group sync.WaitGroup
	for i, x := range list {
		group.Go(func() { rows[i] = c.begin(t, x) })
	}
	group.Wait()
	c.unnoticed(t, rows)
	c.unnoticed(t, rows) // what a slow machine has hidden shows now

	gap := t.Errorf
	if os.Geteuid() != 0 {
		gap = t.Logf // some lies take a privilege, and some cases that notice one
	}
	facts, changed, trials := 0, 0, 0
	for _, r := range rows {
		if r.unfit != "" {
			t.Logf("%s proves nothing here: %s", r.question.ID, r.unfit)
		}
		excused := unchangeable[r.question.ID]
		for fact := range r.expected {
			facts++
			switch killers := r.killers[fact]; {
			case len(killers) > 0:
				changed++
				if slices.Contains(excused.facts, fact) {
					t.Logf("%s: %q may need no excuse: %s changes it", r.question.ID, fact, killers[0])
				}
			case !slices.Contains(excused.facts, fact):
				gap("%s: no lie changes %q; it calls %s", r.question.ID, fact, strings.Join(r.calls, ", "))
			}
		}
		trials += len(r.verdicts)
	}
	made := map[string]bool{}
	for _, r := range rows {
		for _, call := range r.calls {
			made[call] = true
		}
	}
	for _, m := range mutants {
		if !c.found[m.name] && slices.ContainsFunc(c.lies[m.name], func(call string) bool { return made[call] }) {
			gap("no case notices: %s", m.name)
		}
	}
	t.Logf("%d cases, %d facts, %d of them changed by a lie; %d mutants, %d noticed; %d trials in %d processes",
		len(rows), facts, changed, len(mutants), len(c.found), trials, c.pool.Started())
	t.Log("case × mutant, with the facts that the lie changes:\n" + strings.Join(lines(rows), "\n"))
	switch path {
	case "":
	case "proof":
		require.NoError(t, os.WriteFile(proofFile, shortest(rows), 0o644))
	default:
		require.NoError(t, os.WriteFile(path, table(path, rows), 0o644))
	}
}

// The list of excuses is about cases and facts that there are.
func TestExcusesAreInUse(t *testing.T) {
	t.Parallel()
	host := probe.ThisHost(t.TempDir())
	for id, x := range unchangeable {
		i := slices.IndexFunc(all(), func(c *Case) bool { return c.ID == id })
		if !assert.GreaterOrEqual(t, i, 0, id) {
			continue
		}
		if expected, ok := all()[i].Expected(host); ok {
			assert.Subset(t, slices.Collect(maps.Keys(expected.Facts)), x.facts, id)
		}
	}
}
