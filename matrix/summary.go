package matrix

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/zcprobe/zcprobe/cases"
)

// Row is one line of a summary of many runs.
type Row struct {
	ID      string
	Record  *Record // nil where the target did not report
	Problem string  // one line on what is wrong; "" when nothing is
	Changes *Comparison
}

// Summary is what came of running on many targets.
type Summary struct {
	Rows []Row // problems first, else in the order of the targets, then by id

	planned bool // targets were to report
}

// Summarize puts what targets were to report and what came together. Paths are
// records, or directories of them. A record that cannot be read is a problem of
// its row and no error, since it came from another machine; an error is a path
// that is not there.
func Summarize(planned []*Target, paths []string) (*Summary, error) {
	files, err := recordFiles(paths)
	if err != nil {
		return nil, err
	}
	rows := map[string]Row{}
	var ids []string
	for _, t := range planned {
		rows[t.ID] = Row{ID: t.ID, Problem: "did not report"}
		ids = append(ids, t.ID)
	}
	for _, file := range files {
		row := Row{ID: strings.TrimSuffix(filepath.Base(file), ".json")}
		if r, err := ReadFile(file); err != nil {
			row.Problem = err.Error()
		} else {
			row.ID, row.Record, row.Problem = r.Target.ID, r, problem(planned, r)
		}
		before, known := rows[row.ID]
		switch {
		case !known:
			ids = append(ids, row.ID)
		case before.Record != nil:
			row.Problem = "more than one record says that it is this target's"
		}
		rows[row.ID] = row
	}
	s := &Summary{planned: len(planned) > 0}
	for _, id := range ids {
		s.Rows = append(s.Rows, rows[id])
	}
	slices.SortStableFunc(s.Rows, func(a, b Row) int {
		switch {
		case (a.Problem == "") == (b.Problem == ""):
			return 0
		case a.Problem != "":
			return -1
		}
		return 1
	})
	return s, nil
}

// recordFiles is the files among paths and in the directories among them.
func recordFiles(paths []string) ([]string, error) {
	var files []string
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case err != nil:
			return nil, fmt.Errorf("read records: %w", err)
		case !info.IsDir():
			files = append(files, path)
			continue
		}
		found, err := filepath.Glob(filepath.Join(path, "*.json"))
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	return files, nil
}

// problem says in one line why a record fails its target; "" when it does not.
func problem(planned []*Target, r *Record) string {
	var words []string
	if !r.Complete {
		words = append(words, "the run was cut short")
	}
	for _, v := range []cases.Verdict{cases.Deviates, cases.TimedOut, cases.Crashed} {
		if n := r.Count(v); n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, v))
		}
	}
	if t := r.Target.LibraryTests; t != nil && t.Failed > 0 {
		words = append(words, fmt.Sprintf("%d library tests failed", t.Failed))
	}
	for _, t := range planned {
		if t.ID != r.Target.ID {
			continue
		}
		if short := t.Short(r); short != "" {
			words = append(words, short)
		}
		// Whatever brings a target up ships the tests too: a record without
		// them comes from a leg that went another way than it was meant to.
		if r.Target.LibraryTests == nil {
			words = append(words, "the library's tests did not run")
		}
	}
	return strings.Join(words, ", ")
}

// Before adds to each row what changed since an earlier run, from records in a
// directory. A target without a readable record there has no changes.
func (s *Summary) Before(dir string) {
	for i, row := range s.Rows {
		if row.Record == nil {
			continue
		}
		before, err := ReadFile(filepath.Join(dir, row.ID+".json"))
		if err != nil {
			continue
		}
		c := Compare(before, row.Record)
		s.Rows[i].Changes = &c
	}
}

// Problems counts the rows with one.
func (s *Summary) Problems() int {
	n := 0
	for _, row := range s.Rows {
		if row.Problem != "" {
			n++
		}
	}
	return n
}
