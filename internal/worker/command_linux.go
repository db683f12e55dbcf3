package worker

import (
	"os"
	"os/exec"
	"syscall"
)

// command starts this program again. /proc/self/exe works where the path of
// the program does not any more (go run deletes it, another user may not walk
// there): the link is followed without looking at the directories above.
// Where [Through] names an emulator, it runs the program, by its path: the link
// would lead to the emulator.
func command(as *Credential) (*exec.Cmd, error) {
	program := "/proc/self/exe"
	if _, err := os.Stat(program); err != nil { // a container without /proc
		program = os.Args[0]
	}
	cmd := exec.Command(program)
	if emulator := os.Getenv(Through); emulator != "" {
		path, err := os.Executable()
		if err != nil {
			return nil, err
		}
		cmd = exec.Command(emulator, path)
	}
	if as != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Credential: &syscall.Credential{Uid: as.UID, Gid: as.GID},
		}
	}
	return cmd, nil
}
