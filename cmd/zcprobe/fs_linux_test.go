package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
	"github.com/zcprobe/zcprobe/internal/worker"
	"github.com/zcprobe/zcprobe/matrix/driver"
	"github.com/zcprobe/zcprobe/probe/mount"
)

// asCommand makes the test binary the command: in a process of its own it sees
// the mounts of the thread that starts it, and can be interrupted and killed.
const asCommand = "ZCPROBE_TEST_COMMAND"

func init() {
	worker.Serve(driver.Handlers())
	if os.Getenv(asCommand) != "" {
		os.Unsetenv(asCommand)
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
	}
}

func command(arguments ...string) *exec.Cmd {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	cmd := exec.Command(exe, arguments...)
	cmd.Env = append(os.Environ(), asCommand+"=1", "GORACE=atexit_sleep_ms=0")
	return cmd
}

// told runs the command in a process of its own, in dir.
func told(t *testing.T, dir string, arguments ...string) (status int, out, err string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := command(arguments...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
	var exit *exec.ExitError
	if failed := cmd.Run(); errors.As(failed, &exit) {
		status = exit.ExitCode()
	} else {
		require.NoError(t, failed)
	}
	return status, stdout.String(), stderr.String()
}

func isEmpty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, entries, "something was left behind")
}

func TestFSBadInput(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	state := filepath.Join(dir, mount.StateName)
	empty := filepath.Join(t.TempDir(), "empty")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	require.NoError(t, os.WriteFile(state, []byte(`{"schema": "zcprobe.fs-state/1", "file": "../../etc/passwd"}`), 0o600))
	for _, c := range []struct{ arguments, names string }{
		{"fs", "<path>"},
		{"fs /none/none", "/none/none: no such file or directory"},
		{"fs /dev/null", "/dev/null: is a device"},
		{"fs /proc/self/status", "/proc/self/status: the kernel makes its files up"},
		{"fs " + empty, "is empty: there is nothing to compare"},
		{"fs --timeout 0s .", `"0s"`},
		{"fs prepare /none", "/none: no such file or directory"},
		{"fs prepare " + dir, state + " is there already"},
		{"fs prepare " + state, "is no directory"},
		{"fs verify /tmp/none", "no such file or directory"},
		{"fs verify " + t.TempDir(), "nothing was prepared here"},
		{"fs verify " + dir, "it names no files that zcprobe has made"},
		{"fs verify --forget " + dir, "it names no files that zcprobe has made"},
		{"fs change " + dir, "it names no files that zcprobe has made"},
	} {
		t.Run(c.arguments, func(t *testing.T) {
			t.Parallel()
			status, out, err := zcprobe(t, strings.Fields(c.arguments)...)
			assert.Equal(t, exitUsage, status)
			assert.Empty(t, out)
			assert.Contains(t, err, c.names)
			assert.Equal(t, 1, strings.Count(err, "\n"), "one line: %q", err)
		})
	}
}

// The two steps, word for word as they are printed, with the line of shell.
func TestFSTwoSteps(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	status, out, err := told(t, dir, "fs", "prepare", dir)
	require.Equal(t, exitOK, status, err)
	shell := regexp.MustCompile(`(?m)^  (yes .*)$`).FindStringSubmatch(out)
	verify := regexp.MustCompile(`(?m)^  zcprobe (fs verify .*)$`).FindStringSubmatch(out)
	require.Len(t, shell, 2, out)
	require.Len(t, verify, 2, out)

	status, out, _ = told(t, dir, strings.Fields(verify[1])...)
	assert.Equal(t, exitBroken, status, "nothing has changed yet")
	assert.Contains(t, strings.Join(strings.Fields(out), " "), "either they were not changed yet")

	other := exec.Command("sh", "-c", shell[1])
	other.Dir = dir
	require.NoError(t, other.Run())
	status, out, err = told(t, dir, strings.Fields(verify[1])...)
	assert.Equal(t, exitOK, status, out+err)
	assert.Contains(t, out, "The change from the other side shows by every way that works here.")
	assert.Regexp(t, `sendfile\(2\) to a socket +new +new +right\n`, out)
	isEmpty(t, dir)
}

