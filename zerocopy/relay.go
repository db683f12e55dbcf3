package zerocopy

import (
	"bytes"
	"math"
	"os"
	"syscall"
)

// Relay is one direction between two connections that outlives errors. Bytes
// that were taken from src and not accepted by dst stay in it, in memory, and
// the next Run delivers them first; so a deadline in the middle of a transfer
// costs nothing but the time.
//
// Where src is a connection of [Wrap], they go back to it instead, and whoever
// reads from it next gets them.
//
// A Relay is for one goroutine at a time. It holds no descriptor between calls.
type Relay struct {
	e        *Engine
	dst, src syscall.Conn
	back     *backlog // src takes bytes back; nil where it cannot
	from     rung     // the best rung to try
	pending  []byte   // taken from src, not accepted by dst
	closed   bool
	watch    func(int64) // see account
	live     *gauge
}

// NewRelay makes a Relay on the engine of the package's functions.
func NewRelay(dst, src syscall.Conn) *Relay { return standard().NewRelay(dst, src) }

// NewRelay makes a Relay on this engine.
func (e *Engine) NewRelay(dst, src syscall.Conn) *Relay {
	r := &Relay{e: e, from: bySplice}
	r.dst, _ = base(dst)
	r.src, r.back = base(src)
	return r
}

// Run moves count bytes to dst, or all until src ends where count is negative:
// first those that an earlier Run left in flight, then more from src. Result.N
// is what dst accepted in this call; of src, it takes no more than count bytes
// less those in flight. The errors are those of [SocketRelay], without the
// [InFlightError]: see [Relay.InFlight].
//
// An error that says that src or dst is at its end (a reset, EPIPE) will come
// again; after a deadline has been moved, Run goes on.
func (r *Relay) Run(count int64) (Result, error) {
	res, err := r.run(count)
	return res, verb("relay", err)
}

// InFlight is the number of bytes that were taken from src and not accepted by
// dst so far. It is 0 where src is a connection of [Wrap]: that has them.
func (r *Relay) InFlight() int { return len(r.pending) }

// Close gives up the bytes in flight. It closes neither src nor dst, and never
// fails.
func (r *Relay) Close() error {
	r.closed, r.pending = true, nil
	return nil
}

// run is Run without the operation in the error.
func (r *Relay) run(count int64) (Result, error) {
	switch {
	case r.closed:
		return Result{}, ErrRelayClosed
	case r.dst == nil, r.src == nil:
		return Result{}, os.ErrInvalid
	case count == 0:
		return Result{}, nil
	}
	if r.back == nil {
		return r.move(count)
	}
	r.pending = r.back.take()
	res, err := r.move(count)
	r.back.put(r.pending)
	r.pending = nil
	return res, err
}

// handOver turns the error of the one Run of this relay into an InFlightError
// where there are bytes in flight.
func (r *Relay) handOver(err error) error {
	if err == nil || len(r.pending) == 0 {
		return err
	}
	data := bytes.Clone(r.pending)
	r.pending = nil
	return &InFlightError{Data: data, Err: err}
}

// remaining is how many of count bytes are missing, math.MaxInt64 for all.
func remaining(count, n int64) int64 {
	if count < 0 {
		return math.MaxInt64
	}
	return count - n
}
