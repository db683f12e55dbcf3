package probe

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/internal/sys"
	"github.com/zcprobe/zcprobe/internal/worker"
)

// find tries all features of this host in a pool.
func find(t testing.TB, as *worker.Credential) []Finding {
	t.Helper()
	scratch := t.TempDir()
	if as != nil { // who may not walk through the directories of a test
		var err error
		scratch, err = os.MkdirTemp("", "zcprobe-test-")
		require.NoError(t, err)
		t.Cleanup(func() { os.RemoveAll(scratch) })
		require.NoError(t, os.Chown(scratch, int(as.UID), int(as.GID)))
	}
	pool := worker.NewPool(4, scratch, as)
	defer pool.Close()
	findings, err := Run(t.Context(), pool, Features("linux"), nil)
	require.NoError(t, err)
	return findings
}

func byName(findings []Finding) map[string]Finding {
	m := map[string]Finding{}
	for _, f := range findings {
		m[f.ID] = f
	}
	return m
}

// closed holds a finding to the closed sets: what is not plainly available says
// why, which call answered, and what one can do.
func closed(t *testing.T, f Finding) {
	t.Helper()
	assert.Contains(t, States, f.State, f.ID)
	switch f.State {
	case Available:
		assert.Empty(t, f.Reason, f.ID)
	case Inconclusive:
		assert.NotEmpty(t, f.Evidence, f.ID)
	default:
		assert.Contains(t, Reasons, f.Reason, f.ID)
		assert.NotEmpty(t, append(f.Evidence, f.Call), f.ID)
	}
	assert.NotContains(t, f.Remedy, "\n", f.ID)
}

// exceptions are the features that a kernel may lack although it is newer than
// they are, by the beginning of their ids, with the reasons that are allowed.
var exceptions = map[string][]Reason{
	"ktls/":              {NotBuilt, ModuleMissing},
	"vsock/":             {NotBuilt, ModuleMissing},
	"msg_zerocopy/vsock": {NotBuilt, ModuleMissing, SilentlyCopied},
	"msg_zerocopy/unix":  {SocketType},
	"mptcp/":             {NotBuilt, DisabledBySysctl},
	"sockmap/":           {NotBuilt, NeedsPrivilege},
	"io_uring/":          {NotBuilt, DisabledBySysctl, BlockedBySeccomp},
	// Filesystems that share blocks, copy on a server or read around the cache
	// are the exception; the scratch directory may lie on tmpfs.
	"copy_file_range/across-filesystems": {Filesystem},
	"copy_file_range/reflink":            {Filesystem},
	"sendfile/direct-tcp":                {Filesystem},
	"splice/direct-pipe":                 {Filesystem},
	"pipe/size-over-max":                 {NeedsPrivilege},
	"pipe/64-of-1m":                      {ResourceLimit},
}

func allowed(f Finding) bool {
	for prefix, reasons := range exceptions {
		if strings.HasPrefix(f.ID, prefix) && slices.Contains(reasons, f.Reason) {
			return true
		}
	}
	return false
}

func TestNewKernelsHaveOldFeatures(t *testing.T) {
	t.Parallel()
	host := ThisHost(t.TempDir())
	if host.Emulator != "" {
		t.Skipf("%s is no Linux kernel", host.Emulator)
	}
	findings := byName(find(t, nil))
	for _, f := range Features("linux") {
		finding := findings[f.ID]
		closed(t, finding)
		if !host.Before(f.Since) && !finding.Works() && !allowed(finding) {
			t.Errorf("%s is there since Linux %s, this is %s: %+v", f.ID, f.Since, host.Version, finding)
		}
	}
}

func TestTwoRunsFindTheSame(t *testing.T) {
	t.Parallel()
	first, again := find(t, nil), find(t, nil)
	assert.Equal(t, first, again)
}

func TestOrdinaryUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can run workers as another user")
	}
	nobody := &worker.Credential{UID: 65534, GID: 65534}
	findings := byName(find(t, nobody))
	for _, f := range findings {
		closed(t, f)
	}
	assert.Equal(t, Available, findings["sendfile/file-tcp"].State)
	assert.Equal(t, Available, findings["splice/tcp-tcp"].State)
	assert.Equal(t, NeedsPrivilege, findings["sockmap/create"].Reason)
	assert.Equal(t, NeedsPrivilege, findings["pipe/size-over-max"].Reason)
	if h := ThisHeadroom(); h.PipeSoftPages > 0 && h.PipeSoftPages <= 64*mebibyte/os.Getpagesize() {
		assert.Equal(t, ResourceLimit, findings["pipe/64-of-1m"].Reason)
	}
	assert.Equal(t, findings, byName(find(t, nobody)), "two runs")
}

// TestPrint shows the findings of this host, for people; with the value "here"
// it tries the features in this process, where workers cannot be started.
func TestPrint(t *testing.T) {
	if os.Getenv("ZCPROBE_PRINT") == "" {
		t.Skip("set ZCPROBE_PRINT to see the findings")
	}
	t.Logf("%+v", ThisHost(t.TempDir()))
	t.Logf("%+v", ThisHeadroom())
	var findings []Finding
	if os.Getenv("ZCPROBE_PRINT") == "here" {
		for _, f := range Features("linux") {
			findings = append(findings, try(f, sys.Native(), t.TempDir()))
		}
	} else {
		findings = find(t, nil)
	}
	for _, f := range findings {
		t.Logf("%-32s %-14s %-20s %s %s %q %s", f.ID, f.State, f.Reason, f.Call, f.Errno, f.Evidence, f.Remedy)
	}
}

// BenchmarkProbe is a whole run: workers are started, asked, and ended.
func BenchmarkProbe(b *testing.B) {
	features := Features("linux")
	scratch := b.TempDir()
	started := 0
	for b.Loop() {
		pool := worker.NewPool(2, scratch, nil)
		_, err := Run(b.Context(), pool, features, nil)
		require.NoError(b, err)
		started += pool.Started()
		pool.Close()
	}
	b.ReportMetric(float64(len(features)), "features")
	b.ReportMetric(float64(started)/float64(b.N), "processes/op")
}
