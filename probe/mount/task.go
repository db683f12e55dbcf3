package mount

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
	"github.com/zcprobe/zcprobe/internal/worker"
)

// task is a piece of work for a worker. All that touches the mount is done by
// workers, looking at it included: a mount that does not answer hangs whoever
// asks, and a worker can be left behind.
type task struct {
	Do      string               // one of the names in tasks
	Path    string               // as it was given
	Kind    Kind                 // of a path that was looked at
	Private string               // the name of the private directory
	Name    string               // what the names of the prepared files begin with
	State   string               // where the state is kept; "" is in the directory
	Nonce   string               // what the other side is to write
	Skip    map[string]WayReport // ways that have hung or died

	only *Situation // the only one to make, in tests; nil makes all
}

// outcome is what a worker says.
type outcome struct {
	Input  string // what is wrong with the path
	Why    string // why nothing could be learned
	Kind   Kind
	Report Report
	Kept   kept // of the two-step mode
}

// step is the call that is being made, for the one who waits for it.
type step struct {
	Call      string
	Way       string // "" where it is no way's call
	Situation string
}

// kind is the name of this work in workers, and progress the file in their
// scratch directory that holds the step.
const (
	kind     = "mount"
	progress = "fs-step"
)

// Handlers is the work that workers do for this package.
func Handlers() map[string]worker.Handler {
	return map[string]worker.Handler{kind: handle}
}

// nativeKernel is the kernel that workers ask; tests put another one in its place.
var nativeKernel = sys.Native

func handle(scratch string, argument json.RawMessage) (any, error) {
	var t task
	if err := json.Unmarshal(argument, &t); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(scratch, progress), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	number := 0
	note := func(s step) {
		number++
		text, _ := json.Marshal(struct {
			step
			Number int
		}{s, number})
		file.WriteAt(append(text, make([]byte, max(0, 512-len(text)))...), 0)
	}
	worker.WhenOrphaned(func() { t.leave() })
	defer worker.WhenOrphaned(nil)
	return t.run(nativeKernel(), scratch, note), nil
}

// run does the work.
func (t task) run(kernel *sys.Kernel, scratch string, note func(step)) (o outcome) {
	c := &check{kernel: kernel, scratch: scratch, page: os.Getpagesize(), note: note, report: &o.Report, situations: situations}
	if t.only != nil {
		c.situations = []*Situation{t.only}
	}
	c.report.Path, c.report.Verdict = t.Path, Untried
	c.report.Ways, c.report.Situations = []WayReport{}, []SituationReport{}
	c.report.Sentences, c.report.Remedies, c.report.Notes = []string{}, []string{}, []string{}
	err := map[string]func(*check, *outcome) error{
		"look":    t.look,
		"check":   t.check,
		"clean":   t.clean,
		"prepare": t.prepare,
		"change":  t.change,
		"verify":  t.verify,
		"forget":  t.forget,
	}[t.Do](c, &o)
	var wrong *InputError
	switch {
	case errors.As(err, &wrong):
		o.Input = wrong.Message
	case err != nil && sys.IsResourceLimit(err):
		o.Why = full(err).Error()
	case err != nil:
		o.Why = bare(err)
	}
	return o
}

// look tells what the path is, and whether it can be written into or read.
func (t task) look(c *check, o *outcome) (err error) {
	c.step("stat")
	if o.Kind, err = look(t.Path); err != nil {
		return err
	}
	c.report.Kind = o.Kind
	c.report.Mount = mountOf(t.Path)
	if o.Kind == File {
		c.step("open")
		file, err := os.OpenFile(t.Path, os.O_RDONLY|sys.Nonblock, 0)
		if err != nil {
			return input("%s: cannot be read: %s", t.Path, bare(err))
		}
		defer file.Close()
		c.step("pread(2)")
		if _, err := file.ReadAt(make([]byte, 1), 0); errors.Is(err, io.EOF) {
			return input("%s: is empty: there is nothing to compare", t.Path)
		}
		return nil
	}
	c.step("mkdir")
	p, err := newPlace(t.Path, t.Private)
	if err != nil {
		return unwritable(t.Path, err)
	}
	c.step("rmdir")
	return p.Close()
}

// check is the whole check of a directory or a file.
func (t task) check(c *check, o *outcome) (err error) {
	if err := t.look(c, o); err != nil {
		return err
	}
	if o.Kind == File {
		err = c.file(t.Path, t.Skip)
	} else {
		err = c.inside(t)
	}
	if err == nil {
		c.verdict()
	}
	return err
}

// inside checks in a private directory.
func (c *check) inside(t task) error {
	p, err := newPlace(t.Path, t.Private)
	if err != nil {
		return unwritable(t.Path, err)
	}
	defer func() {
		c.way, c.sit = nil, nil
		c.step("unlink")
		p.Close()
	}()
	c.place = p
	err = fixture.Run(c.scratch, func(s *fixture.Scope) {
		file, _, err := p.create()
		if err != nil {
			s.Fatalf("%w", err)
		}
		defer file.Close()
		c.step("fstatfs")
		c.block = sys.BlockSize(int(file.Fd()))
	})
	if err != nil {
		return err
	}
	return c.directory(t.Skip)
}

// clean removes what a worker that was ended has left.
func (t task) clean(c *check, _ *outcome) error {
	c.step("unlink")
	return t.leave()
}

// leave removes what the work may have left: the private directory, and what
// prepare makes. A state is removed only where it is that of this work.
func (t task) leave() error {
	if t.Name == "" {
		return remove(t.Path, t.Private)
	}
	if k, err := t.load(); err == nil && k.Name == t.Name {
		os.Remove(t.statePath())
	}
	return remove(t.Path, append(kept{Name: t.Name}.names(), t.Private)...)
}
