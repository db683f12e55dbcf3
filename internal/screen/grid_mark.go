package screen

import (
	"maps"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/probe"
)

// The marks of pairs that work, and of those that have no errno.
var (
	worksMarks = map[fixture.Witness]string{
		fixture.ByReference: "=", fixture.Mixed: "~", fixture.Copied: "c", fixture.KernelOnly: "k", fixture.NotWitnessed: "+",
	}
	wrongMark   = "!"
	nothingMark = "<"
)

// otherMarks is what the other marks mean, the one to explain first.
var otherMarks = [][2]string{
	{"=", "works, by reference: not a byte was copied"},
	{"~", "works, in part by reference"},
	{"c", "works, copied"},
	{"k", "works inside the kernel, where sharing cannot be seen"},
	{"+", "works; whether by reference was not seen"},
	{wrongMark, "takes the bytes, and WRONG ones arrive"},
	{nothingMark, "moved nothing, or not all, and gave no error"},
}

// errnoMarks are the marks of the errors that are to be expected, and what they
// mean for a pair.
var errnoMarks = map[string]struct{ mark, means string }{
	"EINVAL":          {".", "the call does not serve this pair"},
	"EBADF":           {"B", "an end is not open for that"},
	"EAGAIN":          {"A", "would wait"},
	"EISDIR":          {"D", "an end is a directory"},
	"EPERM":           {"P", "forbidden"},
	"EXDEV":           {"X", "not from one filesystem to another"},
	"ENOSPC":          {"N", "no room"},
	"EOPNOTSUPP":      {"U", "the end has no such operation"},
	"ENOSYS":          {"S", "no such call"},
	"EIO":             {"I", ""},
	"EOVERFLOW":       {"V", "an offset that the end cannot have"},
	"ESPIPE":          {"E", "an end has no position"},
	probe.PathTimeout: {"H", "never returns"},
	probe.PathCrashed: {"#", "took its process with it"},
	probe.PathSetUp:   {" ", "not tried"},
}

// letters gives each errno a mark: its own, or the next letter that is free.
func letters(errnos []string) map[string]string {
	marks := map[string]string{}
	taken := map[string]bool{}
	for _, e := range errnoMarks {
		taken[e.mark] = true
	}
	free := strings.Split("FGJKLMOQRTWYZ0123456789abdefghijlmnopqrstuvwxyz", "")
	for _, errno := range errnos {
		if known, ok := errnoMarks[errno]; ok {
			marks[errno] = known.mark
			continue
		}
		marks[errno] = "?"
		for len(free) > 0 {
			next := free[0]
			free = free[1:]
			if !taken[next] {
				marks[errno] = next
				break
			}
		}
	}
	return marks
}

// mark is what a pair is shown as.
func (g *grid) mark(r probe.PathResult) string {
	switch {
	case r.Works && !r.BytesRight:
		return wrongMark
	case r.Works:
		return worksMarks[r.Witness]
	case r.Errno == "":
		return nothingMark
	default:
		return g.letters[r.Errno]
	}
}

// mark colours a mark.
func (p *page) mark(mark string) string {
	switch mark {
	case "=", "k", "+":
		return p.paint(text.FgGreen, mark)
	case "c", "~":
		return p.paint(text.FgYellow, mark)
	case wrongMark, nothingMark, "H", "#":
		return p.paint(text.FgRed, mark)
	case ".":
		return p.paint(text.Faint, mark)
	default:
		return mark
	}
}

// legend says what the marks mean that were used.
func (p *page) legend(g *grid) {
	used := map[string]bool{}
	for _, r := range g.pairs {
		used[g.mark(r)] = true
	}
	p.line("")
	for _, m := range otherMarks {
		if used[m[0]] {
			p.line("  %s  %s", p.mark(m[0]), m[1])
		}
	}
	for _, errno := range slices.Sorted(maps.Keys(g.letters)) {
		known := errnoMarks[errno]
		switch errno {
		case "", probe.PathSetUp:
		case probe.PathTimeout, probe.PathCrashed:
			p.line("  %s  %s", p.mark(known.mark), known.means)
		default:
			p.line("  %s  %s", p.mark(g.letters[errno]), strings.Join(nonEmpty(clean(errno), known.means), ": "))
		}
	}
	if used[" "] {
		p.line("     not tried, see below")
	}
}
