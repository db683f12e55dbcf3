package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/cases"
	"github.com/zcprobe/zcprobe/internal/worker"
	"github.com/zcprobe/zcprobe/matrix"
	"github.com/zcprobe/zcprobe/matrix/driver"
	"github.com/zcprobe/zcprobe/probe"
)

func TestMain(m *testing.M) {
	worker.Serve(driver.Handlers())
	os.Setenv("GORACE", "atexit_sleep_ms=0") // else every worker takes a second to end under -race
	os.Exit(m.Run())
}

// zcprobe runs the command in this process; its cases run in workers.
func zcprobe(t *testing.T, arguments ...string) (status int, out, err string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status = run(t.Context(), arguments, &stdout, &stderr)
	return status, stdout.String(), stderr.String()
}

func TestBadInputIsOneLineAndStatus2(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	other := filepath.Join(dir, "other.json")
	require.NoError(t, os.WriteFile(other, []byte(`{"schema": "zcprobe.run/9"}`), 0o600))
	cut := filepath.Join(dir, "cut.json")
	require.NoError(t, os.WriteFile(cut, []byte(`{"schema": "zcprobe.run/1", "tool": {`), 0o600))
	for _, c := range []struct {
		arguments string
		names     string // what the line names
	}{
		{"--bogus", "--bogus"},
		{"frobnicate", "frobnicate"},
		{"cases run linux/none", "linux/none"},
		{"cases run linux/[x", "[x"},
		{"cases show linux/none/none", "linux/none/none"},
		{"cases list --filter nothing", "nothing"},
		{"--filter linux//x", "linux//x"},
		{"--timeout 5", `"5"`},
		{"--timeout 0s", `"0s"`},
		{"--jobs none", `"none"`},
		{"--jobs 99999", `"99999"`},
		{"--require none/none", "none/none"},
		{"--json " + dir, dir},
		{"--junit " + dir + "/none/x", "none/x"},
		{"explain nothing tcp", "nothing"},
		{"explain file 127.0.0.1:http:x", "127.0.0.1:http:x"},
		{"explain /none/none tcp", "/none/none"},
		{"diff " + other + " " + other, "zcprobe.run/9"},
		{"diff " + cut + " " + cut, "cut short"},
		{"diff " + dir + "/none " + cut, "none"},
	} {
		t.Run(c.arguments, func(t *testing.T) {
			t.Parallel()
			status, out, err := zcprobe(t, strings.Fields(c.arguments)...)
			assert.Equal(t, exitUsage, status)
			assert.Empty(t, out)
			assert.Contains(t, err, c.names)
			assert.Equal(t, 1, strings.Count(err, "\n"), "one line: %q", err)
		})
	}
}

func TestHelpIsNoError(t *testing.T) {
	t.Parallel()
	for _, arguments := range [][]string{{"--help"}, {"run", "--help"}, {"cases", "run", "--help"}} {
		status, out, err := zcprobe(t, arguments...)
		assert.Equal(t, exitOK, status)
		assert.Contains(t, out, "Usage: zcprobe")
		assert.Empty(t, err)
	}
}

func TestCasesListJSON(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "list.json")
	status, out, _ := zcprobe(t, "cases", "list", "--json", path)
	require.Equal(t, exitOK, status)
	assert.Empty(t, out)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var list []map[string]any
	require.NoError(t, json.Unmarshal(text, &list))
	assert.Len(t, list, len(cases.All("")))
	for _, field := range []string{"id", "title", "facility", "level", "sources", "covers", "needs", "systems"} {
		assert.Contains(t, list[0], field)
		assert.NotNil(t, list[0][field])
	}
}

func TestEveryCaseIsShown(t *testing.T) {
	t.Parallel()
	for _, c := range cases.All("") {
		status, out, _ := zcprobe(t, "cases", "show", c.ID)
		require.Equal(t, exitOK, status)
		assert.Contains(t, out, "zcprobe cases run "+c.ID)
		for _, source := range c.Sources {
			assert.Contains(t, strings.Join(strings.Fields(out), " "), strings.Join(strings.Fields(source), " "), c.ID)
		}
	}
}

// One run, in every form.
func TestCasesRunForms(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	record, junit, ktap := filepath.Join(dir, "r.json"), filepath.Join(dir, "r.xml"), filepath.Join(dir, "r.ktap")
	const id = "any/library/count-zero-moves-nothing"
	status, out, err := zcprobe(t, "cases", "run", id, "--json", record, "--junit", junit, "--ktap", ktap)
	require.Equal(t, exitOK, status, err)
	assert.Contains(t, out, id)

	r, readErr := matrix.ReadFile(record)
	require.NoError(t, readErr)
	require.Len(t, r.Cases, 1)
	assert.Equal(t, cases.Conforms, r.Cases[0].Verdict)

	text, readErr := os.ReadFile(junit)
	require.NoError(t, readErr)
	assert.Contains(t, string(text), `<testcase classname="any/library" name="count-zero-moves-nothing"`)
	text, readErr = os.ReadFile(ktap)
	require.NoError(t, readErr)
	assert.Equal(t, "KTAP version 1\n1..1\nok 1 "+id+"\n", string(text))

	status, out, _ = zcprobe(t, "diff", record, record)
	assert.Equal(t, exitOK, status)
	assert.Contains(t, out, "Nothing differs.")
}

func TestInterruptedIs130(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	path := filepath.Join(t.TempDir(), "r.json")
	var out, err bytes.Buffer
	assert.Equal(t, exitInterrupted, run(ctx, []string{"--json", path}, &out, &err))
	r, readErr := matrix.ReadFile(path)
	require.NoError(t, readErr)
	assert.False(t, r.Complete)
}

func TestExitStatus(t *testing.T) {
	t.Parallel()
	record := func(state probe.State, verdicts ...cases.Verdict) *matrix.Record {
		r := &matrix.Record{Complete: true, Features: []probe.Finding{{ID: "a/b", State: state}}}
		for _, v := range verdicts {
			r.Cases = append(r.Cases, cases.Result{Verdict: v})
		}
		return r
	}
	required := map[string]bool{"a/b": true}
	for _, c := range []struct {
		record   *matrix.Record
		required map[string]bool
		want     int
	}{
		{record(probe.Available, cases.Conforms, cases.Skipped, cases.Recorded, cases.Known), required, exitOK},
		{record(probe.Degraded, cases.Conforms), required, exitOK},
		{record(probe.Absent, cases.Conforms), nil, exitOK},
		{record(probe.Inconclusive, cases.Conforms), nil, exitOK},
		{record(probe.Absent, cases.Conforms), required, exitDeviates},
		{record(probe.Denied, cases.Conforms), required, exitDeviates},
		{record(probe.Inconclusive, cases.Conforms), required, exitBroken},
		{record(probe.Available, cases.Broken), nil, exitBroken},
		{record(probe.Inconclusive, cases.Broken, cases.Deviates), required, exitDeviates},
		{record(probe.Available, cases.TimedOut), nil, exitDeviates},
		{record(probe.Available, cases.Crashed, cases.Broken), nil, exitDeviates},
	} {
		assert.Equal(t, c.want, say(&bytes.Buffer{}, outcome(c.record, c.required)), "%v", c.record)
	}
}
