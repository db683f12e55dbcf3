package probe

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPathsNameMoversAndKinds(t *testing.T) {
	t.Parallel()
	list := Paths("linux")
	seen := map[Path]bool{}
	for _, p := range list {
		assert.False(t, seen[p], "%v stands twice", p)
		seen[p] = true
		m := mover(p.Facility)
		require.NotNil(t, m, "%v", p)
		source, sink := kind(p.Source), kind(p.Destination)
		require.NotNil(t, source, "%v", p)
		require.NotNil(t, sink, "%v", p)
		assert.NotNil(t, source.Source, "%v", p)
		assert.NotNil(t, sink.Sink, "%v", p)
		assert.Empty(t, m.Refuses(source, sink), "%v", p)
		assert.False(t, m.UserSpace, "%v is a control, not a path of the record", p)
	}
	assert.True(t, slices.IsSortedFunc(list, comparePaths))
	assert.Empty(t, Paths("plan9"))
}

func TestKindsAreNamedOnce(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, k := range Kinds() {
		assert.False(t, seen[k.Name], "%s stands twice", k.Name)
		seen[k.Name] = true
		assert.NotEmpty(t, k.Title, k.Name)
		assert.True(t, k.Source != nil || k.Sink != nil, k.Name)
	}
}

func TestPathResultHasTheFieldsOfTheRecord(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(attempt{Path: Path{"sendfile", "file", "tcp"}}.result())
	require.NoError(t, err)
	assert.JSONEq(t, `{"facility": "sendfile", "source": "file", "destination": "tcp",
		"works": false, "errno": "", "bytes_right": false, "witness": "not-witnessed"}`, string(text))
}
