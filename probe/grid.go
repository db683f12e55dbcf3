package probe

import "slices"

// GridFacilities lists the calls that move bytes from any descriptor to any
// other, if they will; the most common first.
func GridFacilities() []string { return []string{"sendfile", "splice", "copy_file_range", "io_uring"} }

// GridEnds lists the kinds of ends of the grid, those that are alike together.
func GridEnds() (sources, destinations []string) {
	for _, k := range allKinds() {
		if k.Source != nil && k.Nature != IsMemory {
			sources = append(sources, k.Name)
		}
		if k.Sink != nil {
			destinations = append(destinations, k.Name)
		}
	}
	return sources, destinations
}

// Grid lists every pair of ends with every call that could be asked to serve it,
// sorted: also those that the manual says it refuses. Memory is no end of these
// calls.
func Grid(goos string) []Path {
	if goos != "linux" {
		return nil
	}
	var list []Path
	sources, destinations := GridEnds()
	for _, facility := range GridFacilities() {
		for _, source := range sources {
			for _, destination := range destinations {
				list = append(list, Path{facility, source, destination})
			}
		}
	}
	slices.SortFunc(list, comparePaths)
	return list
}

// Merge puts the results of paths and of the grid into one sorted list. A pair
// that both have tried is told of as the paths saw it, with ends that wait, so
// that a run with the grid says the same of it as one without.
func Merge(paths, grid []PathResult) []PathResult {
	list := slices.Concat(paths, grid)
	slices.SortStableFunc(list, func(a, b PathResult) int { return comparePaths(a.path(), b.path()) })
	return slices.CompactFunc(list, func(a, b PathResult) bool { return a.path() == b.path() })
}

func (r PathResult) path() Path { return Path{r.Facility, r.Source, r.Destination} }
