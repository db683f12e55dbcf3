package driver

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/internal/debian"
	"github.com/zcprobe/zcprobe/internal/guest"
	"github.com/zcprobe/zcprobe/matrix"
	"github.com/zcprobe/zcprobe/probe"
)

var amd64 = &matrix.Target{ID: "test-target", System: "linux", Arch: "amd64", Driver: matrix.ByQEMU}

// guestRecord is a record as a guest writes it.
func guestRecord(t *testing.T, complete bool) []byte {
	t.Helper()
	r := &matrix.Record{
		Target:  matrix.TargetInfo{ID: "linux-7.0-amd64", Host: probe.Host{OS: "linux", Arch: "amd64", Kernel: "7.0"}},
		Backend: "sendfile+splice", Complete: complete,
	}
	require.NoError(t, r.Seal())
	text, err := json.Marshal(r)
	require.NoError(t, err)
	return text
}

// wire is what a guest sends over its console.
func wire(t *testing.T, record, tests []byte) string {
	t.Helper()
	var b bytes.Buffer
	s := &guest.Sender{To: &b}
	s.Stage("suite")
	if record != nil {
		s.Record(record)
	}
	if tests != nil {
		s.Tests(tests)
	}
	require.NoError(t, s.End())
	return b.String()
}

var goodTests = []byte("\x16=== RUN   TestA\n\x16--- PASS: TestA (0.00s)\n\x16--- SKIP: TestB (0.00s)\nPASS\n")

// lab is a lab whose programs are there already.
func lab(t *testing.T) *Lab {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"zcprobe-linux-amd64", "zerocopy.test-linux-amd64", "kernel"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600))
	}
	return &Lab{Cache: dir, Binaries: dir, Kernel: filepath.Join(dir, "kernel"), Run: []string{"run"}, Command: "zcprobe matrix run test"}
}

// booted is the outcome of a machine that is a shell script: $CONSOLE is a file
// with what it says, $INITRAMFS the file that it was handed.
func booted(t *testing.T, l *Lab, limit time.Duration, console, script string) *matrix.Outcome {
	t.Helper()
	file := filepath.Join(t.TempDir(), "console")
	require.NoError(t, os.WriteFile(file, []byte(console), 0o600))
	l.open()
	k, err := l.kernel(t.Context(), amd64)
	require.NoError(t, err)
	return l.boot(t.Context(), amd64, boot{
		kernel: k, program: "/bin/sh", up: time.Minute, limit: limit,
		arguments: func(initramfs, _ string) []string {
			return []string{"-c", "CONSOLE=" + file + " INITRAMFS=" + initramfs + "; " + script}
		},
	}, func(string) {})
}

func TestBootBringsTheRecordHome(t *testing.T) {
	t.Parallel()
	o := booted(t, lab(t), time.Minute, "firmware\r\n"+wire(t, guestRecord(t, true), goodTests), "cat $CONSOLE")
	require.Equal(t, matrix.Reported, o.State, o.Reason)
	assert.Empty(t, o.Reason)
	assert.Equal(t, "test-target", o.Record.Target.ID)
	assert.Equal(t, &matrix.LibraryTests{Passed: 1, Skipped: 1}, o.Record.Target.LibraryTests)
	assert.Equal(t, &matrix.Way{Driver: matrix.ByQEMU, Command: "zcprobe matrix run test", Attempts: 1}, o.Record.Target.Run)
	text, err := json.Marshal(o.Record)
	require.NoError(t, err)
	_, err = matrix.Read(bytes.NewReader(text))
	assert.NoError(t, err, "it is sealed again")
	assert.False(t, o.Fails())
}

func TestBootHandsTheInitramfsOver(t *testing.T) {
	t.Parallel()
	o := booted(t, lab(t), time.Minute, "", "head -c 6 $INITRAMFS; echo; ls -l $INITRAMFS")
	require.Len(t, o.Console, 2)
	assert.Equal(t, "070701", o.Console[0], "a cpio archive")
	assert.Contains(t, o.Console[1], "(deleted)", "without a name that could be left behind")
}