func TestFSChangeAndForget(t *testing.T) {
	t.Parallel()
	dir, state := t.TempDir(), filepath.Join(t.TempDir(), "state")
	status, out, err := told(t, dir, "fs", "prepare", ".", "--state", state)
	require.Equal(t, exitOK, status, err)
	assert.NotContains(t, out, "fs change", "the other side does not have the state")
	assert.Contains(t, out, "zcprobe fs verify . --state "+state)
	status, _, err = told(t, dir, "fs", "change", ".", "--state", state)
	require.Equal(t, exitOK, status, err)
	assert.Contains(t, strings.Join(strings.Fields(err), " "), "not the other side of it")
	status, _, err = told(t, dir, "fs", "change", ".", "--state", state)
	assert.Equal(t, exitUsage, status)
	assert.Contains(t, err, "is not as it was prepared")
	status, out, err = told(t, dir, "fs", "verify", "--forget", ".", "--state", state)
	require.Equal(t, exitOK, status, err)
	assert.Contains(t, out, "Removed ")
	isEmpty(t, dir)
	assert.NoFileExists(t, state)
}

// place is a FUSE filesystem, or the test is skipped. The other side is its
// memory.
func served(t *testing.T, options fixture.FUSEOptions) *fixture.FUSE {
	t.Helper()
	f, err := fixture.ServeFUSE(t, options)
	if errors.Is(err, fixture.ErrNoPlace) || errors.Is(err, fixture.ErrNoPrivilege) {
		t.Skip(err)
	}
	require.NoError(t, err)
	return f
}

// prepared has the command prepare files there, and changes them in the memory of
// the server.
func prepared(t *testing.T, f *fixture.FUSE, more func(*fixture.FUSEFile)) {
	t.Helper()
	status, out, err := told(t, "/", "fs", "prepare", f.TempDir())
	require.Equal(t, exitOK, status, out+err)
	words := regexp.MustCompile(`yes '(.*)' \| head -n 1000 \| tee (.*)-\*\.dat > /dev/null\n`).FindStringSubmatch(out)
	require.Len(t, words, 3, out)
	for _, way := range []string{"read", "sendfile", "splice", "copy_file_range", "mmap", "lseek", "direct", "sendfile-direct"} {
		for _, which := range []string{"-a.dat", "-b.dat"} {
			f.Change(words[2]+"-"+way+which, func(file *fixture.FUSEFile) {
				file.Content = []byte(strings.Repeat(words[1]+"\n", 1000))
				more(file)
			})
		}
	}
}

func verified(t *testing.T, f *fixture.FUSE) (int, mount.Report, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "v.json")
	status, out, err := told(t, "/", "fs", "verify", f.TempDir(), "--json", path)
	text, readErr := os.ReadFile(path)
	require.NoError(t, readErr, err)
	var result mount.Result
	require.NoError(t, json.Unmarshal(text, &result))
	assert.Equal(t, mount.Schema, result.Schema)
	require.Len(t, result.Mounts, 1)
	return status, result.Mounts[0], out
}

// The server has the kernel keep its pages (FOPEN_KEEP_CACHE) though it changes
// the file, as virtiofsd with cache=always does: everything that goes through
// the page cache is stale, and O_DIRECT is not.
func TestFSFindsAStaleMount(t *testing.T) {
	t.Parallel()
	f := served(t, fixture.FUSEOptions{})
	prepared(t, f, func(file *fixture.FUSEFile) { file.KeepCache = true })
	status, r, out := verified(t, f)
	assert.Equal(t, exitDeviates, status, out)
	assert.Equal(t, mount.Wrong, r.Verdict)
	for _, way := range []string{"read", "sendfile", "splice", "mmap"} {
		assert.Equal(t, mount.WayWrong, r.Way(way).State, way)
		assert.Contains(t, []string{"old", "mixed"}, r.Way(way).Shows["changed-same-size"], way) // a page may have been reclaimed
	}
	assert.Equal(t, "new", r.Way("direct").Shows["changed-same-size"])
	assert.Contains(t, out, "Plain read itself is wrong here")
	assert.Contains(t, r.Mount.Type, "fuse")
}

