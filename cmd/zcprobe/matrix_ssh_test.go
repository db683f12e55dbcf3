package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNamedTargets(t *testing.T) {
	t.Parallel()
	list, err := namedTargets([]string{"ssh:me@mac", "local"})
	require.NoError(t, err)
	require.Len(t, list, 2)
	assert.Equal(t, []string{"local", "ssh:me@mac"}, []string{list[0].ID, list[1].ID})
	for _, words := range []string{"ssh:", "ssh:-x", "ssh:host none"} {
		_, err := namedTargets(strings.Fields(words))
		require.Error(t, err, words)
	}
}

// Records are shown around: they do not say who was asked.
func TestRecordsDoNotNameHosts(t *testing.T) {
	t.Parallel()
	c := &matrixRun{Target: []string{"local", "ssh:me@mac"}}
	assert.Equal(t, []string{"local", "ssh:HOST"}, c.words())
	assert.Equal(t, []string{"local", "ssh:me@mac"}, c.Target)
}
