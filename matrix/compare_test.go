package matrix

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/zcprobe/zcprobe/cases"
	"github.com/zcprobe/zcprobe/probe"
)

func TestCompare(t *testing.T) {
	t.Parallel()
	assert.Empty(t, Compare(sample(t), sample(t)).Differences)

	for name, c := range map[string]struct {
		change func(*Record)
		want   Difference
	}{
		"case improves": {
			func(r *Record) { r.Cases[0].Verdict = cases.Conforms },
			Difference{Kind: Improved, What: "case", ID: "linux/a/b"},
		},
		"case becomes another failure": {
			func(r *Record) { r.Cases[0].Verdict = cases.TimedOut },
			Difference{Kind: Changed, What: "case", ID: "linux/a/b"},
		},
		"other facts": {
			func(r *Record) { r.Cases[0].Facts["return"] = int64(9) },
			Difference{Kind: Changed, What: "case", ID: "linux/a/b"},
		},
		"case is gone": {
			func(r *Record) { r.Cases = r.Cases[1:] },
			Difference{Kind: Gone, What: "case", ID: "linux/a/b"},
		},
		"case is not asked any more": {
			func(r *Record) { r.Cases[0].Verdict, r.Cases[0].Reason = cases.Skipped, "needs-feature" },
			Difference{Kind: Changed, What: "case", ID: "linux/a/b"},
		},
		"feature is denied": {
			func(r *Record) { r.Features[1].State = probe.Denied },
			Difference{Kind: Regressed, What: "feature", ID: "sendfile/file-tcp"},
		},
		"feature is new": {
			func(r *Record) { r.Features = append(r.Features, probe.Finding{ID: "z", State: probe.Available}) },
			Difference{Kind: New, What: "feature", ID: "z"},
		},
		"path copies now": {
			func(r *Record) { r.Paths[0].Witness = "copied" },
			Difference{Kind: Regressed, What: "path", ID: "sendfile file tcp"},
		},
		"path loses bytes": {
			func(r *Record) { r.Paths[0].BytesRight = false },
			Difference{Kind: Regressed, What: "path", ID: "sendfile file tcp"},
		},
		"path has another errno": {
			func(r *Record) { r.Paths[0].Works, r.Paths[0].BytesRight, r.Paths[0].Errno = false, false, "EINVAL" },
			Difference{Kind: Regressed, What: "path", ID: "sendfile file tcp"},
		},
		"path is not tried any more": {
			func(r *Record) {
				r.Paths[0] = probe.PathResult{Facility: "sendfile", Source: "file", Destination: "tcp", Errno: probe.PathSetUp, Witness: "not-witnessed", Reason: "why"}
			},
			Difference{Kind: Changed, What: "path", ID: "sendfile file tcp"},
		},
		"path is new": {
			func(r *Record) {
				r.Paths = append(r.Paths, probe.PathResult{Facility: "splice", Source: "file", Destination: "append", Errno: "EINVAL", Witness: "not-witnessed"})
			},
			Difference{Kind: New, What: "path", ID: "splice file append"},
		},
		"backend falls": {
			func(r *Record) { r.Backend = "sendfile" },
			Difference{Kind: Regressed, What: "backend", ID: "library"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			after := sample(t)
			c.change(after)
			comparison := Compare(sample(t), after)
			if assert.Len(t, comparison.Differences, 1) {
				got := comparison.Differences[0]
				got.Before, got.After = "", ""
				assert.Equal(t, c.want, got)
			}
			assert.Equal(t, c.want.Kind == Regressed, comparison.Regressed())
		})
	}
}

func TestCompareOfAnotherSuite(t *testing.T) {
	t.Parallel()
	after := sample(t)
	after.Suite = "sha256:other"
	after.Cases = nil
	after.Complete = false
	c := Compare(sample(t), after)
	assert.False(t, c.SameSuite)
	assert.Empty(t, c.Differences, "cases of different suites are not compared")
	assert.Equal(t, []string{"after"}, c.Incomplete)
}
