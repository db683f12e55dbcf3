package cases

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/zcprobe/zcprobe/cases/catalog"
)

func TestCoversNamesRowsOfTheCatalogue(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, row := range catalog.Rows() {
		known[row.ID] = true
	}
	for _, c := range All("") {
		seen := map[string]bool{}
		for _, row := range c.Covers {
			assert.True(t, known[row], "%s covers %s, which is no row", c.ID, row)
			assert.False(t, seen[row], "%s covers %s twice", c.ID, row)
			seen[row] = true
		}
	}
}

// Every row is covered or has a reason, and no reason outlives its row being
// covered.
func TestEveryRowIsCoveredOrHasAReason(t *testing.T) {
	t.Parallel()
	coverage := Cover(All(""))
	for _, row := range coverage.Uncovered {
		assert.NotEmpty(t, row.Why, "%s: no case names it, and no reason stands in cases/catalog/uncovered.jsonl", row.ID)
	}
	covered := map[string]bool{}
	for _, row := range coverage.Covered {
		covered[row.ID] = true
	}
	for _, reason := range catalog.Reasons() {
		if !strings.HasSuffix(reason.ID, "/") {
			assert.False(t, covered[reason.ID], "%s is covered: take its reason away", reason.ID)
		}
	}
}

func TestCoverCountsOnlyRowsThatACaseNames(t *testing.T) {
	t.Parallel()
	const row = "linux/sendfile/at-eof-returns-zero"
	none := Cover(nil)
	assert.Len(t, none.Uncovered, len(catalog.Rows()))
	assert.Empty(t, none.Covered)

	// The id of a case alone covers nothing.
	assert.Empty(t, Cover([]*Case{{ID: row}}).Covered)

	some := Cover([]*Case{{ID: "b", Covers: []string{row}}, {ID: "a", Covers: []string{row, "linux/no/row"}}})
	assert.Equal(t, []CoveredRow{{row, catalog.Linux, []string{"a", "b"}}}, some.Covered)
	rows, covered := 0, 0
	for _, group := range some.Groups {
		rows, covered = rows+group.Rows, covered+group.Covered
	}
	assert.Equal(t, len(catalog.Rows()), rows)
	assert.Equal(t, 1, covered)
	assert.Len(t, some.Uncovered, rows-1)
}