// Nothing but a whole record is a pass.
func TestBootNeverPassesLess(t *testing.T) {
	t.Parallel()
	whole := wire(t, guestRecord(t, true), goodTests)
	lines := strings.Split(whole, "\n")
	without := strings.Join(append(append([]string{}, lines[:3]...), lines[4:]...), "\n")
	for name, c := range map[string]struct {
		console, script string
		state           matrix.State
		reason          string
	}{
		"hangs before a word":         {"", "exec sleep 100", matrix.TimedOut, silent},
		"hangs in the suite":          {"\n" + lines[1] + "\n", "cat $CONSOLE; exec sleep 100", matrix.TimedOut, `no end within 2s, in stage "suite"`},
		"panics":                      {"\n" + lines[1] + "\n[    9.1] Kernel panic - not syncing: Fatal exception\n", "cat $CONSOLE", matrix.Crashed, "Kernel panic - not syncing: Fatal exception"},
		"panics at boot":              {"Kernel panic - not syncing: VFS: Unable to mount root fs\n", "cat $CONSOLE", matrix.Crashed, "VFS"},
		"oopses and hangs":            {"\n" + lines[1] + "\nOops: 0000 [#1] SMP\n", "cat $CONSOLE; exec sleep 100", matrix.Crashed, "Oops"},
		"does not start":              {"", "echo qemu: could not load kernel >&2; exit 1", matrix.Crashed, "could not load kernel"},
		"says nothing and ends":       {"", "exit 0", matrix.Crashed, "before the guest said a word"},
		"ends in the suite":           {"\n" + lines[1] + "\n", "cat $CONSOLE", matrix.Crashed, `it ended in stage "suite"`},
		"a line is missing":           {without, "cat $CONSOLE", matrix.Truncated, "after line 1"},
		"the serial line is cut":      {whole[:strings.LastIndex(whole, "zcprobe> ")], "cat $CONSOLE", matrix.Truncated, "no closing line"},
		"the closing line alone":      {lines[len(lines)-2] + "\n", "cat $CONSOLE", matrix.Truncated, "after line 0"},
		"the suite left no record":    {wire(t, nil, nil), "cat $CONSOLE", matrix.Crashed, "the suite died"},
		"the record is no record":     {wire(t, []byte("{}"), nil), "cat $CONSOLE", matrix.Truncated, "no schema"},
		"the record was cut short":    {wire(t, guestRecord(t, true)[:50], nil), "cat $CONSOLE", matrix.Truncated, "cut short"},
		"the run was cut short":       {wire(t, guestRecord(t, false), nil), "cat $CONSOLE", matrix.Truncated, "cut short"},
		"lingers after its last word": {whole, "cat $CONSOLE; exec sleep 100", matrix.Reported, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			limit := time.Minute
			if strings.Contains(c.script, "sleep") && c.state != matrix.Reported {
				limit = 2 * time.Second
			}
			begun := time.Now()
			o := booted(t, lab(t), limit, c.console, c.script)
			assert.Equal(t, c.state, o.State, o.Reason)
			assert.Contains(t, o.Reason, c.reason)
			assert.Less(t, time.Since(begun), 40*time.Second)
			if c.state != matrix.Reported {
				assert.Nil(t, o.Record)
				assert.True(t, o.Fails())
			}
			for _, l := range o.Console {
				assert.NotContains(t, l, "zcprobe> ")
			}
		})
	}
}

// A guest that runs out of time in the library's tests has left its record.
func TestTestsThatDoNotEndFailTheTarget(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	s := &guest.Sender{To: &b}
	s.Stage("suite")
	s.Record(guestRecord(t, true))
	s.Stage("library tests")
	o := booted(t, lab(t), 2*time.Second, b.String(), "cat $CONSOLE; exec sleep 100")
	require.Equal(t, matrix.Reported, o.State, o.Reason)
	assert.Equal(t, &matrix.LibraryTests{Failed: 1, Failures: []string{"the run ended with no time left after 2s"}}, o.Record.Target.LibraryTests)
	assert.True(t, o.Fails())
	o = booted(t, lab(t), 2*time.Second, b.String()+"Kernel panic - not syncing: Fatal exception\n", "cat $CONSOLE; exec sleep 100")
	assert.Equal(t, matrix.Crashed, o.State, "the kernel died, whatever it had sent")
}

func TestTestsThatDieFailTheTarget(t *testing.T) {
	t.Parallel()
	o := booted(t, lab(t), time.Minute, wire(t, guestRecord(t, true), []byte("--- PASS: TestA (0.00s)\npanic: test timed out\n\nended with exit status 2\n")), "cat $CONSOLE")
	require.Equal(t, matrix.Reported, o.State)
	assert.Equal(t, []string{"the run ended with exit status 2"}, o.Record.Target.LibraryTests.Failures)
	assert.Contains(t, o.Tests, "panic: test timed out")
	assert.True(t, o.Fails())
}

// The emulator and all that it has started end with the run.
func TestCancelEndsTheWholeGroup(t *testing.T) {
	t.Parallel()
	pid := filepath.Join(t.TempDir(), "pid")
	l := lab(t)
	l.open()
	k, err := l.kernel(t.Context(), amd64)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan *matrix.Outcome)
	go func() {
		result <- l.boot(ctx, amd64, boot{kernel: k, program: "/bin/sh", up: time.Minute, limit: time.Minute, arguments: func(string, string) []string {
			return []string{"-c", "sleep 300 & echo $! >" + pid + ".new; mv " + pid + ".new " + pid + "; wait"}
		}}, func(string) {})
	}()
	var child []byte
	require.Eventually(t, func() bool {
		child, err = os.ReadFile(pid)
		return err == nil
	}, 20*time.Second, 5*time.Millisecond)
	cancel()
	assert.Equal(t, matrix.TimedOut, (<-result).State, "Try makes it interrupted")
	assert.Eventually(t, func() bool {
		stat, err := os.ReadFile("/proc/" + strings.TrimSpace(string(child)) + "/stat")
		return err != nil || strings.Contains(string(stat), ") Z ")
	}, 20*time.Second, 5*time.Millisecond)
}

