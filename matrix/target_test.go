package matrix

import (
	"bytes"
	"encoding/json"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/cases"
	"github.com/zcprobe/zcprobe/probe"
)

func TestTargets(t *testing.T) {
	t.Parallel()
	list, err := Targets()
	require.NoError(t, err)
	byDriver := map[Driver]int{}
	for _, target := range list {
		byDriver[target.Driver]++
		for _, id := range target.Expect.Features {
			known := false
			for _, f := range probe.Features(target.System) {
				known = known || f.ID == id
			}
			assert.True(t, known, "%s expects the feature %s, which there is none of", target.ID, id)
		}
		if target.Package != nil {
			assert.NotEmpty(t, target.Package.Pinned, target.ID)
			want := target.Want()
			assert.NotEqual(t, "ppc64le", want.Arch, "in Debian's words")
		}
	}
	assert.GreaterOrEqual(t, byDriver[ByQEMU], 9)
	assert.NotZero(t, byDriver[ByUML])
	assert.NotZero(t, byDriver[ByExec])
	assert.NotZero(t, byDriver[ByGitHub])
}

const oneTarget = `targets:
  - id: linux-6.1-amd64
    system: linux
    version: "6.1"
    arch: amd64
    driver: qemu
    package:
      suites: [bookworm]
      series: linux-image-6\.1\.0-[0-9]+
      pinned:
        - {name: linux-image-6.1.0-56, version: 6.1.192-2, sha256: e7d02b943971edcb8790e256c02cfab3bca6c3d37c1bf25392a57c71300615ee}
    why: it is the one
`

