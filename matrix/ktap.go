package matrix

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/zcprobe/zcprobe/cases"
)

// WriteKTAP writes the cases of a record in the format of the kernel's own
// tests (Documentation/dev-tools/ktap.rst).
func WriteKTAP(path string, r *Record) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "KTAP version 1\n1..%d\n", len(r.Cases))
	for i, c := range r.Cases {
		word, directive := "ok", ""
		switch c.Verdict {
		case cases.Deviates, cases.Broken, cases.Crashed:
			word = "not ok"
		case cases.TimedOut:
			word, directive = "not ok", " # TIMEOUT"
		case cases.Skipped:
			directive = " # SKIP " + c.Reason
		case cases.Known:
			directive = " # XFAIL " + c.Reason
		}
		if word == "not ok" {
			for line := range strings.SplitSeq(c.Explain(), "\n") {
				fmt.Fprintf(&b, "# %s: %s\n", c.ID, line)
			}
		}
		fmt.Fprintf(&b, "%s %d %s%s\n", word, i+1, c.ID, directive)
	}
	return WriteFile(path, b.Bytes())
}
