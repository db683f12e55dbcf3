package mount

import "slices"

// span is a range of a file.
type span struct {
	offset int64
	n      int
}

// spans are the ranges that are asked for in a file of this size: all of it and
// more, odd ones, ones that end or begin a byte beside a page, a block of the
// filesystem or a place where something was changed, and ones behind the end.
func spans(size int64, page, block int, edges []int64) []span {
	p := int64(page)
	list := []span{
		{0, int(size) + 1000},
		{0, 1}, {1, 1}, {7, 10_007},
		{p - 1, 2}, {p - 3, page + 7}, {p + 1, 3 * page}, {p, page},
		{size - 1, 10}, {size - p/2, page}, {size, 10}, {size + p, 10},
	}
	for b := int64(block); block > 0 && b != p && b < size; b += int64(block) {
		list = append(list, span{b - 1, 2}, span{b - 7, min(block, 64<<10) + 13})
		if len(list) > 20 {
			break
		}
	}
	for _, e := range edges {
		list = append(list, span{e - 1, 2}, span{e - 100, 200}, span{e/p*p - 1, page + 2})
	}
	var kept []span
	for _, s := range list {
		if s.offset >= 0 && !slices.Contains(kept, s) {
			kept = append(kept, s)
		}
	}
	return kept
}