// A machine that dies once is tried again, and that is said.
func TestOneRetry(t *testing.T) {
	l := lab(t)
	dir := t.TempDir()
	console := filepath.Join(dir, "console")
	require.NoError(t, os.WriteFile(console, []byte(wire(t, guestRecord(t, true), nil)), 0o600))
	script := "#!/bin/sh\n[ \"$1\" = --version ] && { echo QEMU emulator version 9.9; exit; }\n" +
		"if [ -e " + dir + "/tried ]; then exec cat " + console + "; fi\n>" + dir + "/tried\necho 'Kernel panic - not syncing: once'\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "qemu-system-x86_64"), []byte(script), 0o700))
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	o := l.Try(t.Context(), amd64, func(string) {})
	require.Equal(t, matrix.Reported, o.State, o.Reason)
	assert.Equal(t, 2, o.Attempts)
	assert.Equal(t, 2, o.Record.Target.Run.Attempts)
	assert.Equal(t, "qemu-system-x86_64 9.9, -M pc -cpu max,-erms,-fsrm,-avx,-avx2", o.Record.Target.Run.Machine)
	assert.Equal(t, []string{"second attempt; the first crashed: Kernel panic - not syncing: once"}, o.Notes)
}

func TestWithoutQEMU(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	o := lab(t).Try(t.Context(), amd64, func(string) {})
	assert.Equal(t, matrix.Unavailable, o.State)
	assert.Equal(t, "qemu-system-x86_64 is not here: install qemu-system-x86", o.Reason)
	assert.False(t, o.Fails())
}

func TestWithoutTheTargetsProgram(t *testing.T) {
	t.Parallel()
	l := lab(t)
	o := l.Try(t.Context(), &matrix.Target{ID: "x", System: "linux", Arch: "amd64", Driver: matrix.ByGitHub}, func(string) {})
	assert.Equal(t, matrix.Unavailable, o.State)
	err := l.Prepare(t.Context(), &matrix.Target{ID: "x", System: "linux", Arch: "riscv64", Driver: matrix.ByQEMU})
	assert.ErrorContains(t, err, "zcprobe-linux-riscv64")
}

func TestImageTellsItsArchitecture(t *testing.T) {
	t.Parallel()
	image := func(at int, mark string) string {
		p := make([]byte, 0x1000)
		copy(p[at:], mark)
		path := filepath.Join(t.TempDir(), "kernel")
		require.NoError(t, os.WriteFile(path, p, 0o600))
		return path
	}
	for _, c := range []struct{ path, named, arch, says string }{
		{image(0x202, "HdrS"), "", "amd64", ""},
		{image(0x38, "ARM\x64"), "", "arm64", ""},
		{image(0x38, "RSC\x05"), "riscv64", "riscv64", ""},
		{image(0, ""), "s390x", "s390x", ""},
		{image(0, ""), "", "", "name it with --arch"},
		{image(0x202, "HdrS"), "arm64", "", "is a kernel for amd64, not for arm64"},
		{image(0, "\x7fELF"), "", "", "is no kernel"},
		{filepath.Join(t.TempDir(), "none"), "", "", "no such file"},
	} {
		target, err := KernelTarget(c.path, c.named)
		if c.says != "" {
			assert.ErrorContains(t, err, c.says)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, c.arch, target.Arch)
	}
}

// One real boot, where QEMU and a kernel that was fetched before are here.
func TestRealBoot(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("boots a machine")
	}
	if _, err := emulator("amd64"); err != nil {
		t.Skip(err)
	}
	cache, err := DefaultCache()
	require.NoError(t, err)
	list, err := matrix.Targets()
	require.NoError(t, err)
	chosen, err := matrix.ChooseTargets(list, []string{"linux-6.1-amd64"})
	require.NoError(t, err)
	archive := &debian.Archive{Cache: cache}
	if archive.Cached(chosen[0].Want()) == nil {
		t.Skip("no kernel is in the cache: zcprobe matrix prepare linux-6.1-amd64 fetches one")
	}
	// Without the library's tests, which take long on an emulated processor.
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(t.TempDir(), "zcprobe-linux-amd64"), "../../cmd/zcprobe")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH=amd64")
	said, err := build.CombinedOutput()
	require.NoError(t, err, string(said))
	l := &Lab{Cache: cache, Binaries: filepath.Dir(build.Args[3]), Run: []string{"run", "--filter=linux/tee/*"}, Limit: 10 * time.Minute}
	o := l.Try(t.Context(), chosen[0], func(s string) { t.Log(s) })
	require.Equal(t, matrix.Reported, o.State, "%s\n%s", o.Reason, strings.Join(o.Console, "\n"))
	assert.Equal(t, "linux-6.1-amd64", o.Record.Target.ID)
	assert.True(t, strings.HasPrefix(o.Record.Target.Version, "6.1."), o.Record.Target.Version)
	assert.Positive(t, o.Record.Count("conforms"))
}
