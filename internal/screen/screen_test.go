package screen

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/cases"
	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/matrix"
	"github.com/zcprobe/zcprobe/probe"
)

func sample() *matrix.Record {
	tls := probe.Finding{ID: "ktls/attach", State: probe.Absent, Reason: probe.ModuleMissing, Call: "setsockopt TCP_ULP", Errno: "ENOENT", Evidence: []string{"CONFIG_TLS=m"}, Remedy: "modprobe tls"}
	more := tls
	more.ID = "ktls/sendfile"
	return &matrix.Record{
		Target: matrix.TargetInfo{ID: "t", Host: probe.Host{
			OS: "linux", Arch: "amd64", Kernel: "6.1.0-44", Version: "6.1.192", Distribution: "Debian 12", Filesystem: "ext4", Privileges: "root",
		}},
		DurationMS: 1234, Backend: "sendfile", Complete: true,
		Features: []probe.Finding{tls, more, {ID: "sendfile/file-tcp", State: probe.Available}},
		Paths: []probe.PathResult{
			{Facility: "sendfile", Source: "file", Destination: "tcp", Works: true, BytesRight: true, Witness: fixture.ByReference},
			{Facility: "splice", Source: "file", Destination: "tcp", Errno: "EPERM", Witness: fixture.NotWitnessed},
			{Facility: "tee", Source: "pipe", Destination: "pipe", Works: true, Witness: fixture.NotWitnessed},
		},
		Cases: []cases.Result{
			{ID: "linux/a/right", Verdict: cases.Conforms},
			{ID: "linux/a/wrong", Verdict: cases.Deviates, Facts: cases.Facts{"errno": ""}, Expected: cases.Want{"errno": "EAGAIN"}},
			{ID: "linux/a/skipped", Verdict: cases.Skipped, Reason: string(cases.SkipFeature)},
			{ID: "linux/a/hostile", Verdict: cases.Broken, Reason: "a\x1b[31mb\r\nc"},
		},
	}
}

func shown(t *testing.T, show Show) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, show(&b, sample(), probe.Headroom{Descriptors: 1024, PipeSoftPages: 16384, PipeMaxSize: 1 << 20, MemoryLock: probe.Unlimited}))
	return b.String()
}

func TestRunAnswersAtAGlance(t *testing.T) {
	t.Parallel()
	assert.Equal(t, strings.TrimPrefix(`
Linux 6.1.192 amd64, kernel 6.1.0-44, Debian 12, root, files on ext4
Package zerocopy uses sendfile here.

Paths
  call      way          works      bytes  really zero-copy
  sendfile  file → tcp   yes        right  yes, by reference
  splice    file → tcp   no, EPERM  -      -
  tee       pipe → pipe  yes        WRONG  not witnessed

Features: 1 available, 2 absent
  absent        ktls/attach, ktls/sendfile
      module-missing: setsockopt TCP_ULP says ENOENT
      CONFIG_TLS=m
      → modprobe tls
  zcprobe probe shows all of them.

Cases: 4, 1 conform, 1 deviate, 1 skipped, 1 broken
  deviates  linux/a/wrong
      errno is none, expected EAGAIN
  broken    linux/a/hostile
      a�[31mb c
  skipped: 1 needs-feature

Headroom
  descriptors    1024 (ulimit -n)
  pipes          64 of 1 MiB for all processes of this user, then tiny ones (fs.pipe-user-pages-soft
                 = 16384)
  pipe size      at most 1 MiB (fs.pipe-max-size)
  locked memory  no limit (ulimit -l)

Took 1.2 s.
`, "\n"), shown(t, Run))
}

func TestAPipeGetsNoEscapes(t *testing.T) {
	t.Parallel()
	for _, show := range []Show{Run, Probe, CasesRun} {
		assert.NotContains(t, shown(t, show), "\x1b")
	}
}

func TestCasesRunShowsEachCase(t *testing.T) {
	t.Parallel()
	out := shown(t, CasesRun)
	for _, c := range sample().Cases {
		assert.Contains(t, out, c.ID)
	}
}

func TestDiffShowsKinds(t *testing.T) {
	t.Parallel()
	before, after := sample(), sample()
	after.Backend = "none"
	after.Cases[1].Verdict = cases.Conforms
	var b bytes.Buffer
	require.NoError(t, Diff(&b, before, after, matrix.Compare(before, after)))
	assert.Contains(t, b.String(), "Regressed\n  backend library\n      before: sendfile\n      after:  none\n")
	assert.Contains(t, b.String(), "Improved\n  case linux/a/wrong\n")
	assert.Contains(t, b.String(), "1 regressed, 1 improved")
}
