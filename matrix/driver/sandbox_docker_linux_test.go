//go:build amd64 || arm64 || riscv64 || loong64

package driver

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestInDockersFilter is the body of a child below.
func TestInDockersFilter(t *testing.T) {
	if os.Getenv("ZCPROBE_TEST_FILTERED") == "" {
		t.Skip("the child of another test")
	}
	for _, test := range []struct {
		call  string
		n     uintptr
		first uintptr
		want  syscall.Errno
	}{
		{"a call that came later", 4000, 0, syscall.ENOSYS},
		{"clone3", uintptr(judged["clone3"][0]), 0, syscall.ENOSYS},
		{"unshare", syscall.SYS_UNSHARE, syscall.CLONE_NEWUTS, syscall.EPERM},
		{"mount", syscall.SYS_MOUNT, 0, syscall.EPERM},
		{"socket AF_VSOCK", syscall.SYS_SOCKET, 40, syscall.EPERM},
		{"socket AF_ALG", syscall.SYS_SOCKET, 38, syscall.EPERM},
		{"socket AF_UNIX of no type", syscall.SYS_SOCKET, syscall.AF_UNIX, syscall.ESOCKTNOSUPPORT},
		{"personality of another system", syscall.SYS_PERSONALITY, 3, syscall.EPERM},
		{"personality, asked for", syscall.SYS_PERSONALITY, 0xffffffff, 0},
		{"splice, which is let through", syscall.SYS_SPLICE, ^uintptr(0), syscall.EBADF},
	} {
		_, _, errno := syscall.RawSyscall6(test.n, test.first, 0, 0, ^uintptr(0), 1, 0)
		assert.Equal(t, test.want, errno, test.call)
	}
}

func TestDockersFilterAnswersAsDockerDoes(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	require.NoError(t, err)
	child := exec.CommandContext(t.Context(), self, self, "-test.run=^TestInDockersFilter$", "-test.v")
	child.Env = append(os.Environ(), sandboxVariable+"=seccomp-docker", "ZCPROBE_TEST_FILTERED=1")
	output, err := child.CombinedOutput()
	if strings.Contains(string(output), "not supported") {
		t.Skipf("no seccomp filters here: %s", output)
	}
	require.NoError(t, err, "%s", output)
	assert.Contains(t, string(output), "--- PASS: TestInDockersFilter")
}
