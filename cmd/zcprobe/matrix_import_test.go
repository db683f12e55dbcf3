package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/matrix"
)

// One bad file does not keep the others out, and the status says that there was
// one.
func TestMatrixImport(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good, bad, results := filepath.Join(dir, "good.json"), filepath.Join(dir, "bad\x1b.json"), filepath.Join(dir, "results")
	status, _, err := zcprobe(t, "cases", "run", "any/library/count-zero-moves-nothing", "--json", good)
	require.Equal(t, exitOK, status, err)
	require.NoError(t, os.WriteFile(bad, []byte("{}"), 0o600))

	status, out, err := zcprobe(t, "matrix", "import", bad, good, "--results", results)
	assert.Equal(t, exitUsage, status)
	assert.Equal(t, "zcprobe: \""+strings.ReplaceAll(bad, "\x1b", `\x1b`)+"\": no run record: it has no schema\n", err)
	records, globErr := filepath.Glob(filepath.Join(results, "*"))
	require.NoError(t, globErr)
	require.Len(t, records, 1)
	r, readErr := matrix.ReadFile(records[0])
	require.NoError(t, readErr)
	assert.Equal(t, good+": "+r.Target.ID+"\n", out)

	status, out, err = zcprobe(t, "matrix", "import", good, "--results", results)
	assert.Equal(t, exitOK, status, err)
	assert.Contains(t, out, "is there already")
	status, _, _ = zcprobe(t, "matrix", "import", good, "--results", results, "--as", "mine")
	assert.Equal(t, exitOK, status)
	assert.FileExists(t, filepath.Join(results, "mine.json"))
	status, _, err = zcprobe(t, "matrix", "import", good, bad, "--results", results, "--as", "mine")
	assert.Equal(t, exitUsage, status)
	assert.Contains(t, err, "--as")
}
