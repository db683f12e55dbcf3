package cases

import (
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// Sockets that wait.
var sendfileBlocking = []*Case{
	{
		ID:       "linux/sendfile/blocking-socket-sends-all-or-signal",
		Title:    "A blocking socket waits until the whole count is taken",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2), RETURN VALUE", "gVisor SendMultiple", "Go net TestSendfileWithLargeFile"},
		Covers:   []string{"linux/sendfile/blocking-socket-sends-all-or-signal"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "Loop all the same: a signal ends the call early.",
		Expect: []Expectation{
			{Facts: Want{"waited": true, Return: 4 << 20, Errno: "", Offset: 4 << 20, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 4<<20)
			file := fixture.File(e, content, os.O_RDONLY)
			a, b := fixture.TCP(e)
			fixture.Small(e, a, b)
			offset := int64(0)
			call := begin(func() (int, sys.Errno) { return e.Kernel.Sendfile(a.Int(), file.Int(), &offset, len(content)) })
			e.Fact("waited", call.Waits())
			arrived := fixture.ReadN(e, b, len(content))
			e.Ended("", call)
			e.Fact(Offset, offset)
			a.Close()
			e.Arrived(append(arrived, fixture.ReadAll(e, b)...), content)
		},
	},
	{
		ID:       "linux/sendfile/sndtimeo",
		Title:    "SO_SNDTIMEO ends a waiting call with the count so far, or with EAGAIN where nothing was taken",
		Facility: "sendfile",
		Level:    Should,
		Sources:  []string{"socket(7), SO_SNDTIMEO", "CPython test_socket testWithTimeout"},
		Covers:   []string{"linux/sendfile/sndtimeo"},
		Needs:    []string{"sendfile/file-unix"},
		Systems:  linuxOnly,
		Caller:   "A short count may be a timeout: the next call says EAGAIN.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: "a waiting sendfile knows no deadline: it blocks until there is room (dualWaiter.waitForOut)",
				Known: gvisorSource + "sentry/syscalls/linux/sys_splice.go#L743-L755",
				Facts: Want{
					"nothing.errno": "never", "nothing.offset": 3, "nothing.return": "never", "partial.errno": "",
					"partial.offset-moved-by-return": false, "partial.short": false,
				}},
			{Facts: Want{
				"partial.short": true, "partial.errno": "", "partial.offset-moved-by-return": true,
				"nothing.return": -1, "nothing.errno": "EAGAIN", "nothing.offset": 3,
			}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 1<<20)
			file := fixture.File(e, content, os.O_RDONLY)
			limit := func(fd *fixture.FD) {
				if errno := sys.SetTimeouts(fd.Int(), 0, 30); errno != 0 {
					e.Fatalf("setsockopt SO_SNDTIMEO: %w", errno)
				}
			}
			a, _ := fixture.Unix(e, sys.Stream)
			limit(a)
			offset := int64(0)
			call := begin(func() (int, sys.Errno) { return e.Kernel.Sendfile(a.Int(), file.Int(), &offset, len(content)) })
			n, errno, ok := call.Returned()
			e.Fact("partial.short", ok && 0 < n && n < len(content))
			e.Fact("partial."+Errno, sys.ErrnoName(errno))
			e.Fact("partial.offset-moved-by-return", ok && offset == int64(n))
			x, _ := fullUnix(e, file)
			limit(x)
			late := int64(3)
			call = begin(func() (int, sys.Errno) { return e.Kernel.Sendfile(x.Int(), file.Int(), &late, 5000) })
			e.Ended("nothing", call)
			e.Fact("nothing."+Offset, late)
		},
	},
}
