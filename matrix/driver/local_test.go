package driver

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/cases"
	"github.com/zcprobe/zcprobe/internal/worker"
	"github.com/zcprobe/zcprobe/matrix"
	"github.com/zcprobe/zcprobe/probe"
)

func TestMain(m *testing.M) {
	EnterSandbox()
	worker.Serve(Handlers())
	serveSuite()
	os.Exit(m.Run())
}

func whole() *Local {
	return &Local{Features: probe.Features(runtime.GOOS), Cases: cases.All(runtime.GOOS), Paths: probe.Paths(runtime.GOOS)}
}

// Two runs on one kernel give records that the schema holds, that read back,
// and that have one digest.
func TestTwoRunsGiveOneDigest(t *testing.T) {
	t.Parallel()
	schema, err := jsonschema.NewCompiler().Compile("../record.schema.json")
	require.NoError(t, err)
	var records []*matrix.Record
	for range 2 {
		r, err := whole().Run(t.Context())
		require.NoError(t, err)
		text, err := json.Marshal(r)
		require.NoError(t, err)
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		require.NoError(t, err)
		require.NoError(t, schema.Validate(value))
		back, err := matrix.Read(bytes.NewReader(text))
		require.NoError(t, err)
		records = append(records, back)
	}
	assert.Empty(t, matrix.Compare(records[0], records[1]).Differences)
	assert.Equal(t, records[0].Digest, records[1].Digest)
	assert.True(t, records[0].Complete)
}

func TestInterruptedRunKeepsItsResults(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	l := whole()
	steps := 0
	l.Step = func() {
		if steps++; steps == len(l.Features)+3 {
			cancel()
		}
	}
	r, err := l.Run(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.NotNil(t, r)
	assert.False(t, r.Complete)
	assert.Len(t, r.Features, len(l.Features))
	assert.GreaterOrEqual(t, len(r.Cases)+len(r.Paths), 3)
	assert.Less(t, len(r.Cases), len(l.Cases))
	text, err := json.Marshal(r)
	require.NoError(t, err)
	_, err = matrix.Read(bytes.NewReader(text))
	assert.NoError(t, err, "what there is has a digest that fits")
}

func TestNothingIsLeftBehind(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	l := whole()
	l.Cases = l.Cases[:min(10, len(l.Cases))]
	_, err := l.Run(t.Context())
	require.NoError(t, err)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestScratchGoesWhereThereIsRoom(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "none"))
	dir, err := scratch(nil)
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	assert.NotContains(t, dir, "none")
}

// BenchmarkRun is a whole run, and the processes that it starts.
func BenchmarkRun(b *testing.B) { benchmark(b, whole) }

// BenchmarkProbe is the features alone.
func BenchmarkProbe(b *testing.B) {
	benchmark(b, func() *Local { return &Local{Features: probe.Features(runtime.GOOS)} })
}

func benchmark(b *testing.B, local func() *Local) {
	started := 0
	for b.Loop() {
		l := local()
		_, err := l.Run(b.Context())
		require.NoError(b, err)
		started += l.Started
	}
	b.ReportMetric(float64(started)/float64(b.N), "processes/op")
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/op")
}
