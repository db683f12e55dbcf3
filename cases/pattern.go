package cases

import (
	"fmt"
	"path"
	"strings"
)

// Pattern chooses ids: a glob segment by segment ("linux/sendfile/*",
// "*/splice/*"), or just the first segments ("linux/tee").
type Pattern string

// Check says what is wrong with a pattern.
func (p Pattern) Check() error {
	for segment := range strings.SplitSeq(string(p), "/") {
		if _, err := path.Match(segment, ""); err != nil || segment == "" {
			return fmt.Errorf("pattern %q: segment %q is no glob: use *, ? and [a-z] within segments", p, segment)
		}
	}
	return nil
}

// Matches tells whether the pattern chooses an id.
func (p Pattern) Matches(id string) bool {
	segments, parts := strings.Split(string(p), "/"), strings.Split(id, "/")
	if len(segments) > len(parts) {
		return false
	}
	for i, segment := range segments {
		if ok, err := path.Match(segment, parts[i]); err != nil || !ok {
			return false
		}
	}
	return true
}

// Choose is the items whose id one of the patterns chooses; all of them where
// there is no pattern. A pattern that chooses none is an error.
func Choose[T any](items []T, id func(T) string, patterns []Pattern) ([]T, error) {
	if len(patterns) == 0 {
		return items, nil
	}
	chosen := make([]bool, len(items))
	for _, p := range patterns {
		if err := p.Check(); err != nil {
			return nil, err
		}
		hit := false
		for i, item := range items {
			if p.Matches(id(item)) {
				chosen[i], hit = true, true
			}
		}
		if !hit {
			return nil, fmt.Errorf("pattern %q matches nothing: zcprobe cases list and zcprobe probe show the ids", p)
		}
	}
	var list []T
	for i, item := range items {
		if chosen[i] {
			list = append(list, item)
		}
	}
	return list, nil
}
