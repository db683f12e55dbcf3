package probe

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestFeaturesAreDescribed(t *testing.T) {
	t.Parallel()
	facilities := []string{"sendfile", "splice", "tee", "vmsplice", "copy_file_range", "msg_zerocopy", "io_uring", "ktls",
		"sockmap", "so_splice", "transmitfile", "transmitpackets", "library"}
	seen := map[string]bool{}
	for _, f := range all() {
		assert.Falsef(t, seen[f.ID], "%s twice", f.ID)
		seen[f.ID] = true
		assert.Regexp(t, `^[a-z0-9_]+/[a-z0-9-]+$`, f.ID)
		assert.Contains(t, facilities, f.Facility, f.ID)
		assert.NotEmpty(t, f.Title, f.ID)
		assert.False(t, strings.HasSuffix(f.Title, "."), f.ID)
		assert.NotEmpty(t, f.Source, f.ID)
		assert.NotEmpty(t, f.Systems, f.ID)
		if f.Since != "" {
			assert.Regexp(t, `^[0-9]+(\.[0-9]+)+$`, f.Since, f.ID)
		}
		if f.Ends != "" {
			assert.Contains(t, []Reason{Filesystem, SocketType, Flag}, f.Ends, f.ID)
		}
	}
	assert.GreaterOrEqual(t, len(Features("linux")), 45)
	assert.Empty(t, Features("plan9"))
}

func TestWorks(t *testing.T) {
	t.Parallel()
	assert.True(t, Finding{State: Available}.Works())
	assert.True(t, Finding{State: Degraded, Reason: SilentlyCopied}.Works())
	assert.False(t, Finding{State: Denied}.Works())
	assert.False(t, Finding{State: Inconclusive}.Works())
}
