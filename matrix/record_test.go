package matrix

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/cases"
	"github.com/zcprobe/zcprobe/internal/debian"
	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/probe"
)

// sample is a sealed record with something in every field.
func sample(t *testing.T) *Record {
	t.Helper()
	r := &Record{
		Tool:  Tool{Version: "1.2.3", Commit: "abc", Go: "go1.26"},
		Suite: cases.SuiteDigest(),
		Target: TargetInfo{ID: "linux-6.1", Host: probe.Host{
			OS: "linux", Arch: "amd64", Kernel: "6.1.0-44", Version: "6.1.192", Distribution: "Debian 12",
			Filesystem: "ext4", Emulator: "uml", Container: "docker", Privileges: "root", Seccomp: "filter", PageSize: 4096,
		}, Run: &Way{
			Driver: "uml", Machine: "linux.uml", Accelerator: "tcg", Packages: []debian.Package{{Name: "user-mode-linux", Version: "6.1um4", SHA256: strings.Repeat("0", 64)}},
			Pinned: true, Command: "zcprobe matrix run uml-6.1", Attempts: 2,
		}, LibraryTests: &LibraryTests{Passed: 3, Failed: 1, Failures: []string{"TestX"}}},
		Started: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), DurationMS: 1234, Backend: "sendfile+splice",
		Features: []probe.Finding{
			{ID: "ktls/tx", State: probe.Absent, Reason: probe.ModuleMissing, Call: "setsockopt TCP_ULP", Errno: "ENOENT", Evidence: []string{"CONFIG_TLS=m"}, Remedy: "modprobe tls"},
			{ID: "sendfile/file-tcp", State: probe.Available},
		},
		Cases: []cases.Result{
			{
				ID: "linux/a/b", Verdict: cases.Deviates, Facts: cases.Facts{"return": int64(3), "errno": "EINVAL", "short": true},
				Expected: cases.Want{"return": cases.OneOf{int64(1), "two"}, "errno": "", "count": cases.Between{Min: 1, Max: 2}}, Witness: fixture.Copied, DurationUS: 7,
			},
			{ID: "linux/a/c", Verdict: cases.Skipped, Facts: cases.Facts{}, Expected: cases.Want{}, Reason: string(cases.SkipFeature)},
		},
		Paths:    []probe.PathResult{{Facility: "sendfile", Source: "file", Destination: "tcp", Works: true, BytesRight: true, Witness: fixture.ByReference}},
		Complete: true,
	}
	require.NoError(t, r.Seal())
	return r
}

func text(t *testing.T, r *Record) []byte {
	t.Helper()
	p, err := json.MarshalIndent(r, "", "  ")
	require.NoError(t, err)
	return p
}

func TestRecordComesBack(t *testing.T) {
	t.Parallel()
	want := sample(t)
	path := filepath.Join(t.TempDir(), "record.json")
	require.NoError(t, WriteJSON(path, want))
	got, err := ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, want, got)
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, left, 1, "the file that was written beside it is gone")
}

func TestDigestLeavesOutTime(t *testing.T) {
	t.Parallel()
	a, b := sample(t), sample(t)
	b.Started, b.DurationMS, b.Cases[0].DurationUS = time.Now(), 1, 1
	b.Target.Run.Command, b.Target.Run.Attempts = "zcprobe matrix run all", 1
	require.NoError(t, b.Seal())
	assert.Equal(t, a.Digest, b.Digest)
	b.Cases[0].Facts["return"] = int64(4)
	require.NoError(t, b.Seal())
	assert.NotEqual(t, a.Digest, b.Digest)
}

