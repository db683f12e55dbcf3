package driver

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/matrix"
	"github.com/zcprobe/zcprobe/probe"
)

// Two grids on one kernel are the same, and the schema holds them. Every ninth
// pair is enough to meet every source and every destination.
func TestTwoGridsGiveOneDigest(t *testing.T) {
	t.Parallel()
	schema, err := jsonschema.NewCompiler().Compile("../record.schema.json")
	require.NoError(t, err)
	var pairs []probe.Path
	for i, p := range probe.Grid("linux") {
		if i%9 == 0 {
			pairs = append(pairs, p)
		}
	}
	var records []*matrix.Record
	for range 2 {
		steps := 0
		l := &Local{Grid: pairs, Paths: probe.Paths("linux"), Step: func() { steps++ }}
		r, err := l.Run(t.Context())
		require.NoError(t, err)
		assert.Equal(t, len(pairs)+len(l.Paths), steps)
		text, err := json.Marshal(r)
		require.NoError(t, err)
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		require.NoError(t, err)
		require.NoError(t, schema.Validate(value))
		records = append(records, r)
	}
	assert.Empty(t, matrix.Compare(records[0], records[1]).Differences)
	assert.Equal(t, records[0].Digest, records[1].Digest)
	for _, p := range records[0].Paths {
		assert.Equal(t, p.Errno == probe.PathSetUp, p.Reason != "", "%+v", p)
	}
}
