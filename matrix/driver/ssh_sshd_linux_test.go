package driver

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/matrix"
)

// server is an OpenSSH server of a test's own: its own keys, its own
// configuration, a process for each connection, and no port.
type server struct {
	dir    string // all its files
	remote string // where directories are made on the host
	config string // for ssh
}

func startServer(t *testing.T) *server {
	t.Helper()
	sshd, err := exec.LookPath("/usr/sbin/sshd")
	if err != nil {
		t.Skip("sshd is not here: install openssh-server")
	}
	if os.Geteuid() == 0 {
		// sshd wants it to be there when it is root, as its service makes it. It
		// stays: the tests that run beside this one need it too.
		require.NoError(t, os.MkdirAll("/run/sshd", 0o755))
	}
	me, err := user.Current()
	require.NoError(t, err)
	s := &server{dir: t.TempDir()}
	s.config, s.remote = filepath.Join(s.dir, "ssh_config"), filepath.Join(s.dir, "remote")
	require.NoError(t, os.Mkdir(s.remote, 0o700))
	for _, key := range []string{"host", "user", "stranger"} {
		out, err := exec.CommandContext(t.Context(), "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(s.dir, key)).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	s.write(t, "sshd_config", "HostKey "+s.dir+"/host\nAuthorizedKeysFile "+s.dir+"/user.pub\nStrictModes no\nUsePAM no\n"+
		"PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\nSetEnv TMPDIR="+s.remote+"\n")
	s.know(t, "host.pub")
	s.write(t, "ssh_config", "Host target\n User "+me.Username+"\n IdentityFile "+s.dir+"/user\n IdentitiesOnly yes\n"+
		" IdentityAgent none\n GlobalKnownHostsFile none\n UserKnownHostsFile "+s.dir+"/known_hosts\n UpdateHostKeys no\n"+
		" ProxyCommand "+sshd+" -i -f "+s.dir+"/sshd_config -E "+s.dir+"/log\n")
	return s
}

func (s *server) write(t *testing.T, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600))
}

// know makes a key the one that the client knows of the server.
func (s *server) know(t *testing.T, key string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, key))
	require.NoError(t, err)
	s.write(t, "known_hosts", "target "+string(text))
}

// programs is a directory of programs for the host: this test program, which
// prints a record, or another script; and one that prints as tests do.
func (s *server) programs(t *testing.T, script string) string {
	t.Helper()
	dir := filepath.Join(s.dir, "programs")
	require.NoError(t, os.Mkdir(dir, 0o700))
	if script == "" {
		self, err := os.Executable()
		require.NoError(t, err)
		script = suiteVariable + "='any/library' exec '" + self + "'"
	}
	for name, text := range map[string]string{
		"zcprobe":       script,
		"zerocopy.test": `printf '=== RUN   TestIt\n--- PASS: TestIt (0.00s)\nPASS\n'; test "$1" = -test.v=test2json`,
	} {
		path := filepath.Join(dir, name+"-linux-"+hostArch)
		require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700))
	}
	return dir
}

func (s *server) lab(t *testing.T, script string) *Lab {
	t.Helper()
	return &Lab{Run: []string{"run"}, SSHConfig: s.config, Binaries: s.programs(t, script)}
}

func (s *server) try(t *testing.T, ctx context.Context, l *Lab, stage func(string)) *matrix.Outcome {
	t.Helper()
	target, err := SSHTarget("ssh:target")
	require.NoError(t, err)
	o := l.Try(ctx, target, stage)
	if log, err := os.ReadFile(filepath.Join(s.dir, "log")); err == nil && t.Failed() {
		t.Logf("sshd: %s", log)
	}
	return o
}

func (s *server) clean(t *testing.T) {
	t.Helper()
	left, err := os.ReadDir(s.remote)
	require.NoError(t, err)
	assert.Empty(t, left, "nothing is left there")
}

func TestOverSSH(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	var stages []string
	o := s.try(t, t.Context(), s.lab(t, ""), func(stage string) { stages = append(stages, stage) })
	require.Equal(t, matrix.Reported, o.State, "%s %v", o.Reason, o.Console)
	assert.Equal(t, []string{"prepare", "copy", "suite", "library tests"}, stages)
	assert.True(t, strings.HasPrefix(o.Target, "linux-"), o.Target)
	assert.Equal(t, o.Target, o.Record.Target.ID)
	assert.Equal(t, matrix.BySSH, o.Record.Target.Run.Driver)
	assert.NotEmpty(t, o.Record.Cases)
	assert.Equal(t, &matrix.LibraryTests{Passed: 1}, o.Record.Target.LibraryTests)
	s.clean(t)

	require.NoError(t, s.again().Prepare(t.Context(), &matrix.Target{Driver: matrix.BySSH, Host: "target"}))
}

