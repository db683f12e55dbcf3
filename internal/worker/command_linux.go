package worker

import (
	"os"
	"os/exec"
	"syscall"
)

// command starts this program again. /proc/self/exe works where the path of
// the program does not any more (go run deletes it, another user may not walk
// there): the link is followed without looking at the directories above.
func command(as *Credential) (*exec.Cmd, error) {
	program := "/proc/self/exe"
	if _, err := os.Stat(program); err != nil { // a container without /proc
		program = os.Args[0]
	}
	cmd := exec.Command(program)
	if as != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Credential: &syscall.Credential{Uid: as.UID, Gid: as.GID},
		}
	}
	return cmd, nil
}
