package driver

import (
	"context"
	"fmt"
	"os"
	"runtime"

	"github.com/zcprobe/zcprobe/cases"
	"github.com/zcprobe/zcprobe/matrix"
	"github.com/zcprobe/zcprobe/probe"
)

// suiteVariable makes this test program print a record as zcprobe does, so that
// tests need not build that: the patterns of the cases to run.
const suiteVariable = "ZCPROBE_TEST_SUITE"

func serveSuite() {
	pattern, asked := os.LookupEnv(suiteVariable)
	if !asked {
		return
	}
	chosen, err := cases.Choose(cases.All(runtime.GOOS), func(c *cases.Case) string { return c.ID }, []cases.Pattern{cases.Pattern(pattern)})
	if err == nil {
		l := &Local{Features: probe.Features(runtime.GOOS), Cases: chosen}
		var r *matrix.Record
		if r, err = l.Run(context.Background()); err == nil {
			err = matrix.WriteJSON("-", r)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}