// again is another lab with the same programs.
func (s *server) again() *Lab {
	return &Lab{SSHConfig: s.config, Binaries: filepath.Join(s.dir, "programs")}
}

func TestUnknownHostIsRefused(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	l := s.lab(t, "")
	s.write(t, "known_hosts", "")
	o := s.try(t, t.Context(), l, func(string) {})
	assert.Equal(t, matrix.Unavailable, o.State)
	assert.Contains(t, o.Reason, "the host key is not known")
	s.know(t, "stranger.pub")
	o = s.try(t, t.Context(), l, func(string) {})
	assert.Equal(t, matrix.Unavailable, o.State)
	assert.Contains(t, o.Reason, "the host key has changed")
	s.clean(t)
}

func TestRefusedKey(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	l := s.lab(t, "")
	require.NoError(t, os.Rename(filepath.Join(s.dir, "stranger"), filepath.Join(s.dir, "user")))
	require.NoError(t, os.Remove(filepath.Join(s.dir, "stranger.pub")))
	o := s.try(t, t.Context(), l, func(string) {})
	assert.Equal(t, matrix.Unavailable, o.State)
	assert.Contains(t, o.Reason, "refused to let you in")
}

// What dies over there leaves nothing, and its words come home.
func TestDeathOverSSH(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	o := s.try(t, t.Context(), s.lab(t, "echo it hurts >&2; kill -9 $$"), func(string) {})
	assert.Equal(t, matrix.Crashed, o.State)
	assert.Contains(t, strings.Join(o.Console, " "), "it hurts")
	s.clean(t)
}

// Whether the caller gives up or the time is over, the program on the host is
// told to end, and what was brought goes.
func TestEndOverSSH(t *testing.T) {
	t.Parallel()
	for _, interrupted := range []bool{true, false} {
		t.Run(fmt.Sprintf("interrupted=%t", interrupted), func(t *testing.T) {
			t.Parallel()
			s := startServer(t)
			pid, told := filepath.Join(s.dir, "pid"), filepath.Join(s.dir, "told")
			l := s.lab(t, "trap 'echo yes >"+told+"; exit 130' TERM; echo $$ >"+pid+".new; mv "+pid+".new "+pid+"; while :; do sleep 0.05; done")
			why := context.Canceled
			if !interrupted {
				why = errLimit
			}
			ctx, cancel := context.WithCancelCause(t.Context())
			go func() { // once it runs
				for _, err := os.Stat(pid); err != nil && t.Context().Err() == nil; _, err = os.Stat(pid) {
					time.Sleep(5 * time.Millisecond)
				}
				cancel(why)
			}()
			l.open()
			o := l.ssh(ctx, &matrix.Target{ID: "ssh:target", Host: "target", Driver: matrix.BySSH}, func(string) {})
			if !interrupted {
				assert.Equal(t, matrix.TimedOut, o.State)
			}
			assert.Nil(t, o.Record)
			assert.FileExists(t, told)
			s.clean(t)
			text, err := os.ReadFile(pid)
			require.NoError(t, err)
			n, err := strconv.Atoi(strings.TrimSpace(string(text)))
			require.NoError(t, err)
			assert.Eventually(t, func() bool { return syscall.Kill(n, 0) != nil }, 10*time.Second, 10*time.Millisecond)
		})
	}
}

// A full disk over there is said to be one.
func TestNoSpaceOverSSH(t *testing.T) {
	t.Parallel()
	if !Privileged() {
		t.Skip("a small filesystem takes privilege")
	}
	s := startServer(t)
	l := s.lab(t, "")
	big := filepath.Join(s.dir, "programs", "zcprobe-linux-"+hostArch)
	require.NoError(t, os.Truncate(big, 1<<20))
	// The mounts are those of a process that ends with this test.
	holder := exec.CommandContext(t.Context(), "unshare", "-m", "sh", "-c", "mount -t tmpfs -o size=64k none "+s.remote+" && echo ready && exec cat")
	holds, err := holder.StdinPipe()
	require.NoError(t, err)
	says, err := holder.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, holder.Start())
	t.Cleanup(func() { holds.Close(); holder.Wait() })
	word := make([]byte, len("ready"))
	if _, err := io.ReadFull(says, word); err != nil {
		t.Skip("no namespace of mounts to be had")
	}
	config, err := os.ReadFile(s.config)
	require.NoError(t, err)
	s.write(t, "ssh_config", strings.Replace(string(config), "ProxyCommand ", fmt.Sprintf("ProxyCommand nsenter -m -t %d ", holder.Process.Pid), 1))
	o := s.try(t, t.Context(), l, func(string) {})
	assert.Equal(t, matrix.Unavailable, o.State)
	assert.Contains(t, o.Reason, "No space left on device")
}
