package mount

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/zcprobe/zcprobe/internal/fixture"
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

// errUnchanged says that no way shows a change.
var errUnchanged = errors.New("the files show their old content by every way, plain read and O_DIRECT included: either they were not changed yet, " +
	"or this mount shows nothing of what the other side does (virtiofs with cache=always, 9p with cache=loose, long attribute caching); " +
	"they are kept for another verify, and verify --forget removes them")

// glimpse is what a file showed: by the way that it belongs to, and to a plain read
// after that.
type glimpse struct {
	way, plain reading
}

// glance has every way read its files once, through a new descriptor each, and
// hands over what they saw. Plain read comes last: it may be what makes a
// filesystem look at its server again, and would hide what the way shows. It is
// left out where the way alone is to fill the cache.
func (c *check) glance(t task, k kept, plainly bool, saw func(keptFile, glimpse)) error {
	c.step("mkdir")
	if p, err := newPlace(t.Path, t.Private); err == nil { // else nothing is copied
		defer func() {
			c.way = nil
			c.step("unlink")
			p.Close()
			c.place = nil // there is nothing to witness: the files are not ours to overwrite
		}()
		c.place = p
	}
	for _, w := range ways {
		c.way = w
		c.begin(t.Skip)
	}
	for _, f := range k.files() {
		r := c.report.way(f.way.ID)
		if r.State != "" {
			continue
		}
		path, n := filepath.Join(t.Path, f.name), max(f.size, len(k.now()))+1000
		var seen glimpse
		var err error
		c.way = f.way
		seen.way, err = c.glanceAt(path, n)
		if errors.Is(err, errNoDirect) {
			r.State, r.Why = WayNotApplicable, "the mount has no O_DIRECT: "+err.Error()
			continue
		}
		if err == nil && plainly {
			c.way = wayOf(plain)
			seen.plain, err = c.glanceAt(path, n)
		}
		if err != nil {
			return err
		}
		saw(f, seen)
	}
	return nil
}

// glanceAt has the way at hand read a file.
func (c *check) glanceAt(path string, n int) (seen reading, err error) {
	err = fixture.Run(c.scratch, func(s *fixture.Scope) {
		v := c.opened(s, func(flags int) (*os.File, error) {
			return os.OpenFile(path, os.O_RDONLY|sys.NoFollow|sys.Nonblock|flags, 0)
		})
		if st, err := v.file.Stat(); err != nil || !st.Mode().IsRegular() {
			s.Fatalf("%w", input("%s: is no regular file", path))
		}
		c.step(c.way.Call)
		seen = c.way.read(v, 0, n)
	})
	var at *fs.PathError
	if errors.As(err, &at) {
		err = input("%s: %s: zcprobe fs verify --forget, and prepare it anew", path, bare(err))
	}
	return seen, err
}

// truth is the contents that the files have now; a file of which nothing is known
// is left out. Who has done as agreed has written the same into all of them, and
// then whatever shows the old content is stale, be it a plain read. Who has
// changed some of them in a way of his own is believed as far as plain read, or
// O_DIRECT, shows it.
func (k kept) truth(seen map[string]glimpse) map[string][]byte {
	agreed := map[*Situation][]byte{}
	for _, f := range k.files() {
		for _, got := range [][]byte{seen[f.name].plain.got, seen[f.name].way.got} {
			if len(got) > 0 && len(got) >= len(agreed[f.sit]) && bytes.HasPrefix(k.now(), got) {
				agreed[f.sit] = got
			}
		}
	}
	truth := map[string][]byte{}
	for _, f := range k.files() {
		s, shown := seen[f.name]
		switch {
		case !shown:
		case agreed[f.sit] != nil:
			truth[f.name] = agreed[f.sit]
		case len(agreed) > 0: // it shows in the files of the other size
			truth[f.name] = k.now()
		case !bytes.Equal(s.plain.got, f.was()) && s.plain.refusal() == "":
			truth[f.name] = s.plain.got
		case f.way.Direct && !bytes.Equal(s.way.got, f.was()) && s.way.refusal() == "":
			truth[f.name] = s.way.got
		}
	}
	return truth
}

// judge holds what a file has shown against what it should have.
func (c *check) judge(sit *Situation, f keptFile, seen glimpse, want, was []byte) {
	c.way, c.sit = f.way, sit
	c.made(true, "")
	r := c.report.way(f.way.ID)
	q := question{span{0, len(want)}, want, was}
	if c.hold(r, q, "new", seen.way, func() string { return compare(seen.plain.got, want, was).what }) && was != nil {
		if r.Shows == nil {
			r.Shows = map[string]string{}
		}
		r.Shows[sit.ID] = shows(seen.way.got, want, was)
	}
	c.way, c.sit = nil, nil
}

// conclude judges the ways when all files were looked at.
func (c *check) conclude() {
	for i := range c.report.Ways {
		c.way = wayOf(c.report.Ways[i].Way)
		c.end(&c.report.Ways[i])
	}
	c.way = nil
	c.verdict()
}
