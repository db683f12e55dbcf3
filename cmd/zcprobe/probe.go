package main

import (
	"context"

	"github.com/zcprobe/zcprobe/internal/screen"
)

type probeCommand struct{ how }

// Run tries the features and shows each of them.
func (c *probeCommand) Run(ctx context.Context, s streams) error {
	return c.how.run(ctx, s, nil, ways{}, reports{}, screen.Probe)
}
