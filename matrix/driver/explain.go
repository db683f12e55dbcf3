package driver

import (
	"context"
	"encoding/json"
	"os"

	"github.com/zcprobe/zcprobe/cases"
	"github.com/zcprobe/zcprobe/internal/worker"
	"github.com/zcprobe/zcprobe/probe"
)

// Explain answers for one pair of ends; see [probe.Explain].
func Explain(ctx context.Context, source, destination string) (probe.Explanation, error) {
	dir, err := scratch(nil)
	if err != nil {
		return probe.Explanation{}, err
	}
	defer os.RemoveAll(dir)
	pool := worker.NewPool(2, dir, nil)
	defer pool.Close()
	x, err := probe.Explain(ctx, pool, source, destination)
	if err != nil {
		return x, err
	}
	asked := pair{x.Source.Kind, x.Source.Path, x.Destination.Kind}
	if asked.served() {
		x.Library = &probe.LibraryWay{}
		err = pool.Do(ctx, "library", asked, x.Library, cases.DefaultTimeout, false)
	}
	return x, err
}

// libraryHandler is the work of a worker for Explain.
func libraryHandler(scratch string, argument json.RawMessage) (any, error) {
	var p pair
	if err := json.Unmarshal(argument, &p); err != nil {
		return nil, err
	}
	return p.transfer(scratch)
}
