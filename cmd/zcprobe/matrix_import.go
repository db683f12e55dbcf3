package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"unicode"

	"github.com/zcprobe/zcprobe/matrix/driver"
)

type matrixImport struct {
	File       []string `arg:"" help:"Run records, as zcprobe --json writes them."`
	Results    string   `help:"The directory of records; matrix/results by default, inside a checkout." type:"path" placeholder:"DIR"`
	As         string   `help:"The id to give to the record, of which there is then one." placeholder:"ID"`
	Replace    bool     `help:"Replace a record that has the same id."`
	OtherSuite bool     `help:"Take records of other releases' cases too."`
}

// Run takes in what can be taken, and says of the rest why not.
func (c *matrixImport) Run(s streams) error {
	if c.As != "" && len(c.File) > 1 {
		return usage(errors.New("--as: it names one record, and there are several"))
	}
	if c.Results == "" {
		if _, err := os.Stat("matrix/targets.yaml"); err != nil {
			return usage(errors.New("no checkout here: say with --results where records are kept"))
		}
		c.Results = "matrix/results"
	}
	if err := os.MkdirAll(c.Results, 0o755); err != nil {
		return usage(err)
	}
	all, err := targets(nil, "all")
	if err != nil {
		return err
	}
	i := &driver.Import{Results: c.Results, Targets: all, As: c.As, Replace: c.Replace, OtherSuite: c.OtherSuite}
	refused := 0
	for _, path := range c.File {
		id, err := i.File(path)
		switch {
		case errors.Is(err, driver.ErrThere):
			fmt.Fprintf(s.out, "%s: %s %v\n", quoted(path), id, err)
		case err != nil:
			refused++
			fmt.Fprintf(s.err, "zcprobe: %s: %s\n", quoted(path), oneLine(err))
		default:
			fmt.Fprintf(s.out, "%s: %s\n", quoted(path), id)
		}
	}
	if refused > 0 {
		return &statusError{status: exitUsage}
	}
	return nil
}

// quoted is a name of a file as it can be shown: names come from strangers too.
func quoted(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(name)
	}
	return name
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
