package matrix

import (
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/zcprobe/zcprobe/cases"
)

// The elements of JUnit's XML as CI systems read it: a suite a facility.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string       `xml:"classname,attr"`
		Name    string       `xml:"name,attr"`
		Time    string       `xml:"time,attr"` // seconds
		Failure *junitDetail `xml:"failure"`
		Error   *junitDetail `xml:"error"`
		Skipped *junitDetail `xml:"skipped"`
	}
	junitDetail struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes the cases of a record as JUnit XML: what deviates is a
// failure; what timed out, crashed or is broken an error.
func WriteJUnit(path string, r *Record) error {
	all := junitSuites{Name: "zcprobe " + r.Target.ID}
	index := map[string]int{}
	for _, c := range r.Cases {
		class, name := splitID(c.ID)
		at, ok := index[class]
		if !ok {
			at = len(all.Suites)
			index[class] = at
			all.Suites = append(all.Suites, junitSuite{Name: class})
		}
		suite := &all.Suites[at]
		entry := junitCase{Class: class, Name: name, Time: fmt.Sprintf("%.6f", float64(c.DurationUS)/1e6)}
		detail := &junitDetail{Message: string(c.Verdict), Text: c.Explain()}
		switch c.Verdict {
		case cases.Deviates:
			entry.Failure = detail
			suite.Failures++
		case cases.TimedOut, cases.Crashed, cases.Broken:
			entry.Error = detail
			suite.Errors++
		case cases.Skipped:
			entry.Skipped = &junitDetail{Message: c.Reason}
			suite.Skipped++
		}
		suite.Cases = append(suite.Cases, entry)
		suite.Tests++
	}
	for _, s := range all.Suites {
		all.Tests += s.Tests
		all.Failures += s.Failures
		all.Errors += s.Errors
		all.Skipped += s.Skipped
	}
	text, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return WriteFile(path, append([]byte(xml.Header), append(text, '\n')...))
}

// splitID parts the id of a case into what JUnit calls class and name.
func splitID(id string) (class, name string) {
	at := strings.LastIndexByte(id, '/')
	return id[:max(at, 0)], id[at+1:]
}
