package driver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/zcprobe/zcprobe/cases"
	"github.com/zcprobe/zcprobe/matrix"
	"github.com/zcprobe/zcprobe/probe"
)

// maxImport is ten times the size of an honest record. Each one that is taken
// in is read again by everything that reads records.
const maxImport = 8 << 20

// Import takes records that others made into a directory of records. They come
// from strangers: nothing in them is believed that can be checked.
type Import struct {
	Results    string           // the directory
	Targets    []*matrix.Target // the list of targets: their ids are theirs
	As         string           // an id in place of the record's own
	Replace    bool             // take the place of a record with the same id
	OtherSuite bool             // take records of other releases' cases too

	taken map[string]string // what this import has written, by id: from which file
}

// ErrThere says that the same record is there already.
var ErrThere = errors.New("is there already")

// File takes one record in and returns the id that it has now. The error is one
// line; the directory is then as it was.
func (i *Import) File(path string) (id string, err error) {
	r, err := readStrange(path)
	if err != nil {
		return "", err
	}
	if err := i.check(r); err != nil {
		return "", err
	}
	if r.Target.ID, err = fileID(r.Target.ID, i.As); err != nil {
		return "", err
	}
	id = r.Target.ID
	if err := r.Seal(); err != nil {
		return "", err
	}
	if err := i.clash(r); err != nil {
		return id, err
	}
	if err := matrix.WriteJSON(filepath.Join(i.Results, id+".json"), r); err != nil {
		return id, err
	}
	if i.taken == nil {
		i.taken = map[string]string{}
	}
	i.taken[id] = path
	return id, nil
}

// readStrange reads a file that may be anything.
func readStrange(path string) (*matrix.Record, error) {
	// A FIFO or a device might never end; opening alone can wait.
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, plain(err)
	case !info.Mode().IsRegular():
		return nil, errors.New("no regular file")
	case info.Size() > maxImport:
		return nil, fmt.Errorf("larger than %d MiB, no run record is", maxImport>>20)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, plain(err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxImport))
	if err != nil {
		return nil, plain(err)
	}
	r, err := matrix.Read(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	return r, printable(text)
}

// plain is an error without the path, which the caller names.
func plain(err error) error {
	var at *os.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// printable refuses text that would do something to a terminal.
func printable(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	for {
		token, err := decoder.Token()
		if err != nil {
			return nil // its end: it has been read as a whole before
		}
		word, ok := token.(string)
		if ok && strings.ContainsFunc(word, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' }) {
			return fmt.Errorf("control characters in %.40q", word)
		}
	}
}

// systemForm is for names that end up in other names.
var systemForm = regexp.MustCompile(`^[a-z0-9]{1,20}$`)

// check looks at what a reader of records takes for granted.
func (i *Import) check(r *matrix.Record) error {
	switch {
	case !r.Complete:
		return errors.New("the run was cut short")
	case len(r.Cases) == 0 && len(r.Features) == 0:
		return errors.New("it holds no result")
	case !systemForm.MatchString(r.Target.OS) || !systemForm.MatchString(r.Target.Arch):
		return fmt.Errorf("no system: %.40q on %.40q", r.Target.OS, r.Target.Arch)
	case !i.OtherSuite && r.Suite != cases.SuiteDigest():
		return fmt.Errorf("its cases are those of another release (%.40q): it can only be compared with records of that one", r.Suite)
	}
	last := ""
	for _, f := range r.Features {
		if !slices.Contains(probe.States, f.State) || f.Reason != "" && !slices.Contains(probe.Reasons, f.Reason) {
			return fmt.Errorf("feature %.60q: no such state or reason", f.ID)
		}
		if f.ID <= last {
			return fmt.Errorf("feature %.60q: not in order", f.ID)
		}
		last = f.ID
	}
	known := map[string]bool{}
	for _, c := range cases.All("") {
		known[c.ID] = true
	}
	last = ""
	for _, c := range r.Cases {
		switch {
		case !slices.Contains(cases.Verdicts, c.Verdict):
			return fmt.Errorf("case %.60q: no such verdict", c.ID)
		case c.ID <= last:
			return fmt.Errorf("case %.60q: not in order", c.ID)
		case !i.OtherSuite && !known[c.ID]:
			return fmt.Errorf("case %.60q: no such case", c.ID)
		}
		last = c.ID
	}
	return nil
}

var (
	ownID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.+~_-]*$`) // what kernels call their releases
	notID = regexp.MustCompile(`[^a-z0-9.]+`)
	dots  = regexp.MustCompile(`[.-]*\.[.-]*`)
)

// fileID is the id in the form that is also the name of a file.
func fileID(own, as string) (string, error) {
	id := own
	if as != "" {
		id = as
	}
	if !ownID.MatchString(id) || len(id) > 100 {
		return "", fmt.Errorf("its id %.60q is no name of a target: give it one with --as", id)
	}
	id = strings.Trim(dots.ReplaceAllString(notID.ReplaceAllString(strings.ToLower(id), "-"), "."), ".-")
	if !filepath.IsLocal(id + ".json") { // a device, on Windows
		return "", fmt.Errorf("its id %q is no name of a file: give it one with --as", id)
	}
	return id, nil
}

// clash looks for others with the same id.
func (i *Import) clash(r *matrix.Record) error {
	id := r.Target.ID
	if other, ok := i.taken[id]; ok {
		return fmt.Errorf("its id %s is that of %q as well: give it another one with --as", id, other)
	}
	for _, t := range i.Targets {
		if t.ID == id && (t.System != r.Target.OS || t.Arch != "" && t.Arch != r.Target.Arch) {
			return fmt.Errorf("its id %s is that of a target on %s/%s, and it ran on %s/%s", id, t.System, t.Arch, r.Target.OS, r.Target.Arch)
		}
	}
	path := filepath.Join(i.Results, id+".json")
	there, err := matrix.ReadFile(path)
	switch {
	case err == nil && there.Digest == r.Digest:
		return ErrThere
	case errors.Is(err, os.ErrNotExist), i.Replace:
		return nil
	}
	return fmt.Errorf("there is another record of %s: --replace puts this one in its place", id)
}
