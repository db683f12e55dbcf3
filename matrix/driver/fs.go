package driver

import (
	"os"
	"time"

	"github.com/zcprobe/zcprobe/internal/worker"
	"github.com/zcprobe/zcprobe/probe/mount"
)

// Mounts is what asks about mounts, and what ends its workers afterwards.
// timeout is how long one call may take; zero is mount.DefaultTimeout.
func Mounts(timeout time.Duration) (r *mount.Runner, end func(), err error) {
	dir, err := scratch(nil)
	if err != nil {
		return nil, nil, err
	}
	pool := worker.NewPool(64, dir, nil) // those that hang keep their places
	return &mount.Runner{Pool: pool, Scratch: dir, Timeout: timeout}, func() {
		pool.Close()
		os.RemoveAll(dir)
	}, nil
}
