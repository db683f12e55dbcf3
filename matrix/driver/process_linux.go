package driver

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// alone puts a command into a process group of its own, so that all of it can
// be ended at once, and has the kernel kill it should this process be killed.
func alone(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

// askToEnd asks a command to end in good order.
func askToEnd(cmd *exec.Cmd) error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }

// hand hands a temporary file to a command and returns the path under which it
// opens it. The file has no name any more, so that nothing is left behind
// whatever becomes of this process.
func hand(cmd *exec.Cmd, file *os.File) (path string, err error) {
	cmd.ExtraFiles = append(cmd.ExtraFiles, file)
	return "/proc/self/fd/" + strconv.Itoa(2+len(cmd.ExtraFiles)), os.Remove(file.Name())
}
