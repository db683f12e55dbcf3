package matrix

import (
	"fmt"
	"html"
	"io"
	"slices"
	"strings"
	"unicode"

	"github.com/zcprobe/zcprobe/cases"
	"github.com/zcprobe/zcprobe/probe"
)

// WriteMarkdown writes a summary as Markdown with tables, for pages such as the
// summary of a job in GitHub Actions. Where it is about one record and no plan,
// its features are shown as well.
func (s *Summary) WriteMarkdown(to io.Writer) error {
	var b strings.Builder
	reported := 0
	for _, row := range s.Rows {
		if row.Record != nil {
			reported++
		}
	}
	fmt.Fprintf(&b, "**%d of %d targets reported, %d with a problem.**\n\n", reported, len(s.Rows), s.Problems())
	b.WriteString("| | target | system | backend | features | cases | library tests |\n|---|---|---|---|---|---|---|\n")
	for _, row := range s.Rows {
		row.line(&b)
	}
	for _, row := range s.Rows {
		row.details(&b)
	}
	if !s.planned && len(s.Rows) == 1 && s.Rows[0].Record != nil {
		featureTable(&b, s.Rows[0].Record.Features)
	}
	s.changes(&b)
	_, err := io.WriteString(to, b.String())
	return err
}

// line is a row of the table.
func (row *Row) line(b *strings.Builder) {
	words := "✅ as expected"
	if row.Problem != "" {
		words = "❌ " + row.Problem
	}
	cells := []string{words, row.ID, "", "", "", "", ""}
	if r := row.Record; r != nil {
		works := 0
		for _, f := range r.Features {
			if f.Works() {
				works++
			}
		}
		var verdicts []string
		for _, v := range verdictsInOrder {
			if n := r.Count(v); n > 0 {
				verdicts = append(verdicts, fmt.Sprintf("%s %d", v, n))
			}
		}
		cells[2] = r.Target.OS + " " + r.Target.Kernel + " " + r.Target.Arch
		cells[3] = r.Backend
		cells[4] = fmt.Sprintf("%d of %d", works, len(r.Features))
		cells[5] = strings.Join(verdicts, ", ")
		if t := r.Target.LibraryTests; t != nil {
			cells[6] = fmt.Sprintf("%d passed, %d failed, %d skipped", t.Passed, t.Failed, t.Skipped)
		}
	}
	tableRow(b, cells)
}

var verdictsInOrder = []cases.Verdict{
	cases.Conforms, cases.Deviates, cases.TimedOut, cases.Crashed, cases.Broken, cases.Known, cases.Recorded, cases.Skipped,
}

// details is what a person looks at first where something is wrong.
func (row *Row) details(b *strings.Builder) {
	if row.Record == nil {
		return
	}
	var lines []string
	for _, c := range row.Record.Cases {
		if slices.Contains([]cases.Verdict{cases.Deviates, cases.TimedOut, cases.Crashed, cases.Broken}, c.Verdict) {
			lines = append(lines, fmt.Sprintf("%s %s: %s", c.Verdict, c.ID, strings.ReplaceAll(c.Explain(), "\n", "; ")))
		}
	}
	if t := row.Record.Target.LibraryTests; t != nil {
		for _, name := range t.Failures {
			lines = append(lines, "library test failed: "+name)
		}
	}
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(b, "\n<details><summary>%s</summary>\n\n", html.EscapeString(row.ID))
	for _, line := range lines {
		fmt.Fprintf(b, "- %s\n", markdown(line))
	}
	b.WriteString("\n</details>\n")
}

// featureTable is the table of features.
func featureTable(b *strings.Builder, list []probe.Finding) {
	b.WriteString("\n### Features\n\n| feature | state | reason | call | remedy |\n|---|---|---|---|---|\n")
	for _, f := range list {
		mark := "✅ "
		if !f.Works() {
			mark = "➖ "
		}
		tableRow(b, []string{f.ID, mark + string(f.State), string(f.Reason), strings.TrimSpace(f.Call + " " + f.Errno), f.Remedy})
	}
}

// changes is what is other than in the run before.
func (s *Summary) changes(b *strings.Builder) {
	compared := 0
	var body strings.Builder
	for _, row := range s.Rows {
		if row.Changes == nil {
			continue
		}
		compared++
		if len(row.Changes.Differences) == 0 && row.Changes.SameSuite {
			continue
		}
		fmt.Fprintf(&body, "\n#### %s\n\n", markdown(row.ID))
		if !row.Changes.SameSuite {
			body.WriteString("Another suite, so cases are not compared.\n\n")
		}
		for _, d := range row.Changes.Differences {
			fmt.Fprintf(&body, "- **%s** %s %s", d.Kind, d.What, markdown(d.ID))
			for _, side := range []struct{ name, words string }{{"before", d.Before}, {"after", d.After}} {
				if side.words != "" {
					fmt.Fprintf(&body, "; %s: %s", side.name, markdown(side.words))
				}
			}
			body.WriteByte('\n')
		}
	}
	switch {
	case compared == 0:
	case body.Len() == 0:
		fmt.Fprintf(b, "\n### Since the run before\n\nNothing differs on the %d targets that both runs have.\n", compared)
	default:
		b.WriteString("\n### Since the run before\n" + body.String())
	}
}

func tableRow(b *strings.Builder, cells []string) {
	for _, c := range cells {
		b.WriteString("| " + markdown(c) + " ")
	}
	b.WriteString("|\n")
}

// markdown shows text of a record, which may come from a stranger's machine, as
// it is: none of it becomes markup, a cell's border or another line.
func markdown(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control):
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "�"))
	return escaped.Replace(text)
}

var escaped = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "|", `\|`, "#", `\#`, "~", `\~`,
	"<", "&lt;", ">", "&gt;", "&", "&amp;", "://", "&#58;//", "@", "&#64;",
)
