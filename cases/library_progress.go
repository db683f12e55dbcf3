package cases

import (
	"bytes"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
	"github.com/zcprobe/zcprobe/zerocopy"
)

var libraryProgressCases = []*Case{
	{
		ID:       "any/library/expired-deadline-sends-nothing",
		Title:    "A deadline that has passed ends a transfer before its first byte, and does not look like an end",
		Facility: "library",
		Level:    Must,
		Sources:  []string{librarySource, "Go TestSendfileOnWriteTimeoutExceeded"},
		Covers:   []string{"linux/fallback/go-write-deadline", "suite/go/write-deadline"},
		Systems:  linuxOnly,
		Caller:   "Set the deadline anew, then send from the same offset.",
		Expect:   []Expectation{{Facts: Want{"n": 0, "path": "", "error": "deadline", Position: 0, Bytes: fixture.Right}}},
		Body: func(e *Env) {
			file := fixture.OSFile(e, fixture.Pattern(1, 10_000))
			a, b := fixture.Conns(e)
			a.SetWriteDeadline(past)
			result, err := engine(e).FileToSocket(a, file, nil, -1)
			a.Close()
			moved(e, result, err)
			filePosition(e, file)
			e.Arrived(fixture.Collect(b)(), nil)
		},
	},
	{
		ID:       "any/library/slow-reader-gets-everything",
		Title:    "A reader that stalls again and again gets every byte once, from a file and from a relay",
		Facility: "library",
		Level:    Must,
		Sources:  []string{librarySource, "erlang/otp#694", "jonashaag/bjoern#144", "samba PR 76", "netty/netty#2823"},
		Covers:   []string{"suite/erlang/zero-progress", "suite/bjoern/repeat", "suite/samba/zero-means-eof", "bug/R14-netty-et-hang"},
		Needs:    []string{"sendfile/file-tcp", "splice/tcp-tcp"},
		Systems:  linuxOnly,
		Caller:   "Nothing: waiting is the library's.",
		Expect:   []Expectation{{Facts: Want{"file.n": 2 << 20, "file.error": "", "file.bytes": fixture.Right, "file.waited": true, "relay.n": 2 << 20, "relay.error": "", "relay.bytes": fixture.Right, "relay.waited": true}}},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 2<<20)
			for name, transfer := range map[string]func(z *zerocopy.Engine, dst *net.TCPConn) (zerocopy.Result, error){
				"file": func(z *zerocopy.Engine, dst *net.TCPConn) (zerocopy.Result, error) {
					return z.FileToSocket(dst, fixture.OSFile(e, content), nil, int64(len(content)))
				},
				"relay": func(z *zerocopy.Engine, dst *net.TCPConn) (zerocopy.Result, error) {
					client, src := fixture.Conns(e)
					feed(client, content)
					return z.SocketRelay(dst, src, int64(len(content)))
				},
			} {
				a, b := fixture.Conns(e)
				a.SetWriteBuffer(256 << 10)
				b.SetReadBuffer(256 << 10)
				z := engine(e)
				full := make(chan struct{})
				fixture.WhenFull(a, func() { close(full) })
				arrived := make(chan []byte, 1)
				go func() {
					<-full // nobody reads until nothing more fits
					arrived <- fixture.Collect(b)()
				}()
				result, err := transfer(z, a)
				a.Close()
				e.Fact(name+".n", result.N)
				e.Fact(name+".error", errorWord(err))
				e.Fact(name+".bytes", fixture.Compare(<-arrived, content))
				e.Fact(name+".waited", z.Counters().Waits > 0)
			}
		},
	},
	{
		ID:       "linux/library/stalled-transfer-does-not-spin",
		Title:    "While the peer does not read, a transfer waits in the poller: it makes a few calls, not one after the other",
		Facility: "library",
		Level:    Must,
		Sources:  []string{librarySource, "haproxy commit 833cc794", "golang/go#75304"},
		Covers:   []string{"bug/S08-haproxy-last-block"},
		Systems:  linuxOnly,
		Caller:   "Nothing: waiting is the library's.",
		Expect:   []Expectation{{Facts: Want{"spins": false, "file": "deadline", "relay": "deadline"}}},
		Body: func(e *Env) {
			k := *e.Kernel
			var calls atomic.Int64
			sendfile, splice, send := k.Sendfile, k.Splice, k.Send
			k.Sendfile = func(out, in int, offset *int64, count int) (int, sys.Errno) {
				calls.Add(1)
				return sendfile(out, in, offset, count)
			}
			k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
				calls.Add(1)
				return splice(in, inOffset, out, outOffset, count, flags)
			}
			k.Send = func(fd int, p []byte, flags int) (int, sys.Errno) {
				calls.Add(1)
				return send(fd, p, flags)
			}
			z := engineOn(e, &k)
			content := fixture.Pattern(1, 2<<20)
			var spins atomic.Bool
			stall := func(a *net.TCPConn) {
				fixture.WhenFull(a, func() {
					before := calls.Load()
					time.Sleep(100 * time.Millisecond) // in which nothing can happen, unless it spins
					if calls.Load()-before > 1000 {
						spins.Store(true)
					}
					a.SetWriteDeadline(past)
				})
			}
			a, _ := fixture.NarrowConns(e)
			stall(a)
			_, err := z.FileToSocket(a, fixture.OSFile(e, content), nil, -1)
			e.Fact("file", errorWord(err))
			client, src := fixture.Conns(e)
			dst, _ := fixture.NarrowConns(e)
			feed(client, content)
			stall(dst)
			_, err = z.SocketRelay(dst, src, -1)
			e.Fact("relay", errorWord(err))
			e.Fact("spins", spins.Load())
		},
	},
	{
		ID:       "any/library/counters-move-during-a-transfer",
		Title:    "The counters grow while a transfer is under way, not only at its end",
		Facility: "library",
		Level:    Should,
		Sources:  []string{"package zerocopy, Counters", "XTLS/Xray-core#453"},
		Covers:   []string{"bug/G17-rate-counters-frozen"},
		Systems:  linuxOnly,
		Caller:   "Let idle timers look at the counters: a spliced connection reads and writes nothing in user space.",
		Expect:   []Expectation{{Facts: Want{"first": true, "second": true, "n": 20_000, "error": "", Bytes: fixture.Right}}},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 20_000)
			client, src := fixture.Conns(e)
			dst, sink := fixture.Conns(e)
			z := engine(e)
			type outcome struct {
				result zerocopy.Result
				err    error
			}
			ended := make(chan outcome, 1)
			go func() {
				result, err := z.SocketRelay(dst, src, int64(len(content)))
				ended <- outcome{result, err}
			}()
			got := make([]byte, len(content))
			sink.SetReadDeadline(time.Now().Add(2 * fixture.Patience()))
			for i, name := range []string{"first", "second"} {
				half := got[i*10_000:][:10_000]
				if _, err := client.Write(content[i*10_000:][:10_000]); err != nil {
					e.Fatalf("write: %w", err)
				}
				io.ReadFull(sink, half)
				if i == 1 {
					break
				}
				e.Fact(name, reaches(z, 10_000)) // the relay is not at its end: half is still to come
			}
			client.CloseWrite() // a relay that has miscounted must not wait for more
			o := <-ended
			e.Fact("second", z.Counters().Bytes() == int64(len(content)))
			e.Fact("n", o.result.N)
			e.Fact("error", errorWord(o.err))
			e.Arrived(got, content)
		},
	},
	{
		ID:       "any/library/empty-file",
		Title:    "An empty file is sent as nothing, without an error and without giving up a path",
		Facility: "library",
		Level:    Must,
		Sources:  []string{librarySource, "benoitc/gunicorn#2692", "golang/go#53658"},
		Covers:   []string{"bug/R10-gunicorn-empty"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "Nothing to do.",
		Expect:   []Expectation{{Facts: Want{"n": 0, "path": "", "error": "", "fallbacks": 0, Bytes: fixture.Right}}},
		Body: func(e *Env) {
			a, b := fixture.Conns(e)
			z := engine(e)
			result, err := z.FileToSocket(a, fixture.OSFile(e, nil), nil, -1)
			a.Close()
			moved(e, result, err)
			e.Fact("fallbacks", len(z.Counters().Fallbacks))
			e.Arrived(fixture.Collect(b)(), nil)
		},
	},
	{
		ID:       "any/library/parts-in-a-row",
		Title:    "From a position in the file, parts in a row join without a gap, and a count that is the rest exactly is no short source",
		Facility: "library",
		Level:    Must,
		Sources:  []string{librarySource, "Go net TestSendfileSeeked, TestSendfileParts, TestSendfileWithExactLimit"},
		Covers:   []string{"suite/go/seeked, parts, exact-limit"},
		Systems:  linuxOnly,
		Caller:   "Go on with the file position, or an offset, from part to part.",
		Expect:   []Expectation{{Facts: Want{"errors": "", "sum": 99_000, Position: 100_000, Bytes: fixture.Right}}},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 100_000)
			file := fixture.OSFile(e, content)
			file.Seek(1000, 0)
			a, b := fixture.Conns(e)
			arrived := fixture.Collect(b)
			z := engine(e)
			sum, errors := int64(0), ""
			for _, count := range []int64{3, 3, 3, 41, 50_000, 48_950} {
				result, err := z.FileToSocket(a, file, nil, count)
				sum += result.N
				errors += errorWord(err)
			}
			a.Close()
			e.Fact("errors", errors)
			e.Fact("sum", sum)
			filePosition(e, file)
			e.Arrived(arrived(), content[1000:])
		},
	},
	{
		ID:       "any/library/count-beyond-int32",
		Title:    "A count beyond 2 GiB is a count like any other: what is there goes, and the rest is short",
		Facility: "library",
		Level:    Must,
		Sources:  []string{librarySource, "libuv test-io-64-safe refuses it with EINVAL"},
		// libuv's rule is EINVAL; here the whole of int64 is allowed.
		Covers:  []string{"linux/fallback/libuv-int32-limit"},
		Systems: linuxOnly,
		Caller:  "Nothing to do: no chunks by hand.",
		Expect:  []Expectation{{Facts: Want{"int32.n": 10_000, "int32.error": "short-source", "int64.n": 10_000, "int64.error": "short-source", Bytes: fixture.Right}}},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 10_000)
			file := fixture.OSFile(e, content)
			a, b := fixture.Conns(e)
			arrived := fixture.Collect(b)
			for name, count := range map[string]int64{"int32": 1<<31 + 4096, "int64": 1<<63 - 1} {
				offset := int64(0)
				result, err := engine(e).FileToSocket(a, file, &offset, count)
				e.Fact(name+".n", result.N)
				e.Fact(name+".error", errorWord(err))
			}
			a.Close()
			e.Arrived(arrived(), append(bytes.Clone(content), content...))
		},
	},
	{
		ID:       "linux/library/source-truncated-while-sending",
		Title:    "A file that is cut off while it is being sent ends the transfer as a short source; it does not go round",
		Facility: "library",
		Level:    Must,
		Sources:  []string{librarySource, "proftpd/proftpd#591"},
		Covers:   []string{"bug/S16-proftpd-loop"},
		Systems:  linuxOnly,
		Caller:   "Close the connection: the length that was announced cannot be kept.",
		Expect:   []Expectation{{Facts: Want{"error": "short-source", "offset-is-n": true, "arrived-is-n": true, "short": true}}},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 4<<20)
			file := fixture.OSFile(e, content)
			a, b := fixture.NarrowConns(e)
			arrived := make(chan []byte, 1)
			fixture.WhenFull(a, func() {
				file.Truncate(1 << 20) // behind what has been sent
				arrived <- fixture.Collect(b)()
			})
			offset := int64(0)
			result, err := engine(e).FileToSocket(a, file, &offset, int64(len(content)))
			a.Close()
			e.Fact("error", errorWord(err))
			e.Fact("offset-is-n", offset == result.N)
			e.Fact("short", result.N < int64(len(content)))
			e.Fact("arrived-is-n", int64(len(<-arrived)) == result.N)
		},
	},
	{
		ID:       "linux/library/terminal-source",
		Title:    "What waits in a terminal is sent, and the end of it is no error; nothing hangs and nothing is lost",
		Facility: "library",
		Level:    Should,
		Sources:  []string{librarySource, "Go os TestCopyFromTTY", "golang/go#59041"},
		Covers:   []string{"suite/go/tty-source"},
		Needs:    []string{"splice/pty-pipe"},
		Systems:  linuxOnly,
		Caller:   "Give a count, or hang up the other end: a terminal has no end of its own.",
		Expect:   []Expectation{{Facts: Want{"n": 1000, "error": "", Bytes: fixture.Right}}},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 1000)
			master, slave := fixture.Terminal(e)
			fixture.WriteAll(e, master, content)
			fixture.AwaitEnd(e, slave)
			fd, errno := sys.Dup(slave.Int())
			if errno != 0 {
				e.Fatalf("dup: %w", error(errno))
			}
			file := os.NewFile(uintptr(fd), "terminal")
			e.Cleanup(func() { file.Close() })
			a, b := fixture.Conns(e)
			arrived := fixture.Collect(b)
			result, err := engine(e).FileToSocket(a, file, nil, int64(len(content)))
			a.Close()
			e.Fact("n", result.N)
			e.Fact("error", errorWord(err))
			e.Arrived(arrived(), content)
		},
	},
}

// reaches waits until the counters of an engine come to n bytes.
func reaches(z *zerocopy.Engine, n int64) bool {
	for end := time.Now().Add(fixture.Patience()); time.Now().Before(end); {
		if z.Counters().Bytes() == n {
			return true
		}
		time.Sleep(time.Millisecond)
	}
	return false
}
