package driver

import (
	"context"
	"os"
	"path/filepath"
	"runtime"

	"github.com/zcprobe/zcprobe/internal/worker"
	"github.com/zcprobe/zcprobe/matrix"
)

// qemuNames is the architectures that QEMU names in its own way.
var qemuNames = map[string]string{"amd64": "x86_64", "arm64": "aarch64", "386": "i386", "mips64le": "mips64el", "mipsle": "mipsel"}

// qemuUser is QEMU's translation of one architecture's programs and calls to
// the host's: it shows ABI and byte order, no kernel of its own.
func (l *Lab) qemuUser(ctx context.Context, t *matrix.Target) (*shell, error) {
	if runtime.GOOS != "linux" {
		return nil, missing("qemu-user runs on Linux only")
	}
	got, err := l.fetch(ctx, t)
	if err != nil {
		return nil, err
	}
	name, ok := qemuNames[t.Arch]
	if !ok {
		name = t.Arch
	}
	dir, err := l.unpacked(ctx, got, name, func(from, to string) error {
		program, err := one(from, "usr/bin/qemu-"+name)
		if err != nil {
			return missing("qemu-user has no program for %s", t.Arch)
		}
		return os.Rename(program, filepath.Join(to, "qemu-"+name))
	})
	if err != nil {
		return nil, err
	}
	program := filepath.Join(dir, "qemu-"+name)
	way := way(got)
	way.Machine, way.Accelerator = "qemu-"+name+" "+got.Packages[0].Version, "tcg"
	// The kernel would not know how to run a worker: it is started like this too.
	return &shell{before: []string{program}, environment: []string{worker.Through + "=" + program}, way: way}, nil
}
