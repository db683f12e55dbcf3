package zerocopy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// ErrIdle is the error of a [Proxy] through which no byte has gone for the time
// that [WithIdleTimeout] allows. It wraps [os.ErrDeadlineExceeded].
var ErrIdle = fmt.Errorf("idle for too long: %w", os.ErrDeadlineExceeded)

// ErrOtherDirection is the error of a direction of a [Proxy] that nothing was
// wrong with, until the other one failed.
var ErrOtherDirection = errors.New("ended with the other direction")

// ProxyResult is what became of both directions of a [Proxy].
type ProxyResult struct {
	AToB, BToA Direction
}

// Direction is one direction of a [Proxy].
type Direction struct {
	// Result has the number of bytes that the destination's kernel accepted,
	// and the way that they took.
	Result
	// Err is why the direction ended; nil where its source came to its end and
	// the destination was told. "read source: …" and "write destination: …"
	// name the side that failed.
	Err error
	// InFlight is the bytes that had left the source and that the destination
	// did not accept, the caller's to keep. It is empty where Err is nil.
	InFlight []byte
}

// Progress shows how far a [Proxy] is while it runs, in bytes that the
// destinations accepted. Load may be called at any time.
type Progress struct {
	AToB, BToA atomic.Int64
}

// ProxyOption changes how a [Proxy] works.
type ProxyOption func(*proxy)

// WithIdleTimeout ends a proxy with [ErrIdle] when neither destination has
// accepted a byte for d, and not more than a quarter of d later. Bytes that a
// peer does not read are no activity. 0 or less is no timeout, the default.
func WithIdleTimeout(d time.Duration) ProxyOption { return func(p *proxy) { p.idle = d } }

// WithProgress shows the progress in p, which must not be in use by another
// proxy. It counts on from what is in it.
func WithProgress(p *Progress) ProxyOption { return func(x *proxy) { x.progress = p } }

// Proxy is [Engine.Proxy] on the engine of the package's functions.
func Proxy(ctx context.Context, a, b net.Conn, options ...ProxyOption) (ProxyResult, error) {
	return standard().Proxy(ctx, a, b, options...)
}

// Proxy relays between two connections in both directions until both have
// ended, and closes both. It returns nil when both ended well; else the error
// tells what went wrong in which direction, and the result tells all of it.
//
// The end of a direction is carried over: when a has sent all (a FIN), b is
// closed for writing (CloseWrite) and the other direction goes on. A connection
// that cannot be closed for writing is closed, which ends the other direction.
//
// A failure is carried over too. When a is reset, or fails in any way, both
// directions end, and b, whose stream is then cut off, is reset (SO_LINGER 0)
// and not closed as if it were whole: HAProxy does so toward servers (stream.c,
// SC_FL_NOLINGER), Envoy in both directions. A reset discards what b's kernel
// has not sent yet. A stream that was whole before is left so, and where one
// side has only stopped to read (EPIPE), what it says is still relayed to its
// end. UNIX sockets have no reset: they are closed.
//
// When ctx is done, or the proxy was idle for too long, both directions end at
// once and the connections are closed; one whose stream is cut off in the
// middle, with bytes in flight, is reset. The error wraps [context.Cause] or
// [ErrIdle].
//
// Connections that [Engine.Wrap] and [net.TCPConn] stand for are spliced; where
// one of the two is another kind (a *tls.Conn), bytes are copied through its
// Read and Write. While a direction waits for its source it holds no pipe and,
// unless it copies so, no buffer. The deadlines of a and b are the proxy's to
// set while it runs.
func (e *Engine) Proxy(ctx context.Context, a, b net.Conn, options ...ProxyOption) (ProxyResult, error) {
	if a == nil || b == nil {
		return ProxyResult{}, verb("proxy", os.ErrInvalid)
	}
	p := &proxy{e: e, a: a, b: b}
	for _, option := range options {
		option(p)
	}
	if p.progress == nil {
		p.progress = new(Progress)
	}
	return p.run(ctx)
}

// proxy is a running Proxy.
type proxy struct {
	e        *Engine
	a, b     net.Conn
	idle     time.Duration
	progress *Progress

	mu      sync.Mutex
	over    bool
	stopped error // why it ends before its directions have ended
	timer   *time.Timer
}

// longAgo is a deadline that has passed.
var longAgo = time.Unix(1, 0)

func (p *proxy) run(ctx context.Context) (ProxyResult, error) {
	var res ProxyResult
	there := &course{p: p, out: &res.AToB, src: p.a, dst: p.b}
	back := &course{p: p, out: &res.BToA, src: p.b, dst: p.a, other: there}
	there.other = back
	there.live.bytes, back.live.bytes = &p.progress.AToB, &p.progress.BToA

	if ctx.Err() != nil {
		p.stopped = context.Cause(ctx)
		res.AToB.Err, res.BToA.Err = p.stopped, p.stopped
	} else {
		forget := context.AfterFunc(ctx, func() { p.stop(context.Cause(ctx)) })
		p.watchIdle()
		var both sync.WaitGroup
		both.Go(there.run)
		back.run()
		both.Wait()
		forget()
	}
	p.finish(&res)
	return res, p.failure(&res)
}

// stop ends both directions at once, by deadlines that have passed.
func (p *proxy) stop(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over || p.stopped != nil {
		return
	}
	p.stopped = why
	for _, c := range []net.Conn{p.a, p.b} {
		if c.SetDeadline(longAgo) != nil {
			_ = c.Close()
		}
	}
}

// cause is why the proxy was stopped, nil if it was not.
func (p *proxy) cause() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stopped
}

// watchIdle looks at the counts four times in the time that is allowed.
func (p *proxy) watchIdle() {
	if p.idle <= 0 {
		return
	}
	moved := func() int64 { return p.progress.AToB.Load() + p.progress.BToA.Load() }
	last, since := moved(), time.Now()
	tick := max(p.idle/4, time.Millisecond)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = time.AfterFunc(tick, func() {
		if n := moved(); n != last {
			last, since = n, time.Now()
		} else if time.Since(since) >= p.idle {
			p.stop(ErrIdle)
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.over {
			p.timer.Reset(tick)
		}
	})
}

// finish closes both connections, and resets the one whose stream was cut off.
func (p *proxy) finish(res *ProxyResult) {
	p.mu.Lock()
	p.over = true
	if p.timer != nil {
		p.timer.Stop()
	}
	gentle := p.stopped != nil && !errors.Is(p.stopped, ErrOtherDirection)
	p.mu.Unlock()
	shut := func(conn net.Conn, into *Direction) {
		if c, ok := conn.(interface{ SetLinger(int) error }); ok &&
			(len(into.InFlight) > 0 || into.Err != nil && !gentle) {
			_ = c.SetLinger(0)
		}
		_ = conn.Close()
	}
	shut(p.a, &res.BToA)
	shut(p.b, &res.AToB)
}

// failure is the error of the whole.
func (p *proxy) failure(res *ProxyResult) error {
	if p.stopped != nil && !errors.Is(p.stopped, ErrOtherDirection) {
		return verb("proxy", p.stopped)
	}
	there, back := verb("a to b", told(res.AToB.Err)), verb("b to a", told(res.BToA.Err))
	if there != nil && back != nil {
		return fmt.Errorf("proxy: %w; %w", there, back)
	}
	return verb("proxy", firstOf(there, back))
}

// told leaves out what is only a consequence.
func told(err error) error {
	if errors.Is(err, ErrOtherDirection) {
		return nil
	}
	return err
}