func TestParseTargetsRefuses(t *testing.T) {
	t.Parallel()
	_, err := ParseTargets([]byte(oneTarget))
	require.NoError(t, err)
	for name, c := range map[string]struct{ from, to, says string }{
		"unknown key":        {"why:", "reason:", "field reason not found"},
		"no list":            {oneTarget, "targets: []", "no targets"},
		"no YAML":            {oneTarget, "{", "yaml"},
		"empty":              {oneTarget, "", "EOF"},
		"bad id":             {"linux-6.1-amd64", "../6.1", `"../6.1": id`},
		"unknown system":     {"system: linux", "system: plan9", `"plan9"`},
		"no architecture":    {"arch: amd64", `arch: ""`, "arch: missing"},
		"unknown driver":     {"driver: qemu", "driver: vmware", `no driver "vmware"`},
		"no reason":          {"why: it is the one", `why: ""`, "why"},
		"tool of no use":     {"driver: qemu", "driver: qemu\n    tool: wine", "tool"},
		"exec without tool":  {"driver: qemu", "driver: exec", "tool"},
		"github without":     {"driver: qemu", "driver: github", "github: missing"},
		"vagrant without":    {"driver: qemu", "driver: vagrant", "vagrant: missing"},
		"bad digest":         {"e7d02b", "xyz", "SHA-256"},
		"not of the series":  {"name: linux-image-6.1.0-56", "name: linux-image-6.2.0-56", "not of the series"},
		"bad series":         {"[0-9]+", "[0-9", "no regular expression"},
		"no suites":          {"[bookworm]", "[]", "suites: missing"},
		"no package":         {oneTarget[strings.Index(oneTarget, "    package"):strings.Index(oneTarget, "    why")], "", "package: missing"},
		"unknown filesystem": {"driver: qemu", "driver: qemu\n    filesystem: zfs", "filesystem"},
		"unknown backend":    {"why:", "expect: {backend: splice}\n    why:", `"splice" is none`},
		"twice":              {oneTarget, oneTarget + strings.TrimPrefix(oneTarget, "targets:\n"), "same id"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			changed := strings.Replace(oneTarget, c.from, c.to, 1)
			require.NotEqual(t, oneTarget, changed)
			_, err := ParseTargets([]byte(changed))
			require.ErrorContains(t, err, c.says)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestChooseTargets(t *testing.T) {
	t.Parallel()
	list := []*Target{{ID: "linux-6.1-amd64"}, {ID: "linux-6.1-s390x"}, {ID: "local"}}
	for _, c := range []struct {
		names, want []string
	}{
		{[]string{"all"}, []string{"linux-6.1-amd64", "linux-6.1-s390x", "local"}},
		{[]string{"local", "linux-6.1-s390x", "local"}, []string{"linux-6.1-s390x", "local"}},
		{[]string{"linux-*"}, []string{"linux-6.1-amd64", "linux-6.1-s390x"}},
	} {
		chosen, err := ChooseTargets(list, c.names)
		require.NoError(t, err)
		var ids []string
		for _, target := range chosen {
			ids = append(ids, target.ID)
		}
		assert.Equal(t, c.want, ids)
	}
	for _, name := range []string{"linux", "", "[", "linux-6.2-*"} {
		_, err := ChooseTargets(list, []string{"local", name})
		assert.Error(t, err, "%q", name)
	}
}

func TestGitHubLegsAreOneLineWithEveryKey(t *testing.T) {
	t.Parallel()
	list, err := Targets()
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, WriteGitHub(&b, list))
	assert.Equal(t, 1, strings.Count(b.String(), "\n"))
	var plan struct {
		Include []map[string]string `json:"include"`
	}
	require.NoError(t, json.Unmarshal(b.Bytes(), &plan))
	require.NotEmpty(t, plan.Include)
	for _, leg := range plan.Include {
		for _, key := range []string{"target", "system", "version", "arch", "driver", "runner", "action", "release", "kernel", "seccomp"} {
			assert.Contains(t, leg, key)
		}
		assert.NotEmpty(t, leg["runner"], leg["target"])
	}
}

func TestPackagesOfAnEmulatorAreTheHosts(t *testing.T) {
	t.Parallel()
	target := &Target{Arch: "s390x", Driver: ByExec, Package: &Package{}}
	want := runtime.GOARCH
	if name, ok := debianNames[want]; ok {
		want = name
	}
	assert.Equal(t, want, target.Want().Arch)
	target.Driver, target.Arch = ByQEMU, "ppc64le"
	assert.Equal(t, "ppc64el", target.Want().Arch)
}

func TestShort(t *testing.T) {
	t.Parallel()
	r := sample(t)
	for _, c := range []struct {
		expect Expect
		says   string
	}{
		{Expect{}, ""},
		{Expect{Backend: "sendfile", Features: []string{"sendfile/file-tcp"}}, ""},
		{Expect{Features: []string{"ktls/tx"}}, "expected the feature ktls/tx, which is absent"},
		{Expect{Conform: 1}, "expected 1 cases to conform, 0 do"},
	} {
		assert.Equal(t, c.says, (&Target{Expect: c.expect}).Short(r))
	}
	assert.Equal(t, "the fixtures lay on ext4, not on xfs", (&Target{Filesystem: "xfs"}).Short(r))
	r.Backend = "none"
	assert.Equal(t, "expected the backend sendfile, got none", (&Target{Expect: Expect{Backend: "sendfile"}}).Short(r))
}

func TestParseTests(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		output, ended string
		want          LibraryTests
	}{
		"good": {
			"\x16=== RUN   TestA\nnoise without a newline\x16--- PASS: TestA (0.01s)\n\x16    --- PASS: TestA/sub (0.00s)\n\x16--- SKIP: TestB (0.00s)\n\x16PASS\n", "",
			LibraryTests{Passed: 2, Skipped: 1},
		},
		"failed": {
			"--- FAIL: TestB (0.00s)\n    x_test.go:3: wrong\n--- FAIL: TestA (0.00s)\n--- PASS: TestC (1.00s)\nFAIL\n", "exit status 1",
			LibraryTests{Passed: 1, Failed: 2, Failures: []string{"TestA", "TestB"}},
		},
		"died":           {"--- PASS: TestA (0.00s)\nSIGSEGV: segmentation violation\n", "exit status 2", LibraryTests{Passed: 1, Failed: 1, Failures: []string{"the run ended with exit status 2"}}},
		"died at once":   {"", "signal: killed", LibraryTests{Failed: 1, Failures: []string{"the run ended with signal: killed"}}},
		"no end":         {"--- PASS: TestA (0.00s)\n", "", LibraryTests{Passed: 1, Failed: 1, Failures: []string{"the run did not come to its end"}}},
		"words in a log": {"    x_test.go:1: it said --- FAIL: TestZ (0.00s)\n--- PASS: TestA (0.00s)\nPASS\n", "", LibraryTests{Passed: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, &c.want, ParseTests([]byte(c.output), c.ended))
		})
	}
}

func TestOutcomeFails(t *testing.T) {
	t.Parallel()
	good := func() *Record {
		r := sample(t)
		r.Cases, r.Target.LibraryTests = nil, nil
		return r
	}
	deviates, tests := good(), good()
	deviates.Cases = []cases.Result{{Verdict: cases.Deviates}}
	tests.Target.LibraryTests = &LibraryTests{Passed: 100, Failed: 1}
	for _, c := range []struct {
		outcome Outcome
		fails   bool
	}{
		{Outcome{State: Reported, Record: good()}, false},
		{Outcome{State: Reported, Record: good(), Reason: "expected more"}, true},
		{Outcome{State: Reported, Record: deviates}, true},
		{Outcome{State: Reported, Record: tests}, true},
		{Outcome{State: Crashed}, true},
		{Outcome{State: TimedOut}, true},
		{Outcome{State: Truncated}, true},
		{Outcome{State: Unavailable}, false},
		{Outcome{State: Interrupted}, false},
	} {
		assert.Equal(t, c.fails, c.outcome.Fails(), c.outcome.State)
	}
}
