package mount

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// directoryOnly is look for what needs a directory.
func (t task) directoryOnly(c *check) error {
	c.step("stat")
	kind, err := look(t.Path)
	if err != nil {
		return err
	}
	c.report.Kind, c.report.Mount = Changed, mountOf(t.Path)
	if kind != Directory {
		return input("%s: is no directory: name the one that is shared, a file is made in it", t.Path)
	}
	return nil
}

// prepare writes the files and has every way read them.
func (t task) prepare(c *check, o *outcome) error {
	if err := t.directoryOnly(c); err != nil {
		return err
	}
	k := newKept(t.Name, t.Nonce, c.page)
	k.Mount = c.report.Mount.Point
	c.step("open")
	if err := t.save(k); err != nil {
		return err
	}
	err := t.fill(k)
	if err == nil {
		err = c.glance(t, k, false, func(f keptFile, seen glimpse) {
			c.judge(justPrepared, f, seen, f.was(), nil)
		})
	}
	if err == nil {
		c.conclude()
	}
	if err != nil || c.report.Verdict != Right {
		t.remove(k) // there is no use in changing what is wrong already
	}
	o.Kept = k
	return err
}

// fill writes the old contents.
func (t task) fill(k kept) error {
	root, err := os.OpenRoot(t.Path)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, f := range k.files() {
		file, err := root.OpenFile(f.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return unwritable(t.Path, err)
		}
		_, err = file.Write(f.was())
		if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
			return err
		}
	}
	return nil
}

// remove removes all that prepare has made.
func (t task) remove(k kept) error {
	err := remove(t.Path, k.names()...)
	if gone := os.Remove(t.statePath()); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

// forget removes what was prepared.
func (t task) forget(c *check, o *outcome) error {
	k, err := t.load()
	if err != nil {
		return err
	}
	o.Kept = k
	c.step("unlink")
	return t.remove(k)
}

// change is what the other side does: the new content over the old ones, in
// place, as an editor or a shell there would.
func (t task) change(c *check, o *outcome) error {
	if err := t.directoryOnly(c); err != nil {
		return err
	}
	k, err := t.load()
	if err != nil {
		return err
	}
	o.Kept = k
	if k.Boot != "" && k.Boot == boot() && k.Mount == c.report.Mount.Point {
		c.report.Notes = append(c.report.Notes, "this is the mount that was prepared, not the other side of it: the change goes the same way as every other write, and verify will find nothing")
	}
	for _, f := range k.files() {
		if err := c.overwrite(filepath.Join(t.Path, f.name), f.was(), k.now()); err != nil {
			return err
		}
	}
	return nil
}

// overwrite puts new content into a file, in place, if it still has the old one.
func (c *check) overwrite(path string, was, now []byte) error {
	c.step("open")
	file, err := os.OpenFile(path, os.O_RDWR|sys.NoFollow|sys.Nonblock, 0)
	if err != nil {
		return input("%s: cannot be changed: %s", path, bare(err))
	}
	defer file.Close()
	st, err := file.Stat()
	if err != nil || !st.Mode().IsRegular() {
		return input("%s: is no regular file", path)
	}
	c.step("read")
	content, err := io.ReadAll(io.LimitReader(file, room))
	if err != nil {
		return err
	}
	if !bytes.Equal(content, was) {
		return input("%s: is not as it was prepared: it was changed already, or this side does not see it right", path)
	}
	c.step("write")
	err = file.Truncate(0)
	if err == nil {
		_, err = file.WriteAt(now, 0)
	}
	return errors.Join(err, file.Sync())
}

// verify looks at the changed files by every way.
func (t task) verify(c *check, o *outcome) error {
	if err := t.directoryOnly(c); err != nil {
		return err
	}
	k, err := t.load()
	if err != nil {
		return err
	}
	o.Kept = k
	seen := map[string]glimpse{}
	err = c.glance(t, k, true, func(f keptFile, s glimpse) { seen[f.name] = s })
	if err != nil {
		return err
	}
	truth := k.truth(seen)
	for _, f := range k.files() {
		if now := truth[f.name]; now != nil {
			c.judge(f.sit, f, seen[f.name], now, f.was())
		}
	}
	if len(truth) == 0 {
		return errUnchanged
	}
	c.conclude()
	return t.remove(k)
}
