package cases

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the documentation names as a case is one.
func TestDocumentedCasesExist(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("../docs/*.md")
	require.NoError(t, err)
	pages = append(pages, "../README.md")
	known := map[string]bool{}
	for _, c := range All("") {
		known[c.ID] = true
	}
	id := regexp.MustCompile("`[^`]*`")
	word := regexp.MustCompile(`^(any|linux)/[a-z_]+/[a-z0-9_-]+$`)
	for _, page := range pages {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, span := range id.FindAllString(string(text), -1) {
			for _, name := range strings.Fields(strings.Trim(span, "`")) {
				assert.True(t, !word.MatchString(name) || known[name], "%s names %s", filepath.Base(page), name)
			}
		}
	}
}
