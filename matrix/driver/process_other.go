//go:build !linux

package driver

import (
	"os"
	"os/exec"
)

// alone leaves a command as it is: it is killed when its context ends.
func alone(*exec.Cmd) {}

// watch leaves a command to itself.
func watch(*exec.Cmd) (over func()) { return func() {} }

// askToEnd interrupts a command, or kills it where that is not known.
func askToEnd(cmd *exec.Cmd) error {
	if cmd.Process.Signal(os.Interrupt) != nil {
		return cmd.Process.Kill()
	}
	return nil
}

// hand hands a temporary file to a command by its name.
func hand(_ *exec.Cmd, file *os.File) (path string, err error) { return file.Name(), nil }
