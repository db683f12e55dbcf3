// Package screen shows results to a person. A terminal gets colour, a pipe gets
// plain text, and NO_COLOR holds (https://no-color.org).
package screen

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"

	"github.com/zcprobe/zcprobe/matrix"
	"github.com/zcprobe/zcprobe/probe"
)

// Show shows a record, and the limits that its run met.
type Show func(io.Writer, *matrix.Record, probe.Headroom) error

// page collects what is shown and writes it at once.
type page struct {
	strings.Builder
	colour bool
	width  int
}

func newPage(to io.Writer) *page {
	p := &page{width: 100}
	if file, ok := to.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		p.colour = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
		if w, _, err := term.GetSize(int(file.Fd())); err == nil && w > 20 {
			p.width = w
		}
	}
	return p
}

func (p *page) line(format string, arguments ...any) {
	fmt.Fprintf(p, format+"\n", arguments...)
}

// wrapped writes a paragraph within the width, with indent before it and as much room before its other lines.
func (p *page) wrapped(indent, paragraph string) {
	lines := strings.Split(text.WrapSoft(clean(paragraph), p.width-len(indent)), "\n")
	for i, l := range lines {
		if i == 1 {
			indent = strings.Repeat(" ", text.StringWidth(indent))
		}
		p.line("%s%s", indent, strings.TrimRight(l, " "))
	}
}

func (p *page) heading(words string) { p.line("\n%s", p.paint(text.Bold, words)) }

func (p *page) paint(c text.Color, words string) string {
	if !p.colour {
		return words
	}
	return c.EscapeSeq() + words + text.Reset.EscapeSeq()
}

// table writes rows in columns without lines around them.
func (p *page) table(header []string, rows [][]string) {
	t := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Format.Header = text.FormatDefault
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	t.SetStyle(style)
	if header != nil {
		t.AppendHeader(row(header))
	}
	for _, r := range rows {
		t.AppendRow(row(r))
	}
	for _, l := range strings.Split(t.Render(), "\n") {
		p.line("  %s", strings.TrimRight(l, " "))
	}
}

func row(cells []string) table.Row {
	r := make(table.Row, len(cells))
	for i, c := range cells {
		r[i] = c
	}
	return r
}

func (p *page) to(w io.Writer) error {
	_, err := io.WriteString(w, p.String())
	return err
}

// clean makes text from records harmless on a terminal: control characters are
// shown, not obeyed.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '\uFFFD'
		}
		return r
	}, strings.ReplaceAll(strings.ReplaceAll(s, "\n", " "), "\t", " "))
}
