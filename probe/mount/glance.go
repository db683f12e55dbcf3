package mount

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

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

// errUnchanged says that no way shows a change.
var errUnchanged = errors.New("the files show their old content by every way, plain read and O_DIRECT included: either they were not changed yet, " +
	"or this mount shows nothing of what the other side does (virtiofs with cache=always, 9p with cache=loose, long attribute caching); " +
	"they are kept for another verify, and verify --forget removes them")
