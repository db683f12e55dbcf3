package driver

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/zcprobe/zcprobe/matrix"
)

// gvisor is gVisor's runsc, built from its Go module: Debian's own package is
// too old to start. With its own network stack it needs root, and there is no
// other sign of which stack a rootless one has than that it is the host's.
func (l *Lab) gvisor(ctx context.Context, t *matrix.Target) (*shell, error) {
	if runtime.GOOS != "linux" {
		return nil, missing("gVisor runs on Linux only")
	}
	if t.Tool == "gvisor" && !Privileged() {
		return nil, missing("gVisor's own network stack needs root")
	}
	runsc, err := l.installed(ctx, t.Module)
	if err != nil {
		return nil, err
	}
	state, remove, err := privateDir("", "zcprobe-runsc-")
	if err != nil {
		return nil, err
	}
	flags := []string{runsc, "--root=" + state, "--platform=systrap", "--ignore-cgroups"}
	if t.Tool == "gvisor" {
		flags = append(flags, "--network=none")
	} else {
		flags = append(flags, "--rootless", "--network=host")
	}
	return &shell{
		before: append(flags, "do"),
		way:    matrix.Way{Machine: "runsc " + t.Version + ", systrap, " + map[string]string{"gvisor": "own network stack", "gvisor-host": "host's network stack"}[t.Tool]},
		close:  remove,
	}, nil
}

// installed is a Go program at a version, built into the cache. Go verifies it
// with its checksum database.
func (l *Lab) installed(ctx context.Context, program string) (string, error) {
	path, version, _ := strings.Cut(program, "@")
	dir := filepath.Join(l.Cache, "tools", version)
	file := filepath.Join(dir, filepath.Base(path))
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	work, remove, err := privateDir(filepath.Dir(dir), ".work-")
	if err != nil {
		return "", err
	}
	defer remove()
	cmd := exec.CommandContext(ctx, "go", "install", "-trimpath", "-ldflags=-s -w", program)
	cmd.Dir = work // outside of any module
	cmd.Env = append(os.Environ(), "GOBIN="+work, "CGO_ENABLED=0", "GOFLAGS=")
	cmd.WaitDelay = 5 * time.Second
	said, err := cmd.CombinedOutput()
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil:
		return "", missing("go install %s: %v: %s", program, err, firstLines(said, 2))
	}
	if err := os.Chmod(work, 0o755); err != nil {
		return "", err
	}
	if err := settle(work, dir); err != nil {
		return "", fmt.Errorf("keep %s: %w", program, err)
	}
	return file, nil
}
