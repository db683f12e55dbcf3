package driver

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// host is a machine that is reached by the ssh command of this one, with the
// user's own configuration: keys, ports, jumps, and what is known of the hosts'
// keys. Nothing is ever asked, so an unknown host is refused.
type host struct {
	name     string // as in "ssh HOST"
	config   string // another configuration; "" is the user's own
	ssh, scp string // the programs; "" is those of the path
}

// options are those of ssh and scp alike.
func (h *host) options() []string {
	options := []string{"-o", "BatchMode=yes", "-o", "ConnectTimeout=20", "-o", "ServerAliveInterval=15"}
	if h.config != "" {
		options = append(options, "-F", h.config)
	}
	return options
}

// command is a command on the host. The shell there may be any: what runs is
// one line, and quotes nothing that a shell of its own would.
func (h *host) command(ctx context.Context, line string) *exec.Cmd {
	program := h.ssh
	if program == "" {
		program = "ssh"
	}
	cmd := exec.CommandContext(ctx, program, append(h.options(), "-T", "--", h.name, line)...)
	alone(cmd)
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// posix has a POSIX shell on the host run a script, whatever the user's own
// shell is: csh, fish and their like know single quotes too. Scripts are one
// line without single quotes, exclamation marks and backslashes.
func posix(script string) string { return "exec sh -c '" + script + "'" }

// windows has Windows' command interpreter run a command, be the user's own
// shell that or PowerShell.
func windows(script string) string { return `cmd /c "` + script + `"` }

// say runs a short command on the host, with input.
func (h *host) say(ctx context.Context, line string, input io.Reader) (said, error) {
	ctx, stop := context.WithTimeoutCause(ctx, time.Minute, errLimit)
	defer stop()
	return h.finish(ctx, h.command(ctx, line), input)
}

// finish runs a command of ssh or scp to its end. The error is why the host
// cannot be used, where ssh itself failed.
func (h *host) finish(ctx context.Context, cmd *exec.Cmd, input io.Reader) (said, error) {
	var out, err2 bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = input, &out, &err2
	err := cmd.Run()
	got := said{out.Bytes(), err2.Bytes()}
	if stopped := context.Cause(ctx); stopped != nil {
		return got, stopped
	}
	return got, h.explain(err, got)
}

// lost is the exit status of ssh where ssh itself failed.
const lost = 255

// explain turns a failure of ssh itself into one line that says what to do.
func (h *host) explain(err error, got said) error {
	if errors.Is(err, exec.ErrNotFound) {
		return missing("ssh is not here: install OpenSSH's client")
	}
	if status, _ := exitStatus(err); status != lost {
		return err
	}
	text := string(got.said)
	switch {
	case strings.Contains(text, "REMOTE HOST IDENTIFICATION HAS CHANGED"):
		return missing("the host key has changed: find out why before you connect")
	case strings.Contains(text, "Host key verification failed"):
		return missing("the host key is not known: connect once with ssh, and compare it")
	case strings.Contains(text, "Permission denied"), strings.Contains(text, "Too many authentication failures"):
		return missing("it refused to let you in: no key that it knows was offered without a question")
	}
	return missing("ssh: %s", lastLine(got.said))
}

// exitStatus is that of a command that ran to its end and failed.
func exitStatus(err error) (status int, exited bool) {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return 0, false
	}
	return exit.ExitCode(), true
}

func lastLine(text []byte) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

// place makes a private directory on the host, where programs can be run.
func (h *host) place(ctx context.Context, on remote, suffix string) (string, error) {
	line := windows("mkdir zcprobe-" + suffix + " && echo zcprobe-place && echo zcprobe-" + suffix)
	if on.system != "windows" {
		// An empty file runs as a script, except where nothing may be run.
		line = posix(`umask 077; for b in "${TMPDIR:-/tmp}" /tmp /var/tmp "$HOME"; do d="$b/zcprobe-` + suffix + `"; ` +
			`if mkdir "$d" 2>/dev/null; then if { : >"$d/x" && chmod 700 "$d/x" && "$d/x"; } 2>/dev/null; ` +
			`then rm "$d/x"; echo zcprobe-place; echo "$d"; exit 0; fi; rm -rf "$d"; fi; done; ` +
			`echo no directory in which programs can be run >&2; exit 1`)
	}
	got, err := h.say(ctx, line, nil)
	place := after(got.out, "zcprobe-place")
	switch {
	case err != nil:
		return "", about("make a directory", err, got)
	case len(place) == 0 || !strings.HasSuffix(place[0], "zcprobe-"+suffix) || strings.ContainsAny(place[0], `'"!\$&;|<>`+"`"):
		return "", missing("make a directory: its name came back as %.100q", strings.Join(place, " "))
	}
	if on.system != "windows" {
		got, err = h.finish(ctx, h.write(ctx, place[0]+"/"+scriptFile), strings.NewReader(script))
	}
	if err != nil {
		return "", errors.Join(about("make a directory", err, got), h.remove(ctx, on, place[0]))
	}
	return place[0], nil
}

