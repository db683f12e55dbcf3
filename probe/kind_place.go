package probe

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// placeKinds are regular files on filesystems that may be at hand beside the one
// of the directory for temporary files, or that root can mount for itself.
var placeKinds = []*Kind{
	placeKind("tmpfs"), placeKind("ext4"), placeKind("xfs"), placeKind("btrfs"), placeKind("overlay"),
}

func placeKind(filesystem string) *Kind {
	return &Kind{
		Name:   filesystem,
		Title:  "a regular file on " + filesystem,
		Nature: IsFile,
		Source: func(t fixture.T) *Source { return fileSource(t, fileOn(t, filesystem)) },
		Sink:   func(t fixture.T) *Sink { return fileSink(t, fileOn(t, filesystem)) },
	}
}

// fileOn is an empty file without a name on a filesystem: in a directory for
// temporary files, or on a mount of this process.
func fileOn(t fixture.T, filesystem string) *fixture.FD {
	t.Helper()
	for _, dir := range []string{t.TempDir(), "/dev/shm", "/var/tmp", "/tmp"} {
		if sys.FilesystemName(dir) == filesystem {
			return temporary(t, dir)
		}
	}
	dir, err := ownMounts.directory(filesystem, filepath.Dir(t.TempDir()))
	if err != nil {
		t.Fatalf("no directory for temporary files is on %s; %w", filesystem, err)
	}
	return temporary(t, dir)
}

// ownMounts are the filesystems that this process has mounted for itself: to
// mount one takes longer than to try a pair.
var ownMounts mounts

type mounts struct {
	mu    sync.Mutex
	found map[string]mounted
}

// mounted is a path of the root of a mount, or why there is none.
type mounted struct {
	path string
	err  error
}

// directory mounts a filesystem where that has not been tried yet.
func (m *mounts) directory(filesystem, scratch string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	got, ok := m.found[filesystem]
	if !ok {
		got = mountOwn(filesystem, scratch)
		if m.found == nil {
			m.found = map[string]mounted{}
		}
		m.found[filesystem] = got
	}
	return got.path, got.err
}

// mountOwn mounts in a namespace that a thread of its own keeps until this
// process ends. Other threads, which do not see it, walk there by a descriptor.
func mountOwn(filesystem, scratch string) mounted {
	answer := make(chan mounted)
	go func() {
		err := fixture.Run(scratch, func(s *fixture.Scope) {
			place, err := fixture.Mount(s, filesystem, "")
			if err != nil {
				s.Fatalf("%w", err)
			}
			root := fixture.Open(s, place.TempDir(), os.O_RDONLY)
			answer <- mounted{path: fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), root.Int())}
			select {}
		})
		answer <- mounted{err: err}
	}()
	return <-answer
}

// temporary is an empty file in a directory of the user's, open for reading and
// writing, whose name is gone at once: nothing is left, whatever ends us.
func temporary(t fixture.T, dir string) *fixture.FD {
	t.Helper()
	file, err := os.CreateTemp(dir, ".zcprobe-")
	if err != nil {
		t.Fatalf("make a temporary file: %w", err)
	}
	defer file.Close()
	defer os.Remove(file.Name())
	return fixture.Open(t, file.Name(), os.O_RDWR)
}
