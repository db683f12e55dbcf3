package catalog

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRowsAreWholeAndUnique(t *testing.T) {
	t.Parallel()
	rows, err := parse[Row](behaviours)
	require.NoError(t, err)
	assert.Greater(t, len(rows), 600)
	seen := map[string]bool{}
	for _, r := range rows {
		assert.False(t, seen[r.ID], "%s stands twice", r.ID)
		seen[r.ID] = true
		assert.GreaterOrEqual(t, strings.Count(r.ID, "/"), 1, r.ID)
		assert.NotEmpty(t, r.Statement+r.Expected, "%s says nothing", r.ID)
		assert.NotEmpty(t, r.Sources, "%s: who says so?", r.ID)
	}
}

func TestReasonsAreWholeAndOfTheCatalogue(t *testing.T) {
	t.Parallel()
	reasons, err := parse[Reason](uncovered)
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, r := range reasons {
		assert.False(t, seen[r.ID], "%s stands twice", r.ID)
		seen[r.ID] = true
		assert.Contains(t, Kinds, r.Kind, r.ID)
		assert.NotEmpty(t, r.Why, "%s: why?", r.ID)
		found := false
		for _, row := range Rows() {
			found = found || row.ID == r.ID || strings.HasSuffix(r.ID, "/") && strings.HasPrefix(row.ID, r.ID)
		}
		assert.True(t, found, "%s is no row", r.ID)
	}
}

func TestParseIsStrict(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"unknown field": `{"id":"a/b","sources":"x","colour":"red"}`,
		"two values":    `{"id":"a/b"} {"id":"a/c"}`,
		"not an object": `"a/b"`,
		"empty line":    "{\"id\":\"a/b\"}\n\n{\"id\":\"a/c\"}",
		"cut off":       `{"id":"a/b"`,
	} {
		_, err := parse[Row]([]byte(data))
		assert.Error(t, err, name)
	}
}
