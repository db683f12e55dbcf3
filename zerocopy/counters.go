package zerocopy

import (
	"sync/atomic"
	"syscall"
)

// Counters is a snapshot of what an [Engine] has done since it was made. The
// bytes of all paths together are exactly the bytes that its transfers have
// reported as moved.
type Counters struct {
	// Sendfile, Splice and Copied count by path.
	Sendfile, Splice, Copied PathCounters
	// Fallbacks counts, by reason, how often a better path was given up. Only
	// reasons that have occurred are in it.
	Fallbacks map[Reason]int64
	// Waits is how often a transfer waited in the poller for dst or src.
	Waits int64
	// Written counts the plain Writes on connections of [Wrap] and their bytes:
	// headers, and every body that came as memory. They are no transfers, and
	// not in Bytes.
	Written PathCounters
	// ShortSends is how often a call moved less than it was asked to: dst was
	// nearly full, or a file ended.
	ShortSends int64
}

// PathCounters counts what went to destinations on one path.
type PathCounters struct {
	Bytes int64 // bytes that destinations accepted
	Calls int64 // system calls that handed them over
}

// Bytes is the bytes of all paths.
func (c Counters) Bytes() int64 { return c.Sendfile.Bytes + c.Splice.Bytes + c.Copied.Bytes }

// rung is a path by number; lower is better.
type rung int

const (
	bySendfile rung = iota
	bySplice
	byCopy
	rungs
)

var pathOf = [rungs]Path{PathSendfile, PathSplice, PathCopied}

// call is the system call of a rung that makes no copy.
func (r rung) call() string { return string(pathOf[r]) }

// tally is the live form of Counters.
type tally struct {
	bytes, calls [rungs]atomic.Int64
	fallbacks    [len(reasons)]atomic.Int64
	waits        atomic.Int64
	short        atomic.Int64

	written, writes atomic.Int64
}

func (t *tally) fellBack(why Reason) {
	for i, r := range reasons {
		if r == why {
			t.fallbacks[i].Add(1)
			return
		}
	}
}

func (t *tally) snapshot() Counters {
	path := func(r rung) PathCounters {
		return PathCounters{Bytes: t.bytes[r].Load(), Calls: t.calls[r].Load()}
	}
	c := Counters{
		Sendfile: path(bySendfile), Splice: path(bySplice), Copied: path(byCopy),
		Fallbacks: map[Reason]int64{},
		Waits:     t.waits.Load(), ShortSends: t.short.Load(),
		Written: PathCounters{Bytes: t.written.Load(), Calls: t.writes.Load()},
	}
	for i, r := range reasons {
		if n := t.fallbacks[i].Load(); n > 0 {
			c.Fallbacks[r] = n
		}
	}
	return c
}

// account books what one transfer does, for its Result and for the counters.
type account struct {
	e   *Engine
	res Result

	watch func(int64) // is told of bytes that were moved, outside of all callbacks
	told  int64
	live  *gauge // shows them while the transfer runs
}

// gauge is what others see of a transfer while it runs.
type gauge struct {
	bytes *atomic.Int64
	fault atomic.Uintptr // the errno with which dst failed
}

// moved books n of offered bytes that dst accepted in one call. More than was
// offered cannot be; then it books what can, and says so.
func (a *account) moved(by rung, call string, n, offered int) error {
	var err error
	if n > offered {
		err = overcount(call, n, offered)
		n = offered
	}
	a.res.N += int64(n)
	a.res.Path = pathOf[by]
	if by == byCopy {
		a.res.Copied += int64(n)
	}
	a.e.tally.bytes[by].Add(int64(n))
	a.e.tally.calls[by].Add(1)
	if n < offered {
		a.e.tally.short.Add(1)
	}
	if a.live != nil {
		a.live.bytes.Add(int64(n))
	}
	return err
}

// tell tells the watcher of what has been moved since it was told last.
func (a *account) tell() {
	if n := a.res.N - a.told; n > 0 && a.watch != nil {
		a.told = a.res.N
		a.watch(n)
	}
}

// failed books that dst failed for good.
func (a *account) failed(errno syscall.Errno) {
	if a.live != nil {
		a.live.fault.Store(uintptr(errno))
	}
}

// gaveUp books that a better path was given up.
func (a *account) gaveUp(f refusal) {
	a.res.Reason, a.res.Call, a.res.Errno = f.reason, f.call, f.errno
	a.e.tally.fellBack(f.reason)
}