// The script that runs a program on the host, and its name there.
const scriptFile = "run.sh"

//go:embed ssh_run.sh
var script string

// image is the name under which a program runs on Windows, where a running one
// is found by its name alone.
func image(place, program string) string { return place + "-" + program + ".exe" }

// copy brings a program to the host.
func (h *host) copy(ctx context.Context, on remote, place, from, name string) error {
	ctx, stop := context.WithTimeoutCause(ctx, 10*time.Minute, errLimit)
	defer stop()
	var got said
	var err error
	if on.system == "windows" { // its interpreter cannot take bytes as they are
		program := h.scp
		if program == "" {
			program = "scp"
		}
		cmd := exec.CommandContext(ctx, program, append(h.options(), "-q", "--", from, h.name+":"+place+"/"+image(place, name))...)
		alone(cmd)
		cmd.WaitDelay = 5 * time.Second
		got, err = h.finish(ctx, cmd, nil)
	} else {
		var file *os.File
		if file, err = os.Open(from); err != nil {
			return err
		}
		defer file.Close()
		got, err = h.finish(ctx, h.write(ctx, place+"/"+name), file)
	}
	if err != nil {
		return about("copy "+name, err, got)
	}
	return nil
}

// write is the command that makes a program of its input.
func (h *host) write(ctx context.Context, path string) *exec.Cmd {
	return h.command(ctx, posix(`cat >"`+path+`" && chmod 700 "`+path+`"`))
}

// about is the error of a step, with what the host said of it.
func about(step string, err error, got said) error {
	var not *unavailable
	switch {
	case errors.As(err, &not):
		return err
	case errors.Is(err, context.Canceled):
		return err
	}
	if line := lastLine(got.said); line != "" {
		return missing("%s: %.200s", step, line)
	}
	return missing("%s: %v", step, err)
}

// execute runs a program that was brought, to its end. It is told to end when
// the connection does, so that it does not outlive this process.
func (h *host) execute(ctx context.Context, on remote, place, program string, arguments []string, limit time.Duration) (said, error) {
	ctx, stop := context.WithTimeoutCause(ctx, limit, errLimit)
	defer stop()
	quoted := ""
	for _, word := range arguments {
		if strings.ContainsAny(word, `'"!\$%^&;|<>`+"`\r\n") {
			return said{}, fmt.Errorf("%q cannot be handed to a shell on another machine", word)
		}
		quoted += ` "` + word + `"`
	}
	line := windows("cd " + place + " && " + image(place, program) + " " + strings.Join(arguments, " "))
	if on.system != "windows" {
		line = posix(`exec sh "` + place + `/` + scriptFile + `" ` + program + quoted)
	}
	input, hold, err := os.Pipe()
	if err != nil {
		return said{}, err
	}
	defer input.Close()
	defer hold.Close()
	cmd := h.command(ctx, line)
	cmd.Cancel = hold.Close
	cmd.WaitDelay = 10 * time.Second
	return h.finish(ctx, cmd, input)
}

// remove takes away what was brought, also when all else was cut short.
func (h *host) remove(ctx context.Context, on remote, place string) error {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer stop()
	line := windows("taskkill /f /im " + image(place, suiteProgram) + " & taskkill /f /im " + image(place, testProgram) +
		// It takes a moment until the file of a program that was ended is free.
		" & rmdir /s /q " + place + " || (ping -n 3 127.0.0.1 >nul & rmdir /s /q " + place + ")")
	if on.system != "windows" {
		// A program that is being ended may still be writing.
		line = posix(`for i in 1 2 3 4 5; do rm -rf "` + place + `" && exit 0; sleep 1; done; exit 1`)
	}
	_, err := h.say(ctx, line, nil)
	return err
}
