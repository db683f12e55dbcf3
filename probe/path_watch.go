package probe

import (
	"runtime"
	"sync"
	"time"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// waitLimit is how long a call under test may sleep in the kernel before it is
// said to wait for ever. Nothing that it waits for can still come: all that a
// source gets is in it before the call.
const waitLimit = time.Second

// ringLimit is the same for io_uring, which has another thread of the kernel do
// the work: on a busy machine it takes a while to be started.
const ringLimit = 5 * waitLimit

// pairLimit is how long a pair may take with its set-up.
const pairLimit = 30 * time.Second

// under is the call that is under test in another thread.
type under struct {
	mu    sync.Mutex
	tid   int // 0 when none is
	since time.Time
	limit time.Duration
	naps  int // how many times in a row its thread was seen asleep
}

func (u *under) begin() {
	if u == nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.tid, u.since, u.naps = sys.ThreadID(), time.Now(), 0
}

func (u *under) end() {
	if u == nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.tid = 0
}

// runs tells whether a call is under test right now.
func (u *under) runs() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.tid != 0
}

// waits tells whether the call has slept for too long. One that runs, or waits
// for a disk, may be slow and not stuck: that is for [pairLimit].
func (u *under) waits() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.tid == 0 || time.Since(u.since) < u.limit {
		return false
	}
	asleep, known := sys.Asleep(u.tid)
	if known && !asleep {
		u.naps = 0
		return false
	}
	u.naps++
	return u.naps > 3
}

// watched tries an attempt in a thread of its own and tells whether that has
// come back. Where it has not, the thread is left behind with all that it has
// open, and the process should end soon.
func (a attempt) watched(kernel *sys.Kernel, scratch string) (got answer, back bool) {
	a.under = &under{limit: waitLimit}
	if a.Facility == "io_uring" {
		a.under.limit = ringLimit
	}
	done := make(chan answer, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: see worker.Serve
		done <- a.try(kernel, scratch)
	}()
	tick := time.NewTicker(waitLimit / 20)
	defer tick.Stop()
	for end := time.Now().Add(pairLimit); ; {
		got := answer{PathResult: a.result()}
		select {
		case got = <-done:
			return got, true
		case <-tick.C:
		}
		switch late := time.Now().After(end); {
		case a.under.waits(), late && a.under.runs():
			got.Errno, got.Note = PathTimeout, "the call never returned"
			return got, false
		case late:
			got.Errno, got.Reason = PathSetUp, "the ends took longer than "+pairLimit.String()
			got.Note = got.Reason
			return got, false
		}
	}
}
