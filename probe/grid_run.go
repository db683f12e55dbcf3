package probe

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/zcprobe/zcprobe/internal/sys"
	"github.com/zcprobe/zcprobe/internal/worker"
)

// rowLimit is how long a worker may take for a row of pairs. It watches over
// itself, by [pairLimit]: this is for one that is frozen.
const rowLimit = 20 * time.Minute

// row is pairs that one worker tries, one after the other: to send each its own
// request, and to start a process for each, would take longer than the calls.
type row []attempt

// rowAnswer is what a worker says of a row: the answers to its first pairs. The
// rest is missing where a call never returned.
type rowAnswer struct{ Answers []answer }

// handleRow is the work of a worker: a row.
func handleRow(scratch string, argument json.RawMessage) (any, error) {
	var pairs row
	if err := json.Unmarshal(argument, &pairs); err != nil {
		return nil, err
	}
	var all rowAnswer
	for _, a := range pairs {
		if err := a.check(); err != nil {
			return nil, err
		}
		got, back := a.watched(sys.Native(), scratch)
		all.Answers = append(all.Answers, got)
		if !back {
			break
		}
	}
	return all, nil
}

// RunGrid tries pairs as RunPaths does, many to a worker, with both ends in
// non-blocking mode: what would wait says EAGAIN.
func RunGrid(ctx context.Context, pool *worker.Pool, pairs []Path, done func(PathResult)) ([]PathResult, error) {
	results := map[Path]PathResult{}
	var mu sync.Mutex
	report := func(got answer) {
		mu.Lock()
		defer mu.Unlock()
		results[got.path()] = got.PathResult
		if done != nil {
			done(got.PathResult)
		}
	}
	var group sync.WaitGroup
	var short []row // those that a lack of descriptors or memory left without a worker
	for _, r := range rows(pairs) {
		group.Go(func() {
			rest, err := r.ask(ctx, pool, report)
			if !sys.IsResourceLimit(err) {
				rest.untried(err, report)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			short = append(short, rest)
		})
	}
	group.Wait()
	for _, r := range short { // one at a time there may be enough
		rest, err := r.ask(ctx, pool, report)
		rest.untried(err, report)
	}
	var list []PathResult
	for _, p := range pairs {
		if r, ok := results[p]; ok {
			list = append(list, r)
		}
	}
	return list, ctx.Err()
}

// rows puts pairs of one call and one source together. Those with an end that a
// process makes once, because it takes long, stand apart, and first.
func rows(pairs []Path) []row {
	var slow, list [][2]string
	by := map[[2]string]row{}
	for _, p := range pairs {
		key, order := [2]string{p.Facility, p.Source}, &list
		if takesLong(p.Source) || takesLong(p.Destination) {
			key[1], order = "", &slow
		}
		if by[key] == nil {
			*order = append(*order, key)
		}
		by[key] = append(by[key], attempt{Path: p, Nonblock: true})
	}
	var all []row
	for _, key := range append(slow, list...) {
		all = append(all, by[key])
	}
	return all
}

// takesLong tells whether an end needs a device or a mount.
func takesLong(end string) bool {
	return slices.ContainsFunc(slices.Concat(blockKinds, placeKinds), func(k *Kind) bool { return k.Name == end })
}

// ask has workers try a row and returns the pairs for which none could be had,
// and why. A worker that loses a call goes no further, because of what the call
// may have open; one that dies over a row leaves each pair to be tried alone.
func (r row) ask(ctx context.Context, pool *worker.Pool, report func(answer)) (rest row, err error) {
	for len(r) > 0 {
		var got rowAnswer
		err := pool.Do(ctx, "row", r, &got, rowLimit, true)
		var crash *worker.CrashError
		died := errors.Is(err, worker.ErrTimeout) || errors.As(err, &crash)
		switch {
		case ctx.Err() != nil:
			return nil, nil
		case err == nil && len(got.Answers) > 0:
			n := len(got.Answers)
			if got.Answers[n-1].Errno == PathTimeout && !r[n-1].Again {
				n-- // to be believed when it happens twice
				r[n].Again = true
			}
			for _, a := range got.Answers[:n] {
				report(a)
			}
			r = r[n:]
		case died && len(r) > 1:
			for i := range r {
				if _, err := r[i:i+1].ask(ctx, pool, report); err != nil {
					return r[i:], err
				}
			}
			return nil, nil
		case died && r[0].Unshared == "":
			// A filter may kill over a call of the witness, and not of the pair.
			r[0].Unshared = "its worker died"
		case died:
			r.untried(err, report)
			return nil, nil
		default:
			return r, err
		}
	}
	return nil, nil
}

// untried says of every pair what became of the worker that was to try it, or
// why there was none.
func (r row) untried(err error, report func(answer)) {
	for _, a := range r {
		got := answer{PathResult: a.result()}
		var crash *worker.CrashError
		switch {
		case errors.Is(err, worker.ErrTimeout):
			got.Errno = PathTimeout
		case errors.As(err, &crash):
			got.Errno = PathCrashed
		default: // none could be had
			got.Errno, got.Reason = PathSetUp, reason(err, "")
			var errno sys.Errno
			if sys.IsResourceLimit(err) && errors.As(err, &errno) { // whichever call met it first
				got.Reason = "start worker: " + errno.Error()
			}
		}
		report(got)
	}
}
