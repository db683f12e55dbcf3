package driver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

const (
	module   = "github.com/zcprobe/zcprobe"
	hostArch = runtime.GOARCH
)

// builds are the programs that go to targets: zcprobe, and the library's tests,
// both static.
type builds struct {
	given string // a directory to take them from

	mu   sync.Mutex
	dir  string // what this process built
	gone func() // removes dir
	done map[string]*build
}

type build struct {
	once           sync.Once
	program, tests string
	err            error
}

// get is the programs for a system, built once. tests is "" where the directory
// that was given has none.
func (b *builds) get(ctx context.Context, goos, goarch string) (program, tests string, err error) {
	b.mu.Lock()
	if b.done == nil {
		b.done = map[string]*build{}
	}
	key := goos + "-" + goarch
	if goos == "windows" {
		key += ".exe"
	}
	one := b.done[key]
	if one == nil || one.err != nil && errors.Is(one.err, context.Canceled) {
		one = &build{}
		b.done[key] = one
	}
	b.mu.Unlock()
	one.once.Do(func() {
		if b.given != "" {
			one.program, one.tests, one.err = b.take(key)
		} else {
			one.program, one.tests, one.err = b.make(ctx, key, goos, goarch)
		}
	})
	return one.program, one.tests, one.err
}

func (b *builds) take(key string) (program, tests string, err error) {
	program, tests = filepath.Join(b.given, "zcprobe-"+key), filepath.Join(b.given, "zerocopy.test-"+key)
	if _, err := os.Stat(program); err != nil {
		return "", "", missing("no program for it: %v", err)
	}
	if _, err := os.Stat(tests); err != nil {
		tests = ""
	}
	return program, tests, nil
}

func (b *builds) make(ctx context.Context, key, goos, goarch string) (program, tests string, err error) {
	source, err := source(ctx)
	if err != nil {
		return "", "", err
	}
	b.mu.Lock()
	if b.dir == "" {
		b.dir, b.gone, err = privateDir("", "zcprobe-build-")
	}
	program, tests = filepath.Join(b.dir, "zcprobe-"+key), filepath.Join(b.dir, "zerocopy.test-"+key)
	b.mu.Unlock()
	if err != nil {
		return "", "", err
	}
	for _, arguments := range [][]string{
		{"build", "-buildvcs=auto", "-trimpath", "-ldflags=-s -w", "-o", program, "./cmd/zcprobe"},
		{"test", "-c", "-trimpath", "-ldflags=-s -w", "-o", tests, "./zerocopy"},
	} {
		cmd := exec.CommandContext(ctx, "go", arguments...)
		cmd.Dir = source
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch)
		cmd.WaitDelay = 5 * time.Second
		if said, err := cmd.CombinedOutput(); err != nil {
			if ctx.Err() != nil {
				return "", "", ctx.Err()
			}
			return "", "", fmt.Errorf("go %s for %s/%s: %w: %s", arguments[0], goos, goarch, err, firstLines(said, 2))
		}
	}
	return program, tests, nil
}

// source is the checkout that the working directory is in.
func source(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Path}} {{.Dir}}").Output()
	name, dir, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case errors.Is(err, exec.ErrNotFound):
		return "", missing("Go is not here to build the target's programs: install it, or name them with --binaries")
	case err != nil || name != module:
		return "", missing("the target's programs are built from a checkout of zcprobe: run this in one, or name them with --binaries")
	}
	return dir, nil
}

func (b *builds) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.dir != "" {
		b.gone()
	}
}

func firstLines(text []byte, n int) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[:min(n, len(lines))], " ")
}
