//go:build unix

package driver

import (
	"io"
	"os/exec"
	"syscall"
)

// A guard is a shell that outlives this process and does something when its
// standard input ends, which is when this process ends, by whatever: SIGKILL
// leaves it no time to do it itself.
type guard struct {
	cmd *exec.Cmd
	in  io.Closer
}

// newGuard starts a guard; nil where there is no shell.
func newGuard(script string, arguments ...string) *guard {
	cmd := exec.Command("/bin/sh", append([]string{"-c", "read -r _; " + script, "zcprobe-guard"}, arguments...)...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // neither Ctrl-C nor the end of the terminal is for it
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil
	}
	if err := cmd.Start(); err != nil {
		in.Close()
		return nil
	}
	return &guard{cmd, in}
}

// act has it done now, and waits for that.
func (g *guard) act() {
	if g != nil {
		g.in.Close()
		g.cmd.Wait()
	}
}

// dismiss leaves it undone.
func (g *guard) dismiss() {
	if g != nil {
		g.cmd.Process.Kill()
		g.in.Close()
		g.cmd.Wait()
	}
}
