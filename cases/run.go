package cases

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
	"github.com/zcprobe/zcprobe/internal/worker"
	"github.com/zcprobe/zcprobe/probe"
)

// DefaultTimeout is how long one case may take. The slowest wait some 200 ms
// for a kernel's timer; the rest is room for a machine under load.
const DefaultTimeout = 10 * time.Second

// Result is what one case came to.
type Result struct {
	ID         string          `json:"id"`
	Verdict    Verdict         `json:"verdict"`
	Facts      Facts           `json:"facts"`
	Expected   Want            `json:"expected"` // empty where no source says
	Reason     string          `json:"reason,omitempty"`
	Witness    fixture.Witness `json:"witness,omitempty"`
	DurationUS int64           `json:"duration_us"`
}

// Runner runs cases.
type Runner struct {
	Pool     *worker.Pool
	Host     probe.Host
	Findings []probe.Finding // what Needs is looked up in
	Timeout  time.Duration   // for one case; zero is DefaultTimeout
	Done     func(Result)    // told of each result, one at a time; may be nil
}

// outcome is what a worker reports of a body.
type outcome struct {
	Facts      Facts  `json:"facts"`
	Skip       Skip   `json:"skip,omitempty"`
	Broken     string `json:"broken,omitempty"`
	DurationUS int64  `json:"duration_us"`
}

// Handlers is the work that a worker process does for this package.
func Handlers() map[string]worker.Handler {
	return map[string]worker.Handler{"case": func(scratch string, argument json.RawMessage) (any, error) {
		var q question
		if err := json.Unmarshal(argument, &q); err != nil {
			return nil, err
		}
		// Where a case has longer to answer, what must come may be longer on its
		// way, too: on an emulated processor that others share it is seconds.
		fixture.SetPatience(q.Timeout * 3 / 10)
		for _, c := range all() {
			if c.ID == q.ID {
				return c.ask(sys.Native(), scratch), nil
			}
		}
		return nil, fmt.Errorf("no case %s", q.ID)
	}}
}

// question is what a worker is asked.
type question struct {
	ID      string
	Timeout time.Duration // until its answer
}

// ask runs the body against a kernel, in this process.
func (c *Case) ask(kernel *sys.Kernel, scratch string) outcome {
	e := &Env{Kernel: kernel, facts: Facts{}}
	begun := time.Now()
	err := fixture.Run(scratch, func(s *fixture.Scope) {
		e.Scope = s
		c.Body(e)
	})
	o := outcome{Facts: e.facts, Skip: e.skip, DurationUS: time.Since(begun).Microseconds()}
	switch {
	case err == nil:
	case sys.IsResourceLimit(err):
		o.Skip = SkipResources
	case sys.IsMissing(err):
		o.Skip = SkipFeature
	default:
		o.Broken = err.Error()
	}
	return o
}

// Run asks the cases of the list, several at a time, and returns their results
// in its order. When ctx ends, the results so far are returned with its error.
func (r *Runner) Run(ctx context.Context, list []*Case) ([]Result, error) {
	results := make([]Result, len(list))
	var group sync.WaitGroup
	var mu sync.Mutex
	for i, c := range list {
		group.Go(func() {
			result, err := r.one(ctx, c)
			if err != nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			results[i] = result
			if r.Done != nil {
				r.Done(result)
			}
		})
	}
	group.Wait()
	if err := ctx.Err(); err != nil {
		return slices.DeleteFunc(results, func(x Result) bool { return x.ID == "" }), err
	}
	return results, nil
}

// one asks one case; the error is that of ctx.
func (r *Runner) one(ctx context.Context, c *Case) (Result, error) {
	result := Result{ID: c.ID, Facts: Facts{}, Expected: Want{}}
	if skip := r.skips(c); skip != "" {
		result.Verdict, result.Reason = Skipped, string(skip)
		return result, nil
	}
	timeout := r.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	var o outcome
	err := r.Pool.Do(ctx, "case", question{c.ID, timeout}, &o, timeout, c.Alone)
	var crash *worker.CrashError
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return Result{}, ctx.Err()
	case errors.Is(err, worker.ErrTimeout):
		result.Verdict, result.Reason = TimedOut, "no answer within "+timeout.String()
		return result, nil
	case errors.As(err, &crash) && crash.Filtered():
		result.Verdict, result.Reason = Skipped, string(SkipSeccomp)
		return result, nil
	case errors.As(err, &crash):
		result.Verdict, result.Reason = Crashed, crash.Error()
		return result, nil
	case sys.IsResourceLimit(err):
		result.Verdict, result.Reason = Skipped, string(SkipResources)
		return result, nil
	default:
		result.Verdict, result.Reason = Broken, err.Error()
		return result, nil
	}
	result.Facts, result.DurationUS = o.Facts, o.DurationUS
	if w, ok := o.Facts[Witness].(string); ok {
		result.Witness = fixture.Witness(w)
	}
	switch {
	case o.Skip != "": // what was seen before is half an answer, and not the same each time
		result.Verdict, result.Reason, result.Facts, result.Witness = Skipped, string(o.Skip), Facts{}, ""
	case o.Broken != "":
		result.Verdict, result.Reason = Broken, o.Broken
	default:
		result.Verdict, result.Expected, result.Reason = c.judge(r.Host, o.Facts)
	}
	return result, nil
}

// skips tells why a case cannot be asked on this host.
func (r *Runner) skips(c *Case) Skip {
	if c.Root && (os.Geteuid() != 0 || r.Pool.Unprivileged()) {
		return SkipPrivilege
	}
	for _, need := range c.Needs {
		i := slices.IndexFunc(r.Findings, func(f probe.Finding) bool { return f.ID == need })
		if i < 0 || !r.Findings[i].Works() {
			return SkipFeature
		}
	}
	return ""
}
