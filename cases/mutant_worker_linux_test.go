package cases

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// trial is a case to be asked of a kernel that lies, or of the honest one.
type trial struct {
	Case   string
	Mutant string // "" is none
}

// batch is trials for one worker process, one after the other.
type batch struct {
	Trials   []trial
	Patience time.Duration // of fixtures that wait for what may never come
	Limit    time.Duration // for one trial
}

// testimony is what came out of a trial.
type testimony struct {
	outcome
	Calls []string // what it called
	Hung  bool     // it did not end
	Stuck bool     // and a call did not
}

func init() { trialHandlers["trials"] = serveTrials }

// unclean is what a worker says that must not be used again.
const unclean = "a trial has left something behind"

var leftBehind bool

// serveTrials does the trials of a batch, until one leaves something behind
// that could disturb the next: it hangs, or a call of its goes on. Then the
// answer is shorter than the batch, and this process ends when it is asked
// again.
func serveTrials(scratch string, argument json.RawMessage) (any, error) {
	if leftBehind {
		fmt.Fprintln(os.Stderr, unclean)
		os.Exit(1)
	}
	var b batch
	if err := json.Unmarshal(argument, &b); err != nil {
		return nil, err
	}
	fixture.SetPatience(b.Patience)
	var done []testimony
	for _, t := range b.Trials {
		x, clean, err := t.hear(scratch, b.Limit)
		if err != nil {
			return nil, err
		}
		if done = append(done, x); !clean {
			leftBehind = true
			break
		}
	}
	return done, nil
}

// hear asks the case; clean says that nothing of it goes on.
func (t trial) hear(scratch string, limit time.Duration) (x testimony, clean bool, err error) {
	list := all()
	i := slices.IndexFunc(list, func(c *Case) bool { return c.ID == t.Case })
	kernel := sys.Native()
	if t.Mutant != "" {
		j := slices.IndexFunc(mutants, func(m mutant) bool { return m.name == t.Mutant })
		if i < 0 || j < 0 {
			return x, true, fmt.Errorf("no such trial: %v", t)
		}
		kernel = mutants[j].tampered()
	}
	watch := &watcher{used: map[string]bool{}}
	ended := make(chan outcome, 1)
	go func() { ended <- list[i].ask(watch.over(kernel), scratch) }()
	select {
	case x.outcome = <-ended:
	case <-time.After(limit):
		x.Hung = true
	}
	for range 100 {
		if watch.running.Load() == 0 {
			break
		}
		time.Sleep(100 * time.Microsecond)
	}
	x.Calls = watch.names()
	inside := watch.running.Load() > 0
	x.Stuck = x.Hung && inside
	return x, !x.Hung && !inside, nil
}

// watcher notes which calls are made, and how many are not over.
type watcher struct {
	running atomic.Int64
	mu      sync.Mutex
	used    map[string]bool
}

// over is the kernel with the watcher before each call.
func (w *watcher) over(k *sys.Kernel) *sys.Kernel {
	watched := *k
	calls := reflect.ValueOf(&watched).Elem()
	for i := range calls.NumField() {
		name, call := calls.Type().Field(i).Name, reflect.ValueOf(calls.Field(i).Interface())
		calls.Field(i).Set(reflect.MakeFunc(call.Type(), func(arguments []reflect.Value) []reflect.Value {
			w.mu.Lock()
			w.used[name] = true
			w.mu.Unlock()
			w.running.Add(1)
			defer w.running.Add(-1)
			return call.Call(arguments)
		}))
	}
	return &watched
}

func (w *watcher) names() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var names []string
	for name := range w.used {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
