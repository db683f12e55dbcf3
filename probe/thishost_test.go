package probe

import (
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/zcprobe/zcprobe/internal/sys"
)

func TestUpstreamRelease(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ release, version, signature, want string }{
		{"6.1.0-37-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.140-1 (2025-05-22)", "", "6.1.140"},
		{"7.3.4+deb13-cloud-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 7.3.4-1~bpo13+1 (2026-11-15)", "", "7.3.4"},
		{"6.8.0-31-generic", "#31-Ubuntu SMP PREEMPT_DYNAMIC Sat Apr 20 00:40:06 UTC 2024", "Ubuntu 6.8.0-31.31-generic 6.8.1", "6.8.1"},
		{"6.18.44-fc-v669", "#1 SMP PREEMPT_DYNAMIC @0", "", "6.18.44"},
		{"5.14.0-427.el9.x86_64", "#1 SMP PREEMPT_DYNAMIC Fri Feb 23 04:45:07 EST 2024", "", "5.14.0"},
		{"6.12-rc3", "#1", "", "6.12"},
		{"4.19.0-gvisor", "#1 SMP Sun Jan 10 15:06:54 PST 2016", "", "4.19.0"},
		{"", "", "", ""},
	} {
		assert.Equal(t, test.want, upstream(sys.Host{Release: test.release, Version: test.version}, test.signature))
	}
}

func TestReleasesCompare(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		have, than string
		before     bool
	}{
		{"5.10.223", "5.11", true},
		{"5.10.223", "5.10", false},
		{"5.9", "5.10", true},
		{"6.12.117", "6.7", false},
		{"2.6.32", "2.6.33", true},
		{"", "2.6.33", false},
		{"6.1", "", false},
	} {
		assert.Equal(t, test.before, Host{Version: test.have}.Before(test.than), "%s before %s", test.have, test.than)
	}
}

func TestDistribution(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "Debian GNU/Linux 12 (bookworm)", distribution("NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"))
	assert.Empty(t, distribution(""))
}

func TestProcessStatus(t *testing.T) {
	t.Parallel()
	const status = "Name:\tx\nTracerPid:\t77\nCapEff:\t000001fffeffffff\nNoNewPrivs:\t1\nSeccomp:\t2\n"
	p := parseStatus(status)
	p.Root = true
	assert.Equal(t, process{Root: true, Seccomp: 2, Traced: true, NoNewPrivs: true, Capabilities: 0x1fffeffffff}, p)
	assert.Equal(t, "root without CAP_SYS_RESOURCE", p.privileges())
	assert.Equal(t, "filter", p.seccompWord())
	assert.True(t, p.pipeExempt(), "CAP_SYS_ADMIN is enough")

	user := parseStatus("TracerPid:\t0\nCapEff:\t0000000000001000\nSeccomp:\t0\n")
	assert.Equal(t, "user with CAP_NET_ADMIN", user.privileges())
	assert.False(t, user.Traced)
	assert.False(t, user.pipeExempt())

	unreadable := parseStatus("")
	assert.True(t, unreadable.Unknown)
	assert.Empty(t, unreadable.seccompWord())
}

func TestThisHost(t *testing.T) {
	t.Parallel()
	host := ThisHost(t.TempDir())
	assert.Equal(t, runtime.GOOS, host.OS)
	assert.Positive(t, host.PageSize)
	if runtime.GOOS == "linux" {
		assert.NotEmpty(t, host.Kernel)
		assert.NotEmpty(t, host.Version)
		assert.NotEmpty(t, host.Privileges)
	}
}

func TestHeadroom(t *testing.T) {
	t.Parallel()
	assert.Equal(t, 64, Headroom{PipeSoftPages: 64 * (mebibyte / os.Getpagesize())}.LargePipes())
	assert.Zero(t, Headroom{PipeSoftPages: 16384, PipeExempt: true}.LargePipes())
	if runtime.GOOS == "linux" {
		assert.Positive(t, ThisHeadroom().Descriptors)
	}
}
