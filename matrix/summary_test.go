package matrix

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/cases"
)

// good is a record in which nothing is wrong.
func good(t *testing.T, id string) *Record {
	t.Helper()
	r := sample(t)
	r.Target.ID = id
	r.Target.LibraryTests = &LibraryTests{Passed: 3}
	r.Cases[0].Verdict = cases.Conforms
	require.NoError(t, r.Seal())
	return r
}

func write(t *testing.T, dir string, r *Record) {
	t.Helper()
	require.NoError(t, r.Seal())
	require.NoError(t, WriteJSON(filepath.Join(dir, r.Target.ID+".json"), r))
}

func summarize(t *testing.T, planned []*Target, dir string) (*Summary, string) {
	t.Helper()
	s, err := Summarize(planned, []string{dir})
	require.NoError(t, err)
	var b strings.Builder
	require.NoError(t, s.WriteMarkdown(&b))
	return s, b.String()
}

func TestSummary(t *testing.T) {
	t.Parallel()
	planned := []*Target{{ID: "a", Expect: Expect{Backend: "sendfile+splice", Conform: 1}}}
	for name, c := range map[string]struct {
		change func(*Record)
		want   string
	}{
		"as expected":            {func(*Record) {}, ""},
		"deviates":               {func(r *Record) { r.Cases[0].Verdict, r.Cases[1].Verdict = cases.Deviates, cases.Conforms }, "1 deviates"},
		"timeout":                {func(r *Record) { r.Cases[1].Verdict = cases.TimedOut }, "1 timeout"},
		"crash":                  {func(r *Record) { r.Cases[1].Verdict = cases.Crashed }, "1 crashed"},
		"broken is no deviation": {func(r *Record) { r.Cases[1].Verdict = cases.Broken }, ""},
		"library test failed":    {func(r *Record) { r.Target.LibraryTests.Failed = 2 }, "2 library tests failed"},
		"library tests missing":  {func(r *Record) { r.Target.LibraryTests = nil }, "the library's tests did not run"},
		"cut short":              {func(r *Record) { r.Complete = false }, "the run was cut short"},
		"less than expected":     {func(r *Record) { r.Backend = "none" }, "expected the backend sendfile+splice, got none"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			r := good(t, "a")
			c.change(r)
			write(t, dir, r)
			s, text := summarize(t, planned, dir)
			require.Len(t, s.Rows, 1)
			assert.Equal(t, c.want, s.Rows[0].Problem)
			assert.Contains(t, text, "**1 of 1 targets reported")
			if c.want == "" {
				assert.Zero(t, s.Problems())
				assert.Contains(t, text, "as expected")
			} else {
				assert.Equal(t, 1, s.Problems())
				assert.NotContains(t, text, "as expected")
			}
		})
	}
}

func TestSummaryOfWhatIsMissing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, good(t, "good"))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cut.json"), []byte(`{"schema": "zcprobe.run/1", "tool"`), 0o600))
	s, text := summarize(t, []*Target{{ID: "good"}, {ID: "silent"}, {ID: "cut"}}, dir)
	require.Len(t, s.Rows, 3)
	assert.Equal(t, "silent", s.Rows[0].ID, "problems come first")
	assert.Equal(t, "did not report", s.Rows[0].Problem)
	assert.Equal(t, "cut", s.Rows[1].ID)
	assert.Contains(t, s.Rows[1].Problem, "cut short")
	assert.Equal(t, "good", s.Rows[2].ID)
	assert.Contains(t, text, "**1 of 3 targets reported, 2 with a problem.**")

	_, err := Summarize(nil, []string{filepath.Join(dir, "none")})
	assert.Error(t, err)
}

// Two legs that bring home the same target would hide one of them.
func TestSummaryOfOneTargetTwice(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := good(t, "a")
	write(t, dir, r)
	require.NoError(t, WriteJSON(filepath.Join(dir, "b.json"), r))
	s, _ := summarize(t, []*Target{{ID: "a"}}, dir)
	require.Len(t, s.Rows, 1)
	assert.Contains(t, s.Rows[0].Problem, "more than one")
}

func TestSummarySaysWhatChanged(t *testing.T) {
	t.Parallel()
	before, after := t.TempDir(), t.TempDir()
	write(t, before, good(t, "a"))
	write(t, after, good(t, "a"))
	s, err := Summarize(nil, []string{after})
	require.NoError(t, err)
	s.Before(before)
	var b strings.Builder
	require.NoError(t, s.WriteMarkdown(&b))
	assert.Contains(t, b.String(), "Nothing differs on the 1 targets")

	r := good(t, "a")
	r.Backend = "sendfile"
	write(t, after, r)
	write(t, after, good(t, "new"))
	s, err = Summarize(nil, []string{after})
	require.NoError(t, err)
	s.Before(before)
	b.Reset()
	require.NoError(t, s.WriteMarkdown(&b))
	assert.Contains(t, b.String(), "**regressed** backend library; before: sendfile+splice; after: sendfile\n")
}

// The features are shown where one host is what it is about.
func TestSummaryOfOneRecordShowsFeatures(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, good(t, "a"))
	_, text := summarize(t, nil, dir)
	assert.Contains(t, text, "| ktls/tx | ➖ absent | module-missing | setsockopt TCP\\_ULP ENOENT | modprobe tls |")
	write(t, dir, good(t, "b"))
	_, text = summarize(t, nil, dir)
	assert.NotContains(t, text, "modprobe")
}

// Text out of a record is shown and never obeyed.
func TestMarkdownIsText(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := good(t, "a")
	r.Target.Kernel = "x | y\n# z <img src=x> ![i](https://example.org) `q` \x1b[31m \u202e @someone"
	r.Target.LibraryTests.Failures, r.Target.LibraryTests.Failed = []string{"Test|X\n- y"}, 1
	write(t, dir, r)
	_, text := summarize(t, nil, dir)
	for _, never := range []string{"<img", "[i](", "https://", "`q`", "\x1b", "\u202e", "@someone", "\n# z", "\n- y"} {
		assert.NotContains(t, text, never)
	}
	for line := range strings.Lines(text) {
		if strings.Contains(line, "as expected") || strings.Contains(line, "❌") {
			assert.Equal(t, 8, strings.Count(strings.ReplaceAll(line, `\|`, ""), "|"), line)
		}
	}
}
