package probe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/zcprobe/zcprobe/internal/sys"
	"github.com/zcprobe/zcprobe/internal/worker"
)

// handlePath is the work of a worker: one attempt.
func handlePath(scratch string, argument json.RawMessage) (any, error) {
	var a attempt
	if err := json.Unmarshal(argument, &a); err != nil {
		return nil, err
	}
	if err := a.check(); err != nil {
		return nil, err
	}
	return a.try(sys.Native(), scratch), nil
}

// check refuses an attempt of what does not exist.
func (a attempt) check() error {
	if mover(a.Facility) == nil || kind(a.Source) == nil || kind(a.Destination) == nil {
		return fmt.Errorf("no path %s %s %s", a.Facility, a.Source, a.Destination)
	}
	return nil
}

// RunPaths tries paths in the workers of a pool, several at a time, and returns
// the results in the order of the list. done, where it is not nil, is told of
// each as it comes in, one at a time. When ctx ends, the results so far are
// returned with its error.
func RunPaths(ctx context.Context, pool *worker.Pool, paths []Path, done func(PathResult)) ([]PathResult, error) {
	attempts := make([]attempt, len(paths))
	for i, p := range paths {
		attempts[i] = attempt{Path: p}
	}
	var results []PathResult
	answers, err := runAttempts(ctx, pool, attempts, func(a answer) {
		if done != nil {
			done(a.PathResult)
		}
	})
	for _, a := range answers {
		if a.Facility != "" { // one that was not reached has no name
			results = append(results, a.PathResult)
		}
	}
	return results, err
}

// runAttempts is RunPaths for attempts; answers that were not reached are
// empty.
func runAttempts(ctx context.Context, pool *worker.Pool, attempts []attempt, done func(answer)) ([]answer, error) {
	answers := make([]answer, len(attempts))
	var group sync.WaitGroup
	var mu sync.Mutex
	for i, a := range attempts {
		group.Go(func() {
			got, err := a.ask(ctx, pool, deadline)
			if err != nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			answers[i] = got
			done(got)
		})
	}
	group.Wait()
	return answers, ctx.Err()
}

// ask has a worker make one attempt; the error is that of ctx.
func (a attempt) ask(ctx context.Context, pool *worker.Pool, within time.Duration) (answer, error) {
	if err := ctx.Err(); err != nil {
		return answer{}, err
	}
	got := answer{PathResult: a.result()}
	err := pool.Do(ctx, "path", a, &got, within, false)
	var crash *worker.CrashError
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return answer{}, ctx.Err()
	case errors.Is(err, worker.ErrTimeout):
		got.Errno, got.Note = PathTimeout, "no answer within "+within.String()
	case errors.As(err, &crash):
		got.Errno, got.Note = PathCrashed, crash.Error()
	default:
		got.Errno, got.Note, got.Reason = PathSetUp, err.Error(), reason(err, "")
	}
	return got, nil
}
