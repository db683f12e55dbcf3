package driver

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/zcprobe/zcprobe/matrix"
)

// All tries targets, jobs at a time, and returns their outcomes in the order
// of the list. stage is told what each of them is doing, done of each that has
// come to its end; both from several goroutines.
func (l *Lab) All(ctx context.Context, targets []*matrix.Target, jobs int, stage func(i int, words string), done func(i int, o *matrix.Outcome)) []*matrix.Outcome {
	outcomes := make([]*matrix.Outcome, len(targets))
	// Those that take longest begin first, so that none of them ends alone.
	order := make([]int, len(targets))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return weight(targets[b]) - weight(targets[a]) })

	next := make(chan int)
	go func() {
		defer close(next)
		for _, i := range order {
			next <- i
		}
	}()
	var group sync.WaitGroup
	for range max(1, min(jobs, len(targets))) {
		group.Go(func() {
			for i := range next {
				if ctx.Err() != nil {
					outcomes[i] = &matrix.Outcome{Target: targets[i].ID, State: matrix.Interrupted}
				} else {
					outcomes[i] = l.Try(ctx, targets[i], func(words string) { stage(i, words) })
				}
				done(i, outcomes[i])
			}
		})
	}
	group.Wait()
	return outcomes
}

// weight is how long a target takes, in comparison.
func weight(t *matrix.Target) int {
	if t.Driver != matrix.ByQEMU {
		return 0
	}
	return 1 + machines[t.Arch].slow
}

// besideGuest is what an emulator takes beside its guest's memory, in MiB.
const besideGuest = 256

// Jobs is how many targets this machine can run at a time.
func (l *Lab) Jobs() int {
	jobs := runtime.NumCPU()
	if free := availableMemory(); free > 0 {
		jobs = min(jobs, free/(l.memory()+besideGuest))
	}
	return max(jobs, 1)
}

// availableMemory is in MiB; zero where it is not known.
func availableMemory() int {
	text, _ := os.ReadFile("/proc/meminfo")
	for line := range strings.Lines(string(text)) {
		var kib int
		if n, _ := fmt.Sscanf(line, "MemAvailable: %d kB", &kib); n == 1 {
			return kib >> 10
		}
	}
	return 0
}
