package driver

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// alone puts a command into a process group of its own, so that all of it can
// be ended at once, and has the kernel kill it should this process be killed;
// [watch] does so with what it has started.
func alone(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

// watch has the process group of a command that [alone] prepared and that is
// running now killed should this process be killed: the signal of
// PR_SET_PDEATHSIG (prctl(2)) reaches the command itself, but not what it has
// started, such as the tracees of User-mode Linux. over says that it has ended,
// and ends what it has left behind.
func watch(cmd *exec.Cmd) (over func()) {
	g := newGuard(`kill -KILL "-$1"`, strconv.Itoa(cmd.Process.Pid))
	return func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		g.dismiss()
	}
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
