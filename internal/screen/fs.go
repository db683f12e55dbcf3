package screen

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/probe/mount"
)

// Mounts shows what was found on mounts, one after another.
func Mounts(to io.Writer, result mount.Result) error {
	p := newPage(to)
	for i, r := range result.Mounts {
		if i > 0 {
			p.line("")
		}
		p.mount(r)
	}
	return p.to(to)
}

func (p *page) mount(r mount.Report) {
	p.line("%s", p.paint(text.Bold, clean(r.Path)+mountWords(r.Mount)))
	if r.Verdict == mount.Untried {
		p.wrapped("", "Nothing could be learned: "+r.Why+".")
		return
	}
	for i, s := range r.Sentences {
		if i == 0 {
			p.wrapped("", s)
			continue
		}
		p.wrapped("  ", s)
	}
	for i, s := range r.Remedies {
		if i == 0 {
			p.heading("What to do")
		}
		p.wrapped("  → ", s)
	}
	var rows [][]string
	for _, w := range r.Ways {
		if w.Compared > 0 || len(w.Refused) > 0 {
			rows = append(rows, p.wayRow(r, w))
		}
	}
	if len(rows) > 0 {
		p.heading("What was tried")
		p.table(header(r), rows)
	}
	p.situations(r)
	for i, s := range r.Notes {
		if i == 0 {
			p.heading("Notes")
		}
		p.wrapped("  - ", s)
	}
}

// mountWords is the mount in a line.
func mountWords(m mount.Mount) string {
	if m.Type == "" {
		return ""
	}
	s := ": " + m.Type
	if m.Source != "" && m.Source != m.Type && m.Source != "none" {
		s += " (" + m.Source + ")"
	}
	if m.Point != "" {
		s += " on " + m.Point
	}
	if m.Options != "" {
		s += ", " + m.Options
	}
	return clean(s)
}

func header(r mount.Report) []string {
	if r.Kind == mount.Changed {
		return []string{"call", "same size", "longer", "bytes"}
	}
	return []string{"call", "readings", "bytes", "really zero-copy"}
}

func (p *page) wayRow(r mount.Report, w mount.WayReport) []string {
	bytes := p.paint(text.FgGreen, "right")
	switch {
	case w.Faults > 0:
		bytes = p.paint(text.FgRed, fmt.Sprintf("WRONG in %d", w.Faults))
		if r.Kind == mount.Changed {
			bytes = p.paint(text.FgRed, "WRONG")
		}
	case w.Compared == 0:
		bytes = "refused, " + w.Errno
	case len(w.Refused) > 0:
		bytes = "right, or refused, " + w.Errno
	}
	if r.Kind == mount.Changed {
		return []string{clean(w.Call), orDash(w.Shows["changed-same-size"]), orDash(w.Shows["changed-longer"]), bytes}
	}
	shared := map[fixture.Witness]string{
		fixture.ByReference: "yes, by reference", fixture.Copied: "no, copied", fixture.Mixed: "partly",
		fixture.KernelOnly: "inside the kernel, sharing not seen",
	}[w.Witness]
	if w.Way == "lseek" || w.Way == "direct" || w.Compared == 0 {
		shared = "-"
	} else if shared == "" {
		shared = "not witnessed"
	}
	return []string{clean(w.Call), fmt.Sprint(w.Compared), bytes, shared}
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// situations says in which states the file was, and which could not be had.
func (p *page) situations(r mount.Report) {
	var made, not []string
	for _, s := range r.Situations {
		if s.Made {
			made = append(made, s.Words)
		} else {
			not = append(not, fmt.Sprintf("one that %s (%s)", s.Words, s.Why))
		}
	}
	if r.Kind != mount.Changed && len(made) > 0 {
		p.heading("Asked of a file that")
		p.wrapped("  ", strings.Join(made, "; ")+".")
	}
	if len(not) > 0 {
		p.wrapped("  not to be had here: ", strings.Join(not, "; "))
	}
	words := map[string]string{
		"yes":     "The page cache was really dropped before the cold readings.",
		"partly":  fmt.Sprintf("The page cache was dropped in part: %d of %d pages were still there.", r.Cache.Cached, r.Cache.Pages),
		"no":      "The page cache was not dropped, so no reading was cold: " + r.Cache.Why + ".",
		"unknown": "Whether the page cache was dropped is not known: " + r.Cache.Why + ".",
	}[r.Cache.Dropped]
	if words != "" && r.Kind != mount.Changed {
		p.wrapped("  ", words)
	}
}
