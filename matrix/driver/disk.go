package driver

import (
	"context"
	"fmt"
	"os"
	"os/exec"

	"github.com/zcprobe/zcprobe/matrix"
)

// diskSize is above the least that mkfs.xfs makes; the file is sparse.
const diskSize = 512 << 20

// makers are the programs that make filesystems, and Debian's packages of them.
var makers = map[string]struct {
	install   string
	arguments []string
}{
	"ext4":  {"e2fsprogs", []string{"mkfs.ext4", "-q", "-F"}},
	"xfs":   {"xfsprogs", []string{"mkfs.xfs", "-q", "-f"}},
	"btrfs": {"btrfs-progs", []string{"mkfs.btrfs", "-q", "-f"}},
}

// disk makes the disk that a target's fixtures lie on; nil where it needs none.
func disk(ctx context.Context, dir string, t *matrix.Target) (*os.File, error) {
	if t.Filesystem == "" {
		return nil, nil
	}
	maker, ok := makers[t.Filesystem]
	if !ok {
		return nil, missing("no program is known that makes %s", t.Filesystem)
	}
	if _, err := exec.LookPath(maker.arguments[0]); err != nil {
		return nil, missing("%s is not here: install %s", maker.arguments[0], maker.install)
	}
	file, err := os.CreateTemp(dir, "disk-")
	if err != nil {
		return nil, err
	}
	if err := file.Truncate(diskSize); err != nil {
		file.Close()
		return nil, err
	}
	if said, err := exec.CommandContext(ctx, maker.arguments[0], append(maker.arguments[1:], file.Name())...).CombinedOutput(); err != nil {
		file.Close()
		return nil, fmt.Errorf("%s: %w: %s", maker.arguments[0], err, firstLines(said, 1))
	}
	return file, nil
}
