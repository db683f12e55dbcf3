package cases

import (
	"errors"
	"io"
	"os"
	"time"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/zerocopy"
)

// A deadline in the past strikes at once, and never takes a deadline away.
var (
	past  = time.Unix(1, 0)
	never time.Time
)

// feed writes content into a connection and closes it for writing, in the
// background.
func feed(conn interface {
	io.Writer
	CloseWrite() error
}, content []byte) {
	go func() {
		conn.Write(content)
		conn.CloseWrite()
	}()
}

var libraryRelayCases = []*Case{
	{
		ID:       "any/library/relay-takes-no-more-than-count",
		Title:    "SocketRelay moves exactly count bytes and leaves the rest in the source",
		Facility: "library",
		Level:    Must,
		Sources:  []string{librarySource},
		Covers:   []string{"linux/fallback/go-limitedreader-n"},
		Systems:  linuxOnly,
		Caller:   "Relay the length of a message, then read the next one from the same connection.",
		Expect: []Expectation{
			{Facts: Want{"n": 70_000, "error": "", "rest": fixture.Right, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 100_000)
			client, src := fixture.Conns(e)
			dst, sink := fixture.Conns(e)
			feed(client, content)
			arrived := fixture.Collect(sink)
			result, err := engine(e).SocketRelay(dst, src, 70_000)
			dst.Close()
			moved(e, result, err)
			e.Fact("rest", fixture.Compare(fixture.Collect(src)(), content[70_000:]))
			e.Arrived(arrived(), content[:70_000])
		},
	},
	{
		ID:       "any/library/relay-until-the-end",
		Title:    "A negative count relays until the source ends, and the end is no error",
		Facility: "library",
		Level:    Must,
		Sources:  []string{librarySource},
		Systems:  linuxOnly,
		Caller:   "Carry the end over with CloseWrite on the destination.",
		Expect: []Expectation{
			{Facts: Want{"n": 4_000_000, "path": OneOf{"splice", "copied"}, "error": "", Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 4_000_000)
			client, src := fixture.Conns(e)
			dst, sink := fixture.Conns(e)
			feed(client, content)
			arrived := fixture.Collect(sink)
			result, err := engine(e).SocketRelay(dst, src, -1)
			dst.Close()
			moved(e, result, err)
			e.Arrived(arrived(), content)
		},
	},
	{
		ID:       "any/library/relay-between-unix-sockets",
		Title:    "A relay works between UNIX stream sockets, and between those and TCP",
		Facility: "library",
		Level:    Must,
		Sources:  []string{librarySource},
		Covers:   []string{"linux/splice/unix-stream-both-ways"},
		Systems:  linuxOnly,
		Caller:   "Nothing: the standard library copies from UNIX to UNIX, this does not have to.",
		Expect: []Expectation{
			{Facts: Want{"unix-unix": "", "unix-tcp": "", "tcp-unix": "", Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 200_000)
			z := engine(e)
			client, first := fixture.UnixConns(e)
			second, third := fixture.UnixConns(e)
			fourth, fifth := fixture.Conns(e)
			sixth, sink := fixture.UnixConns(e)
			feed(client, content)
			go func() { // the middle of the chain runs beside its ends
				_, err := z.SocketRelay(fourth, third, -1)
				e.Fact("unix-tcp", errorWord(err))
				fourth.CloseWrite()
				_, err = z.SocketRelay(sixth, fifth, -1)
				e.Fact("tcp-unix", errorWord(err))
				sixth.CloseWrite()
			}()
			_, err := z.SocketRelay(second, first, -1)
			unixToUnix := errorWord(err)
			second.CloseWrite()
			got := fixture.Collect(sink)() // the end of the chain: the facts above are set
			e.Fact("unix-unix", unixToUnix)
			e.Arrived(got, content)
		},
	},
	{
		ID:       "any/library/relay-short-source",
		Title:    "A source that ends before the count gives ErrShortSource, with what it had delivered",
		Facility: "library",
		Level:    Must,
		Sources:  []string{librarySource},
		Systems:  linuxOnly,
		Caller:   "Close the destination: the message it was promised cannot be completed.",
		Expect: []Expectation{
			{Facts: Want{"n": 5000, "error": "short-source", Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 5000)
			client, src := fixture.Conns(e)
			dst, sink := fixture.Conns(e)
			feed(client, content)
			arrived := fixture.Collect(sink)
			result, err := engine(e).SocketRelay(dst, src, 5001)
			dst.Close()
			moved(e, result, err)
			e.Arrived(arrived(), content)
		},
	},
	{
		ID:       "any/library/relay-survives-deadline",
		Title:    "Bytes that were taken from the source when the deadline of the destination strikes are delivered by the next run",
		Facility: "library",
		Level:    Must,
		Sources:  []string{"package zerocopy, Relay", "io.Copy between TCP connections loses them: Go internal/poll splice_linux.go keeps the pipe only while it runs"},
		Systems:  linuxOnly,
		Caller:   "Use a Relay and run it again; with SocketRelay, take the bytes out of the InFlightError.",
		Expect: []Expectation{
			{Facts: Want{"error": "deadline", "again": "", "sum": int64(2 << 20), Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 2<<20)
			client, src := fixture.Conns(e)
			dst, sink := fixture.NarrowConns(e)
			feed(client, content)
			relay := engine(e).NewRelay(dst, src)
			fixture.WhenFull(dst, func() { dst.SetWriteDeadline(past) })
			first, err := relay.Run(-1)
			e.Fact("error", errorWord(err))
			dst.SetWriteDeadline(never)
			arrived := fixture.Collect(sink)
			second, err := relay.Run(-1)
			dst.Close()
			e.Fact("again", errorWord(err))
			e.Fact("sum", first.N+second.N)
			e.Arrived(arrived(), content)
		},
	},
	{
		ID:       "any/library/relay-hands-back-bytes-in-flight",
		Title:    "When the destination is lost in the middle, what was taken from the source and not delivered is handed back",
		Facility: "library",
		Level:    Must,
		Sources:  []string{"package zerocopy, InFlightError"},
		Systems:  linuxOnly,
		Caller:   "Send Data to another destination, and then what the source gives next.",
		Expect: []Expectation{
			{Facts: Want{"error": "deadline", Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 2<<20)
			client, src := fixture.Conns(e)
			dst, sink := fixture.NarrowConns(e)
			feed(client, content)
			fixture.WhenFull(dst, func() { dst.SetWriteDeadline(past) })
			result, err := engine(e).SocketRelay(dst, src, -1)
			e.Fact("error", errorWord(err))
			dst.Close()
			got := fixture.Collect(sink)()
			if int64(len(got)) != result.N {
				e.Fatalf("the sink has %d of %d bytes", len(got), result.N)
			}
			var flight *zerocopy.InFlightError
			if errors.As(err, &flight) {
				got = append(got, flight.Data...)
			}
			e.Arrived(append(got, fixture.Collect(src)()...), content)
		},
	},
	{
		ID:       "any/library/close-ends-a-transfer",
		Title:    "Closing a connection from another goroutine ends a relay that waits for it",
		Facility: "library",
		Level:    Must,
		Sources:  []string{librarySource},
		Systems:  linuxOnly,
		Caller:   "Close is a way to stop; it needs no deadline beside it.",
		Expect: []Expectation{
			{Facts: Want{"source": "closed", "destination": "closed"}},
		},
		Body: func(e *Env) {
			z := engine(e)
			_, src := fixture.Conns(e)
			dst, _ := fixture.Conns(e)
			ended := make(chan error, 1)
			go func() {
				_, err := z.SocketRelay(dst, src, -1)
				ended <- err
			}()
			src.Close() // before or while it waits: both end it
			e.Fact("source", errorWord(<-ended))

			client, src := fixture.Conns(e)
			dst, _ = fixture.NarrowConns(e)
			feed(client, make([]byte, 2<<20))
			go func() {
				_, err := z.SocketRelay(dst, src, -1)
				ended <- err
			}()
			for end := time.Now().Add(fixture.Patience()); z.Counters().Bytes() == 0 && time.Now().Before(end); {
				time.Sleep(time.Millisecond)
			}
			dst.Close()
			e.Fact("destination", errorWord(<-ended))
		},
	},
	{
		ID:       "linux/library/idle-relay-holds-no-pipe",
		Title:    "A relay that waits for its source holds no pipe",
		Facility: "library",
		Level:    Must,
		Sources:  []string{"package zerocopy, SocketRelay", "pipe(7), /proc/sys/fs/pipe-user-pages-soft"},
		Covers:   []string{"bug/G13-fd-count-6"},
		Systems:  linuxOnly,
		Alone:    true, // it counts the descriptors of its process
		Caller:   "Nothing: thousands of idle relays do not use up the pipes of their user.",
		Expect: []Expectation{
			{Facts: Want{"descriptors": 0, "error": "deadline"}},
		},
		Body: func(e *Env) {
			z := engine(e)
			_, src := fixture.Conns(e)
			dst, _ := fixture.Conns(e)
			before := descriptors(e)
			ended := make(chan error, 1)
			go func() {
				_, err := z.SocketRelay(dst, src, -1)
				ended <- err
			}()
			for z.Counters().Waits == 0 { // it has not come to waiting yet
				time.Sleep(time.Millisecond)
			}
			z.CloseIdlePipes()
			e.Fact("descriptors", descriptors(e)-before)
			src.SetReadDeadline(past)
			e.Fact("error", errorWord(<-ended))
		},
	},
}

// descriptors counts the open descriptors of this process.
func descriptors(e *Env) int {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		e.Skip(SkipPlace)
	}
	return len(list)
}
