package driver

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/matrix"
)

func TestSSHTarget(t *testing.T) {
	t.Parallel()
	target, err := SSHTarget("ssh:me@host")
	require.NoError(t, err)
	assert.Equal(t, "me@host", target.Host)
	assert.Equal(t, matrix.BySSH, target.Driver)
	target, err = SSHTarget("linux-6.1-amd64")
	require.NoError(t, err)
	assert.Nil(t, target)
	for _, word := range []string{"ssh:", "ssh:-oProxyCommand=x", "ssh:a b", "ssh://host:22", "ssh:a'b"} {
		_, err = SSHTarget(word)
		assert.ErrorContains(t, err, "ssh:HOST", word)
	}
}

func TestHostsAreIdentified(t *testing.T) {
	t.Parallel()
	uname := func(text string) (remote, error) { return parseUname(strings.Split(text, "|")) }
	ver := func(text string) (remote, error) { return parseVer(strings.Split(text, "|")) }
	for _, test := range []struct {
		parse        func(string) (remote, error)
		said         string
		system, arch string
		id           string
	}{
		{uname, "Linux|6.12.9-arch1-1|x86_64|unknown|GNU/Linux", "linux", "amd64", "linux-6.12.9-arch1-1-amd64"},
		{uname, "Linux|6.6.51+rpt-rpi-v8|aarch64|-", "linux", "arm64", "linux-6.6.51-rpt-rpi-v8-arm64"},
		{uname, "FreeBSD|15.1-RELEASE|amd64|amd64|FreeBSD", "freebsd", "amd64", "freebsd-15.1-release-amd64"},
		{uname, "FreeBSD|14.4-RELEASE-p2|arm64|aarch64|FreeBSD", "freebsd", "arm64", "freebsd-14.4-release-p2-arm64"},
		{uname, "FreeBSD|15.0-RELEASE|riscv|riscv64|FreeBSD", "freebsd", "riscv64", "freebsd-15.0-release-riscv64"},
		{uname, "Darwin|25.1.0|arm64|arm|26.1", "darwin", "arm64", "macos-26.1-arm64"},
		{uname, "Darwin|24.6.0|x86_64|i386|15.7", "darwin", "amd64", "macos-15.7-amd64"},
		{uname, "OpenBSD|7.8|amd64|amd64", "openbsd", "amd64", "openbsd-7.8-amd64"},
		{uname, "NetBSD|10.1|evbarm|aarch64", "netbsd", "arm64", "netbsd-10.1-arm64"},
		{uname, "DragonFly|6.4-RELEASE|x86_64|x86_64", "dragonfly", "amd64", "dragonfly-6.4-release-amd64"},
		{uname, "SunOS|5.11|i86pc|i386|illumos", "illumos", "amd64", "illumos-5.11-amd64"},
		{uname, "SunOS|5.11|i86pc|i386|Solaris", "solaris", "amd64", "sunos-5.11-amd64"},
		{uname, "AIX|3|00F6050A4C00|powerpc", "aix", "ppc64", "aix-3-ppc64"},
		{ver, "Microsoft Windows [Version 10.0.20348.2340]|AMD64", "windows", "amd64", "windows-10.0.20348.2340-amd64"},
		{ver, "Microsoft Windows [Versión 10.0.26100.1]|ARM64", "windows", "arm64", "windows-10.0.26100.1-arm64"},
	} {
		t.Run(test.said, func(t *testing.T) {
			t.Parallel()
			r, err := test.parse(test.said)
			require.NoError(t, err)
			assert.Equal(t, []string{test.system, test.arch, test.id}, []string{r.system, r.arch, r.id()})
		})
	}
	for _, said := range []string{"Plan9|4|x86_64|-", "Linux|2.4|vax|-", "SunOS|5.11|sun4v|sparc"} {
		_, err := uname(said)
		assert.ErrorContains(t, err, "unsupported", said)
	}
	_, err := ver("something else|AMD64")
	assert.ErrorContains(t, err, "unsupported")
}

func TestIDsAreNamesOfFiles(t *testing.T) {
	t.Parallel()
	for name, id := range map[string]string{
		"linux-../../etc/passwd":            "linux.etc-passwd-amd64",
		"linux-$(reboot)":                   "linux-reboot-amd64",
		"linux-" + strings.Repeat("1.", 99): "linux-1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1-amd64",
		"Linux-6.1.0-ÄÖ":                    "linux-6.1.0-amd64",
	} {
		assert.Equal(t, id, remote{name: name, arch: "amd64"}.id())
	}
}

// fake is a lab whose ssh and scp are shell scripts: the body sees the last
// argument, the command, as $line, and logs to $log.
func fake(t *testing.T, body string) (l *Lab, log string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the fake is a shell script")
	}
	dir := t.TempDir()
	log = filepath.Join(dir, "log")
	text := "#!/bin/sh\nlog='" + log + "'\nfor line; do :; done\necho \"$(basename \"$0\"): $*\" >>\"$log\"\n" + body
	for _, name := range []string{"ssh", "scp", "zcprobe-windows-amd64.exe", "zcprobe-freebsd-amd64", "zcprobe-darwin-arm64"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700))
	}
	l = &Lab{Run: []string{"run"}, Binaries: dir, sshProgram: filepath.Join(dir, "ssh"), scpProgram: filepath.Join(dir, "scp")}
	return l, log
}

