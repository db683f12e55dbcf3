package driver

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/zcprobe/zcprobe/internal/debian"
	"github.com/zcprobe/zcprobe/internal/guest"
	"github.com/zcprobe/zcprobe/matrix"
)

// kernel is a kernel that is ready to boot.
type kernel struct {
	image   string
	modules []guest.Module
	way     matrix.Way // its packages
}

// kernel is a target's kernel: the file that the user named, or the one of its
// package, fetched and unpacked where the cache does not have it.
func (l *Lab) kernel(ctx context.Context, t *matrix.Target) (*kernel, error) {
	names := slices.Clone(guest.Wanted)
	if t.Filesystem != "" {
		names = append(names, guest.ForDisk(t.Filesystem)...)
	}
	if l.Kernel != "" {
		k := &kernel{image: l.Kernel}
		var err error
		if l.Modules != "" {
			k.modules, err = guest.Modules(l.Modules, names)
		}
		return k, err
	}
	got, err := l.fetch(ctx, t)
	if err != nil {
		return nil, err
	}
	dir, err := l.unpacked(ctx, got, "kernel", unpackKernel)
	if err != nil {
		return nil, err
	}
	k := &kernel{image: filepath.Join(dir, "kernel"), way: way(got)}
	k.modules, err = guest.Modules(filepath.Join(dir, "modules"), names)
	return k, err
}

func way(got *debian.Got) matrix.Way {
	return matrix.Way{Packages: got.Packages, Pinned: got.Pinned}
}

// fetch is a target's packages.
func (l *Lab) fetch(ctx context.Context, t *matrix.Target) (*debian.Got, error) {
	got, err := l.archive.Fetch(ctx, t.Want())
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, missing("%v", err)
	}
	return got, nil
}

// unpacking is one at a time: it is the disk that it waits for.
var unpacking sync.Mutex

// unpacked is the directory in the cache that holds what keep kept of some
// packages; what tells apart what is kept of the same ones.
func (l *Lab) unpacked(ctx context.Context, got *debian.Got, what string, keep func(from, to string) error) (string, error) {
	unpacking.Lock()
	defer unpacking.Unlock()
	key, err := json.Marshal([]any{got.Packages, what, guest.Wanted})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(key)
	dir := filepath.Join(l.Cache, "unpacked", got.Packages[0].Name+"-"+hex.EncodeToString(sum[:6]))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	work, remove, err := privateDir(filepath.Dir(dir), ".work-")
	if err != nil {
		return "", err
	}
	defer remove()
	from, to := filepath.Join(work, "from"), filepath.Join(work, "to")
	for _, d := range []string{from, to} {
		if err := os.Mkdir(d, 0o755); err != nil {
			return "", err
		}
	}
	if err := got.Unpack(ctx, from); err != nil {
		return "", err
	}
	if err := keep(from, to); err != nil {
		return "", err
	}
	return dir, settle(to, dir)
}

// settle gives a directory its name when everything is in it: whole or not at
// all. Where another run has been faster, its directory stays.
func settle(work, dir string) error {
	err := os.Rename(work, dir)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// unpackKernel keeps the kernel and the modules that guests load, uncompressed.
func unpackKernel(from, to string) error {
	image, err := one(from, "boot/vmlinuz-*", "boot/vmlinux-*", "usr/lib/modules/*/vmlinuz", "usr/lib/modules/*/vmlinux", "usr/bin/linux.uml")
	if err != nil {
		return err
	}
	if err := os.Rename(image, filepath.Join(to, "kernel")); err != nil {
		return err
	}
	modules := filepath.Join(to, "modules")
	if err := os.Mkdir(modules, 0o755); err != nil {
		return err
	}
	names := slices.Clone(guest.Wanted)
	for _, fstype := range []string{"ext4", "xfs", "btrfs"} {
		names = append(names, guest.ForDisk(fstype)...)
	}
	list, err := guest.Modules(from, names)
	if err != nil {
		return err
	}
	for _, m := range list {
		if err := os.WriteFile(filepath.Join(modules, m.Name+".ko"), m.Content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// one is the file that the first pattern with a match finds.
func one(dir string, patterns ...string) (string, error) {
	for _, p := range patterns {
		found, err := filepath.Glob(filepath.Join(dir, p))
		if err != nil {
			return "", err
		}
		if len(found) > 0 {
			return found[0], nil
		}
	}
	return "", fmt.Errorf("the package holds none of %v", patterns)
}
