package matrix

import (
	"regexp"
	"slices"
	"strings"

	"github.com/zcprobe/zcprobe/internal/debian"
)

// Way is how the suite got to a target and ran there.
type Way struct {
	Driver      Driver           `json:"driver"`
	Machine     string           `json:"machine,omitempty"`     // what ran it: program, version, machine
	Accelerator string           `json:"accelerator,omitempty"` // "tcg" where each instruction was emulated
	Packages    []debian.Package `json:"packages,omitempty"`    // what the kernel or the emulator came in
	Pinned      bool             `json:"pinned,omitempty"`      // they are those of the list of targets
	Command     string           `json:"command,omitempty"`
	Attempts    int              `json:"attempts,omitempty"`
}

// LibraryTests is what package zerocopy's own tests said on the target.
type LibraryTests struct {
	Passed   int      `json:"passed"`
	Failed   int      `json:"failed"`
	Skipped  int      `json:"skipped"`
	Failures []string `json:"failures,omitempty"` // the names, and how the run ended where it did not come to its end
}

// testLine is how package testing says what a test came to, subtests included.
// The control character before it is what -test.v=test2json marks such lines
// with, so that they are found after output without a newline too.
var testLine = regexp.MustCompile(`(?m)(?:^|\x16) *--- (PASS|FAIL|SKIP): (\S+) \(`)

// ParseTests counts what a test program printed when it ran with
// -test.v=test2json; ended is how its run ended, "" for a good end.
func ParseTests(output []byte, ended string) *LibraryTests {
	t := &LibraryTests{}
	for _, match := range testLine.FindAllSubmatch(output, -1) {
		switch string(match[1]) {
		case "PASS":
			t.Passed++
		case "SKIP":
			t.Skipped++
		case "FAIL":
			t.Failed++
			t.Failures = append(t.Failures, string(match[2]))
		}
	}
	slices.Sort(t.Failures)
	// A run that dies leaves tests uncounted; none that ran is no pass either.
	switch {
	case ended != "" && (t.Failed == 0 || !finished(output)):
		t.Failed++
		t.Failures = append(t.Failures, "the run ended with "+ended)
	case ended == "" && !finished(output):
		t.Failed++
		t.Failures = append(t.Failures, "the run did not come to its end")
	}
	return t
}

// finished tells whether the program came to its last line.
func finished(output []byte) bool {
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	return slices.ContainsFunc(lines[max(0, len(lines)-3):], func(l string) bool {
		l = strings.Trim(l, "\x16\r ")
		return l == "PASS" || l == "FAIL"
	})
}
