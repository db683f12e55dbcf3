package zerocopy

import (
	"errors"
	"net"
	"sync/atomic"
	"syscall"
)

// course is one direction.
type course struct {
	p        *proxy
	out      *Direction
	src, dst net.Conn
	other    *course
	live     gauge
	ended    atomic.Bool // src's end has been seen, and dst is being told
}

func (c *course) run() {
	res, flight, err := c.relay()
	if err == nil {
		c.ended.Store(true)
		err = c.carryEnd()
	}
	stopped := c.p.cause()
	if err != nil && stopped != nil && ended(err) {
		err = stopped
	}
	*c.out = Direction{res, err, flight}
	if err != nil && !errors.Is(err, syscall.EPIPE) {
		c.p.stop(ErrOtherDirection)
	}
}

// relay moves everything.
func (c *course) relay() (Result, []byte, error) {
	o, t := originOf(c.src), targetOf(c.dst)
	if o.conn == nil || t.conn == nil {
		a := account{e: c.p.e, live: &c.live}
		flight, err := pump(c.dst, c.src, &a)
		return a.res, flight, err
	}
	r := c.p.e.NewRelay(t.conn, o.conn)
	back := r.back
	read, written := o.watcher(), t.watcher()
	if read != nil || written != nil {
		r.watch = func(n int64) {
			for _, f := range []func(int64){read, written} {
				if f != nil {
					f(n)
				}
			}
		}
	}
	r.live = &c.live
	res, err := r.run(-1)
	flight := r.pending
	if back != nil {
		flight = back.take()
	}
	return res, flight, err
}

// errCut is what a reset looks like where the other direction was told of it.
var errCut = onSide(readSide, callError("read", syscall.ECONNRESET))

type closeWriter interface{ CloseWrite() error }

// carryEnd tells dst that src has ended.
func (c *course) carryEnd() error {
	if c.cutOff() {
		return errCut
	}
	half, ok := c.dst.(closeWriter)
	if !ok {
		if half, ok = targetOf(c.dst).conn.(closeWriter); !ok {
			c.p.stop(ErrOtherDirection)
			return nil
		}
	}
	switch err := half.CloseWrite(); {
	case errors.Is(err, syscall.ENOTCONN), errors.Is(err, net.ErrClosed):
		return nil // reset in the meantime: whoever reads from it will say so
	default:
		return onSide(writeSide, err)
	}
}

// cutOff tells whether the end of src was none. The kernel reports a reset
// once; where the other direction met it, writing, this one reads an end.
func (c *course) cutOff() bool {
	if c.other.ended.Load() || !c.dead() {
		return false
	}
	fault := syscall.Errno(c.other.live.fault.Load())
	return fault != 0 && fault != syscall.EPIPE
}
