package probe

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// findFile fills in what is to be known of a regular file. The file itself is
// at most read; what has to be written goes to a private file beside it.
func findFile(e *foundEnd, path string, source bool) {
	e.kind = kind("file")
	e.Filesystem = sys.FilesystemName(path)
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	dir := filepath.Dir(path)
	err := place(path, dir)
	if err == nil {
		e.dir = dir
	}
	if !source {
		e.notes = append(e.notes, standIn(e, err, "was not written to"))
		return
	}
	file, openErr := os.Open(path)
	if openErr != nil {
		e.notes = append(e.notes, standIn(e, err, "cannot be read ("+errors.Unwrap(openErr).Error()+")"))
		return
	}
	defer file.Close()
	if st, statErr := file.Stat(); statErr == nil && st.Size() == 0 {
		e.notes = append(e.notes, standIn(e, err, "is empty"))
		return
	}
	e.file = path
	if err != nil {
		e.unshared = fmt.Sprintf("it takes a file on the same mount, and %s", err)
		return
	}
	e.notes = append(e.notes, fmt.Sprintf("%s was read, and never changed; the witness is from a private file beside it.", e.Path))
}

// standIn says what was tried in place of a file.
func standIn(e *foundEnd, err error, why string) string {
	if err == nil {
		return fmt.Sprintf("%s %s: a private file beside it stood in for it.", e.Path, why)
	}
	return fmt.Sprintf("%s %s, and %s: a file in the directory for temporary files stood in for it, and its filesystem may do otherwise.", e.Path, why, err)
}

// place tells why no file can be made in dir that lies on the mount of path.
func place(path, dir string) error {
	file, err := os.CreateTemp(dir, ".zcprobe-")
	if err != nil {
		var pathErr *os.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		return fmt.Errorf("no file can be made in %s (%w)", dir, err)
	}
	defer file.Close()
	defer os.Remove(file.Name())
	if !sys.SameMount(path, file.Name()) {
		return fmt.Errorf("%s is a mount of its own", path)
	}
	return nil
}