func TestTextThatIsNoUTF8KeepsItsDigest(t *testing.T) {
	t.Parallel()
	r := sample(t)
	r.Target.Distribution = "bad \xff text <b>"
	require.NoError(t, r.Seal())
	_, err := Read(bytes.NewReader(text(t, r)))
	assert.NoError(t, err)
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	whole := string(text(t, sample(t)))
	for name, c := range map[string]struct{ text, says string }{
		"empty":          {"", "cut short"},
		"cut short":      {whole[:len(whole)/2], "cut short"},
		"not JSON":       {"ELF", "no run record"},
		"another thing":  {`{"a": 1}`, "no schema"},
		"an array":       {`[1]`, "no run record"},
		"another schema": {strings.Replace(whole, "zcprobe.run/1", "zcprobe.run/2", 1), "its schema is"},
		"altered":        {strings.Replace(whole, `"errno": "EINVAL"`, `"errno": "EPERM"`, 1), "digest does not fit"},
		"wrong type":     {strings.Replace(whole, `"complete": true`, `"complete": "yes"`, 1), "no run record"},
		"too large":      {whole + strings.Repeat(" ", maxRecord), "larger than"},
		"odd fact":       {strings.Replace(whole, `"return": 3`, `"return": [3]`, 1), "neither"},
		"half a number":  {strings.Replace(whole, `"return": 3`, `"return": 3.5`, 1), "neither"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Read(strings.NewReader(c.text))
			require.ErrorContains(t, err, c.says)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"schema": "zcprobe.run/1"}`))
	f.Fuzz(func(t *testing.T, p []byte) {
		r, err := Read(bytes.NewReader(p))
		if err == nil {
			assert.Equal(t, Schema, r.Schema)
		}
	})
}

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile("record.schema.json")
	require.NoError(t, err)
	return s
}

func TestSchemaHoldsRecords(t *testing.T) {
	t.Parallel()
	s := schema(t)
	validate := func(p []byte) error {
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(p))
		require.NoError(t, err)
		return s.Validate(value)
	}
	whole := text(t, sample(t))
	require.NoError(t, validate(whole))
	for _, change := range [][2]string{
		{`"state": "absent"`, `"state": "no"`},
		{`"reason": "module-missing"`, `"reason": "because"`},
		{`"reason": "needs-feature"`, `"reason": "because"`},
		{`"verdict": "deviates"`, `"verdict": "fails"`},
		{`"witness": "copied"`, `"witness": "perhaps"`},
		{`"complete": true`, `"complete": true, "more": 1`},
		{`"short": true`, `"short": null`},
	} {
		changed := bytes.Replace(whole, []byte(change[0]), []byte(change[1]), 1)
		require.NotEqual(t, string(whole), string(changed), change)
		assert.Error(t, validate(changed), change)
	}
}

// The closed sets of the code and of the schema are the same.
func TestSchemaKnowsTheClosedSets(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("record.schema.json")
	require.NoError(t, err)
	quoted := func(list any) string {
		p, err := json.Marshal(list)
		require.NoError(t, err)
		return strings.ReplaceAll(string(p), ",", ", ")
	}
	for _, set := range []any{probe.States, probe.Reasons, cases.Verdicts, cases.Skips, drivers} {
		assert.Contains(t, string(raw), quoted(set))
	}
}

// Every field of the types is in the schema under its JSON name, and no other.
func TestSchemaKnowsTheFields(t *testing.T) {
	t.Parallel()
	var root map[string]any
	raw, err := os.ReadFile("record.schema.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &root))
	at := func(path ...string) map[string]any {
		node := root
		for _, p := range path {
			node = node[p].(map[string]any)
		}
		return node
	}
	for _, c := range []struct {
		value any
		path  []string
	}{
		{Record{}, nil},
		{Tool{}, []string{"properties", "tool"}},
		{TargetInfo{}, []string{"properties", "target"}},
		{Way{}, []string{"properties", "target", "properties", "run"}},
		{debian.Package{}, []string{"properties", "target", "properties", "run", "properties", "packages", "items"}},
		{LibraryTests{}, []string{"properties", "target", "properties", "library_tests"}},
		{probe.Finding{}, []string{"properties", "features", "items"}},
		{cases.Result{}, []string{"properties", "cases", "items"}},
		{probe.PathResult{}, []string{"properties", "paths", "items"}},
	} {
		properties := at(append(c.path, "properties")...)
		var names []string
		for name := range properties {
			names = append(names, name)
		}
		assert.ElementsMatch(t, names, fields(reflect.TypeOf(c.value)), "%T", c.value)
	}
}

func fields(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			names = append(names, fields(f.Type)...)
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

func TestWriteFileNeverHalf(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "out")
	require.NoError(t, WriteFile(path, []byte("old")))
	require.Error(t, WriteFile(filepath.Join(dir, "none", "out"), []byte("new")))
	require.Error(t, WriteFile(dir, []byte("a directory is no file")))
	p, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "old", string(p))
}
