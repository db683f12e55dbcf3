package matrix

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Records in the repository are whole, unaltered, and named as they say.
func TestCommittedRecords(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("results/*.json")
	require.NoError(t, err)
	for _, file := range files {
		r, err := ReadFile(file)
		if assert.NoError(t, err) {
			assert.True(t, r.Complete, file)
			assert.Equal(t, strings.TrimSuffix(filepath.Base(file), ".json"), r.Target.ID)
		}
	}
}
