package cases

import (
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/internal/worker"
	"github.com/zcprobe/zcprobe/probe"
)

// trialHandlers is work that only tests ask of workers.
var trialHandlers = map[string]worker.Handler{}

func TestMain(m *testing.M) {
	handlers := probe.Handlers()
	maps.Copy(handlers, Handlers())
	maps.Copy(handlers, trialHandlers)
	worker.Serve(handlers)
	os.Setenv("GORACE", "atexit_sleep_ms=0") // else every worker takes a second to end under -race
	os.Exit(m.Run())
}

// Every case of this system, on this kernel, in workers, as a user meets it.
func TestEveryCaseOnThisKernel(t *testing.T) {
	t.Parallel()
	scratch := t.TempDir()
	pool := worker.NewPool(4, scratch, nil)
	t.Cleanup(pool.Close)
	findings, err := probe.Run(t.Context(), pool, probe.Features(runtime.GOOS), nil)
	require.NoError(t, err)
	runner := &Runner{Pool: pool, Host: probe.ThisHost(scratch), Findings: findings}
	results, err := runner.Run(t.Context(), All(runtime.GOOS))
	require.NoError(t, err)

	counts := map[Verdict]int{}
	for _, r := range results {
		counts[r.Verdict]++
		switch r.Verdict {
		case Conforms, Recorded, Skipped, Known:
		default:
			t.Errorf("%s %s: %s", r.Verdict, r.ID, r.Explain())
		}
	}
	t.Logf("%d cases: %v", len(results), counts)
}

// facilities is the vocabulary.
var facilities = []string{
	"sendfile", "splice", "tee", "vmsplice", "copy_file_range", "msg_zerocopy", "io_uring", "ktls", "sockmap",
	"so_splice", "transmitfile", "transmitpackets", "library",
}

func TestCasesAreWellFormed(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range All("") {
		assert.False(t, seen[c.ID], "%s stands twice", c.ID)
		seen[c.ID] = true
		scope, _, _ := strings.Cut(c.ID, "/")
		assert.True(t, scope == "any" || slices.Contains(c.Systems, scope), "%s: its id begins with a system that it is not for", c.ID)
		assert.Len(t, strings.Split(c.ID, "/"), 3, "%s: an id is system/facility/question", c.ID)
		assert.NotEmpty(t, c.Title, c.ID)
		assert.False(t, strings.HasSuffix(c.Title, "."), "%s: a title has no full stop", c.ID)
		assert.Contains(t, facilities, c.Facility, c.ID)
		assert.Contains(t, []Level{Must, Should, Info}, c.Level, c.ID)
		assert.NotEmpty(t, c.Sources, "%s: who says so?", c.ID)
		assert.NotEmpty(t, c.Systems, c.ID)
		assert.NotEmpty(t, c.Caller, "%s: what should a caller do?", c.ID)
		for _, x := range c.Expect {
			assert.NotEmpty(t, x.Facts, "%s: an expectation without facts cannot fail", c.ID)
			if x.Since != "" || x.Until != "" || x.Arch != "" {
				assert.NotEmpty(t, x.Why, "%s: a range has a reason", c.ID)
			}
		}
		for _, need := range c.Needs {
			for _, goos := range c.Systems {
				known := slices.ContainsFunc(probe.Features(goos), func(f *probe.Feature) bool { return f.ID == need })
				assert.True(t, known, "%s needs %s, which is no feature of %s", c.ID, need, goos)
			}
		}
	}
}

func TestSuiteDigestIsStable(t *testing.T) {
	t.Parallel()
	first, again := SuiteDigest(), SuiteDigest()
	assert.Equal(t, first, again)
	assert.Regexp(t, "^sha256:[0-9a-f]{64}$", SuiteDigest())
}
