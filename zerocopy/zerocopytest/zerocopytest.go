// Package zerocopytest fails a test when bytes that should have gone out
// without a copy did not: when a wrapper came between, a filter denies
// sendfile, a library changed. It looks at the counters of a
// [zerocopy.Engine], so that nothing has to be traced, and the test needs no
// privilege.
//
//	func TestDownloadsAreNotCopied(t *testing.T) {
//		engine := zerocopy.New(zerocopy.Config{})
//		server.Listener = engine.NewListener(server.Listener)
//		…
//		zerocopytest.Require(t, engine, size-zerocopytest.Sniffed, func() {
//			download(t, server.URL)
//		})
//	}
//
// What it asks holds on systems that have a zero-copy path. Elsewhere
// [zerocopy.Engine.BackendName] is "none", and such a test may be skipped.
package zerocopytest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zcprobe/zcprobe/zerocopy"
)

// Sniffed is how many bytes of each response body net/http reads itself, to
// find its type, before it hands the rest to the connection
// (net/http, response.ReadFrom).
const Sniffed = 512

// patience is how long the counters are waited for: the last system call is
// counted a moment after its bytes have left.
const patience = 2 * time.Second

// Require runs f and fails the test at once unless the engine has moved at
// least bytes bytes in the meantime, and every one that it moved without a
// copy. A nil engine is [zerocopy.Default]. The engine should do nothing else
// meanwhile.
func Require(t testing.TB, engine *zerocopy.Engine, bytes int64, f func()) {
	t.Helper()
	r := Record(engine)
	f()
	if err := r.Check(bytes); err != nil {
		t.Fatal(err)
	}
}

// Recorder compares the counters of an engine with what they were.
type Recorder struct {
	engine *zerocopy.Engine
	before zerocopy.Counters
}

// Record begins. A nil engine is [zerocopy.Default].
func Record(engine *zerocopy.Engine) *Recorder {
	if engine == nil {
		engine = zerocopy.Default()
	}
	return &Recorder{engine, engine.Counters()}
}

// Moved is what the engine has done since Record.
func (r *Recorder) Moved() zerocopy.Counters {
	now := r.engine.Counters()
	less := func(a, b zerocopy.PathCounters) zerocopy.PathCounters {
		return zerocopy.PathCounters{Bytes: a.Bytes - b.Bytes, Calls: a.Calls - b.Calls}
	}
	c := zerocopy.Counters{
		Sendfile:   less(now.Sendfile, r.before.Sendfile),
		Splice:     less(now.Splice, r.before.Splice),
		Copied:     less(now.Copied, r.before.Copied),
		Written:    less(now.Written, r.before.Written),
		Waits:      now.Waits - r.before.Waits,
		ShortSends: now.ShortSends - r.before.ShortSends,
		Fallbacks:  map[zerocopy.Reason]int64{},
	}
	for why, n := range now.Fallbacks {
		if n -= r.before.Fallbacks[why]; n > 0 {
			c.Fallbacks[why] = n
		}
	}
	return c
}

// Check returns nil when at least bytes bytes went without a copy since Record
// and none with one, and else an error that says by which path they went, and
// why. It waits up to 2 s for the counters.
func (r *Recorder) Check(bytes int64) error {
	var c zerocopy.Counters
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		c = r.Moved()
		if c.Bytes() >= bytes || time.Now().After(end) {
			break
		}
	}
	without := c.Bytes() - c.Copied.Bytes
	if c.Copied.Bytes == 0 && without >= bytes {
		return nil
	}
	lines := []string{fmt.Sprintf("%d bytes went without a copy, want %d, and %d by a copy", without, bytes, c.Copied.Bytes)}
	for _, p := range []struct {
		name string
		zerocopy.PathCounters
	}{{"sendfile", c.Sendfile}, {"splice", c.Splice}, {"copied", c.Copied}} {
		if p.Calls > 0 {
			lines = append(lines, fmt.Sprintf("  %s: %d bytes in %d calls", p.name, p.Bytes, p.Calls))
		}
	}
	for _, why := range slices.Sorted(maps.Keys(c.Fallbacks)) {
		lines = append(lines, fmt.Sprintf("  given up because: %s (%d times)%s", why, c.Fallbacks[why], hints[why]))
	}
	if c.Written.Bytes > 0 {
		lines = append(lines, fmt.Sprintf("  Write: %d bytes in %d calls%s", c.Written.Bytes, c.Written.Calls, writeHint(c, without, bytes)))
	}
	if c.Bytes() == 0 && c.Written.Bytes == 0 {
		lines = append(lines, "  nothing went through this engine: do its connections come from its Wrap or NewListener?")
	}
	return fmt.Errorf("%s", strings.Join(lines, "\n"))
}

// hints are what to look for.
var hints = map[zerocopy.Reason]string{
	zerocopy.ReasonOpaque:  ": the source is no file or connection, or a wrapper hides it",
	zerocopy.ReasonDenied:  ": a seccomp filter or a security module forbids the call",
	zerocopy.ReasonRefused: ": the call exists, but not for these descriptors",
}

// writeHint explains a body that came as memory.
func writeHint(c zerocopy.Counters, without, bytes int64) string {
	if c.Written.Bytes < bytes-without {
		return ""
	}
	return ": something between hides ReadFrom (a wrapped http.ResponseWriter, gzip, TLS), or the response is chunked for want of a Content-Length"
}
