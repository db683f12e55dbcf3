package debian

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
)

// Unpack unpacks what packages install below a directory. No script of a
// package is run.
func (g *Got) Unpack(ctx context.Context, dir string) error {
	if _, err := exec.LookPath("dpkg-deb"); err != nil {
		return errors.New("packages are unpacked with dpkg-deb, which is not here: install dpkg")
	}
	for _, file := range g.Files {
		if out, err := exec.CommandContext(ctx, "dpkg-deb", "--extract", file, dir).CombinedOutput(); err != nil {
			return fmt.Errorf("unpack %s: %w: %s", file, err, out)
		}
	}
	return nil
}
