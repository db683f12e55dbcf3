package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/matrix"
)

func TestMatrixRunBadInput(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	kernel := filepath.Join(dir, "vmlinuz")
	require.NoError(t, os.WriteFile(kernel, make([]byte, 4096), 0o600))
	for _, c := range []struct{ arguments, names string }{
		{"run", "--local-lab"},
		{"run nothing", `"nothing"`},
		{"run local --local-lab", "--local-lab"},
		{"run local --kernel " + kernel, "--kernel"},
		{"run --kernel " + dir + "/none", "none"},
		{"run --kernel " + kernel, "--arch"},
		{"run local --as nothing", `"nothing"`},
		{"run local --filter linux//x", "linux//x"},
		{"run local --jobs 0", `"0"`},
		{"run local --limit 5", `"5"`},
		{"run local --binaries " + dir + "/none", "none"},
		{"prepare nothing", `"nothing"`},
		{"list nothing", `"nothing"`},
		{"plan nothing", `"nothing"`},
	} {
		t.Run(c.arguments, func(t *testing.T) {
			t.Parallel()
			status, out, err := zcprobe(t, append([]string{"matrix"}, strings.Fields(c.arguments)...)...)
			assert.Equal(t, exitUsage, status)
			assert.Empty(t, out)
			assert.Contains(t, err, c.names)
			assert.Equal(t, 1, strings.Count(err, "\n"), "one line: %q", err)
		})
	}
}

func TestMatrixList(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "list.json")
	status, _, _ := zcprobe(t, "matrix", "list", "linux-*-arm64", "--json", file)
	require.Equal(t, exitOK, status)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var list []map[string]any
	require.NoError(t, json.Unmarshal(text, &list))
	assert.GreaterOrEqual(t, len(list), 2)
	status, out, _ := zcprobe(t, "matrix", "list")
	require.Equal(t, exitOK, status)
	assert.Contains(t, out, "freebsd-15.1-amd64")
	status, out, _ = zcprobe(t, "matrix", "plan", "freebsd-15.1-amd64")
	require.Equal(t, exitOK, status)
	assert.Contains(t, out, "vmactions/freebsd-vm")
	status, out, _ = zcprobe(t, "matrix", "plan", "--github", "macos-26-arm64")
	require.Equal(t, exitOK, status)
	assert.Contains(t, out, `{"include":[{"target":"macos-26-arm64"`)
}

// A target's program that leaves a record gives a file in the results; one that
// does not gives none, and exit status 1; one that cannot be had neither.
func TestMatrixRunKeepsRecords(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	record := &matrix.Record{Complete: true, Backend: "sendfile"}
	require.NoError(t, record.Seal())
	file := filepath.Join(dir, "record.json")
	require.NoError(t, matrix.WriteJSON(file, record))
	program := func(name, script string) string {
		place := filepath.Join(dir, name)
		require.NoError(t, os.Mkdir(place, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(place, "zcprobe-linux-"+runtime.GOARCH), []byte("#!/bin/sh\n"+script+"\n"), 0o700))
		return place
	}
	good, bad := program("good", "cat "+file), program("bad", "echo at a loss >&2; exit 2")

	results := filepath.Join(dir, "results")
	status, out, err := zcprobe(t, "matrix", "run", "local", "--binaries", good, "--results", results, "--cache", dir)
	assert.Equal(t, exitOK, status, out+err)
	kept, readErr := matrix.ReadFile(filepath.Join(results, "local.json"))
	require.NoError(t, readErr)
	assert.Equal(t, "local", kept.Target.ID)
	assert.Equal(t, "zcprobe matrix run local", kept.Target.Run.Command)

	list := filepath.Join(dir, "outcomes.json")
	status, out, err = zcprobe(t, "matrix", "run", "local", "macos-26-arm64", "--binaries", bad, "--results", filepath.Join(dir, "none"), "--cache", dir, "--json", list)
	assert.Equal(t, exitDeviates, status)
	assert.Contains(t, out, "at a loss")
	assert.Contains(t, err, "1 of 2 targets")
	text, readErr := os.ReadFile(list)
	require.NoError(t, readErr)
	var outcomes []matrix.Outcome
	require.NoError(t, json.Unmarshal(text, &outcomes))
	require.Len(t, outcomes, 2)
	assert.Equal(t, matrix.Crashed, outcomes[0].State)
	assert.Equal(t, 2, outcomes[0].Attempts)
	assert.Contains(t, outcomes[0].Console, "at a loss")
	assert.Equal(t, matrix.Unavailable, outcomes[1].State)
	left, readErr := os.ReadDir(filepath.Join(dir, "none"))
	require.NoError(t, readErr)
	assert.Empty(t, left)
}
