package screen

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/zcprobe/zcprobe/matrix"
	"github.com/zcprobe/zcprobe/probe"
)

// grid shows every pair of ends, one table a call: a row for each source, a
// column for each destination, a mark for what came of it.
func (p *page) grid(r *matrix.Record) {
	g := newGrid(r.Paths)
	if g == nil {
		return
	}
	p.heading("Grid: " + g.sum())
	p.line("  down: where bytes come from; across: where they go")
	for _, facility := range g.facilities {
		if facility == "io_uring" && g.alike(facility, "splice") {
			p.line("\n  %s: all as by splice(2)", p.paint(text.Bold, gridCall(facility)))
			continue
		}
		p.line("\n  %s", p.paint(text.Bold, gridCall(facility)))
		p.gridTable(g, facility)
	}
	p.legend(g)
	p.untried(g)
}

// grid is the pairs of a record by their ends.
type grid struct {
	facilities            []string
	sources, destinations []string
	pairs                 map[probe.Path]probe.PathResult
	letters               map[string]string // the mark of an errno
}

// plainPaths are the paths that a run without a grid tries, too.
func plainPaths(all []probe.PathResult) []probe.PathResult {
	return slices.DeleteFunc(slices.Clone(all), func(r probe.PathResult) bool {
		return !slices.Contains(probe.Paths("linux"), probe.Path{Facility: r.Facility, Source: r.Source, Destination: r.Destination})
	})
}

// newGrid takes the grid out of all paths of a record; nil where it has none.
func newGrid(all []probe.PathResult) *grid {
	if len(plainPaths(all)) == len(all) {
		return nil
	}
	g := &grid{pairs: map[probe.Path]probe.PathResult{}}
	known := map[string]bool{}
	for _, facility := range probe.GridFacilities() {
		known[facility] = true
	}
	of := map[string]map[string]bool{"facility": {}, "source": {}, "destination": {}, "errno": {}}
	for _, r := range all {
		if !known[r.Facility] || r.Source == "memory" {
			continue
		}
		path := probe.Path{Facility: r.Facility, Source: r.Source, Destination: r.Destination}
		g.pairs[path] = r
		of["facility"][r.Facility] = true
		if !r.Works {
			of["errno"][r.Errno] = true
		}
		if r.Errno != probe.PathSetUp { // a row of nothing but that tells nothing
			of["source"][r.Source], of["destination"][r.Destination] = true, true
		}
	}
	sources, destinations := probe.GridEnds()
	g.facilities = inOrder(of["facility"], probe.GridFacilities())
	g.sources, g.destinations = inOrder(of["source"], sources), inOrder(of["destination"], destinations)
	g.letters = letters(slices.Sorted(maps.Keys(of["errno"])))
	return g
}

// inOrder sorts names as a list has them; others, of another zcprobe, follow.
func inOrder(names map[string]bool, order []string) []string {
	var list []string
	for _, name := range order {
		if names[name] {
			list = append(list, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if !slices.Contains(order, name) {
			list = append(list, name)
		}
	}
	return list
}

// gridCall names a call of the grid to a reader.
func gridCall(facility string) string {
	switch facility {
	case "splice":
		return "splice(2), through a pipe where no end is one"
	case "io_uring":
		return "io_uring IORING_OP_SPLICE, through a pipe where no end is one"
	default:
		return clean(facility) + "(2)"
	}
}

// alike tells whether two calls answer the same for every pair.
func (g *grid) alike(a, b string) bool {
	for path, x := range g.pairs {
		if path.Facility == a {
			path.Facility = b
			y, ok := g.pairs[path]
			if y.Facility = a; !ok || x != y {
				return false
			}
		}
	}
	return true
}

// sum counts what came of the pairs.
func (g *grid) sum() string {
	counts := map[string]int{}
	for _, r := range g.pairs {
		switch {
		case r.Works && !r.BytesRight:
			counts["wrong bytes"]++
		case r.Works:
			counts["work"]++
		case r.Errno == probe.PathSetUp:
			counts["not tried"]++
		case r.Errno == probe.PathTimeout:
			counts["never return"]++
		case r.Errno == probe.PathCrashed:
			counts["crash"]++
		default:
			counts["refused"]++
		}
	}
	words := []string{fmt.Sprintf("%d pairs", len(g.pairs))}
	for _, what := range []string{"work", "wrong bytes", "refused", "never return", "crash", "not tried"} {
		if counts[what] > 0 {
			words = append(words, fmt.Sprintf("%d %s", counts[what], what))
		}
	}
	return strings.Join(words, ", ")
}

// gridTable writes the table of one call, as many columns at a time as the page
// is wide.
func (p *page) gridTable(g *grid, facility string) {
	margin := 0
	for _, s := range g.sources {
		margin = max(margin, text.StringWidth(clean(s)))
	}
	margin += 4 // two before, two after
	room := max((p.width-margin)/2, 1)
	for columns := range slices.Chunk(g.destinations, even(len(g.destinations), room)) {
		for _, line := range upright(columns) {
			p.line("%s%s", strings.Repeat(" ", margin), line)
		}
		for _, s := range g.sources {
			cells := make([]string, len(columns))
			for i, d := range columns {
				cells[i] = " "
				if r, ok := g.pairs[probe.Path{Facility: facility, Source: s, Destination: d}]; ok {
					cells[i] = p.mark(g.mark(r))
				}
			}
			p.line("%s", strings.TrimRight("  "+text.Pad(clean(s), margin-2, ' ')+strings.Join(cells, " "), " "))
		}
	}
}

// even is how many columns to put into each block, so that the last one is not
// much narrower than the others.
func even(columns, room int) int {
	blocks := max((columns+room-1)/room, 1)
	return max((columns+blocks-1)/blocks, 1)
}

// upright writes names downwards, side by side.
func upright(names []string) []string {
	height := 0
	for _, n := range names {
		height = max(height, len([]rune(clean(n))))
	}
	lines := make([]string, height)
	for i := range lines {
		cells := make([]string, len(names))
		for j, n := range names {
			runes := []rune(clean(n))
			cells[j] = " "
			if at := i - (height - len(runes)); at >= 0 {
				cells[j] = string(runes[at])
			}
		}
		lines[i] = strings.TrimRight(strings.Join(cells, " "), " ")
	}
	return lines
}

// untried says which pairs were not tried, and why.
func (p *page) untried(g *grid) {
	shown := map[string]bool{}
	for _, name := range slices.Concat(g.sources, g.destinations) {
		shown[name] = true
	}
	total := 0
	pairs := map[string]int{}            // by reason
	ends := map[string]map[string]bool{} // by reason: the ends that could not be had at all
	for path, r := range g.pairs {
		if r.Errno != probe.PathSetUp {
			continue
		}
		total++
		pairs[r.Reason]++
		if ends[r.Reason] == nil {
			ends[r.Reason] = map[string]bool{}
		}
		// The source is opened first: where it could not be had, it is the reason.
		for _, end := range []string{path.Source, path.Destination} {
			if !shown[end] {
				ends[r.Reason][end] = true
				break
			}
		}
	}
	if total == 0 {
		return
	}
	p.heading(fmt.Sprintf("Not tried: %d of %d pairs", total, len(g.pairs)))
	for _, reason := range slices.Sorted(maps.Keys(pairs)) {
		why := reason
		if why == "" {
			why = "the ends could not be had"
		}
		if about := slices.Sorted(maps.Keys(ends[reason])); len(about) > 0 {
			why = strings.Join(about, ", ") + ": " + why
		}
		p.wrapped(fmt.Sprintf("  %5d  ", pairs[reason]), why)
	}
}
