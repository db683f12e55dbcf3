package screen

import (
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/zcprobe/zcprobe/cases"
	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/matrix"
	"github.com/zcprobe/zcprobe/probe"
)

// Run shows what a whole run found: the host, the paths, what is missing, what
// deviates, and how long it took.
func Run(to io.Writer, r *matrix.Record, room probe.Headroom) error {
	p := newPage(to)
	p.host(r)
	p.paths(r)
	p.missing(r)
	p.cases(r)
	p.grid(r)
	p.headroom(room)
	p.took(r)
	return p.to(to)
}

// Probe shows every feature.
func Probe(to io.Writer, r *matrix.Record, room probe.Headroom) error {
	p := newPage(to)
	p.host(r)
	p.features(r)
	p.headroom(room)
	p.took(r)
	return p.to(to)
}

// CasesRun shows the results of chosen cases, each of them.
func CasesRun(to io.Writer, r *matrix.Record, _ probe.Headroom) error {
	p := newPage(to)
	rows := make([][]string, len(r.Cases))
	for i, c := range r.Cases {
		rows[i] = []string{p.verdict(c.Verdict), clean(c.ID), clean(c.Reason)}
		if c.Verdict == cases.Deviates {
			rows[i][2] = ""
		}
	}
	p.table(nil, rows)
	p.cases(r)
	p.took(r)
	return p.to(to)
}

func (p *page) host(r *matrix.Record) {
	t := r.Target
	words := []string{p.paint(text.Bold, clean(systemName(t.OS)+" "+t.Version+" "+t.Arch))}
	if t.Kernel != t.Version {
		words = append(words, "kernel "+clean(t.Kernel))
	}
	for _, w := range []string{t.Distribution, t.Emulator, t.Container, t.Privileges} {
		if w != "" {
			words = append(words, clean(w))
		}
	}
	if t.Seccomp != "" {
		words = append(words, "seccomp: "+clean(t.Seccomp))
	}
	if t.Filesystem != "" {
		words = append(words, "files on "+clean(t.Filesystem))
	}
	p.line("%s", strings.Join(words, ", "))
	p.line("Package zerocopy uses %s here.", p.paint(text.Bold, backendWords(r.Backend)))
}

func systemName(goos string) string {
	names := map[string]string{"linux": "Linux", "darwin": "macOS", "freebsd": "FreeBSD", "windows": "Windows", "openbsd": "OpenBSD", "netbsd": "NetBSD"}
	if name, ok := names[goos]; ok {
		return name
	}
	return goos
}

func backendWords(name string) string {
	switch name {
	case "sendfile+splice", "sendfile":
		return name
	case "none":
		return "no zero copy, plain copies,"
	default:
		return "(not found out)"
	}
}

// paths is the table of ways, with both verdicts.
func (p *page) paths(r *matrix.Record) {
	if len(r.Paths) == 0 {
		return
	}
	p.heading("Paths")
	var rows [][]string
	for _, path := range plainPaths(r.Paths) {
		rows = append(rows, append([]string{clean(path.Facility), clean(path.Source + " → " + path.Destination)}, p.pathVerdicts(path)...))
	}
	p.table([]string{"call", "way", "works", "bytes", "really zero-copy"}, rows)
}

func (p *page) pathVerdicts(path probe.PathResult) []string {
	if !path.Works {
		why := "no"
		if path.Errno != "" {
			why += ", " + clean(path.Errno)
		}
		return []string{p.paint(text.FgRed, why), "-", "-"}
	}
	right := p.paint(text.FgGreen, "right")
	if !path.BytesRight {
		right = p.paint(text.FgRed, "WRONG")
	}
	return []string{p.paint(text.FgGreen, "yes"), right, p.witness(path.Witness)}
}

func (p *page) witness(w fixture.Witness) string {
	switch w {
	case fixture.ByReference:
		return p.paint(text.FgGreen, "yes, by reference")
	case fixture.Copied:
		return p.paint(text.FgYellow, "no, copied")
	case fixture.Mixed:
		return p.paint(text.FgYellow, "in part")
	case fixture.KernelOnly:
		return "inside the kernel, sharing not seen"
	default:
		return "not witnessed"
	}
}

// missing shows the features that are not plainly available.
func (p *page) missing(r *matrix.Record) {
	if len(r.Features) == 0 {
		return
	}
	counts := map[probe.State]int{}
	for _, f := range r.Features {
		counts[f.State]++
	}
	var words []string
	for _, s := range probe.States {
		if counts[s] > 0 {
			words = append(words, fmt.Sprintf("%d %s", counts[s], s))
		}
	}
	p.heading(fmt.Sprintf("Features: %s", strings.Join(words, ", ")))
	for _, same := range alike(r.Features) {
		if s := same[0].State; s != probe.Available && s != probe.NotApplicable {
			p.feature(same)
		}
	}
	p.line("  zcprobe probe shows all of them.")
}

// alike groups features that follow one another and differ in nothing but their
// ids: five questions to a module that is missing have one answer.
func alike(features []probe.Finding) [][]probe.Finding {
	var groups [][]probe.Finding
	for _, f := range features {
		if n := len(groups); n > 0 {
			last := groups[n-1][0]
			last.ID = f.ID
			if reflect.DeepEqual(last, f) {
				groups[n-1] = append(groups[n-1], f)
				continue
			}
		}
		groups = append(groups, []probe.Finding{f})
	}
	return groups
}

