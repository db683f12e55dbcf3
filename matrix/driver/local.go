// Package driver reaches targets: each file one way to have the suite run
// somewhere and to bring the run record home.
package driver

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/zcprobe/zcprobe/cases"
	"github.com/zcprobe/zcprobe/internal/worker"
	"github.com/zcprobe/zcprobe/matrix"
	"github.com/zcprobe/zcprobe/probe"
	"github.com/zcprobe/zcprobe/probe/mount"
	"github.com/zcprobe/zcprobe/zerocopy"
)

// Local runs the suite on this host, in worker processes.
type Local struct {
	Features []*probe.Feature // which to try
	Cases    []*cases.Case    // which to ask
	Paths    []probe.Path     // which to go
	Grid     []probe.Path     // which pairs of ends to try, after everything else
	Jobs     int              // workers at a time; zero chooses
	Timeout  time.Duration    // for one case; zero is cases.DefaultTimeout
	As       *worker.Credential
	Step     func() // called as each feature, case and path is done; may be nil

	// Set by Run:
	Headroom probe.Headroom // the limits that its workers have
	Started  int            // how many processes it started
}

// surroundings is what a worker tells of the host.
type surroundings struct {
	Host     probe.Host
	Headroom probe.Headroom
}

// Nobody is the user that an unprivileged run of root runs as: the overflow
// uid of user_namespaces(7), which owns nothing.
var Nobody = worker.Credential{UID: 65534, GID: 65534}

// Handlers is the work that worker processes of a local run do.
func Handlers() map[string]worker.Handler {
	h := map[string]worker.Handler{
		"backend": func(string, json.RawMessage) (any, error) { return zerocopy.BackendName(), nil },
		"host": func(scratch string, _ json.RawMessage) (any, error) {
			return surroundings{probe.ThisHost(scratch), probe.ThisHeadroom()}, nil
		},
		"library": libraryHandler,
	}
	maps.Copy(h, probe.Handlers())
	maps.Copy(h, cases.Handlers())
	maps.Copy(h, mount.Handlers())
	return h
}

// Run runs the suite and returns its record, sealed. When ctx ends early, the
// record holds the results so far, Complete is false, and the error is that of
// ctx. Another error means that nothing could be tried.
func (l *Local) Run(ctx context.Context) (*matrix.Record, error) {
	dir, err := scratch(l.As)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	pool := worker.NewPool(l.jobs(), dir, l.As)
	defer pool.Close()

	r := &matrix.Record{Suite: cases.SuiteDigest(), Tool: thisTool(), Started: time.Now().UTC()}
	interrupted := l.collect(ctx, pool, r)
	l.Started = pool.Started()
	if ctx.Err() == nil && interrupted != nil {
		return nil, interrupted
	}
	r.DurationMS = time.Since(r.Started).Milliseconds()
	r.Complete = interrupted == nil
	return r, errors.Join(r.Seal(), interrupted)
}

// collect asks everything and puts the answers into r.
func (l *Local) collect(ctx context.Context, pool *worker.Pool, r *matrix.Record) error {
	var around surroundings
	if err := pool.Do(ctx, "host", nil, &around, cases.DefaultTimeout, false); err != nil {
		return err
	}
	host := around.Host
	l.Headroom = around.Headroom
	r.Target = matrix.TargetInfo{ID: host.OS + "-" + host.Kernel + "-" + host.Arch, Host: host}

	var backend sync.WaitGroup
	backend.Go(func() {
		err := pool.Do(ctx, "backend", nil, &r.Backend, cases.DefaultTimeout, false)
		if err != nil && ctx.Err() == nil {
			r.Backend = "none" // a filter that kills took the worker with it
		}
	})
	defer backend.Wait()

	var err error
	r.Features, err = probe.Run(ctx, pool, l.Features, func(probe.Finding) { l.step() })
	if err != nil {
		return err
	}
	var going sync.WaitGroup
	var pathsErr error
	going.Go(func() {
		r.Paths, pathsErr = probe.RunPaths(ctx, pool, l.Paths, func(probe.PathResult) { l.step() })
	})
	runner := &cases.Runner{
		Pool: pool, Host: host, Findings: r.Features, Timeout: l.Timeout,
		Done: func(cases.Result) { l.step() },
	}
	r.Cases, err = runner.Run(ctx, l.Cases)
	going.Wait()
	if len(l.Grid) == 0 || ctx.Err() != nil {
		return errors.Join(err, pathsErr)
	}
	// Not beside the cases: it would make them wait.
	grid, gridErr := probe.RunGrid(ctx, pool, l.Grid, func(probe.PathResult) { l.step() })
	r.Paths = probe.Merge(r.Paths, grid)
	return errors.Join(err, pathsErr, gridErr)
}

func (l *Local) step() {
	if l.Step != nil {
		l.Step()
	}
}

// jobs is the number of workers. Cases wait more than they work, so it is more
// than the processors; each worker costs this process a handful of descriptors.
func (l *Local) jobs() int {
	if l.Jobs > 0 {
		return l.Jobs
	}
	return min(max(4, 2*runtime.NumCPU()), 16)
}
