package mount

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// privateName begins the names of directories that a check makes and removes.
const privateName = ".zcprobe-fs-"

// place is the private directory of a check on the mount. Whatever happens to
// the names above it meanwhile, nothing outside is touched: all goes through
// descriptors of directories (openat(2)), files are made with O_EXCL, and
// package os lets no symbolic link lead out of a root.
type place struct {
	root *os.Root // the directory that the user has named
	dir  *os.Root // the private one in it
	name string
	made int
}

// newPlace makes the private directory. The name is unique, and nobody's yet.
func newPlace(path, name string) (*place, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	p := &place{root: root, name: name}
	if err := root.Mkdir(name, 0o700); err != nil {
		root.Close()
		return nil, err
	}
	if p.dir, err = root.OpenRoot(name); err == nil {
		err = p.same()
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// same makes sure that the directory that was opened is the one that was made:
// who may write into the directory above could have put a link in its place.
func (p *place) same() error {
	named, err := p.root.Lstat(p.name)
	if err != nil {
		return err
	}
	opened, err := p.dir.Stat(".")
	if err != nil {
		return err
	}
	if !named.IsDir() || !os.SameFile(named, opened) {
		return errors.New("the private directory was replaced by another one")
	}
	return nil
}

// create makes a new, empty file and opens it for reading and writing.
func (p *place) create() (*os.File, string, error) {
	p.made++
	name := "file-" + strconv.Itoa(p.made)
	file, err := p.dir.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	return file, name, err
}

// Close removes the private directory and all that is in it.
func (p *place) Close() error {
	if p.dir != nil {
		p.dir.Close()
	}
	err := p.root.RemoveAll(p.name)
	p.root.Close()
	return err
}

// remove is what clears away after a worker that could not.
func remove(path string, names ...string) error {
	root, err := os.OpenRoot(path)
	if err != nil {
		return err
	}
	defer root.Close()
	var errs []error
	for _, name := range names {
		errs = append(errs, root.RemoveAll(name))
	}
	return errors.Join(errs...)
}

// InputError says what is wrong with a path, and how to mend it.
type InputError struct{ Message string }

func (e *InputError) Error() string { return e.Message }

func input(format string, arguments ...any) error {
	return &InputError{fmt.Sprintf(format, arguments...)}
}

// look tells what a path is, without opening what could notice it.
func look(path string) (Kind, error) {
	st, err := os.Stat(path)
	if err != nil {
		return "", input("%s: %s", path, bare(err))
	}
	switch mode := st.Mode(); {
	case sys.PseudoFilesystem(path):
		return "", input("%s: the kernel makes its files up as they are read, there is nothing to compare with: name a directory or a file on a disk, in memory or on a network", path)
	case mode.IsDir():
		return Directory, nil
	case mode.IsRegular():
		return File, nil
	case mode&fs.ModeNamedPipe != 0:
		return "", input("%s: is a FIFO: name a directory to write into, or a regular file", path)
	case mode&fs.ModeSocket != 0:
		return "", input("%s: is a socket: name a directory to write into, or a regular file", path)
	default:
		return "", input("%s: is a device: name a directory to write into, or a regular file", path)
	}
}

// unwritable turns the refusal to make something in a directory into words.
func unwritable(path string, err error) error {
	switch {
	case sys.IsResourceLimit(err):
		return full(err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return input("%s: cannot be written into (%s): name a file in it that is there, which is then only read", path, bare(err))
	default:
		return input("%s: no directory can be made in it (%s): name a file in it that is there, which is then only read", path, bare(err))
	}
}

// full says that there is no room, which is no answer about the mount.
func full(err error) error {
	return fmt.Errorf("%s: it takes up to %d MiB of room", bare(err), room>>20)
}

// room is how much a check may hold on the mount at a time, generously.
const room = 4 << 20

// bare is an error without the path that package os puts before it.
func bare(err error) string {
	var at *fs.PathError
	var call *os.SyscallError
	switch {
	case errors.As(err, &at):
		err = at.Err
	case errors.As(err, &call):
		err = call.Err
	}
	return strings.TrimPrefix(err.Error(), "openat: ")
}
