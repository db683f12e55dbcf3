package driver

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/cases"
	"github.com/zcprobe/zcprobe/matrix"
	"github.com/zcprobe/zcprobe/probe"
)

// stranger is a record as another machine might have made it, written to a file.
func stranger(t *testing.T, change func(*matrix.Record)) (path string) {
	t.Helper()
	r := &matrix.Record{
		Suite: cases.SuiteDigest(), Complete: true, Backend: "none",
		Target:   matrix.TargetInfo{ID: "freebsd-15.1-amd64", Host: probe.Host{OS: "freebsd", Arch: "amd64"}},
		Features: []probe.Finding{{ID: "a/b", State: probe.Absent, Reason: probe.OSLacksCall}},
		Cases:    []cases.Result{{ID: cases.All("")[0].ID, Verdict: cases.Conforms}},
	}
	if change != nil {
		change(r)
	}
	require.NoError(t, r.Seal())
	path = filepath.Join(t.TempDir(), "record.json")
	require.NoError(t, matrix.WriteJSON(path, r))
	return path
}

func importer(t *testing.T) *Import {
	t.Helper()
	targets, err := matrix.Targets()
	require.NoError(t, err)
	return &Import{Results: t.TempDir(), Targets: targets}
}

func TestImport(t *testing.T) {
	t.Parallel()
	i := importer(t)
	path := stranger(t, nil)
	id, err := i.File(path)
	require.NoError(t, err)
	assert.Equal(t, "freebsd-15.1-amd64", id)
	r, err := matrix.ReadFile(filepath.Join(i.Results, id+".json"))
	require.NoError(t, err)
	assert.Equal(t, id, r.Target.ID)

	i = &Import{Results: i.Results, Targets: i.Targets}
	_, err = i.File(path)
	require.ErrorIs(t, err, ErrThere)
	other := stranger(t, func(r *matrix.Record) { r.Backend = "sendfile" })
	_, err = i.File(other)
	assert.ErrorContains(t, err, "--replace")
	i.Replace = true
	_, err = i.File(other)
	require.NoError(t, err)
	_, err = i.File(path)
	assert.ErrorContains(t, err, "as well")

	left, err := os.ReadDir(i.Results)
	require.NoError(t, err)
	assert.Len(t, left, 1)
}

// The ids of plain runs are those of kernels.
func TestImportMakesIDs(t *testing.T) {
	t.Parallel()
	for own, want := range map[string]string{
		"linux-6.12.9+deb13-amd64-amd64": "linux-6.12.9-deb13-amd64-amd64",
		"linux-5.15.0_WSL2~1-amd64":      "linux-5.15.0-wsl2-1-amd64",
		"freebsd--amd64":                 "freebsd-amd64",
		"a.-.b":                          "a.b",
		"windows-11-amd64":               "windows-11-amd64",
	} {
		got, err := fileID(own, "")
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	got, err := fileID("../x", "mine")
	require.NoError(t, err)
	assert.Equal(t, "mine", got)
}

func TestImportRefuses(t *testing.T) {
	t.Parallel()
	id := func(id string) func(*matrix.Record) { return func(r *matrix.Record) { r.Target.ID = id } }
	for _, test := range []struct {
		name   string
		change func(*matrix.Record)
		reason string
	}{
		{"path", id("../../evil"), "no name of a target"},
		{"absolute path", id("/etc/cron.d/evil"), "no name of a target"},
		{"path of Windows", id(`..\evil`), "no name of a target"},
		{"hidden file", id(".bashrc"), "no name of a target"},
		{"option", id("-rf"), "no name of a target"},
		{"no id", id(""), "no name of a target"},
		{"long id", id(strings.Repeat("a", 300)), "no name of a target"},
		{"new line", id("a\nb"), "no name of a target"},
		{"another's id", id("windows-11-amd64"), "that of a target on windows/amd64"},
		{"escape sequence", func(r *matrix.Record) { r.Features[0].Remedy = "\x1b]0;gotcha\x07" }, "control characters"},
		{"no system", func(r *matrix.Record) { r.Target.OS = "<script>" }, "no system"},
		{"cut short", func(r *matrix.Record) { r.Complete = false }, "cut short"},
		{"empty", func(r *matrix.Record) { r.Cases, r.Features = nil, nil }, "no result"},
		{"another suite", func(r *matrix.Record) { r.Suite = "sha256:0" }, "another release"},
		{"unknown case", func(r *matrix.Record) { r.Cases[0].ID = "linux/none/none" }, "no such case"},
		{"unknown verdict", func(r *matrix.Record) { r.Cases[0].Verdict = "perfect" }, "no such verdict"},
		{"unknown state", func(r *matrix.Record) { r.Features[0].State = "great" }, "no such state"},
		{"twice", func(r *matrix.Record) { r.Cases = append(r.Cases, r.Cases[0]) }, "not in order"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			i := importer(t)
			i.Results = filepath.Join(i.Results, "deep", "results")
			require.NoError(t, os.MkdirAll(i.Results, 0o755))
			_, err := i.File(stranger(t, test.change))
			require.ErrorContains(t, err, test.reason)
			left, err := filepath.Glob(filepath.Join(i.Results, "..", "*", "*"))
			require.NoError(t, err)
			assert.Empty(t, left)
		})
	}
}

func TestImportTakesOtherSuitesWhenAsked(t *testing.T) {
	t.Parallel()
	i := importer(t)
	i.OtherSuite = true
	_, err := i.File(stranger(t, func(r *matrix.Record) { r.Suite, r.Cases[0].ID = "sha256:0", "linux/none/none" }))
	assert.NoError(t, err)
}

func TestImportRefusesFiles(t *testing.T) {
	t.Parallel()
	i := importer(t)
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	good, err := os.ReadFile(stranger(t, nil))
	require.NoError(t, err)
	var altered map[string]any
	require.NoError(t, json.Unmarshal(good, &altered))
	altered["backend"] = "sendfile+splice"
	text, err := json.Marshal(altered)
	require.NoError(t, err)
	large := file("large", "")
	require.NoError(t, os.Truncate(large, maxImport+1))
	for path, reason := range map[string]string{
		filepath.Join(dir, "none"):                  "no such file",
		dir:                                         "no regular file",
		file("altered", string(text)):               "its digest does not fit",
		file("cut", string(good[:len(good)/2])):     "cut short",
		file("other", `{"schema":"zcprobe.run/9"}`): "its schema is",
		file("text", "hello"):                       "no run record",
		file("deep", strings.Repeat("[", 1<<20)):    "no run record",
		large:                                       "larger than",
	} {
		_, err := i.File(path)
		require.Error(t, err, path)
		assert.Contains(t, strings.ToLower(err.Error()), reason)
	}
	left, err := os.ReadDir(i.Results)
	require.NoError(t, err)
	assert.Empty(t, left)
}
