package zerocopy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// childEnv makes the test binary a child that runs one scenario: a comma list of
// calls to deny and the errno, "splice,sendfile=1".
const childEnv = "ZEROCOPY_TEST_DENY"

// childReport is what such a child found.
type childReport struct {
	Backend     BackendInfo
	File, Relay Result
	FileRight   bool
	RelayRight  bool
	NoFilter    string // why the kernel took no filter
	Error       string
}

func TestMain(m *testing.M) {
	if scenario := os.Getenv(childEnv); scenario != "" {
		report, err := underFilter(scenario)
		if err != nil {
			report.Error = err.Error()
		}
		_ = json.NewEncoder(os.Stdout).Encode(report)
		return
	}
	os.Exit(m.Run())
}

// underFilter denies calls to itself, for good, and then uses the package.
func underFilter(scenario string) (report childReport, err error) {
	names, number, _ := strings.Cut(scenario, "=")
	var errno int
	if _, err := fmt.Sscan(number, &errno); err != nil {
		return report, err
	}
	if names == "kill" {
		err = sys.KillCalls("splice")
	} else {
		err = sys.DenyCalls(sys.Errno(errno), strings.Split(names, ",")...)
	}
	if err != nil {
		report.NoFilter = err.Error()
		return report, nil
	}
	report.Backend = Backend()
	data := pattern(1<<20, 60)

	f, err := os.CreateTemp("", "zerocopy-child-*")
	if err != nil {
		return report, err
	}
	defer f.Close()
	_ = os.Remove(f.Name())
	if _, err := f.WriteAt(data, 0); err != nil {
		return report, err
	}
	connect := func() (a, b *net.TCPConn, err error) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, nil, err
		}
		defer l.Close()
		x, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			return nil, nil, err
		}
		y, err := l.Accept()
		if err != nil {
			return nil, nil, err
		}
		return x.(*net.TCPConn), y.(*net.TCPConn), nil
	}
	a, b, err := connect()
	if err != nil {
		return report, err
	}
	c, d, err := connect()
	if err != nil {
		return report, err
	}
	// file → a … b → c … d
	got := collect(d)
	relayed := make(chan error, 1)
	go func() {
		var err error
		report.Relay, err = Default().SocketRelay(c, b, -1)
		_ = c.Close()
		relayed <- err
	}()
	if report.File, err = Default().FileToSocket(a, f, nil, -1); err != nil {
		return report, err
	}
	_ = a.Close()
	if err := <-relayed; err != nil {
		return report, err
	}
	report.RelayRight = bytes.Equal(data, (<-got).data)
	report.FileRight = report.RelayRight
	return report, nil
}

// With real seccomp filters: the name, the mechanisms, the paths, the bytes.
func TestBackendUnderSeccomp(t *testing.T) {
	t.Parallel()
	for scenario, want := range map[string]struct {
		name        string
		file, relay Path
	}{
		"tee":             {BackendFull, PathSendfile, PathSplice},
		"sendfile":        {BackendFull, PathSplice, PathSplice},
		"splice":          {BackendFile, PathSendfile, PathCopied},
		"sendfile,splice": {BackendNone, PathCopied, PathCopied},
		"pipe2":           {BackendFile, PathSendfile, PathCopied},
		"sendfile,pipe2":  {BackendNone, PathCopied, PathCopied},
	} {
		errnos := []sys.Errno{syscall.EPERM, syscall.ENOSYS}
		if testing.Short() { // each is a process more, which takes seconds to start on an emulated processor
			errnos = errnos[:1]
		}
		for _, errno := range errnos {
			t.Run(scenario+"="+sys.ErrnoName(errno), func(t *testing.T) {
				t.Parallel()
				report, err := child(t, fmt.Sprintf("%s=%d", scenario, int(errno)))
				require.NoError(t, err)
				require.Empty(t, report.Error)
				assert.Equal(t, want.name, report.Backend.Name)
				assert.Equal(t, want.file, report.File.Path)
				assert.Equal(t, want.relay, report.Relay.Path)
				assert.True(t, report.FileRight)
				assert.True(t, report.RelayRight)
				for _, m := range report.Backend.Mechanisms {
					if m.Works {
						continue
					}
					assert.Equal(t, errno, m.Errno, "%v", m)
					assert.Contains(t, scenario, m.Call)
				}
			})
		}
	}
}

// The KILL action is real: the child dies by SIGSYS at its first splice.
func TestKillCalls(t *testing.T) {
	t.Parallel()
	_, err := child(t, "kill=0")
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	status := exit.Sys().(syscall.WaitStatus)
	require.True(t, status.Signaled(), "%v", status)
	require.Equal(t, syscall.SIGSYS, status.Signal())
}

// child runs a scenario in a process of its own. The error is how that ended.
// Where it is not to be had, an emulator's program or a kernel without such
// filters, the test is skipped.
func child(t *testing.T, scenario string) (childReport, error) {
	t.Helper()
	program := os.Args[0]
	if _, err := os.Stat(program); err != nil { // this user may not walk there
		program = "/proc/self/exe"
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), childEnv+"="+scenario)
	out, err := cmd.Output()
	if errors.Is(err, syscall.ENOEXEC) {
		t.Skip("the kernel cannot run this program: an emulator of its architecture does")
	}
	var report childReport
	if err == nil {
		require.NoError(t, json.Unmarshal(out, &report), string(out))
	}
	if report.NoFilter != "" {
		t.Skip(report.NoFilter)
	}
	return report, err
}

// Here, without a filter, and on tampered kernels.
func TestBackend(t *testing.T) {
	t.Parallel()
	before := tamper(t, nil)
	require.Equal(t, BackendFull, before.BackendName())
	agree(t, before, 0)
	require.Equal(t, BackendName(), Backend().Name)

	e := tamper(t, paths[PathCopied])
	require.Equal(t, BackendNone, e.BackendName())
	require.Equal(t, `none
sendfile file→socket: denied (EPERM)
splice file→socket: missing (ENOSYS)
splice socket→socket: missing (ENOSYS)`, e.Backend().String())

	e = tamper(t, func(k *sys.Kernel) {
		k.PipeSize = func(int) (int, sys.Errno) { return 4096, 0 }
	})
	require.Equal(t, `sendfile
sendfile file→socket: works
splice file→socket: F_GETPIPE_SZ: stunted-pipe
splice socket→socket: F_GETPIPE_SZ: stunted-pipe`, e.Backend().String())
}
