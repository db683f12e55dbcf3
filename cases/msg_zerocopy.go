package cases

import (
	"syscall"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// noticeMS is how long a case waits for a notification that must come.
const noticeMS = 1000

// notices takes notifications off a socket until the call numbered last is
// done, joins their ranges, and records them.
func notices(e *Env, fd *fixture.FD, last uint32) {
	first, end, count := int64(-1), int64(-1), 0
	joined, copied, origin, errno := true, true, int64(-1), int64(0)
	for end < int64(last) {
		if ready, _ := sys.WaitError(fd.Int(), noticeMS); !ready {
			break
		}
		n, failed := e.Kernel.ZerocopyNotice(fd.Int())
		if failed != 0 {
			break
		}
		if count == 0 {
			first = int64(n.First)
		}
		joined = joined && (count == 0 || int64(n.First) == end+1)
		copied = copied && n.Copied
		origin, errno = int64(n.Origin), max(errno, int64(n.Errno))
		end = int64(n.Last)
		count++
	}
	e.Fact("notice.first", first)
	e.Fact("notice.last", end)
	e.Fact("notice.joined", joined)
	e.Fact("notice.copied", copied)
	e.Fact("notice.origin", origin)
	e.Fact("notice.errno", errno)
}

// zerocopyPair is a pair of sockets of which a has opted in.
func zerocopyPair(e *Env, pair func(fixture.T) (a, b *fixture.FD)) (a, b *fixture.FD) {
	a, b = pair(e)
	if errno := e.Kernel.SetZerocopy(a.Int()); errno != 0 {
		e.Fatalf("setsockopt SO_ZEROCOPY: %w", error(errno))
	}
	return a, b
}

const zerocopyDoc = "Documentation/networking/msg_zerocopy.rst"

var msgZerocopyCases = []*Case{
	{
		ID:       "linux/msg_zerocopy/flag-without-optin-ignored",
		Title:    "Without SO_ZEROCOPY the flag is ignored: the bytes go, and no notification comes",
		Facility: "msg_zerocopy",
		Level:    Must,
		Sources:  []string{zerocopyDoc + ", Socket Setup"},
		Covers:   []string{"linux/msg_zerocopy/flag-without-optin-ignored"},
		Needs:    []string{"msg_zerocopy/tcp"},
		Systems:  linuxOnly,
		Caller:   "Set the option first, or wait for notifications for ever.",
		Expect:   []Expectation{{Facts: Want{Return: 8192, Errno: "", Bytes: fixture.Right, "notice.errno": "EAGAIN", "pollerr": false}}},
		Body: func(e *Env) {
			p := fixture.Pattern(1, 8192)
			a, b := fixture.TCP(e)
			e.Answer(e.Kernel.Send(a.Int(), p, sys.MsgZerocopy))
			e.Arrived(fixture.ReadN(e, b, len(p)), p)
			_, errno := e.Kernel.ZerocopyNotice(a.Int())
			e.Fact("notice.errno", sys.ErrnoName(errno))
			e.Fact("pollerr", fixture.HasError(e, a))
		},
	},
	{
		ID:       "linux/msg_zerocopy/optin-supported-families",
		Title:    "TCP and UDP sockets take SO_ZEROCOPY, AF_UNIX and netlink refuse it",
		Facility: "msg_zerocopy",
		Level:    Must,
		Sources:  []string{zerocopyDoc, "selftests net/msg_zerocopy.sh", "kernel commit 869420a8be19"},
		Covers:   []string{"linux/msg_zerocopy/optin-supported-families"},
		Needs:    []string{"msg_zerocopy/tcp", "msg_zerocopy/udp"},
		Systems:  linuxOnly,
		Caller:   "Where the option is refused send without the flag.",
		Expect: []Expectation{
			{Until: "5.18", Why: "ENOTSUPP, which is no errno of user space, until 869420a8be19",
				Facts: Want{"tcp": "", "udp": "", "unix": "errno 524", "netlink": "errno 524", "tcp.sent": 100, "udp.sent": 100}},
			{Facts: Want{"tcp": "", "udp": "", "unix": "EOPNOTSUPP", "netlink": "EOPNOTSUPP", "tcp.sent": 100, "udp.sent": 100}},
		},
		Body: func(e *Env) {
			tcp, _ := fixture.TCP(e)
			udp, _ := fixture.UDP(e)
			unix, _ := fixture.Unix(e, sys.Stream)
			for name, fd := range map[string]*fixture.FD{"tcp": tcp, "udp": udp, "unix": unix, "netlink": fixture.RouteSocket(e)} {
				e.Fact(name, sys.ErrnoName(e.Kernel.SetZerocopy(fd.Int())))
			}
			n, _ := e.Kernel.Send(tcp.Int(), fixture.Pattern(2, 100), sys.MsgZerocopy)
			e.Fact("tcp.sent", n)
			n, _ = e.Kernel.Send(udp.Int(), fixture.Pattern(2, 100), sys.MsgZerocopy)
			e.Fact("udp.sent", n)
		},
	},
	{
		ID:       "linux/msg_zerocopy/notification-range",
		Title:    "Calls are numbered from zero, and notifications name them in ranges without a gap",
		Facility: "msg_zerocopy",
		Level:    Must,
		Sources:  []string{zerocopyDoc + ", Notification Parsing", "selftests net/msg_zerocopy.c, do_recv_completion"},
		Covers:   []string{"linux/msg_zerocopy/notification-range"},
		Needs:    []string{"msg_zerocopy/tcp"},
		Systems:  linuxOnly,
		Caller:   "Count your calls; a buffer is free when its number has been named.",
		Expect: []Expectation{
			{Facts: Want{"sent": 30_000, Bytes: fixture.Right, "notice.first": 0, "notice.last": 2, "notice.joined": true, "notice.origin": 5, "notice.errno": 0,
				"more.errno": "EAGAIN"}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(3, 30_000)
			m := inMemory(e, p)
			a, b := zerocopyPair(e, fixture.TCP)
			sent := 0
			for range 3 {
				n, _ := e.Kernel.Send(a.Int(), m[sent:sent+10_000], sys.MsgZerocopy)
				sent += max(n, 0)
			}
			e.Fact("sent", sent)
			e.Arrived(fixture.ReadN(e, b, len(p)), p)
			notices(e, a, 2)
			_, errno := e.Kernel.ZerocopyNotice(a.Int())
			e.Fact("more.errno", sys.ErrnoName(errno))
		},
	},
	{
		ID:       "linux/msg_zerocopy/one-count-per-call",
		Title:    "Only calls with the flag that sent at least one byte are counted",
		Facility: "msg_zerocopy",
		Level:    Must,
		Sources:  []string{zerocopyDoc + ", Notification Reception", "selftests net/msg_zerocopy.c"},
		Covers:   []string{"linux/msg_zerocopy/one-count-per-call"},
		Needs:    []string{"msg_zerocopy/tcp"},
		Systems:  linuxOnly,
		Caller:   "Do not count a send of zero bytes, nor one that failed.",
		Expect: []Expectation{
			{Facts: Want{"sent": 10_150, "empty.return": 0, "empty.errno": "", Bytes: fixture.Right, "notice.first": 0, "notice.last": 1, "notice.joined": true,
				"more.errno": "EAGAIN"}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(4, 10_150)
			m := inMemory(e, p)
			a, b := zerocopyPair(e, fixture.TCP)
			first, _ := e.Kernel.Send(a.Int(), m[:5000], sys.MsgZerocopy)
			n, errno := e.Kernel.Send(a.Int(), m[:0], sys.MsgZerocopy)
			e.Named("empty", n, errno)
			plain, _ := e.Kernel.Send(a.Int(), m[5000:5150], 0)
			last, _ := e.Kernel.Send(a.Int(), m[5150:], sys.MsgZerocopy)
			e.Fact("sent", first+plain+last)
			e.Arrived(fixture.ReadN(e, b, len(p)), p)
			notices(e, a, 1)
			_, errno = e.Kernel.ZerocopyNotice(a.Int())
			e.Fact("more.errno", sys.ErrnoName(errno))
		},
	},
	{
		ID:       "linux/msg_zerocopy/loopback-copied",
		Title:    "Over loopback the notification says that the kernel copied after all",
		Facility: "msg_zerocopy",
		Level:    Should,
		Sources:  []string{zerocopyDoc + ", Loopback", "spdk/spdk#1340", "ofiwg/libfabric#7887"},
		Covers:   []string{"linux/msg_zerocopy/loopback-copied", "bug/T06-zc-loopback-copied"},
		Needs:    []string{"msg_zerocopy/tcp"},
		Systems:  linuxOnly,
		Caller:   "When notifications say copied, stop using the flag on that socket: it only costs.",
		Expect: []Expectation{
			{Facts: Want{Return: fixture.WitnessSize, Errno: "", Bytes: fixture.Right, "notice.first": 0, "notice.last": 0, "notice.copied": true, "notice.origin": 5}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(5, fixture.WitnessSize)
			a, b := zerocopyPair(e, fixture.TCP)
			fixture.Roomy(a, b)
			e.Answer(e.Kernel.Send(a.Int(), inMemory(e, p), sys.MsgZerocopy))
			e.Arrived(fixture.ReadN(e, b, len(p)), p)
			notices(e, a, 0)
		},
	},
	{
		ID:       "linux/msg_zerocopy/memory-free-after-notification",
		Title:    "Once a call has been named its memory is free: what is stored there then does not reach the peer",
		Facility: "msg_zerocopy",
		Level:    Must,
		Sources:  []string{zerocopyDoc + ", Notification Reception"},
		Needs:    []string{"msg_zerocopy/tcp"},
		Systems:  linuxOnly,
		Caller:   "Wait for the notification, not for the call to return.",
		Expect:   []Expectation{{Facts: Want{Return: 32 << 10, Errno: "", "notice.last": 0, "read": fixture.Right, Bytes: fixture.Right}}},
		Body: func(e *Env) {
			before, after := fixture.Pattern(6, 32<<10), fixture.Pattern(7, 32<<10)
			m := inMemory(e, before)
			a, b := zerocopyPair(e, fixture.TCP)
			fixture.Roomy(a, b)
			e.Answer(e.Kernel.Send(a.Int(), m, sys.MsgZerocopy))
			// Over loopback the notification comes before the peer reads. Where it
			// does not the peer reads first, and the question is already answered.
			head := []byte{}
			if ready, _ := sys.WaitError(a.Int(), 50); !ready {
				head = fixture.ReadN(e, b, len(m))
			}
			notices(e, a, 0)
			copy(m, after)
			e.Fact("read", fixture.Compare(head, before[:len(head)]))
			e.Arrived(append(head, fixture.ReadN(e, b, len(m)-len(head))...), before)
		},
	},
	{
		ID:       "linux/msg_zerocopy/pollerr",
		Title:    "A notification raises POLLERR, which nobody has to ask for, and taking it off lowers it",
		Facility: "msg_zerocopy",
		Level:    Must,
		Sources:  []string{zerocopyDoc + ", Notification Reception", "selftests net/msg_zerocopy.c", "poll(2)"},
		Covers:   []string{"linux/msg_zerocopy/pollerr"},
		Needs:    []string{"msg_zerocopy/tcp"},
		Systems:  linuxOnly,
		Caller:   "Do not close a connection on POLLERR alone: read the error queue first.",
		Expect:   []Expectation{{Facts: Want{"before": false, Return: 5000, "after": true, "notice.last": 0, "taken": false}}},
		Body: func(e *Env) {
			a, b := zerocopyPair(e, fixture.TCP)
			e.Fact("before", fixture.HasError(e, a))
			n, _ := e.Kernel.Send(a.Int(), inMemory(e, fixture.Pattern(8, 5000)), sys.MsgZerocopy)
			e.Fact(Return, n)
			fixture.ReadN(e, b, 5000)
			ready, _ := sys.WaitError(a.Int(), noticeMS)
			e.Fact("after", ready)
			notices(e, a, 0)
			e.Fact("taken", fixture.HasError(e, a))
		},
	},
	{
		ID:       "linux/msg_zerocopy/no-notification-eagain",
		Title:    "An empty error queue is EAGAIN, on a blocking socket too",
		Facility: "msg_zerocopy",
		Level:    Must,
		Sources:  []string{zerocopyDoc + ", Notification Reception: never blocks", "selftests net/msg_zerocopy.c"},
		Covers:   []string{"linux/msg_zerocopy/no-notification-eagain"},
		Needs:    []string{"msg_zerocopy/tcp"},
		Systems:  linuxOnly,
		Caller:   "Poll for POLLERR instead of asking in a loop.",
		Expect:   []Expectation{{Facts: Want{"waits": false, Errno: "EAGAIN", "after.errno": "EAGAIN", "notice.last": 0}}},
		Body: func(e *Env) {
			a, b := zerocopyPair(e, fixture.TCP)
			call := fixture.Begin(func() (int, sys.Errno) {
				_, errno := e.Kernel.ZerocopyNotice(a.Int())
				return 0, errno
			})
			e.Fact("waits", call.Waits())
			_, errno, _ := call.Returned()
			e.Fact(Errno, sys.ErrnoName(errno))
			e.Kernel.Send(a.Int(), inMemory(e, fixture.Pattern(9, 5000)), sys.MsgZerocopy)
			fixture.ReadN(e, b, 5000)
			notices(e, a, 0)
			_, errno = e.Kernel.ZerocopyNotice(a.Int())
			e.Fact("after.errno", sys.ErrnoName(errno))
		},
	},
	{
		ID:       "linux/msg_zerocopy/enobufs",
		Title:    "Beyond RLIMIT_MEMLOCK a send with the flag is ENOBUFS and sends nothing; without the flag it works",
		Facility: "msg_zerocopy",
		Level:    Must,
		Sources:  []string{zerocopyDoc + ", Transmission: ENOBUFS", "net/core/skbuff.c, mm_account_pinned_pages", "grpc/grpc#30320"},
		Covers:   []string{"linux/msg_zerocopy/enobufs", "bug/T07-zc-enobufs-deadlock"},
		Needs:    []string{"msg_zerocopy/tcp"},
		Systems:  linuxOnly,
		Alone:    true,
		Caller:   "On ENOBUFS send without the flag; waiting for POLLOUT helps nothing.",
		Expect:   []Expectation{{Facts: Want{Return: -1, Errno: "ENOBUFS", "queued": 0, "notice": false, "writable": true, "plain.return": fixture.WitnessSize, "plain.errno": "", Bytes: fixture.Right}}},
		Body: func(e *Env) {
			p := fixture.Pattern(10, fixture.WitnessSize)
			m := inMemory(e, p)
			a, b := zerocopyPair(e, fixture.TCP)
			fixture.Roomy(a, b)
			release, errno := sys.SetLockedMemoryLimit(4096)
			if errno != 0 {
				e.Fatalf("setrlimit RLIMIT_MEMLOCK: %w", error(errno))
			}
			e.Cleanup(release)
			var dropped, failed sys.Errno
			var n int
			fixture.InThread(func() { // CAP_IPC_LOCK knows no limit
				if dropped = sys.DropThreadCapabilities(); dropped == 0 {
					n, failed = e.Kernel.Send(a.Int(), m, sys.MsgZerocopy)
				}
			})
			if dropped != 0 {
				e.Fatalf("capset: %w", error(dropped))
			}
			e.Answer(n, failed)
			e.Fact("queued", fixture.Queued(e, b))
			// Nothing is outstanding, so nothing will come to wait for.
			e.Fact("notice", fixture.HasError(e, a))
			writable, _ := sys.Poll(a.Int(), true, 0)
			e.Fact("writable", writable)
			n, errno = e.Kernel.Send(a.Int(), m, 0)
			e.Named("plain", n, errno)
			e.Arrived(fixture.ReadN(e, b, len(m)), p)
		},
	},
	{
		ID:       "linux/msg_zerocopy/cork-mix",
		Title:    "Under UDP_CORK fragments with the flag and without it become one datagram, and all calls are named",
		Facility: "msg_zerocopy",
		Level:    Should,
		Sources:  []string{"selftests net/msg_zerocopy.sh, -c and -m", "kernel commit b5947e5d1e71 (UDP, 5.0)"},
		Covers:   []string{"linux/msg_zerocopy/cork-mix"},
		Needs:    []string{"msg_zerocopy/udp"},
		Systems:  linuxOnly,
		Caller:   "Mix freely; count only the calls with the flag.",
		Expect: []Expectation{
			{Facts: Want{"sent": 9000, "datagram": 9000, Bytes: fixture.Right, "more": false, "notice.first": 0, "notice.last": 1, "notice.joined": true, "notice.origin": 5}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(11, 9000)
			m := inMemory(e, p)
			a, b := zerocopyPair(e, fixture.UDP)
			cork := func(on bool) {
				if errno := sys.SetUDPCork(a.Int(), on); errno != 0 {
					e.Fatalf("setsockopt UDP_CORK: %w", error(errno))
				}
			}
			cork(true)
			sent := 0
			for i, flags := range []int{sys.MsgZerocopy, 0, sys.MsgZerocopy} {
				n, _ := e.Kernel.Send(a.Int(), m[3000*i:3000*(i+1)], flags)
				sent += max(n, 0)
			}
			cork(false)
			e.Fact("sent", sent)
			fixture.Await(e, b, 1)
			got := make([]byte, 20_000)
			n, _ := e.Kernel.Recv(b.Int(), got, sys.NoWait)
			e.Fact("datagram", n)
			e.Arrived(got[:max(n, 0)], p)
			_, errno := e.Kernel.Recv(b.Int(), got, sys.NoWait)
			e.Fact("more", errno != syscall.EAGAIN)
			notices(e, a, 1)
		},
	},
}
