package cases

import (
	"slices"

	"github.com/zcprobe/zcprobe/cases/catalog"
)

// Coverage is which rows of the behaviour catalogue cases cover. A row counts
// only where a case names it.
type Coverage struct {
	Groups    []GroupCoverage `json:"groups"`
	Covered   []CoveredRow    `json:"covered"`
	Uncovered []UncoveredRow  `json:"uncovered"`
}

// GroupCoverage is the numbers of one group.
type GroupCoverage struct {
	Group   catalog.Group `json:"group"`
	Rows    int           `json:"rows"`
	Covered int           `json:"covered"`
}

// CoveredRow is a row with the cases that name it.
type CoveredRow struct {
	ID    string        `json:"id"`
	Group catalog.Group `json:"group"`
	Cases []string      `json:"cases"`
}

// UncoveredRow is a row that no case names, and why.
type UncoveredRow struct {
	ID    string        `json:"id"`
	Group catalog.Group `json:"group"`
	Kind  catalog.Kind  `json:"kind"`
	Why   string        `json:"why"`
	Under string        `json:"under,omitempty"` // the reason is one for all rows with this prefix
}

// Cover compares a list of cases with the catalogue.
func Cover(list []*Case) Coverage {
	by := map[string][]string{}
	for _, c := range list {
		for _, row := range c.Covers {
			by[row] = append(by[row], c.ID)
		}
	}
	coverage := Coverage{Covered: []CoveredRow{}, Uncovered: []UncoveredRow{}}
	for _, group := range catalog.Groups {
		numbers := GroupCoverage{Group: group}
		for _, row := range catalog.Rows() {
			if row.Group() != group {
				continue
			}
			numbers.Rows++
			if ids := by[row.ID]; len(ids) > 0 {
				numbers.Covered++
				coverage.Covered = append(coverage.Covered, CoveredRow{row.ID, group, slices.Compact(slices.Sorted(slices.Values(ids)))})
				continue
			}
			missing := UncoveredRow{ID: row.ID, Group: group}
			if reason, ok := catalog.ReasonFor(row.ID); ok {
				missing.Kind, missing.Why = reason.Kind, reason.Why
				if reason.ID != row.ID {
					missing.Under = reason.ID
				}
			}
			coverage.Uncovered = append(coverage.Uncovered, missing)
		}
		coverage.Groups = append(coverage.Groups, numbers)
	}
	return coverage
}
