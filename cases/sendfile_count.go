package cases

import (
	"math"
	"os"
	"runtime"
	"time"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// How much a call moves, and what counts mean.
var sendfileCount = []*Case{
	{
		ID:       "linux/sendfile/count-zero-returns-zero",
		Title:    "A count of zero returns 0, moves nothing and sends nothing, no empty datagram either",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"gVisor SendZeroBytes", "Linux fs/read_write.c, do_sendfile"},
		Covers:   []string{"linux/sendfile/count-zero-returns-zero"},
		Needs:    []string{"sendfile/file-tcp", "sendfile/file-unix"},
		Systems:  linuxOnly,
		Caller:   "An empty file needs no call. An empty datagram wants send.",
		Expect: []Expectation{
			{Facts: Want{
				"offset.return": 0, "offset.errno": "", Offset: 5, "null.return": 0, "null.errno": "", Position: 7,
				"datagram.return": 0, "datagram.errno": "", "queued": 0, "datagrams": false,
			}},
		},
		Body: func(e *Env) {
			file := fixture.File(e, fixture.Pattern(1, 1000), os.O_RDONLY)
			fixture.SetPosition(e, file, 7)
			a, b := fixture.TCP(e)
			offset := int64(5)
			n, errno := e.Kernel.Sendfile(a.Int(), file.Int(), &offset, 0)
			e.Named("offset", n, errno)
			e.Fact(Offset, offset)
			n, errno = e.Kernel.Sendfile(a.Int(), file.Int(), nil, 0)
			e.Named("null", n, errno)
			e.Fact("queued", fixture.Queued(e, b))
			x, y := fixture.Unix(e, sys.Datagram)
			n, errno = e.Kernel.Sendfile(x.Int(), file.Int(), nil, 0)
			e.Named("datagram", n, errno)
			e.Fact(Position, fixture.Position(e, file))
			e.Fact("datagrams", fixture.Readable(e, y, 0))
		},
	},
	{
		ID:       "linux/sendfile/count-zero-still-validates",
		Title:    "A count of zero does not skip the checks of descriptors, modes, O_APPEND and offset",
		Facility: "sendfile",
		Level:    Should,
		Sources:  []string{"gVisor InvalidOffset", "Linux fs/read_write.c, do_sendfile"},
		Covers:   []string{"linux/sendfile/count-zero-still-validates"},
		Needs:    []string{"sendfile/file-tcp", "sendfile/file-file"},
		Systems:  linuxOnly,
		Caller:   "A call with count 0 tells whether a pair of descriptors will do, without moving a byte.",
		Expect: []Expectation{
			{Facts: Want{
				"bad-out.errno": "EBADF", "bad-in.errno": "EBADF", "out-mode.errno": "EBADF", "in-mode.errno": "EBADF",
				"append.errno": "EINVAL", "offset.errno": "EINVAL", "good.errno": "", "good.return": 0,
			}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 1000)
			reads, writes := fixture.File(e, content, os.O_RDONLY), fixture.File(e, content, os.O_WRONLY)
			appends := fixture.File(e, content, os.O_WRONLY|os.O_APPEND)
			minus := int64(-1)
			for name, c := range map[string]struct {
				out, in int
				offset  *int64
			}{
				"bad-out":  {-1, reads.Int(), nil},
				"bad-in":   {writes.Int(), -1, nil},
				"out-mode": {reads.Int(), reads.Int(), nil},
				"in-mode":  {writes.Int(), writes.Int(), nil},
				"append":   {appends.Int(), reads.Int(), nil},
				"offset":   {writes.Int(), reads.Int(), &minus},
				"good":     {writes.Int(), reads.Int(), nil},
			} {
				n, errno := e.Kernel.Sendfile(c.out, c.in, c.offset, 0)
				e.Named(name, n, errno)
			}
		},
	},
	{
		ID:       "linux/sendfile/argument-matrix",
		Title:    "The four answers that stand-ins for Linux get wrong: end of file 0, count zero 0, O_APPEND EINVAL, a pipe as source EINVAL",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2), RETURN VALUE and ERRORS", "rcore-os/tgoskits#770", "omniosorg/illumos-omnios#1077", "apache/nuttx#9576", "asterinas/asterinas#3226"},
		Covers:   []string{"bug/V12-emulators-sendfile"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "Behind a stand-in that answers otherwise, copy.",
		Expect: []Expectation{
			{Facts: Want{
				"end.return": 0, "end.errno": "", "zero.return": 0, "zero.errno": "", "append.return": -1, "append.errno": "EINVAL",
				"pipe.return": -1, "pipe.errno": "EINVAL", "appended": fixture.Right,
			}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 1000)
			file := fixture.File(e, content, os.O_RDONLY)
			a, _ := fixture.TCP(e)
			end := int64(1000)
			n, errno := e.Kernel.Sendfile(a.Int(), file.Int(), &end, 10)
			e.Named("end", n, errno)
			n, errno = e.Kernel.Sendfile(a.Int(), file.Int(), nil, 0)
			e.Named("zero", n, errno)
			appends, path := fixture.NamedFile(e, content, os.O_WRONLY|os.O_APPEND)
			n, errno = e.Kernel.Sendfile(appends.Int(), file.Int(), nil, 10)
			e.Named("append", n, errno)
			e.Fact("appended", fixture.Compare(fixture.Content(e, path), content))
			r, w := fixture.Pipe(e)
			fixture.WriteAll(e, w, content)
			n, errno = e.Kernel.Sendfile(a.Int(), r.Int(), nil, 10)
			e.Named("pipe", n, errno)
		},
	},
	{
		ID:       "linux/sendfile/count-beyond-eof-is-short",
		Title:    "A count beyond the end of the file sends what there is, and that is no error",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2), NOTES", "gVisor LargeCount, SendTheCorrectNumberOfBytes", "Go net TestSendfileWithLimitLargerThanFile"},
		Covers:   []string{"linux/sendfile/count-beyond-eof-is-short", "suite/go/limit-larger-than-file"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "A short count is no end of file: call again, and believe the 0.",
		Expect: []Expectation{
			{Facts: Want{Return: 900, Errno: "", Offset: 1000, "again.return": 0, "again.errno": "", Bytes: fixture.Right, "queued": 0}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 1000)
			file := fixture.File(e, content, os.O_RDONLY)
			a, b := fixture.TCP(e)
			offset := int64(100)
			e.Answer(e.Kernel.Sendfile(a.Int(), file.Int(), &offset, 1000+100))
			n, errno := e.Kernel.Sendfile(a.Int(), file.Int(), &offset, 100)
			e.Named("again", n, errno)
			e.Fact(Offset, offset)
			e.Arrived(fixture.ReadN(e, b, 900), content[100:])
			e.Fact("queued", fixture.Queued(e, b))
		},
	},
	{
		ID:       "linux/sendfile/file-growth-after-eof",
		Title:    "After the end was reached, bytes that are appended to the file are sent by the next call",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2), RETURN VALUE", "CPython test_os sendfile test_small_chunks", "python/cpython#87554"},
		Covers:   []string{"linux/sendfile/file-growth-after-eof", "bug/R05-py-fastcopy-0"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "A 0 is the end as it was at that moment: compare with the size that was promised.",
		Expect: []Expectation{
			{Facts: Want{"first.return": 100, "end.return": 0, "end.errno": "", "grown.return": 50, "grown.errno": "", Position: 150, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 150)
			file := fixture.File(e, content[:100], os.O_RDWR)
			a, b := fixture.TCP(e)
			send := func(name string) {
				n, errno := e.Kernel.Sendfile(a.Int(), file.Int(), nil, 1000)
				e.Named(name, n, errno)
			}
			send("first")
			send("end")
			fixture.Overwrite(e, file, content[100:], 100)
			send("grown")
			e.Fact(Position, fixture.Position(e, file))
			e.Arrived(fixture.ReadN(e, b, 150), content)
		},
	},
	{
		ID:       "linux/sendfile/negative-count-einval",
		Title:    "A count with the top bit set is refused with EINVAL, and nothing moves",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2), ERRORS: EINVAL", "gVisor DoNotSendANegativeNumberOfBytes"},
		Covers:   []string{"linux/sendfile/negative-count-einval"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "Take \"until the end\" apart before the call: -1 does not mean that here.",
		Expect: []Expectation{
			{Facts: Want{"one.return": -1, "one.errno": "EINVAL", "least.return": -1, "least.errno": "EINVAL", Position: 0, "queued": 0}},
		},
		Body: func(e *Env) {
			file := fixture.File(e, fixture.Pattern(1, 1000), os.O_RDONLY)
			a, b := fixture.TCP(e)
			for name, count := range map[string]int{"one": -1, "least": math.MinInt} {
				n, errno := e.Kernel.Sendfile(a.Int(), file.Int(), nil, count)
				e.Named(name, n, errno)
			}
			e.Fact(Position, fixture.Position(e, file))
			e.Fact("queued", fixture.Queued(e, b))
		},
	},
	{
		ID:       "linux/sendfile/max-rw-count-clamp",
		Title:    "One call moves at most 2 GiB less a page, and the offset says so",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2), NOTES: 0x7ffff000", "Linux include/linux/fs.h, MAX_RW_COUNT", "nginx ngx_linux_sendfile_chain.c", "containerd/continuity#114"},
		Covers:   []string{"linux/sendfile/max-rw-count-clamp", "bug/K09-2gib-clamp", "suite/go/chunk-int32", "bug/K10-clamp-page-size"},
		Needs:    []string{"sendfile/file-file"},
		Systems:  linuxOnly,
		Caller:   "Loop, whatever the size: a file above 2 GiB never goes in one call.",
		Expect: []Expectation{
			// MAX_RW_COUNT is INT_MAX rounded down to a page.
			{Facts: Want{"clamped": true, Errno: "", "offset-moved-by-return": true, Position: 0}},
		},
		Body: func(e *Env) {
			file := fixture.MemoryFile(e, nil)
			fixture.Truncate(e, file, 5<<30)
			null := fixture.Open(e, "/dev/null", os.O_WRONLY)
			if dearHoles(e, file, null) {
				e.Skip(SkipResources)
			}
			offset := int64(0)
			n, errno := e.Kernel.Sendfile(null.Int(), file.Int(), &offset, math.MaxInt)
			e.Fact(Errno, sys.ErrnoName(errno))
			e.Fact("clamped", n == math.MaxInt32&^(os.Getpagesize()-1))
			e.Fact("offset-moved-by-return", offset == int64(n))
			e.Fact(Position, fixture.Position(e, file))
		},
	},
	{
		ID:       "linux/sendfile/max-rw-count-exact",
		Title:    "The largest count counts as 2 GiB less a page, to the byte, wherever it is checked",
		Facility: "sendfile",
		Level:    Should,
		// The position of the output and the count, after it was cut, must not cross
		// 2^63 together: so the cut can be seen without a byte moved.
		Sources: []string{"sendfile(2), NOTES: 0x7ffff000", "Linux fs/read_write.c, do_sendfile: MAX_RW_COUNT, rw_verify_area of the output"},
		Needs:   []string{"sendfile/file-file"},
		Systems: linuxOnly,
		Caller:  "Loop, whatever the size.",
		Expect: append([]Expectation{
			{Emulator: "gvisor", Why: "the count is added to an offset argument only, never to a file position (Sendfile)",
				Known: gvisorSource + "sentry/syscalls/linux/sys_splice.go#L318-L349",
				Facts: Want{"above.errno": "", "above.return": 10, "below.errno": "", "below.return": 10, Position: 10}},
		}, on64Bit(Want{"below.return": 10, "below.errno": "", "above.return": -1, "above.errno": "EINVAL", Position: 10})...),
		Body: func(e *Env) {
			in := fixture.File(e, fixture.Pattern(1, 10), os.O_RDONLY)
			out := fixture.MemoryFile(e, nil)
			limit := int64(math.MaxInt32 &^ (os.Getpagesize() - 1))
			fixture.SetPosition(e, out, math.MaxInt64-limit)
			n, errno := e.Kernel.Sendfile(out.Int(), in.Int(), nil, math.MaxInt)
			e.Named("below", n, errno)
			e.Fact(Position, fixture.Position(e, in))
			fixture.SetPosition(e, in, 0)
			fixture.SetPosition(e, out, math.MaxInt64-limit+1)
			n, errno = e.Kernel.Sendfile(out.Int(), in.Int(), nil, math.MaxInt)
			e.Named("above", n, errno)
		},
	},
	{
		ID:       "linux/sendfile/huge-count-small-file",
		Title:    "The largest count on a small file sends the file and no more",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2), NOTES", "gVisor SendpageFromEmptyFileToUDP"},
		Covers:   []string{"linux/sendfile/huge-count-small-file"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "A count is an upper limit.",
		Expect: []Expectation{
			{Facts: Want{Return: 1000, Errno: "", Position: 1000, Bytes: fixture.Right, "queued": 0}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 1000)
			file := fixture.File(e, content, os.O_RDONLY)
			a, b := fixture.TCP(e)
			e.Answer(e.Kernel.Sendfile(a.Int(), file.Int(), nil, math.MaxInt))
			e.Fact(Position, fixture.Position(e, file))
			e.Arrived(fixture.ReadN(e, b, 1000), content)
			e.Fact("queued", fixture.Queued(e, b))
		},
	},
	{
		ID:       "linux/sendfile/huge-count-behind-start-einval",
		Title:    "The largest count is refused with EINVAL once the file position has left the start",
		Facility: "sendfile",
		Level:    Info,
		// The sum of position and count is checked before the count is cut to
		// 2 GiB. On 32-bit systems the largest count is small beside 2^63.
		Sources: []string{"Linux fs/read_write.c, do_sendfile: rw_verify_area before MAX_RW_COUNT"},
		Needs:   []string{"sendfile/file-tcp"},
		Systems: linuxOnly,
		Caller:  "A loop that asks for LONG_MAX each time works once and fails at the second call: cap the count.",
		Expect: append([]Expectation{
			{Emulator: "gvisor", Why: "the count is added to an offset argument only, never to a file position (Sendfile)",
				Known: gvisorSource + "sentry/syscalls/linux/sys_splice.go#L318-L349",
				Facts: Want{"first.return": 1000, Position: 1000, "second.errno": "", "second.return": 0}},
		}, on64Bit(Want{"first.return": 1000, "second.return": -1, "second.errno": "EINVAL", Position: 1000})...),
		Body: func(e *Env) {
			file := fixture.File(e, fixture.Pattern(1, 1000), os.O_RDONLY)
			a, _ := fixture.TCP(e)
			n, errno := e.Kernel.Sendfile(a.Int(), file.Int(), nil, math.MaxInt)
			e.Named("first", n, errno)
			n, errno = e.Kernel.Sendfile(a.Int(), file.Int(), nil, math.MaxInt)
			e.Named("second", n, errno)
			e.Fact(Position, fixture.Position(e, file))
		},
	},
	{
		ID:       "linux/sendfile/empty-file-returns-zero",
		Title:    "An empty file returns 0 and sends nothing, no datagram either",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2), RETURN VALUE", "gVisor SendpageFromEmptyFileToUDP"},
		Needs:    []string{"sendfile/file-tcp", "sendfile/file-udp"},
		Systems:  linuxOnly,
		Caller:   "Nothing is to be done for an empty file.",
		Expect: []Expectation{
			{Facts: Want{"tcp.return": 0, "tcp.errno": "", "udp.return": 0, "udp.errno": "", Offset: 0, "tcp.arrived": false, "udp.arrived": false}},
		},
		Body: func(e *Env) {
			file := fixture.File(e, nil, os.O_RDONLY)
			a, b := fixture.TCP(e)
			x, y := fixture.UDP(e)
			offset := int64(0)
			n, errno := e.Kernel.Sendfile(a.Int(), file.Int(), &offset, 100)
			e.Named("tcp", n, errno)
			n, errno = e.Kernel.Sendfile(x.Int(), file.Int(), &offset, 0x8000_0000>>1)
			e.Named("udp", n, errno)
			e.Fact(Offset, offset)
			e.Fact("tcp.arrived", fixture.Readable(e, b, 0))
			e.Fact("udp.arrived", fixture.Readable(e, y, 0))
		},
	},
	{
		ID:       "linux/sendfile/io-accounting",
		Title:    "What sendfile moves is counted as read and as written in /proc/thread-self/io",
		Facility: "sendfile",
		Level:    Should,
		Sources:  []string{"proc_pid_io(5): rchar, wchar", "Linux fs/read_write.c, do_sendfile: add_rchar, add_wchar", "iovisor/bcc#3951"},
		Covers:   []string{"bug/S12-tools-miss-sendfile"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "Tools that watch read and write miss these bytes; the counters of the process have them.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: "only read and write are counted (AccountReadSyscall in sys_read_write.go), sendfile is not",
				Known: gvisorSource + "sentry/syscalls/linux/sys_splice.go#L278-L475",
				Facts: Want{"counted-read": 0, "counted-written": 0, Return: 5000}},
			{Facts: Want{Return: 5000, "counted-read": 5000, "counted-written": 5000}},
		},
		Body: sendfileAccounting,
	},
}

