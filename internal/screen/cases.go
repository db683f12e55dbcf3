package screen

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/zcprobe/zcprobe/cases"
)

// Cases lists cases, a line each.
func Cases(to io.Writer, list []*cases.Case) error {
	p := newPage(to)
	for _, c := range list {
		p.line("%-6s  %s", c.Level, c.ID)
	}
	p.line("%d cases; zcprobe cases show ID tells more of each.", len(list))
	return p.to(to)
}

// Case shows what one case requires and where that is said.
func Case(to io.Writer, c *cases.Case) error {
	p := newPage(to)
	p.line("%s", p.paint(text.Bold, c.ID))
	p.wrapped("", c.Title+".")
	p.line("")
	p.table(nil, [][]string{
		{"facility", c.Facility},
		{"level", string(c.Level)},
		{"systems", strings.Join(c.Systems, ", ")},
		{"needs", strings.Join(append(c.Needs, asRoot(c)...), ", ")},
		{"covers", strings.Join(c.Covers, "\n")},
		{"sources", strings.Join(c.Sources, "\n")},
	})
	p.heading("Expected")
	if len(c.Expect) == 0 {
		p.line("  No source says what is right; what is seen is recorded.")
	}
	ranges := c.Ranges()
	for i, x := range c.Expect {
		p.line("  On %s:", ranges[i])
		p.expectation(x)
	}
	if c.Caller != "" {
		p.heading("What a caller should do")
		p.wrapped("  ", c.Caller)
	}
	p.heading("Reproduce")
	p.line("  zcprobe cases run %s", c.ID)
	return p.to(to)
}

func asRoot(c *cases.Case) []string {
	if c.Root {
		return []string{"root"}
	}
	return nil
}

func (p *page) expectation(x cases.Expectation) {
	rows := make([][]string, 0, len(x.Facts))
	for _, name := range slices.Sorted(maps.Keys(x.Facts)) {
		rows = append(rows, []string{"  " + name, cases.Words(x.Facts[name])})
	}
	p.table(nil, rows)
	if x.Why != "" {
		p.wrapped("    ", x.Why)
	}
	if x.Known != "" {
		p.wrapped("    ", fmt.Sprintf("Known to be wrong: %s", x.Known))
	}
}
