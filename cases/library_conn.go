package cases

import (
	"io"
	"strconv"
	"strings"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/zerocopy"
)

// connSource is the contract of drop-in connections.
const connSource = "package zerocopy, Wrap"

// way is how the bytes of a transfer went, by what it changed in the counters:
// "sendfile 1000", and the reasons where a better path was given up.
func way(z *zerocopy.Engine, transfer func()) string {
	before := z.Counters()
	transfer()
	now := z.Counters()
	var words []string
	for _, p := range []struct {
		name string
		n    int64
	}{
		{"sendfile", now.Sendfile.Bytes - before.Sendfile.Bytes}, {"splice", now.Splice.Bytes - before.Splice.Bytes},
		{"copied", now.Copied.Bytes - before.Copied.Bytes},
	} {
		if p.n != 0 {
			words = append(words, p.name+" "+strconv.FormatInt(p.n, 10))
		}
	}
	for _, why := range zerocopy.Reasons() {
		if now.Fallbacks[why] > before.Fallbacks[why] {
			words = append(words, string(why))
		}
	}
	return strings.Join(words, ", ")
}

// onlyReads hides everything of a reader but Read.
type onlyReads struct{ io.Reader }

// optsIn is a reader that lets the library pass it by, and gets the count.
type optsIn struct {
	io.Reader
	n int64
}

func (c *optsIn) ZeroCopySource() io.Reader { return c.Reader }
func (c *optsIn) CountRead(n int64)         { c.n += n }

var libraryConnCases = []*Case{
	{
		ID:       "any/library/copy-finds-the-file",
		Title:    "io.Copy and io.CopyN to a wrapped connection send the file itself, also out of a limit, a section and what package os hides its WriterTo in",
		Facility: "library",
		Level:    Must,
		Sources:  []string{connSource, "golang/go#66988", "caddyserver/caddy#6546, #6565"},
		Covers:   []string{"bug/G06-lost-sendfile-1.22"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "Wrap the connection, and look at the counters: nothing else tells when io.Copy goes another way.",
		Expect: []Expectation{{Facts: Want{
			"io.Copy": "sendfile 60000", "io.CopyN": "sendfile 10000", "section": "sendfile 20000", "limit beyond the end": "sendfile 10000",
			"sum": 100_000, "errors": "", Position: 60_000, Bytes: fixture.Right,
		}}},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 60_000)
			file := fixture.OSFile(e, content)
			a, b := fixture.Conns(e)
			arrived := fixture.Collect(b)
			z := engine(e)
			conn := z.Wrap(a)
			var sum int64
			var wrong string
			took := func(n int64, err error) { sum, wrong = sum+n, wrong+errorWord(err) }
			e.Fact("io.Copy", way(z, func() { took(io.Copy(conn, file)) }))
			file.Seek(50_000, 0)
			e.Fact("limit beyond the end", way(z, func() { took(io.Copy(conn, io.LimitReader(file, 1<<40))) }))
			file.Seek(0, 0)
			e.Fact("io.CopyN", way(z, func() { took(io.CopyN(conn, file, 10_000)) }))
			file.Seek(60_000, 0)
			e.Fact("section", way(z, func() { took(io.Copy(conn, io.NewSectionReader(file, 30_000, 20_000))) }))
			a.Close()
			e.Fact("sum", sum)
			e.Fact("errors", wrong)
			filePosition(e, file)
			want := append(append([]byte{}, content...), content[50_000:]...)
			e.Arrived(arrived(), append(append(want, content[:10_000]...), content[30_000:50_000]...))
		},
	},
	{
		ID:       "any/library/wrapper-is-told-or-seen",
		Title:    "A wrapper around a file costs the fast path and is counted as opaque; one that opts in keeps it and gets the count",
		Facility: "library",
		Level:    Must,
		Sources:  []string{connSource + ", SourceWrapper", "gin-gonic/gin#3194", "caddy#4731/#5022/#6749", "valyala/fasthttp#1889", "versity/versitygw#919"},
		Covers:   []string{"bug/G08-wrapper-hides-readfrom"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "Let a wrapper that changes nothing implement SourceWrapper; the counters show the others.",
		Expect: []Expectation{{Facts: Want{
			"ways":    "file: sendfile 50000; hidden: copied 50000, opaque; opted in: sendfile 50000; opted in, limited: sendfile 20000",
			"counted": 70_000, Bytes: fixture.Right,
		}}},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 50_000)
			file := fixture.OSFile(e, content)
			a, b := fixture.Conns(e)
			arrived := fixture.Collect(b)
			z := engine(e)
			conn := z.Wrap(a)
			counter := &optsIn{Reader: file}
			var ways []string
			for _, x := range []struct {
				name   string
				source io.Reader
			}{{"file", file}, {"hidden", onlyReads{file}}, {"opted in", counter}, {"opted in, limited", io.LimitReader(counter, 20_000)}} {
				file.Seek(0, 0)
				ways = append(ways, x.name+": "+way(z, func() { io.Copy(conn, x.source) }))
			}
			a.Close()
			e.Fact("ways", strings.Join(ways, "; "))
			e.Fact("counted", counter.n)
			e.Arrived(arrived(), append(append(append(append([]byte{}, content...), content...), content...), content[:20_000]...))
		},
	},
	{
		ID:       "any/library/empty-file-to-a-connection",
		Title:    "io.Copy of an empty file to a wrapped connection moves nothing, gives no path up and sends nothing",
		Facility: "library",
		Level:    Must,
		Sources:  []string{connSource, "golang/go#53658"},
		Covers:   []string{"bug/G11-empty-file-fallback"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "Nothing to do.",
		Expect:   []Expectation{{Facts: Want{"way": "", "n": 0, "error": "", Bytes: fixture.Right}}},
		Body: func(e *Env) {
			a, b := fixture.Conns(e)
			z := engine(e)
			conn := z.Wrap(a)
			e.Fact("way", way(z, func() {
				n, err := io.Copy(conn, fixture.OSFile(e, nil))
				e.Fact("n", n)
				e.Fact("error", errorWord(err))
			}))
			a.Close()
			e.Arrived(fixture.Collect(b)(), nil)
		},
	},
}