// on64Bit is an expectation for the machines whose counts have 64 bits.
func on64Bit(facts Want) (list []Expectation) {
	for _, arch := range []string{"amd64", "arm64", "loong64", "mips64", "mips64le", "ppc64", "ppc64le", "riscv64", "s390x"} {
		list = append(list, Expectation{Arch: arch, Facts: facts, Why: "its counts have 64 bits, and reach 2^63"})
	}
	return list
}

// dearHoles tells whether 2 GiB of a hole in a file in memory are more than a
// case may cost. Newer kernels send the zero page itself. Others fill the hole
// as they go (before 5.19 or so), or copy zeros, which an emulated processor
// does for half a minute when it is shared. What was measured of processor time
// lies well apart: 0.05 s on a real processor and 0.3 s on an emulated one where
// the zero page is sent, 1.6 s and more on an emulated one where it is copied.
func dearHoles(e *Env, file, null *fixture.FD) bool {
	const trial, most = 16 << 20, time.Second
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	native := sys.Native()
	offset := int64(0)
	if _, errno := native.Sendfile(null.Int(), file.Int(), &offset, 1<<20); errno != 0 || fixture.Status(e, file).Allocated > 0 {
		return true
	}
	best := most
	for range 3 {
		before := sys.ThreadTime()
		offset = 0
		native.Sendfile(null.Int(), file.Int(), &offset, trial)
		best = min(best, (sys.ThreadTime()-before)*(2<<30/trial))
	}
	return best == most
}
