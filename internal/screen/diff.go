package screen

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/zcprobe/zcprobe/matrix"
)

// Diff shows what changed between two records.
func Diff(to io.Writer, before, after *matrix.Record, c matrix.Comparison) error {
	p := newPage(to)
	p.line("before: %s, %s", clean(before.Target.ID), before.Started.Format("2006-01-02 15:04"))
	p.line("after:  %s, %s", clean(after.Target.ID), after.Started.Format("2006-01-02 15:04"))
	if !c.SameSuite {
		p.wrapped("", "The records come from different suites, so cases are not compared: run the same zcprobe on both.")
	}
	for _, which := range c.Incomplete {
		p.line("The record %s was cut short.", which)
	}
	if len(c.Differences) == 0 {
		p.line("Nothing differs.")
		return p.to(to)
	}
	counts := map[matrix.Kind]int{}
	for _, d := range c.Differences {
		counts[d.Kind]++
	}
	var words []string
	for _, kind := range []matrix.Kind{matrix.Regressed, matrix.Improved, matrix.Changed, matrix.New, matrix.Gone} {
		if counts[kind] == 0 {
			continue
		}
		words = append(words, fmt.Sprintf("%d %s", counts[kind], kind))
		p.heading(strings.ToUpper(string(kind[0])) + string(kind[1:]))
		for _, d := range c.Differences {
			if d.Kind == kind {
				p.difference(d)
			}
		}
	}
	p.line("\n%s", strings.Join(words, ", "))
	return p.to(to)
}

func (p *page) difference(d matrix.Difference) {
	p.line("  %s %s", d.What, p.paint(text.Bold, clean(d.ID)))
	if d.Before != "" {
		p.wrapped("      before: ", d.Before)
	}
	if d.After != "" {
		p.wrapped("      after:  ", d.After)
	}
}
