package driver

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/internal/debian"
	"github.com/zcprobe/zcprobe/matrix"
)

// holding are the command lines of the processes that have a directory in their
// environment or among their arguments.
func holding(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	processes, err := filepath.Glob("/proc/[0-9]*")
	require.NoError(t, err)
	for _, process := range processes {
		environment, _ := os.ReadFile(process + "/environ")
		line, _ := os.ReadFile(process + "/cmdline")
		if bytes.Contains(environment, []byte(dir)) || bytes.Contains(line, []byte(dir)) {
			found = append(found, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}

// Whatever ends a run, nothing that it started goes on, and none of its files
// stays: an emulator that starts others, as User-mode Linux does, and that does
// not end when it is asked to.
func TestNothingOutlivesARun(t *testing.T) {
	t.Parallel()
	const victim = "ZCPROBE_TEST_VICTIM"
	if how := os.Getenv(victim); how != "" {
		const machine = "trap '' TERM; sleep 300 & sleep 300 & >$TMPDIR/up; wait; wait"
		if how == "boot" {
			booted(t, lab(t), time.Minute, "", machine)
		} else {
			l := &Lab{Limit: time.Minute}
			l.execute(t.Context(), &shell{before: []string{"/bin/sh", "-c", machine}}, "unused", nil)
		}
		return
	}
	for _, how := range []string{"boot", "execute"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			cmd := exec.Command(os.Args[0], "-test.run=^TestNothingOutlivesARun$")
			cmd.Env = append(os.Environ(), victim+"="+how, "TMPDIR="+dir)
			require.NoError(t, cmd.Start())
			up := func() bool {
				found, _ := filepath.Glob(filepath.Join(dir, "up"))
				inRun, _ := filepath.Glob(filepath.Join(dir, "zcprobe-*", "up"))
				return len(found)+len(inRun) > 0
			}
			require.Eventually(t, up, time.Minute, 10*time.Millisecond)
			require.NoError(t, cmd.Process.Kill())
			cmd.Wait()
			assertNothingLeft(t, dir)
		})
	}
}

// assertNothingLeft waits until no process knows of a directory for temporary
// files and no file of a run is in it.
func assertNothingLeft(t *testing.T, dir string) {
	t.Helper()
	assert.Eventually(t, func() bool { return len(holding(t, dir)) == 0 }, time.Minute, 20*time.Millisecond)
	assert.Empty(t, holding(t, dir))
	left, err := filepath.Glob(filepath.Join(dir, "zcprobe-*"))
	require.NoError(t, err)
	assert.Empty(t, left)
	mounts, err := os.ReadFile("/proc/mounts")
	require.NoError(t, err)
	assert.NotContains(t, string(mounts), dir)
}

// The real ones, where they were fetched before: SIGKILL as well as Ctrl-C.
func TestNothingOutlivesARealTarget(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("boots machines")
	}
	list, err := matrix.Targets()
	require.NoError(t, err)
	cache, err := DefaultCache()
	require.NoError(t, err)
	binaries := t.TempDir()
	program := filepath.Join(binaries, "zcprobe-linux-"+hostArch)
	build := exec.Command("go", "build", "-o", program, "../../cmd/zcprobe")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	said, err := build.CombinedOutput()
	require.NoError(t, err, string(said))
	for _, c := range []struct {
		id      string
		process string // a word of the guest's command line
		many    int    // how many of these there are once it is under way
	}{
		{"linux-6.1-amd64", "qemu-system-x86_64", 1},
		{"uml-6.1-amd64", "uml_dir=", 4},
		{"gvisor-amd64", "runsc-sandbox", 1},
		{"gvisor-host-amd64", "runsc-sandbox", 1},
		{"user", "--json=-", 1},
	} {
		targets, err := matrix.ChooseTargets(list, []string{c.id})
		require.NoError(t, err)
		for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGINT} {
			t.Run(c.id+" "+signal.String(), func(t *testing.T) {
				if !fetched(cache, targets[0]) {
					t.Skip("not in the cache: zcprobe matrix prepare " + c.id + " fetches it")
				}
				dir := t.TempDir()
				cmd := exec.Command(program, "matrix", "run", c.id, "--cache", cache, "--binaries", binaries, "--results", t.TempDir())
				cmd.Env = append(os.Environ(), "TMPDIR="+dir)
				var said bytes.Buffer
				cmd.Stdout, cmd.Stderr = &said, &said
				require.NoError(t, cmd.Start())
				up := assert.Eventually(t, func() bool {
					lines := slices.DeleteFunc(holding(t, dir), func(line string) bool { return !strings.Contains(line, c.process) })
					return len(lines) >= c.many
				}, 2*time.Minute, 10*time.Millisecond)
				assert.NoError(t, cmd.Process.Signal(signal))
				cmd.Wait()
				assert.True(t, up, said.String())
				if signal == syscall.SIGINT {
					assert.Equal(t, 130, cmd.ProcessState.ExitCode(), said.String())
				}
				assertNothingLeft(t, dir)
			})
		}
	}
}

// fetched tells whether a target can be run without the network.
func fetched(cache string, t *matrix.Target) bool {
	switch {
	case t.Module != "":
		_, version, _ := strings.Cut(t.Module, "@")
		_, err := os.Stat(filepath.Join(cache, "tools", version))
		return err == nil
	case t.Package == nil:
		return true
	}
	_, err := emulator(t.Arch)
	return err == nil && (&debian.Archive{Cache: cache}).Cached(t.Want()) != nil
}