// A server that asks for direct I/O, and to keep what is cached when a file is
// opened anew: plain read asks the server, and so sees the change.
// sendfile and splice ask the page cache from Linux 6.5 on (commit 2cb1e08985e3,
// "splice: Use filemap_splice_read() instead of generic_file_splice_read()"), and
// are stale until a kernel has the fix that was posted in May 2026
// (https://lore.kernel.org/r/20260512200448.3818665-1-joannelkoong@gmail.com).
func TestFSFindsStaleSendfile(t *testing.T) {
	t.Parallel()
	f := served(t, fixture.FUSEOptions{Direct: true})
	prepared(t, f, func(file *fixture.FUSEFile) { file.KeepCache = true })
	status, r, out := verified(t, f)
	t.Log(sys.Uname().Release, r.Way("sendfile").Shows, "\n"+out)
	require.Equal(t, mount.WayRight, r.Way("read").State, out)
	assert.Equal(t, r.Way("splice").State, r.Way("sendfile").State)
	if r.Way("sendfile").State == mount.WayRight {
		assert.Equal(t, exitOK, status, out)
		return
	}
	assert.Equal(t, exitDeviates, status, out)
	assert.Contains(t, out, "Do not trust")
	assert.Contains(t, strings.Join(strings.Fields(out), " "), "plain read is right there")
	assert.Contains(t, out, "nginx: sendfile off")
}

// A server that does not answer: the call cannot even be killed (request_wait_answer
// of fs/fuse/dev.c waits out what the server has taken).
func TestFSOnAMountThatHangs(t *testing.T) {
	t.Parallel()
	f := served(t, fixture.FUSEOptions{})
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	path := f.Put("stuck", &fixture.FUSEFile{Content: fixture.Pattern(1, 50_000), Read: func(int64, int) ([]byte, sys.Errno) {
		<-release
		return nil, syscall.EIO
	}})
	begun := time.Now()
	status, out, err := told(t, "/", "fs", path, "--timeout", "1s")
	assert.Equal(t, exitBroken, status, out+err)
	assert.Contains(t, strings.Join(strings.Fields(out), " "), "Nothing could be learned: pread(2) did not return within 1s.")
	assert.NotContains(t, out, "left behind")
	assert.Less(t, time.Since(begun), 15*time.Second)
}

func TestFSInterruptedAndKilledLeaveNothing(t *testing.T) {
	t.Parallel()
	for name, signal := range map[string]syscall.Signal{"interrupted": syscall.SIGINT, "killed": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			cmd := command("fs", dir)
			cmd.Stdout = io.Discard
			require.NoError(t, cmd.Start())
			assert.Eventually(t, func() bool {
				entries, _ := filepath.Glob(dir + "/.zcprobe-fs-*/file-*")
				return len(entries) > 0
			}, 20*time.Second, time.Millisecond)
			require.NoError(t, cmd.Process.Signal(signal))
			cmd.Wait()
			if signal == syscall.SIGINT {
				assert.Equal(t, exitInterrupted, cmd.ProcessState.ExitCode())
			}
			assert.Eventually(t, func() bool { // the workers of one that was killed clear away
				entries, err := os.ReadDir(dir)
				return err == nil && len(entries) == 0
			}, 20*time.Second, time.Millisecond)
		})
	}
}

func TestFSJSON(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	status, out, err := told(t, dir, "fs", ".", "--json")
	require.Contains(t, []int{exitOK}, status, out+err)
	var result mount.Result
	require.NoError(t, json.Unmarshal([]byte(out), &result))
	assert.Equal(t, "zcprobe.fs/1", result.Schema)
	assert.Equal(t, mount.Right, result.Mounts[0].Verdict)
	assert.NotEmpty(t, result.Mounts[0].Mount.Type)
	isEmpty(t, dir)
}
