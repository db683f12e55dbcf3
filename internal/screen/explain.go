package screen

import (
	"io"

	"github.com/zcprobe/zcprobe/probe"
)

// Explanation shows the answer for one pair of ends, and what it rests on.
func Explanation(to io.Writer, x probe.Explanation) error {
	p := newPage(to)
	for i, sentence := range x.Sentences {
		if i == 0 {
			p.wrapped("", sentence)
			continue
		}
		p.wrapped("  ", sentence)
	}
	p.heading("What was tried")
	var rows [][]string
	for _, w := range x.Ways {
		if w.Tried {
			result := probe.PathResult{Works: w.Works, Errno: w.Errno, BytesRight: w.BytesRight, Witness: w.Witness}
			rows = append(rows, append([]string{clean(w.Call)}, p.pathVerdicts(result)...))
		}
	}
	if len(rows) > 0 {
		p.table([]string{"call", "works", "bytes", "really zero-copy"}, rows)
	}
	for _, w := range x.Ways {
		if !w.Tried && w.Why != "" {
			p.wrapped("  not tried: ", w.Call+": "+w.Why)
		}
	}
	p.heading("In Go")
	if x.Library != nil {
		p.wrapped("  zerocopy  ", libraryWords(*x.Library))
	}
	p.wrapped("  io.Copy   ", x.GoCopy)
	if len(x.Notes) > 0 {
		p.heading("Notes")
		for _, note := range x.Notes {
			p.wrapped("  - ", note)
		}
	}
	return p.to(to)
}

func libraryWords(way probe.LibraryWay) string {
	words := map[string]string{"sendfile": "sendfile(2)", "splice": "splice(2) through a pooled pipe", "copied": "a buffered copy"}[way.Path]
	if words == "" {
		words = way.Path
	}
	if way.Reason != "" {
		words += "; " + way.Reason
	}
	return words
}
