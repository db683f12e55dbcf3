package cases

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/probe"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	c := &Case{Expect: []Expectation{
		{OS: "linux", Until: "5.10", Facts: Want{"errno": "EISDIR"}},
		{OS: "linux", Arch: "s390x", Facts: Want{"errno": "EIO"}, Known: "https://example.org/bug"},
		{OS: "linux", Facts: Want{"errno": OneOf{"EINVAL", "EPERM"}, "count": Between{1, 9}}},
	}}
	host := func(os, arch, version string) probe.Host { return probe.Host{OS: os, Arch: arch, Version: version} }
	for name, x := range map[string]struct {
		host  probe.Host
		facts Facts
		want  Verdict
	}{
		"conforms":               {host("linux", "amd64", "6.1.2"), Facts{"errno": "EPERM", "count": int64(9), "more": true}, Conforms},
		"another value":          {host("linux", "amd64", "6.1.2"), Facts{"errno": "EIO", "count": int64(9)}, Deviates},
		"out of range":           {host("linux", "amd64", "6.1.2"), Facts{"errno": "EPERM", "count": int64(10)}, Deviates},
		"not a number":           {host("linux", "amd64", "6.1.2"), Facts{"errno": "EPERM", "count": "9"}, Deviates},
		"older":                  {host("linux", "amd64", "5.9.16"), Facts{"errno": "EISDIR"}, Conforms},
		"the first that differs": {host("linux", "amd64", "5.10.0"), Facts{"errno": "EISDIR", "count": int64(1)}, Deviates},
		"known":                  {host("linux", "s390x", "6.1"), Facts{"errno": "EIO"}, Known},
		"mended":                 {host("linux", "s390x", "6.1"), Facts{"errno": "EINVAL"}, Deviates},
		"fact is missing":        {host("linux", "amd64", "6.1"), Facts{"errno": "EPERM"}, Broken},
		"no source":              {host("darwin", "arm64", "25.0"), Facts{"errno": "EIO"}, Recorded},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, _, _ := c.judge(x.host, x.facts)
			assert.Equal(t, x.want, got)
		})
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	r := Result{
		Verdict: Deviates, Facts: Facts{"return": int64(3), "errno": "", "other": true},
		Expected: Want{"return": Between{1, 2}, "errno": OneOf{"EAGAIN", ""}, "other": false},
	}
	assert.Equal(t, "other is true, expected false\nreturn is 3, expected 1 to 2", r.Explain())
}

func TestExpectationsComeBackFromJSON(t *testing.T) {
	t.Parallel()
	for _, c := range All("") {
		for _, x := range c.Expect {
			text, err := json.Marshal(x.Facts)
			require.NoError(t, err)
			var back Want
			require.NoError(t, json.Unmarshal(text, &back), c.ID)
			again, err := json.Marshal(back)
			require.NoError(t, err)
			assert.JSONEq(t, string(text), string(again))
		}
	}
}

func TestPattern(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		pattern Pattern
		id      string
		want    bool
	}{
		{"linux/tee", "linux/tee/partial-len", true},
		{"linux/te", "linux/tee/partial-len", false},
		{"linux/sendfile/*", "linux/sendfile/at-eof", true},
		{"*/splice/*", "any/splice/x", true},
		{"*/splice/*", "linux/sendfile/x", false},
		{"*", "linux/sendfile/x", true},
		{"linux/sendfile/count-*", "linux/sendfile/count-zero", true},
		{"linux/sendfile/x/y", "linux/sendfile/x", false},
	} {
		require.NoError(t, x.pattern.Check())
		assert.Equal(t, x.want, x.pattern.Matches(x.id), "%s %s", x.pattern, x.id)
	}
	for _, bad := range []Pattern{"", "linux//x", "linux/[a", "/linux"} {
		assert.Error(t, bad.Check(), "%q", bad)
	}
}
