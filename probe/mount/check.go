package mount

import (
	"errors"
	"runtime"
	"slices"
	"strings"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// check is one look at one mount. It is made in a worker.
type check struct {
	kernel  *sys.Kernel
	scratch string
	place   *place // nil where files are only read
	page    int
	block   int
	way     *Way // the one that is being asked
	sit     *Situation
	note    func(step)
	report  *Report

	situations []*Situation
}

// examples is how many faults of a way are shown.
const examples = 5

// step notes what is tried next: if it never returns, that is what is told.
func (c *check) step(call string) {
	s := step{Call: call}
	if c.way != nil {
		s.Way = c.way.ID
	}
	if c.sit != nil {
		s.Situation = c.sit.Words
	}
	c.note(s)
}

// directory asks every way in every situation.
func (c *check) directory(skip map[string]WayReport) error {
	for _, w := range ways {
		c.way = w
		r := c.begin(skip)
		if r == nil {
			continue
		}
		for _, sit := range c.situations {
			c.sit = sit
			for range max(1, sit.Times) {
				if err := c.situate(r); err != nil {
					return err
				}
			}
			if r.State == WayNotApplicable {
				break
			}
		}
		c.sit = nil
		c.end(r)
	}
	return nil
}

// begin begins the report of a way; nil where there is nothing to ask.
func (c *check) begin(skip map[string]WayReport) *WayReport {
	r := WayReport{Way: c.way.ID, Call: c.way.Call, Witness: fixture.NotWitnessed, Examples: []Fault{}, Refused: []string{}}
	old, skipped := skip[c.way.ID]
	switch {
	case skipped:
		r.State, r.Why = old.State, old.Why
	case c.way.Systems != nil && !slices.Contains(c.way.Systems, runtime.GOOS):
		r.State, r.Why = WayNotApplicable, "it is not tried on "+runtime.GOOS
	case c.way.Makes && c.place == nil && c.report.Kind == File:
		r.State, r.Why = WayNotApplicable, "it copies to a file beside, and where a file is named nothing is made"
	case c.way.Makes && c.place == nil:
		r.State, r.Why = WayNotApplicable, "it copies to a file beside, and no directory can be made for that here"
	}
	c.report.Ways = append(c.report.Ways, r)
	if r.State != "" {
		return nil
	}
	return &c.report.Ways[len(c.report.Ways)-1]
}

// end judges what was seen of a way.
func (c *check) end(r *WayReport) {
	switch {
	case r.State != "":
	case r.Faults > 0:
		r.State = WayWrong
	case r.Compared == 0 && r.Errno == "ENOSYS":
		r.State, r.Why = WayNotApplicable, "this kernel does not have the call, or a filter hides it"
	case r.Compared == 0:
		r.State, r.Why = WayRefused, c.control(r)
	case len(r.Refused) > 0:
		r.State = WayPartly
	default:
		r.State = WayRight
	}
	if r.State == WayRight || r.State == WayPartly {
		c.witness(r)
	}
}

// situate makes one situation and asks for all ranges in it. An error says that
// the harness could not go on.
func (c *check) situate(r *WayReport) error {
	err := fixture.Run(c.scratch, func(s *fixture.Scope) {
		f := newSubject(c, s)
		c.sit.Fill(f)
		f.settled()
		v := f.open()
		if !c.sit.Unread {
			if c.way.ID == "mmap" {
				v.keep(len(f.named))
			}
			c.ask(r, v, "held", questions(f.named, nil, []span{{0, len(f.named) + 1000}}))
		}
		if c.sit.Change != nil {
			c.sit.Change(f)
		}
		if c.sit.Cold {
			v.release()
		}
		list := spans(int64(len(f.held)), c.page, c.block, f.edges)
		c.ask(r, v, "held", questions(f.held, f.was, list))
		if !f.gone && !c.sit.Unread {
			c.ask(r, f.open(), "new", questions(f.named, f.was, list[:1]))
		}
	})
	var cannot *inapplicable
	switch {
	case errors.Is(err, errNoDirect):
		r.State, r.Why = WayNotApplicable, "the mount has no O_DIRECT: "+err.Error()
	case errors.As(err, &cannot):
		c.made(false, cannot.why)
	case err == nil:
		c.made(true, "")
	default:
		return err
	}
	return nil
}

// keep maps the file before it is changed.
func (v *view) keep(size int) {
	v.step("mmap")
	v.held, _ = v.kernel.Mmap(v.fd, 0, size) // where that is refused, the reading will say so
	v.Cleanup(v.release)
}

func (v *view) release() {
	if v.held != nil {
		sys.FreeMemory(v.held)
		v.held = nil
	}
}

// question is a range, what has to come, and what stood there before a change.
type question struct {
	span
	want, was []byte
}

func questions(want, was []byte, list []span) []question {
	qs := make([]question, len(list))
	for i, s := range list {
		qs[i] = question{s, window(want, s.offset, s.n), window(was, s.offset, s.n)}
	}
	return qs
}

// ask asks for ranges and compares what comes with what should.
func (c *check) ask(r *WayReport, v *view, descriptor string, list []question) {
	for _, q := range list {
		if c.sit.Cold {
			c.drop(v)
		}
		c.step(c.way.Call)
		got := c.way.read(v, q.offset, q.n)
		if !c.hold(r, q, descriptor, got, func() string { return c.plainly(v, q) }) {
			return
		}
	}
}

// hold holds a reading against what should have come; false where the way was
// refused. plainly is asked what plain read says there.
func (c *check) hold(r *WayReport, q question, descriptor string, got reading, plainly func() string) bool {
	r.Short = r.Short || got.short
	why := got.refusal()
	if why != "" && why != signalled && len(got.got) == 0 {
		c.refused(r, why)
		return false
	}
	r.Compared++
	d := compare(got.got, q.want, q.was)
	if d.what == asItShould && why == "" {
		return true
	}
	if why != "" {
		d.what = strings.TrimPrefix(d.what+", then "+why, asItShould+", then ")
	}
	r.Faults++
	if len(r.Examples) < examples {
		r.Examples = append(r.Examples, Fault{
			Situation: c.sit.ID, Descriptor: descriptor, Offset: q.offset, Length: q.n,
			What: d.what, At: q.offset + int64(max(d.at, 0)), Differ: d.differ,
			Got: len(got.got), Want: len(q.want), PlainRead: plainly(),
		})
	}
	return true
}

// plainly is what plain read says of the same range: whether it is the way that is wrong, or the file.
func (c *check) plainly(v *view, q question) string {
	c.step("pread(2)")
	got := wayOf(plain).read(v.plainly(), q.offset, q.n)
	if why := got.refusal(); why != "" {
		return why
	}
	return compare(got.got, q.want, q.was).what
}

// refused notes that a way was refused in the situation at hand.
func (c *check) refused(r *WayReport, why string) {
	if r.Errno == "" {
		r.Errno = why
	}
	if !slices.Contains(r.Refused, c.sit.ID) {
		r.Refused = append(r.Refused, c.sit.ID)
	}
}

// made notes whether the situation at hand could be made.
func (c *check) made(yes bool, why string) {
	for _, s := range c.report.Situations {
		if s.Situation == c.sit.ID {
			return
		}
	}
	c.report.Situations = append(c.report.Situations, SituationReport{c.sit.ID, c.sit.Words, yes, why})
}
