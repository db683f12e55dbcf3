package driver

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/cases"
	"github.com/zcprobe/zcprobe/matrix"
	"github.com/zcprobe/zcprobe/probe"
)

// inSandbox is the record of this test program in a sandbox, of the library's
// cases and all features.
func inSandbox(t *testing.T, name string) *matrix.Record {
	t.Helper()
	l := &Lab{}
	s, err := l.sandbox(t.Context(), &matrix.Target{Sandbox: name})
	var not *unavailable
	if errors.As(err, &not) {
		t.Skip(not.reason)
	}
	require.NoError(t, err)
	s.environment = append(s.environment, suiteVariable+"=any/library")
	self, err := os.Executable()
	require.NoError(t, err)
	got, err := l.execute(t.Context(), s, self, nil)
	require.NoError(t, err, "%s", got.said)
	r, err := matrix.Read(bytes.NewReader(got.out))
	require.NoError(t, err)
	return r
}

// feature is a feature of a record.
func feature(t *testing.T, r *matrix.Record, id string) probe.Finding {
	t.Helper()
	for _, f := range r.Features {
		if f.ID == id {
			return f
		}
	}
	require.Fail(t, "no feature "+id)
	return probe.Finding{}
}

// Whatever is taken away, zcprobe itself works: what is denied is said to be
// denied, and no case breaks or deviates for it.
func TestSandboxes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		backend string
		denied  []string // by the sandbox's filter
		free    []string // features that work all the same
	}{
		{name: "user", backend: "sendfile+splice", free: []string{"sendfile/file-tcp", "splice/tcp-tcp", "vmsplice/memory-pipe"}},
		{"seccomp-docker", "sendfile+splice", []string{"io_uring/setup", "sockmap/create", "vsock/loopback"}, []string{"sendfile/file-tcp", "splice/tcp-tcp", "vmsplice/memory-pipe"}},
		{"seccomp-no-splice", "sendfile", []string{"splice/file-pipe", "splice/tcp-tcp"}, []string{"sendfile/file-tcp", "tee/pipe-pipe"}},
		{"seccomp-kill", "none", []string{"splice/file-pipe", "splice/tcp-tcp"}, []string{"sendfile/file-tcp", "tee/pipe-pipe"}},
		{name: "no-proc", backend: "sendfile+splice", free: []string{"sendfile/file-tcp", "splice/tcp-tcp"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := inSandbox(t, test.name)
			assert.Equal(t, test.backend, r.Backend)
			for _, id := range test.denied {
				f := feature(t, r, id)
				assert.Equal(t, []any{probe.Denied, probe.BlockedBySeccomp}, []any{f.State, f.Reason}, "%+v", f)
			}
			for _, id := range test.free {
				assert.True(t, feature(t, r, id).Works(), "%+v", feature(t, r, id))
			}
			for _, c := range r.Cases {
				assert.Contains(t, []cases.Verdict{cases.Conforms, cases.Skipped}, c.Verdict, "%+v", c)
			}
			if len(test.denied) > 0 {
				assert.Equal(t, "filter", r.Target.Seccomp)
			}
			if test.name == "user" {
				assert.True(t, strings.HasPrefix(r.Target.Privileges, "user"), r.Target.Privileges)
			}
		})
	}
}

// The mounts of the sandbox without /proc are its own.
func TestNoProcHidesOnlyItsOwn(t *testing.T) {
	t.Parallel()
	inSandbox(t, "no-proc")
	assert.FileExists(t, "/proc/self/status")
}

func TestUnknownSandbox(t *testing.T) {
	t.Parallel()
	_, err := (&Lab{}).sandbox(t.Context(), &matrix.Target{Sandbox: "none"})
	assert.Equal(t, matrix.Unavailable, failed(err).State)
	assert.ErrorContains(t, err, `no sandbox "none"`)
}

func TestListOfDocker(t *testing.T) {
	t.Parallel()
	calls := map[string]bool{}
	for line := range strings.Lines(dockerCalls) {
		if !strings.HasPrefix(line, "#") {
			assert.Len(t, strings.Fields(line), 3, line)
			calls[strings.Fields(line)[0]] = true
		}
	}
	for _, let := range []string{"sendfile", "splice", "tee", "vmsplice", "copy_file_range", "memfd_create", "execve", "futex"} {
		assert.True(t, calls[let], let)
	}
	for _, not := range []string{"io_uring_setup", "io_uring_enter", "bpf", "unshare", "setns", "mount", "kexec_load", "socket", "clone"} {
		assert.False(t, calls[not], not)
	}
	for _, arch := range []string{"amd64", "arm64", "riscv64"} {
		list, err := dockerFilter(arch)
		require.NoError(t, err)
		assert.Greater(t, len(list.Rules), 250)
		assert.Equal(t, uint32(466), list.Newest, "removexattrat")
	}
	_, err := dockerFilter("s390x")
	assert.ErrorContains(t, err, "s390x")
}