// feature shows findings that are alike.
func (p *page) feature(same []probe.Finding) {
	f := same[0]
	ids := make([]string, len(same))
	for i, s := range same {
		ids[i] = clean(s.ID)
	}
	p.line("  %s  %s", p.state(f.State), strings.Join(ids, ", "))
	p.wrapped("      ", strings.Join(nonEmpty(string(f.Reason), nonEmptyJoin(" says ", f.Call, f.Errno)), ": "))
	for _, e := range f.Evidence {
		p.wrapped("      ", e)
	}
	if f.Remedy != "" {
		p.wrapped("      → ", f.Remedy)
	}
}

// features shows each feature in a line, with what is behind it where it is not
// plainly available.
func (p *page) features(r *matrix.Record) {
	titles := map[string]string{}
	for _, f := range probe.Features(r.Target.OS) {
		titles[f.ID] = f.Title
	}
	p.heading("Features")
	for _, f := range r.Features {
		if f.State == probe.Available {
			p.line("  %s  %s: %s", p.state(f.State), clean(f.ID), titles[f.ID])
			continue
		}
		p.feature([]probe.Finding{f})
	}
}

func (p *page) state(s probe.State) string {
	colours := map[probe.State]text.Color{probe.Available: text.FgGreen, probe.Degraded: text.FgYellow, probe.Absent: text.FgRed, probe.Denied: text.FgRed}
	if c, ok := colours[s]; ok {
		return p.paint(c, fmt.Sprintf("%-12s", s))
	}
	return fmt.Sprintf("%-12s", clean(string(s)))
}

// cases counts the verdicts and shows what is not as it should be.
func (p *page) cases(r *matrix.Record) {
	if len(r.Cases) == 0 {
		return
	}
	var words []string
	for _, v := range cases.Verdicts {
		if n := r.Count(v); n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, count(v)))
		}
	}
	p.heading(fmt.Sprintf("Cases: %d, %s", len(r.Cases), strings.Join(words, ", ")))
	for _, c := range r.Cases {
		switch c.Verdict {
		case cases.Conforms, cases.Recorded, cases.Skipped:
			continue
		}
		p.line("  %s  %s", p.verdict(c.Verdict), clean(c.ID))
		for line := range strings.SplitSeq(c.Explain(), "\n") {
			p.wrapped("      ", line)
		}
	}
	if skipped := p.skips(r); skipped != "" {
		p.line("  skipped: %s", skipped)
	}
}

// skips counts the reasons to skip.
func (p *page) skips(r *matrix.Record) string {
	var words []string
	for _, why := range cases.Skips {
		n := 0
		for _, c := range r.Cases {
			if c.Verdict == cases.Skipped && c.Reason == string(why) {
				n++
			}
		}
		if n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, why))
		}
	}
	return strings.Join(words, ", ")
}

// count is the verb of a verdict in a sum.
func count(v cases.Verdict) string {
	switch v {
	case cases.Conforms:
		return "conform"
	case cases.Deviates:
		return "deviate"
	default:
		return string(v)
	}
}

func (p *page) verdict(v cases.Verdict) string {
	words := fmt.Sprintf("%-8s", clean(string(v)))
	switch v {
	case cases.Conforms:
		return p.paint(text.FgGreen, words)
	case cases.Deviates, cases.TimedOut, cases.Crashed:
		return p.paint(text.FgRed, words)
	case cases.Broken, cases.Known:
		return p.paint(text.FgYellow, words)
	default:
		return words
	}
}

// headroom shows the limits of this user that zero copy meets first.
func (p *page) headroom(h probe.Headroom) {
	p.heading("Headroom")
	p.wrapped("  descriptors    ", fmt.Sprintf("%s (ulimit -n)", limit(h.Descriptors)))
	switch pipes := h.LargePipes(); {
	case h.PipeExempt:
		p.wrapped("  pipes          ", "no limit for this user (CAP_SYS_RESOURCE or CAP_SYS_ADMIN)")
	case pipes > 0:
		p.wrapped("  pipes          ", fmt.Sprintf("%d of 1 MiB for all processes of this user, then tiny ones (fs.pipe-user-pages-soft = %d)", pipes, h.PipeSoftPages))
	}
	if h.PipeMaxSize > 0 {
		p.wrapped("  pipe size      ", fmt.Sprintf("at most %s (fs.pipe-max-size)", size(uint64(h.PipeMaxSize))))
	}
	p.wrapped("  locked memory  ", fmt.Sprintf("%s (ulimit -l)", limitBytes(h.MemoryLock)))
	if h.Seccomp != "" {
		p.wrapped("  seccomp        ", h.Seccomp)
	}
}

func limit(n uint64) string {
	if n == probe.Unlimited {
		return "no limit"
	}
	return fmt.Sprint(n)
}

func limitBytes(n uint64) string {
	if n == probe.Unlimited {
		return "no limit"
	}
	return size(n)
}

// size shows a size in the largest unit that divides it.
func size(n uint64) string {
	for _, unit := range []struct {
		name string
		size uint64
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if n >= unit.size && n%unit.size == 0 {
			return fmt.Sprintf("%d %s", n/unit.size, unit.name)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}

func (p *page) took(r *matrix.Record) {
	took := time.Duration(r.DurationMS) * time.Millisecond
	p.line("")
	if !r.Complete {
		p.line("%s: these are the results so far.", p.paint(text.FgYellow, "Interrupted"))
	}
	p.line("Took %.1f s.", took.Seconds())
}

func nonEmpty(words ...string) []string {
	var list []string
	for _, w := range words {
		if w != "" {
			list = append(list, w)
		}
	}
	return list
}

// nonEmptyJoin joins the words that are there.
func nonEmptyJoin(between string, words ...string) string {
	return strings.Join(nonEmpty(words...), between)
}
