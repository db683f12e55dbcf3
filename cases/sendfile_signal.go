package cases

import (
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// Signals that end a waiting call.
var sendfileSignal = []*Case{
	{
		ID:       "linux/sendfile/signal-partial",
		Title:    "A signal half way ends the call with the count so far, and the offset agrees; from there the rest arrives",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"signal(7)", "sendfile(2), RETURN VALUE", "nginx ngx_linux_sendfile_chain.c: since Linux 4.3"},
		Covers:   []string{"linux/sendfile/signal-partial", "suite/netty/eintr-offset"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Alone:    true,
		Caller:   "Loop: a blocking socket does not promise the whole count.",
		Expect: []Expectation{
			{Facts: Want{"waited": true, "short": true, Errno: "", "offset-moved-by-return": true, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 4<<20)
			file := fixture.File(e, content, os.O_RDONLY)
			a, b := fixture.TCP(e)
			fixture.Small(e, a, b)
			fixture.Interruptible(e)
			offset := int64(0)
			call := beginInterruptible(func() (int, sys.Errno) { return e.Kernel.Sendfile(a.Int(), file.Int(), &offset, len(content)) })
			e.Fact("waited", call.Waits() && fixture.Readable(e, b, 1000))
			n, errno := call.interrupted(e)
			e.Fact("short", 0 < n && n < len(content))
			e.Fact(Errno, sys.ErrnoName(errno))
			e.Fact("offset-moved-by-return", offset == int64(n))
			rest := begin(func() (int, sys.Errno) { return sendAll(e, a, file, &offset, len(content)-max(n, 0)) })
			arrived := fixture.ReadN(e, b, len(content))
			rest.Returned()
			a.Close()
			e.Arrived(append(arrived, fixture.ReadAll(e, b)...), content)
		},
	},
	{
		ID:       "linux/sendfile/signal-nothing-sent-eintr",
		Title:    "A signal before any byte is taken ends the call with EINTR, and no offset moves",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"signal(7)", "Linux net/core/sock.c, sock_alloc_send_pskb", "Linux fs/splice.c, wait_for_space"},
		Covers:   []string{"linux/sendfile/signal-nothing-sent-eintr"},
		Needs:    []string{"sendfile/file-unix", "sendfile/file-pipe"},
		Systems:  linuxOnly,
		Alone:    true,
		Caller:   "Call again.",
		Expect: []Expectation{
			{Facts: Want{
				"unix.waited": true, "unix.return": -1, "unix.errno": "EINTR", "unix.offset": 3,
				"pipe.waited": true, "pipe.return": -1, "pipe.errno": "EINTR", "pipe.offset": 3, Position: 0,
			}},
		},
		Body: func(e *Env) {
			file := fixture.File(e, fixture.Pattern(1, 100_000), os.O_RDONLY)
			unix, _ := fullUnix(e, file)
			_, pipe := fixture.Pipe(e)
			fixture.Fill(e, pipe)
			fixture.Interruptible(e)
			for _, way := range []struct {
				name string
				out  *fixture.FD
			}{{"unix", unix}, {"pipe", pipe}} {
				offset := int64(3)
				call := beginInterruptible(func() (int, sys.Errno) { return e.Kernel.Sendfile(way.out.Int(), file.Int(), &offset, 5000) })
				e.Fact(way.name+".waited", call.Waits())
				n, errno := call.interrupted(e)
				e.Named(way.name, n, errno)
				e.Fact(way.name+"."+Offset, offset)
			}
			e.Fact(Position, fixture.Position(e, file))
		},
	},
}

// interruptible is a call that will be interrupted.
type interruptible struct {
	*fixture.Call
	thread atomic.Int64
}

func beginInterruptible(call func() (int, sys.Errno)) *interruptible {
	c := &interruptible{}
	c.Call = begin(func() (int, sys.Errno) {
		c.thread.Store(int64(sys.ThreadID()))
		return call()
	})
	return c
}

// interrupted sends the call signals until it returns: one may strike just
// before the call begins to wait, and one may come when its thread is gone.
func (c *interruptible) interrupted(e *Env) (n int, errno sys.Errno) {
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		n, errno, _ = c.Returned()
	}()
	for {
		if errno := sys.InterruptThread(int(c.thread.Load())); errno != 0 && errno != syscall.ESRCH {
			e.Fatalf("tgkill: %w", errno)
		}
		select {
		case <-returned:
			return n, errno
		case <-time.After(2 * time.Millisecond):
		}
	}
}
