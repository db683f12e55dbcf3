package cases

import (
	"fmt"
	"strings"
)

// Explain says why a result is not plainly as it should be: a line for each
// fact that differs, or the reason.
func (r Result) Explain() string {
	if r.Verdict != Deviates {
		return strings.Join(strings.Fields(r.Reason), " ")
	}
	var lines []string
	for _, name := range misfits(r.Facts, r.Expected) {
		lines = append(lines, fmt.Sprintf("%s is %s, expected %s", name, Words(r.Facts[name]), Words(r.Expected[name])))
	}
	return strings.Join(lines, "\n")
}

// Words shows a fact or what was wanted of it; "none" is an empty text.
func Words(value any) string {
	switch v := value.(type) {
	case OneOf:
		words := make([]string, len(v))
		for i, w := range v {
			words[i] = Words(w)
		}
		return strings.Join(words, " or ")
	case Between:
		return fmt.Sprintf("%d to %d", v.Min, v.Max)
	case string:
		if v == "" {
			return "none"
		}
	}
	return fmt.Sprint(value)
}
