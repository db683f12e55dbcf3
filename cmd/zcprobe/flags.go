package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/zcprobe/zcprobe/cases"
	"github.com/zcprobe/zcprobe/matrix"
)

// output is the value of --json and its like: a file, "-" for standard output,
// which is also what it means without a value.
type output string

// Decode takes the next word as the file unless it is another flag.
func (o *output) Decode(ctx *kong.DecodeContext) error {
	*o = "-"
	if next := ctx.Scan.Peek(); next.IsValue() {
		text := fmt.Sprint(ctx.Scan.Pop().Value)
		if text == "" {
			return errors.New("the name of the file is empty")
		}
		if err := matrix.CheckWritable(text); err != nil {
			return err
		}
		*o = output(text)
	}
	return nil
}

// duration is a time such as 10s that must be above zero.
type duration time.Duration

// Decode reads Go's form of durations.
func (d *duration) Decode(ctx *kong.DecodeContext) error {
	text, err := word(ctx, "duration")
	if err != nil {
		return err
	}
	parsed, err := time.ParseDuration(text)
	if err != nil || parsed <= 0 {
		return fmt.Errorf("%q is no duration: write 500ms, 10s or 2m", text)
	}
	*d = duration(parsed)
	return nil
}

// count is a whole number that must be above zero.
type count int

// Decode reads the number.
func (c *count) Decode(ctx *kong.DecodeContext) error {
	text, err := word(ctx, "number")
	if err != nil {
		return err
	}
	var n int
	if _, err := fmt.Sscanf(text+" ", "%d ", &n); err != nil || n < 1 || n > 1024 || strings.Trim(text, "0123456789") != "" {
		return fmt.Errorf("%q is no number of workers: write one from 1 to 1024", text)
	}
	*c = count(n)
	return nil
}

func word(ctx *kong.DecodeContext, kind string) (string, error) {
	var text string
	err := ctx.Scan.PopValueInto(kind, &text)
	return text, err
}

// patterns checks and converts patterns from the command line.
func patterns(texts []string) ([]cases.Pattern, error) {
	list := make([]cases.Pattern, len(texts))
	for i, text := range texts {
		list[i] = cases.Pattern(text)
		if err := list[i].Check(); err != nil {
			return nil, usage(err)
		}
	}
	return slices.Clip(list), nil
}
