package cases

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// lines are the table in words, a line for each case and mutant that differ.
func lines(rows []*row) []string {
	var list []string
	for _, r := range rows {
		for _, m := range slices.Sorted(maps.Keys(r.verdicts)) {
			if v := r.verdicts[m]; v != "" {
				list = append(list, fmt.Sprintf("%s × %s: %s", r.question.ID, m, v))
			}
		}
	}
	return list
}

// table is the table of case and mutant for a file. A cell is the facts that
// the lie changes, or how the case ended; it is empty where the lie goes
// unnoticed. Pairs that have no call in common are left out.
func table(path string, rows []*row) []byte {
	var records [][]string
	for _, r := range rows {
		for _, m := range slices.Sorted(maps.Keys(r.verdicts)) {
			records = append(records, []string{r.question.ID, m, r.verdicts[m]})
		}
	}
	if !strings.HasSuffix(path, ".md") {
		return asCSV(records)
	}
	var b bytes.Buffer
	b.WriteString("| case | mutant | facts |\n|---|---|---|\n")
	for _, record := range records {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(record, " | "))
	}
	return b.Bytes()
}

func asCSV(records [][]string) []byte {
	var b bytes.Buffer
	csv.NewWriter(&b).WriteAll(append([][]string{{"case", "mutant", "facts"}}, records...))
	return b.Bytes()
}

// proofFile names the mutants that were enough to show it all.
const proofFile = "testdata/mutants.csv"

// proof reads it: mutants by case.
func proof(t *testing.T) map[string][]string {
	list := map[string][]string{}
	text, err := os.ReadFile(proofFile)
	if err != nil {
		return list
	}
	records, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	require.NoError(t, err)
	for _, record := range records[1:] {
		list[record[0]] = append(list[record[0]], record[1])
	}
	return list
}

// shortest is the pairs that take the least time: for each case mutants that together
// change all its facts, and each mutant at least once.
func shortest(rows []*row) []byte {
	var records [][]string
	used := map[string]bool{}
	add := func(r *row, m string) {
		records = append(records, []string{r.question.ID, m, r.verdicts[m]})
		used[m] = true
	}
	for _, r := range rows {
		open := maps.Clone(r.killers)
		for len(open) > 0 {
			best, worth := "", 0.0
			for _, m := range slices.Sorted(maps.Keys(r.verdicts)) {
				n := 0.0
				for _, killers := range open {
					if slices.Contains(killers, m) {
						n++
					}
				}
				if n /= 0.02 + r.took[m]; n > worth {
					best, worth = m, n
				}
			}
			add(r, best)
			maps.DeleteFunc(open, func(_ string, killers []string) bool { return slices.Contains(killers, best) })
		}
	}
	for _, quiet := range []bool{false, true} { // a hang takes time: only where there is nothing better
		for _, r := range rows {
			for _, m := range slices.Sorted(maps.Keys(r.verdicts)) {
				if v := r.verdicts[m]; !used[m] && v != "" && v != slow && !strings.HasPrefix(v, string(Broken)) && (v != hangs || quiet) {
					add(r, m)
				}
			}
		}
	}
	slices.SortStableFunc(records, func(a, b []string) int { return slices.Compare(a[:2], b[:2]) })
	return asCSV(records)
}
