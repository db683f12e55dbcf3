package mount

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// asItIs is the situation of a file that is only read, and asItIsCold the one
// with the page cache dropped before.
var (
	asItIs     = &Situation{ID: "as-it-is", Words: "is only read"}
	asItIsCold = &Situation{ID: "as-it-is-cold", Words: "is only read and is not in the page cache", Cold: true, Full: true}
)

// errChanging says that a file changes by itself while it is looked at.
var errChanging = errors.New("somebody writes to the file meanwhile: two plain reads did not agree")

// file compares every way with plain read on a file of the user.
func (c *check) file(path string, skip map[string]WayReport) error {
	for _, w := range ways {
		c.way = w
		r := c.begin(skip)
		if r == nil {
			continue
		}
		for _, sit := range []*Situation{asItIs, asItIsCold} {
			c.sit = sit
			if err := c.readOnly(path, r); err != nil {
				return err
			}
		}
		c.sit = nil
		c.end(r)
	}
	return nil
}

func (c *check) readOnly(path string, r *WayReport) error {
	err := fixture.Run(c.scratch, func(s *fixture.Scope) {
		v := c.openFile(s, path)
		st, err := v.file.Stat()
		if err != nil || !st.Mode().IsRegular() {
			s.Fatalf("%s is no regular file any more", path)
		}
		c.block = sys.BlockSize(v.fd)
		for _, span := range sample(st.Size(), c.page, c.block) {
			if err := c.besidePlain(r, v, span); err != nil {
				s.Fatalf("%w", err)
			}
		}
	})
	if errors.Is(err, errNoDirect) {
		r.State, r.Why = WayNotApplicable, "the mount has no O_DIRECT: "+err.Error()
		return nil
	}
	if err == nil {
		c.made(true, "")
	}
	return err
}

// openFile opens a file of the user for the way at hand.
func (c *check) openFile(s *fixture.Scope, path string) *view {
	return c.opened(s, func(flags int) (*os.File, error) {
		return os.OpenFile(path, os.O_RDONLY|sys.Nonblock|flags, 0)
	})
}

// sample is what is asked for of a file that can be large: its begin, its end,
// ranges around pages and blocks, and around the offsets that do not fit into 31
// or 32 bits any more.
func sample(size int64, page, block int) []span {
	const most = 256 << 10
	list := spans(min(size, most), page, block, nil)
	for _, at := range []int64{size / 2, 1<<31 - 5000, 1<<32 - 5000, size - 70_001} {
		if at > most && at < size {
			list = append(list, span{at, 70_001})
		}
	}
	return append(list, span{size - 1, 10}, span{size, 10}, span{max(0, size-5000), 10_000})
}

// besidePlain asks for one range and holds it against plain reads before and
// after.
func (c *check) besidePlain(r *WayReport, v *view, s span) error {
	if s.offset < 0 {
		return nil
	}
	p, beside := wayOf(plain), v.plainly()
	c.step("pread(2)")
	first := p.read(beside, s.offset, s.n)
	if first.errno != 0 {
		return fmt.Errorf("pread says %s at %d", first.refusal(), s.offset)
	}
	faults := r.Faults
	c.ask(r, v, "new", []question{{s, first.got, nil}})
	if r.Faults == faults {
		return nil
	}
	c.step("pread(2)")
	if again := p.read(beside, s.offset, s.n); !bytes.Equal(again.got, first.got) {
		return errChanging
	}
	return nil
}
