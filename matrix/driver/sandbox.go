package driver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"

	"github.com/zcprobe/zcprobe/matrix"
)

// sandboxVariable is the environment variable that makes this program a
// sandbox: the process confines itself as the value says and then becomes the
// program that its arguments are.
const sandboxVariable = "ZCPROBE_SANDBOX"

// A sandbox is one way in which a process of this kernel is confined.
type sandbox struct {
	words string // what the record says
	enter func() error
	takes bool // it takes a call away without which the library's tests of that call cannot be had
}

// EnterSandbox makes this process a sandbox when a [Lab] has started it as one,
// and then does not return. Every program that runs targets, a test binary
// included, calls it first.
func EnterSandbox() {
	name, asked := os.LookupEnv(sandboxVariable)
	if !asked {
		return
	}
	os.Unsetenv(sandboxVariable) // not for the program in it
	runtime.LockOSThread()       // what confines is done to this thread, and the thread becomes the program
	if err := confine(name, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// confine enters a sandbox. Without a program it was only asked whether that
// can be done.
func confine(name string, words []string) error {
	box, ok := sandboxes[name]
	if !ok {
		return fmt.Errorf("no sandbox %q", name)
	}
	if len(words) == 0 {
		return box.enter()
	}
	program, err := opened(words[0])
	if err != nil {
		return err
	}
	if err := box.enter(); err != nil {
		return err
	}
	return program.become(words)
}

// sandbox is a shell in which programs are confined. It is this program again,
// so that nothing has to be installed, and nothing outlives it.
func (l *Lab) sandbox(ctx context.Context, t *matrix.Target) (*shell, error) {
	if runtime.GOOS != "linux" {
		return nil, missing("this sandbox is made on Linux only")
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	environment := []string{sandboxVariable + "=" + t.Sandbox}
	try := exec.CommandContext(ctx, self)
	try.Env = append(os.Environ(), environment...)
	try.Dir = "/"
	said, err := try.CombinedOutput()
	var died *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.As(err, &died):
		return nil, missing("the sandbox cannot be made here: %s", firstLines(said, 1))
	case err != nil:
		return nil, err
	}
	box := sandboxes[t.Sandbox]
	return &shell{before: []string{self}, environment: environment, way: matrix.Way{Machine: box.words}, suiteOnly: box.takes}, nil
}
