package probe

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// Variables of the child that filters its own calls.
const (
	filterVariable = "ZCPROBE_TEST_FILTER" // "38 splice,tee": the errno, 0 to kill
	resultVariable = "ZCPROBE_TEST_RESULT" // where it writes its findings
)

// TestUnderFilter is the body of that child.
func TestUnderFilter(t *testing.T) {
	filter := os.Getenv(filterVariable)
	if filter == "" {
		t.Skip("the child of another test")
	}
	errno, names, _ := strings.Cut(filter, " ")
	n, err := strconv.Atoi(errno)
	require.NoError(t, err)
	if n == 0 {
		err = sys.KillCalls(strings.Split(names, ",")...)
	} else {
		err = sys.DenyCalls(sys.Errno(n), strings.Split(names, ",")...)
	}
	require.NoError(t, err)
	p, err := json.Marshal(find(t, nil))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(os.Getenv(resultVariable), p, 0o600))
}

// filtered are the findings of a process that a real seccomp filter denies
// these calls.
func filtered(t *testing.T, errno sys.Errno, names ...string) map[string]Finding {
	t.Helper()
	result := filepath.Join(t.TempDir(), "findings")
	child := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestUnderFilter$")
	child.Env = append(os.Environ(), filterVariable+"="+strconv.Itoa(int(errno))+" "+strings.Join(names, ","), resultVariable+"="+result)
	output, err := child.CombinedOutput()
	if strings.Contains(string(output), "not supported") {
		t.Skipf("no seccomp filters here: %s", output)
	}
	require.NoError(t, err, "%s", output)
	p, err := os.ReadFile(result)
	require.NoError(t, err)
	var findings []Finding
	require.NoError(t, json.Unmarshal(p, &findings))
	return byName(findings)
}

func TestSeccompIsRecognised(t *testing.T) {
	t.Parallel()
	if thisProcess().Traced {
		t.Skip("a tracer answers in place of the kernel")
	}
	for _, test := range []struct {
		errno   sys.Errno
		denied  []string
		blocked []string // features that say so
		free    []string // features that do not care
	}{
		{syscall.ENOSYS, []string{"splice"}, []string{"splice/file-pipe", "splice/tcp-tcp", "splice/procfs-pipe"}, []string{"sendfile/file-tcp", "tee/pipe-pipe"}},
		{syscall.EPERM, []string{"sendfile", "splice"}, []string{"sendfile/file-tcp", "sendfile/memfd-tcp", "splice/pipe-tcp"}, []string{"vmsplice/memory-pipe"}},
		{syscall.EPERM, []string{"tee", "vmsplice", "copy_file_range", "memfd_create", "io_uring_setup"},
			[]string{"tee/pipe-pipe", "vmsplice/gift-pipe", "copy_file_range/same-filesystem", "memfd/create", "io_uring/setup"},
			[]string{"sendfile/file-tcp", "splice/tcp-tcp"}},
		{0, []string{"splice"}, []string{"splice/file-pipe", "splice/tcp-tcp"}, []string{"sendfile/file-tcp", "tee/pipe-pipe"}},
	} {
		t.Run(test.errno.Error()+" "+strings.Join(test.denied, ","), func(t *testing.T) {
			t.Parallel()
			findings := filtered(t, test.errno, test.denied...)
			for _, id := range test.blocked {
				assert.Equal(t, Denied, findings[id].State, "%+v", findings[id])
				assert.Equal(t, BlockedBySeccomp, findings[id].Reason, "%+v", findings[id])
				assert.NotEmpty(t, findings[id].Remedy)
			}
			for _, id := range test.free {
				assert.Equal(t, Available, findings[id].State, "%+v", findings[id])
			}
			for _, f := range findings {
				closed(t, f)
			}
		})
	}
}
