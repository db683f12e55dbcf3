package probe

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/zcprobe/zcprobe/internal/sys"
	"github.com/zcprobe/zcprobe/internal/worker"
)

func compare(a, b string) int { return cmp.Compare(a, b) }

// deadline is how long one probe may take. Probes are a handful of calls on
// fixtures of some kilobytes; a machine under heavy load still makes it.
const deadline = 5 * time.Second

// Handlers is the work that a worker process does for this package.
func Handlers() map[string]worker.Handler {
	return map[string]worker.Handler{"probe": func(scratch string, argument json.RawMessage) (any, error) {
		var id string
		if err := json.Unmarshal(argument, &id); err != nil {
			return nil, err
		}
		f, ok := byID(id)
		if !ok {
			return nil, fmt.Errorf("no feature %s", id)
		}
		return try(f, sys.Native(), scratch), nil
	}, "path": handlePath, "row": handleRow}
}

// Run tries features in the workers of a pool, several at a time, and returns
// the findings in the order of the list; those that must run alone come last.
// done, where it is not nil, is told of each as it comes in, one at a time. When
// ctx ends, the findings so far are returned with its error.
func Run(ctx context.Context, pool *worker.Pool, features []*Feature, done func(Finding)) ([]Finding, error) {
	findings := make([]Finding, len(features))
	var group sync.WaitGroup
	var mu sync.Mutex
	one := func(i int) {
		finding, err := ask(ctx, pool, features[i])
		if err != nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		findings[i] = finding
		if done != nil {
			done(finding)
		}
	}
	for i, f := range features {
		if !f.Alone {
			group.Go(func() { one(i) })
		}
	}
	group.Wait()
	for i, f := range features {
		if f.Alone {
			one(i)
		}
	}
	if err := ctx.Err(); err != nil {
		return compact(findings), err
	}
	return findings, nil
}

// ask has one feature tried; the error is that of ctx.
func ask(ctx context.Context, pool *worker.Pool, f *Feature) (Finding, error) {
	var finding Finding
	err := pool.Do(ctx, "probe", f.ID, &finding, deadline, false)
	var crash *worker.CrashError
	switch {
	case err == nil:
		return finding, nil
	case ctx.Err() != nil:
		return Finding{}, ctx.Err()
	case errors.Is(err, worker.ErrTimeout):
		return Finding{ID: f.ID, State: Inconclusive, Reason: Timeout, Evidence: []string{"no answer within " + deadline.String()}}, nil
	case errors.As(err, &crash):
		return diagnoseCrash(f, crash), nil
	case sys.IsResourceLimit(err):
		return Finding{ID: f.ID, State: Inconclusive, Reason: ResourceLimit, Evidence: []string{err.Error()}}, nil
	default:
		return Finding{ID: f.ID, State: Inconclusive, Evidence: []string{err.Error()}}, nil
	}
}

// compact leaves out the features that were not reached.
func compact(findings []Finding) []Finding {
	var reached []Finding
	for _, f := range findings {
		if f.ID != "" {
			reached = append(reached, f)
		}
	}
	return reached
}
