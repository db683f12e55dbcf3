package mount

import (
	"errors"
	"os"
	"slices"
	"syscall"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// subject is a file that is made, looked at, changed and looked at again. What
// it has to show is kept beside it: all changes go through here, and through
// descriptors of their own.
type subject struct {
	*check
	fixture.T
	name   string
	writer *os.File
	size   int // of the file as situations begin with it

	was   []byte  // what it showed before the change
	held  []byte  // what a descriptor from before has to show now
	named []byte  // what one that is opened now has to show
	gone  bool    // no name leads to it any more
	edges []int64 // where something was changed
}

// inapplicable says that a situation cannot be made on this mount.
type inapplicable struct{ why string }

func (i *inapplicable) Error() string { return i.why }

// newSubject makes an empty file.
func newSubject(c *check, t fixture.T) *subject {
	c.step("open")
	file, name, err := c.place.create()
	f := &subject{check: c, T: t, name: name, writer: file, size: c.size()}
	f.must(err)
	t.Cleanup(func() {
		c.step("unlink")
		file.Close()
		c.place.dir.Remove(name)
	})
	return f
}

// size is what a file begins with: some pages, some blocks, and odd.
func (c *check) size() int {
	return max(64<<10, 4*c.page, min(2*c.block, 512<<10)) + 1111
}

// must ends the check when the harness could not have what it needs.
func (f *subject) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatalf("%w", err)
	}
}

// unless ends the situation when this mount, or this system, does not do such a
// thing to files.
func (f *subject) unless(what string, err error) {
	f.Helper()
	var errno sys.Errno
	if errors.As(err, &errno) {
		switch errno {
		case syscall.EOPNOTSUPP, syscall.ENOSYS, syscall.EINVAL, syscall.ENODEV, syscall.EPERM, syscall.EACCES:
			f.Fatalf("%w", &inapplicable{what + " says " + sys.ErrnoName(errno)})
		}
	}
	f.must(err)
}

// settled notes that what the file shows now is what it has shown so far.
func (f *subject) settled() {
	f.held, f.named = slices.Clone(f.named), slices.Clone(f.named)
	f.was = slices.Clone(f.named)
}

// write overwrites or appends, in place.
func (f *subject) write(p []byte, offset int) {
	f.Helper()
	f.step("write")
	_, err := f.writer.WriteAt(p, int64(offset))
	f.must(err)
	f.expect(p, offset)
}

// expect does to the expectation what was done to the file.
func (f *subject) expect(p []byte, offset int) {
	if grow := offset + len(p) - len(f.named); grow > 0 {
		f.named = append(f.named, make([]byte, grow)...)
	}
	copy(f.named[offset:], p)
	f.held = f.named
	f.edges = append(f.edges, int64(offset), int64(offset+len(p)))
}

// truncate makes the file this long.
func (f *subject) truncate(size int) {
	f.Helper()
	f.step("ftruncate")
	f.must(f.writer.Truncate(int64(size)))
	f.named = append(f.named[:min(size, len(f.named)):min(size, len(f.named))], make([]byte, max(0, size-len(f.named)))...)
	f.held = f.named
	f.edges = append(f.edges, int64(size))
}

// punch makes a hole.
func (f *subject) punch(offset, n int) {
	f.Helper()
	f.step("fallocate")
	if errno := sys.PunchHole(int(f.writer.Fd()), int64(offset), int64(n)); errno != 0 {
		f.unless("fallocate FALLOC_FL_PUNCH_HOLE", errno)
	}
	f.expect(make([]byte, n), offset)
}

// store writes through a mapping.
func (f *subject) store(p []byte, offset int) {
	f.Helper()
	f.step("mmap")
	mapping, free, errno := sys.Shared(int(f.writer.Fd()), len(f.named))
	if errno != 0 {
		f.unless("mmap MAP_SHARED for writing", errno)
	}
	defer free()
	copy(mapping[offset:], p)
	f.expect(p, offset)
}

// replace puts another file in the place of this one, by rename(2).
func (f *subject) replace(p []byte) {
	f.Helper()
	f.step("rename")
	other, name, err := f.place.create()
	f.must(err)
	defer other.Close()
	_, err = other.Write(p)
	f.must(err)
	f.must(f.place.dir.Rename(name, f.name))
	f.named = slices.Clone(p)
}

// remove takes the name away.
func (f *subject) remove() {
	f.Helper()
	f.step("unlink")
	f.unless("unlink of an open file", f.place.dir.Remove(f.name))
	f.gone = true
}

// sync writes everything out, so that the cache can be dropped.
func (f *subject) sync() {
	f.Helper()
	f.step("fsync")
	f.unless("fsync", f.writer.Sync())
}

// open opens the file for a way to look at.
func (f *subject) open() *view {
	f.Helper()
	return f.opened(f.T, func(flags int) (*os.File, error) {
		return f.place.dir.OpenFile(f.name, os.O_RDONLY|flags, 0)
	})
}

// opened is a file as the way at hand opens it.
func (c *check) opened(t fixture.T, open func(flags int) (*os.File, error)) *view {
	t.Helper()
	c.step("open")
	view := func(flags int) *view {
		file, err := open(flags)
		if flags != 0 && errors.Is(err, syscall.EINVAL) {
			err = errNoDirect
		}
		if err != nil {
			t.Fatalf("%w", err)
		}
		t.Cleanup(func() { file.Close() })
		return &view{check: c, T: t, file: file, fd: int(file.Fd())}
	}
	if !c.way.Direct {
		return view(0)
	}
	v := view(sys.Direct)
	v.direct, v.buffered = true, view(0)
	return v
}

// errNoDirect says that the mount has no O_DIRECT (open(2)).
var errNoDirect = errors.New("open with O_DIRECT says EINVAL")

// target is a new file to copy to.
type target struct {
	*view
	file *os.File
	name string
}

func (v *view) target() *target {
	if v.place == nil { // the control lies in memory
		fd, errno := sys.Memfd("zcprobe")
		if errno != 0 {
			v.Fatalf("memfd_create: %w", error(errno))
		}
		return &target{view: v, file: os.NewFile(uintptr(fd), "memfd")}
	}
	file, name, err := v.place.create()
	if err != nil {
		v.Fatalf("%w", err)
	}
	return &target{v, file, name}
}

// content is all that the target holds now, through a descriptor of its own.
func (t *target) content() []byte {
	from := t.file
	if t.name != "" {
		var err error
		if from, err = t.place.dir.Open(t.name); err != nil {
			t.Fatalf("%w", err)
		}
		defer from.Close()
	}
	st, err := from.Stat()
	if err != nil {
		t.Fatalf("%w", err)
	}
	p := make([]byte, min(st.Size()+1, room))
	n, err := from.ReadAt(p, 0)
	if n == 0 && err != nil && st.Size() > 0 {
		t.Fatalf("read back: %w", err)
	}
	return p[:n]
}

func (t *target) close() {
	t.file.Close()
	if t.name != "" {
		t.place.dir.Remove(t.name)
	}
}
