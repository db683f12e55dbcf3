package screen

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/zcprobe/zcprobe/cases"
	"github.com/zcprobe/zcprobe/cases/catalog"
)

// Coverage shows which rows of the behaviour catalogue cases cover, why the
// others are not, and the numbers last.
func Coverage(to io.Writer, coverage cases.Coverage) error {
	p := newPage(to)
	var rows [][]string
	for _, c := range coverage.Covered {
		rows = append(rows, []string{c.ID, strings.Join(c.Cases, ", ")})
	}
	if len(rows) > 0 {
		p.heading("Covered")
		p.table([]string{"row", "by"}, rows)
	}
	for _, kind := range append([]catalog.Kind{""}, catalog.Kinds...) {
		p.uncovered(coverage.Uncovered, kind)
	}
	p.heading("Rows")
	rows = nil
	all, covered := 0, 0
	for _, g := range coverage.Groups {
		all, covered = all+g.Rows, covered+g.Covered
		rows = append(rows, []string{string(g.Group), strconv.Itoa(g.Covered), strconv.Itoa(g.Rows), percent(g.Covered, g.Rows)})
	}
	rows = append(rows, []string{"all", strconv.Itoa(covered), strconv.Itoa(all), percent(covered, all)})
	p.table([]string{"group", "covered", "rows", ""}, rows)
	return p.to(to)
}

// uncovered lists the rows that are missing for one kind of reason. A reason
// that many rows share stands once.
func (p *page) uncovered(list []cases.UncoveredRow, kind catalog.Kind) {
	var rows [][]string
	shared := map[string]int{} // prefix: its place in rows
	counts := map[string]int{}
	for _, u := range list {
		if u.Kind != kind {
			continue
		}
		if u.Under == "" {
			rows = append(rows, []string{u.ID, u.Why})
			continue
		}
		if counts[u.Under]++; counts[u.Under] == 1 {
			shared[u.Under] = len(rows)
			rows = append(rows, []string{"", u.Why})
		}
		rows[shared[u.Under]][0] = fmt.Sprintf("%s (%d rows)", u.Under, counts[u.Under])
	}
	if len(rows) == 0 {
		return
	}
	words := string(kind)
	if kind == "" {
		words = "no reason given"
	}
	p.heading("Not covered: " + words)
	p.table(nil, rows)
}

func percent(part, whole int) string {
	if whole == 0 {
		return ""
	}
	return fmt.Sprintf("%d %%", 100*part/whole)
}
