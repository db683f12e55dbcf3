package cases

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"maps"
	"slices"
	"strings"
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
	records := [][]string{{"case", "mutant", "facts"}}
	for _, r := range rows {
		for _, m := range slices.Sorted(maps.Keys(r.verdicts)) {
			records = append(records, []string{r.question.ID, m, r.verdicts[m]})
		}
	}
	var b bytes.Buffer
	if !strings.HasSuffix(path, ".md") {
		csv.NewWriter(&b).WriteAll(records)
		return b.Bytes()
	}
	for i, record := range records {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(record, " | "))
		if i == 0 {
			fmt.Fprintln(&b, "|---|---|---|")
		}
	}
	return b.Bytes()
}
