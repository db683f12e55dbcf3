package cases

import (
	"os"
	"time"

	"github.com/zcprobe/zcprobe/internal/fixture"
)

// When TCP sends what it was given.
var sendfileCork = []*Case{
	{
		ID:       "linux/sendfile/tcp-cork-holds",
		Title:    "TCP_CORK holds a small file back, and the kernel's timer sends it some 200 ms later",
		Facility: "sendfile",
		Level:    Should,
		Sources:  []string{"tcp(7), TCP_CORK: ceiling of 200 milliseconds", "sendfile(2), NOTES", "nginx ngx_linux_sendfile_chain.c"},
		Covers:   []string{"linux/sendfile/tcp-cork-holds"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "Take the cork off after the last byte.",
		Expect: []Expectation{
			{Facts: Want{Return: 100, "held": true, "flushed": true, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 100)
			file := fixture.File(e, content, os.O_RDONLY)
			for range corkTries {
				a, b := corked(e)
				begun, offset := time.Now(), int64(0)
				e.Answer(e.Kernel.Sendfile(a.Int(), file.Int(), &offset, 100))
				early := fixture.Readable(e, b, 10)
				if early && time.Since(begun) > promptly*time.Millisecond {
					continue // the machine stood still until the timer struck: nothing was learned
				}
				e.Fact("held", !early)
				e.Fact("flushed", fixture.Readable(e, b, 2000))
				e.Arrived(fixture.ReadN(e, b, 100), content)
				return
			}
			e.Fatalf("the machine is too slow to tell")
		},
	},
	{
		ID:       "linux/sendfile/tcp-uncork-flushes",
		Title:    "Header, file and trailer under TCP_CORK leave together at once when the cork is taken off",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"tcp(7), TCP_CORK", "sendfile(2), NOTES"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "This is the way to send a header with a file: cork, send, sendfile, uncork.",
		Expect: []Expectation{
			{Facts: Want{Return: 100, "held": true, "prompt": true, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 300)
			file := fixture.File(e, content, os.O_RDONLY)
			var a, b *fixture.FD
			for range corkTries {
				a, b = corked(e)
				begun := time.Now()
				e.Kernel.Send(a.Int(), content[:100], 0)
				offset := int64(100)
				e.Answer(e.Kernel.Sendfile(a.Int(), file.Int(), &offset, 100))
				e.Kernel.Send(a.Int(), content[200:], 0)
				held := fixture.Queued(e, b) == 0
				e.Fact("held", held)
				if held || time.Since(begun) < promptly*time.Millisecond {
					break
				} // else the machine stood still until the timer struck: nothing was learned
			}
			if errno := e.Kernel.SetCork(a.Int(), false); errno != 0 {
				e.Fatalf("setsockopt TCP_CORK: %w", errno)
			}
			e.Fact("prompt", fixture.Readable(e, b, promptly))
			e.Arrived(fixture.ReadN(e, b, 300), content)
		},
	},
	{
		ID:       "linux/sendfile/no-implicit-more-at-count-end",
		Title:    "The end of a count sends its last bytes at once, also where the file goes on",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"Linux fs/splice.c, splice_direct_to_actor: SPLICE_F_MORE", "Linux commit 219d92056ba3"},
		Covers:   []string{"linux/sendfile/no-implicit-more-at-count-end"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "Nothing to mind: parts of a file need no cork.",
		Expect: []Expectation{
			{Facts: Want{Return: 100, Offset: 5100, "prompt": true, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 100_000)
			file := fixture.File(e, content, os.O_RDONLY)
			a, b := fixture.TCP(e)
			offset := int64(5000)
			e.Answer(e.Kernel.Sendfile(a.Int(), file.Int(), &offset, 100))
			e.Fact(Offset, offset)
			e.Fact("prompt", fixture.Readable(e, b, promptly))
			e.Arrived(fixture.ReadN(e, b, 100), content[5000:5100])
		},
	},
	{
		ID:       "linux/sendfile/no-implicit-more-at-eof",
		Title:    "A count beyond the end of the file sends its last bytes at once",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"Linux commits 219d92056ba3 and 2bfc66850952", "golang/go#41513", "valyala/fasthttp#931"},
		Covers:   []string{"bug/K11-sendfile-msg_more-200ms"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "Never ask for more than the file holds: before Linux 6.5 its end waits 200 ms for more.",
		// Before, it depends: 5.10 holds the end back and 6.1.192 does not, and no
		// source says since when.
		Expect: []Expectation{
			{Since: "6.5", Facts: Want{"rounds": 5, "prompt": true, Bytes: fixture.Right}, Why: "commit 219d92056ba3 took MSG_MORE off the end of a file"},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 119)
			file := fixture.File(e, content, os.O_RDONLY)
			a, b := fixture.TCP(e)
			prompt, rounds := true, 0
			for ; rounds < 5 && prompt; rounds++ {
				offset := int64(0)
				e.Kernel.Sendfile(a.Int(), file.Int(), &offset, 4<<20)
				prompt = fixture.Readable(e, b, promptly)
				e.Arrived(fixture.ReadN(e, b, 119), content)
				fixture.WriteAll(e, b, content[:1])
				fixture.ReadN(e, a, 1)
			}
			e.Fact("rounds", rounds)
			e.Fact("prompt", prompt)
		},
	},
}

// promptly is a time in milliseconds that a byte over loopback never takes, and
// that is shorter than the timer that sends what was held back.
const promptly = 150

// corkTries is how often a case asks again whose machine stood still until the
// timer of the cork struck.
const corkTries = 5

// corked is a TCP connection whose first end has TCP_CORK set.
func corked(e *Env) (a, b *fixture.FD) {
	a, b = fixture.TCP(e)
	if errno := e.Kernel.SetCork(a.Int(), true); errno != 0 {
		e.Fatalf("setsockopt TCP_CORK: %w", errno)
	}
	return a, b
}
