package main

import (
	"context"

	"github.com/zcprobe/zcprobe/internal/screen"
	"github.com/zcprobe/zcprobe/matrix"
	"github.com/zcprobe/zcprobe/matrix/driver"
)

type explainCommand struct {
	Source      string `arg:"" help:"A kind (file, tcp, unix, pipe, memory …) or a path."`
	Destination string `arg:"" help:"A kind, a path, or an address."`
	JSON        output `name:"json" help:"Write the explanation as JSON." placeholder:"FILE"`
}

// Run explains one pair.
func (c *explainCommand) Run(ctx context.Context, s streams) error {
	explanation, err := driver.Explain(ctx, c.Source, c.Destination)
	if err != nil {
		return usage(err)
	}
	if c.JSON != "" {
		return matrix.WriteJSON(string(c.JSON), explanation)
	}
	return screen.Explanation(s.out, explanation)
}
