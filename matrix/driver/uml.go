package driver

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/zcprobe/zcprobe/internal/guest"
	"github.com/zcprobe/zcprobe/matrix"
)

// uml runs User-mode Linux, whose kernel is a program of this host.
func (l *Lab) uml(ctx context.Context, t *matrix.Target, stage func(string)) *matrix.Outcome {
	if runtime.GOOS != "linux" || runtime.GOARCH != t.Arch {
		return failed(missing("User-mode Linux for %s runs on Linux for %s only", t.Arch, t.Arch))
	}
	k, err := l.kernel(ctx, t)
	if err != nil {
		return failed(err)
	}
	// It keeps its sockets below a directory, by default in the home directory.
	dir, remove, err := privateDir("", "zcprobe-uml-")
	if err != nil {
		return failed(err)
	}
	defer remove()
	k.way.Machine = "linux.uml"
	return l.boot(ctx, t, boot{
		kernel: k, program: k.image, up: time.Minute, limit: 4 * time.Minute,
		arguments: func(initramfs, _ string) []string {
			return []string{
				fmt.Sprintf("mem=%dM", l.memory()), "con=null", "con0=fd:0,fd:1", "uml_dir=" + dir + "/",
				"initrd=" + initramfs, "panic=-1", "quiet", guest.Word + "=1",
			}
		},
	}, stage)
}