func tryFake(t *testing.T, body string) (o *matrix.Outcome, log string) {
	t.Helper()
	l, path := fake(t, body)
	target, err := SSHTarget("ssh:me@host")
	require.NoError(t, err)
	o = l.Try(t.Context(), target, func(string) {})
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return o, string(text)
}

// On Windows there is no shell to speak to: the program comes by scp, and goes
// by rmdir, after a run that gave nothing too.
func TestWindowsOverSSH(t *testing.T) {
	t.Parallel()
	record := filepath.Join(t.TempDir(), "record.json")
	require.NoError(t, matrix.WriteJSON(record, sealed(t, "whatever")))
	o, log := tryFake(t, `
case "$line" in
	"exec sh"*) echo "'exec' is not recognized as an internal or external command," >&2; exit 1;;
	*ver*) printf 'zcprobe-ver \r\n\r\nMicrosoft Windows [Version 10.0.20348.2340]\r\nAMD64\r\n';;
	*mkdir*) name=$(echo "$line" | sed 's/.*mkdir \([a-z0-9-]*\).*/\1/'); printf 'zcprobe-place\r\n%s\r\n' "$name";;
	*" run "*) cat '`+record+`';;
esac`)
	require.Equal(t, matrix.Reported, o.State, o.Reason)
	assert.Equal(t, "windows-10.0.20348.2340-amd64", o.Target)
	assert.Equal(t, o.Target, o.Record.Target.ID)
	assert.Equal(t, matrix.BySSH, o.Record.Target.Run.Driver)
	lines := strings.Split(strings.TrimSpace(log), "\n")
	require.Len(t, lines, 6, log)
	assert.Regexp(t, `^scp: .* -- .*/zcprobe-windows-amd64\.exe me@host:(zcprobe-\w+)/(zcprobe-\w+)-zcprobe\.exe$`, lines[3])
	assert.Regexp(t, `cmd /c "cd zcprobe-\w+ && zcprobe-\w+-zcprobe\.exe run --json=-"$`, lines[4])
	assert.Regexp(t, `taskkill .*rmdir /s /q zcprobe-\w+`, lines[5])
	for _, line := range lines {
		assert.Contains(t, line, "BatchMode=yes")
		assert.NotContains(t, line, "StrictHostKeyChecking")
	}
}

func TestReasonsOverSSH(t *testing.T) {
	t.Parallel()
	const freebsd = `case "$line" in *uname*) printf 'Welcome!\nzcprobe-uname\nFreeBSD\n15.1-RELEASE\namd64\namd64\n'; exit;; esac
`
	for _, test := range []struct {
		name, body, reason string
	}{
		{"unknown key", `echo "No ED25519 host key is known for host and you have requested strict checking.
Host key verification failed." >&2; exit 255`, "the host key is not known"},
		{"changed key", `echo "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @
Host key verification failed." >&2; exit 255`, "the host key has changed"},
		{"refused", `echo "me@host: Permission denied (publickey)." >&2; exit 255`, "refused to let you in"},
		{"gone", `echo "ssh: connect to host host port 22: Connection refused" >&2; exit 255`, "Connection refused"},
		{"no answer", `exit 1`, "unsupported system"},
		{"another system", `printf 'zcprobe-uname\nHaiku\n1\nx86_64\n-\n'`, `unsupported system: "Haiku"`},
		{"no program", `printf 'zcprobe-uname\nDarwin\n25.1.0\nx86_64\ni386\n26.1\n'`, "no program for it"},
		{"no room to run", freebsd + `echo "no directory in which programs can be run" >&2; exit 1`, "make a directory: no directory in which programs can be run"},
		{"a strange name", freebsd + `printf 'zcprobe-place\n/tmp/$(reboot)\n'`, "its name came back as"},
		{"no space", freebsd + `case "$line" in *mkdir*) d=$(echo "$line" | sed 's/.*\(zcprobe-[a-z0-9]*\)";.*/\1/'); printf 'zcprobe-place\n/tmp/%s\n' "$d"; exit;;
*/zcprobe\"*) echo "cat: stdout: No space left on device" >&2; exit 1;; esac`, "copy zcprobe: cat: stdout: No space left on device"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o, log := tryFake(t, test.body)
			assert.Equal(t, matrix.Unavailable, o.State)
			assert.Contains(t, o.Reason, test.reason)
			assert.NotContains(t, o.Reason, "\n")
			if test.name == "no space" {
				assert.Contains(t, log, "rm -rf", "what there is is removed")
			}
		})
	}
}

func TestNoSSHHere(t *testing.T) {
	t.Parallel()
	l := &Lab{sshProgram: "ssh-that-is-not-here"}
	o := l.Try(context.Background(), &matrix.Target{ID: "ssh:host", Driver: matrix.BySSH, Host: "host"}, func(string) {})
	assert.Equal(t, matrix.Unavailable, o.State)
	assert.Contains(t, o.Reason, "install")
}

// sealed is a small record of a target.
func sealed(t *testing.T, id string) *matrix.Record {
	t.Helper()
	r := &matrix.Record{Complete: true, Backend: "none", Target: matrix.TargetInfo{ID: id}}
	require.NoError(t, r.Seal())
	return r
}
