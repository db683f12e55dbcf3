package cases

import (
	"encoding/binary"
	"strings"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// msgMore is MSG_MORE, the same on every architecture of Linux.
const msgMore = 0x8000

// nowhere is an address at which no process has memory: it lies in the page
// that a null pointer points to.
const nowhere = 0x10

// sending is IORING_OP_SEND_ZC.
func sending(fd *fixture.FD, p []byte) sys.UringEntry {
	return sys.UringEntry{Op: sys.UringSendZC, FD: fd.Int(), Memory: p, Count: len(p)}
}

// sent is the completions of sends.
type sent struct {
	results []sys.UringCompletion
	notices []sys.UringCompletion
	order   string // R a result that announces a notification, r one that does not, N a notification
}

// send submits sends, reads at the far end what they say they sent, and
// collects completions until each has come to its end: a result that announces
// no notification, or the notification.
func send(e *Env, u *sys.Uring, far *fixture.FD, sends ...sys.UringEntry) (s sent, arrived []byte) {
	submit(e, u, sends...)
	return take(e, u, far, len(sends))
}

// take is send for what has been submitted already.
func take(e *Env, u *sys.Uring, far *fixture.FD, sends int) (s sent, arrived []byte) {
	for open := sends; open > 0; {
		done, errno := u.Complete(completionMS)
		if errno != 0 {
			s.order += "?" // it never came
			return s, arrived
		}
		switch {
		case done.Notice:
			s.notices = append(s.notices, done)
			s.order += "N"
			open--
			continue
		case done.More:
			s.order += "R"
		default:
			s.order += "r"
			open--
		}
		s.results = append(s.results, done)
		if len(s.results) == sends { // corked bytes come when all have been sent
			arrived = fixture.ReadN(e, far, s.bytes())
		}
	}
	return s, arrived
}

// bytes is how many bytes the results say were sent.
func (s sent) bytes() int {
	n := 0
	for _, done := range s.results {
		n += max(done.Result, 0)
	}
	return n
}

// first records the first result.
func (s sent) first(e *Env, name string) {
	if len(s.results) == 0 {
		e.Named(name, -1, 0)
		return
	}
	e.Named(name, s.results[0].Result, s.results[0].Errno)
}

// nothingMore tells whether no completion is left.
func nothingMore(u *sys.Uring) bool {
	_, errno := u.Complete(0)
	return errno != 0
}

// loopbackAddress is a struct sockaddr_in of 127.0.0.1.
func loopbackAddress(port int) []byte {
	p := binary.NativeEndian.AppendUint16(nil, 2) // AF_INET
	p = binary.BigEndian.AppendUint16(p, uint16(port))
	return append(p, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0)
}

var uringSendCases = []*Case{
	{
		ID:       "linux/io_uring/sendzc-two-cqes",
		Title:    "A zero-copy send completes twice: the count first, announcing more, then the notification",
		Facility: "io_uring",
		Level:    Must,
		Sources:  []string{"io_uring_enter(2), IORING_OP_SEND_ZC", "liburing test/send-zerocopy.c, test_basic_send"},
		Covers:   []string{"linux/io_uring/sendzc-two-cqes"},
		Needs:    []string{"io_uring/send-zc"},
		Systems:  linuxOnly,
		Caller:   "Keep the memory until the notification; a result without IORING_CQE_F_MORE has none.",
		Expect: []Expectation{
			{Facts: Want{Return: 20_000, Errno: "", "order": "RN", "tags": true, "notice.more": false, "nothing-more": true, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(1, 20_000)
			a, b := fixture.TCP(e)
			u := uring(e)
			entry := sending(a, inMemory(e, p))
			entry.Tag = 7
			s, arrived := send(e, u, b, entry)
			s.first(e, "")
			e.Arrived(arrived, p)
			e.Fact("order", s.order)
			tags, more := len(s.results) == 1 && s.results[0].Tag == 7, false
			for _, notice := range s.notices {
				tags, more = tags && notice.Tag == 7, more || notice.More
			}
			e.Fact("tags", tags)
			e.Fact("notice.more", more)
			e.Fact("nothing-more", nothingMore(u))
		},
	},
	{
		ID:       "linux/io_uring/sendzc-faults",
		Title:    "Memory that is not there is EFAULT, so is an address; an unknown flag is EINVAL; a notification never comes before the result",
		Facility: "io_uring",
		Level:    Must,
		Sources:  []string{"liburing test/send-zerocopy.c, test_send_faults", "io_uring_enter(2), IORING_OP_SEND_ZC"},
		Covers:   []string{"linux/io_uring/sendzc-faults"},
		Needs:    []string{"io_uring/send-zc"},
		Systems:  linuxOnly,
		Caller:   "Look at IORING_CQE_F_MORE of a failed send too: a notification may still follow.",
		Expect: []Expectation{
			{Facts: Want{"memory.return": -1, "memory.errno": "EFAULT", "memory.order": OneOf{"r", "RN"}, "address.return": -1, "address.errno": "EFAULT",
				"address.order": OneOf{"r", "RN"}, "flags.return": -1, "flags.errno": "EINVAL", "flags.order": OneOf{"r", "RN"}, "nothing-more": true, "queued": 0}},
		},
		Body: func(e *Env) {
			m := inMemory(e, fixture.Pattern(2, 5000))
			a, b := fixture.TCP(e)
			udp := fixture.Unconnected(e, sys.Datagram)
			u := uring(e)
			memory := sys.UringEntry{Op: sys.UringSendZC, FD: a.Int(), RawMemory: nowhere, Count: 5000}
			address := sending(udp, m)
			address.RawTo = nowhere
			flags := sending(a, m)
			flags.Priority = 1 << 15
			for _, x := range []struct {
				name  string
				entry sys.UringEntry
			}{{"memory", memory}, {"address", address}, {"flags", flags}} {
				s, _ := send(e, u, b, x.entry)
				s.first(e, x.name)
				e.Fact(x.name+".order", s.order)
			}
			e.Fact("nothing-more", nothingMore(u))
			e.Fact("queued", fixture.Queued(e, b))
		},
	},
	{
		ID:       "linux/io_uring/sendzc-inet-matrix",
		Title:    "Over TCP and UDP, IPv4 and IPv6, from registered memory, corked, in a thread of the kernel or as a message, all bytes arrive and are counted",
		Facility: "io_uring",
		Level:    Must,
		Sources:  []string{"liburing test/send-zerocopy.c, test_inet_send", "kernel commit 493108d95f14 (io_uring/net: zerocopy sendmsg)"},
		Covers:   []string{"linux/io_uring/sendzc-inet-matrix"},
		Needs:    []string{"io_uring/send-zc"},
		Systems:  linuxOnly,
		Caller:   "Ask IORING_REGISTER_PROBE for IORING_OP_SENDMSG_ZC, which came a release later.",
		Expect: []Expectation{
			{Until: "6.1", Why: "IORING_OP_SENDMSG_ZC came with 493108d95f14", Facts: Want{"tried": Between{8, 16}, "wrong": "", "message": false}},
			{Facts: Want{"tried": Between{10, 20}, "wrong": "", "message": true}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(3, 20_000)
			m := inMemory(e, p)
			u := uring(e)
			registerBuffer(e, u, m)
			message, _ := u.Knows(sys.UringSendmsgZC)
			e.Fact("message", message)
			tried, wrong := 0, []string{}
			for _, network := range []string{"tcp4", "tcp6", "udp4", "udp6"} {
				for _, way := range []string{"plain", "fixed", "cork", "async", "message"} {
					if way == "message" && !message {
						continue
					}
					a, b, ok := fixture.Inet(e, network)
					if !ok {
						continue
					}
					fixture.Roomy(a, b)
					parts := []sys.UringEntry{sending(a, m)}
					switch way {
					case "fixed":
						parts[0].Priority = sys.UringFixedBuffer
					case "cork":
						parts = []sys.UringEntry{sending(a, m[:9000]), sending(a, m[9000:])}
						parts[0].OpFlags = msgMore
					case "async":
						parts[0].Flags = sys.UringAsync
					case "message":
						parts[0].Op = sys.UringSendmsgZC
					}
					tried++
					got, arrived := send(e, u, b, parts...)
					switch {
					case got.bytes() != len(p):
						wrong = append(wrong, network+" "+way+" count")
					case strings.Count(got.order, "N") != len(parts) || strings.HasPrefix(got.order, "N"):
						wrong = append(wrong, network+" "+way+" notifications")
					case fixture.Compare(arrived, p) != fixture.Right:
						wrong = append(wrong, network+" "+way+" bytes")
					}
					a.Close()
					b.Close()
				}
			}
			e.Fact("tried", tried)
			e.Fact("wrong", strings.Join(wrong, ", "))
		},
	},
	{
		ID:       "linux/io_uring/sendzc-report-usage",
		Title:    "Asked to, the notification tells whether the kernel copied, and over loopback it did",
		Facility: "io_uring",
		Level:    Should,
		Sources:  []string{"io_uring_enter(2), IORING_SEND_ZC_REPORT_USAGE", "kernel commit e307e6698165", "liburing test/send-zerocopy.c, test_sendzc_report"},
		Covers:   []string{"linux/io_uring/sendzc-report-usage"},
		Needs:    []string{"io_uring/send-zc"},
		Systems:  linuxOnly,
		Caller:   "Where notifications say copied, send without zero copy: it only costs.",
		Expect: []Expectation{
			{Until: "6.2", Why: "the flag came with e307e6698165, which stable releases of 6.1 have too",
				Facts: Want{Return: OneOf{-1, 20_000}, Errno: OneOf{"EINVAL", ""}, "order": OneOf{"r", "RN"}, "copied": OneOf{false, true}, "unasked": false}},
			{Facts: Want{Return: 20_000, Errno: "", "order": "RN", "copied": true, "unasked": false}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(4, 20_000)
			m := inMemory(e, p)
			a, b := fixture.TCP(e)
			u := uring(e)
			usage := func(s sent) bool { return len(s.notices) > 0 && s.notices[0].Usage == sys.UringCopied }
			entry := sending(a, m)
			entry.Priority = sys.UringReportUsage
			s, _ := send(e, u, b, entry)
			s.first(e, "")
			e.Fact("order", s.order)
			e.Fact("copied", usage(s))
			s, _ = send(e, u, b, sending(a, m))
			e.Fact("unasked", usage(s))
		},
	},
	{
		ID:       "linux/io_uring/sendzc-enomem",
		Title:    "Beyond RLIMIT_MEMLOCK a zero-copy send is ENOMEM and sends nothing; a registered buffer is paid for already",
		Facility: "io_uring",
		Level:    Should,
		Sources:  []string{"io_uring_enter(2), IORING_OP_SEND_ZC", "Linux io_uring/notif.c, io_notif_account_mem", "liburing test/send-zerocopy.c tolerates it"},
		Covers:   []string{"linux/io_uring/sendzc-enomem"},
		Needs:    []string{"io_uring/send-zc"},
		Systems:  linuxOnly,
		Alone:    true,
		Caller:   "Send without zero copy on ENOMEM, or register the memory once.",
		Expect: []Expectation{
			{Facts: Want{Return: -1, Errno: "ENOMEM", "queued": 0, "fixed.return": fixture.WitnessSize, "fixed.errno": "", Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(5, fixture.WitnessSize)
			m := inMemory(e, p)
			a, b := fixture.TCP(e)
			fixture.Roomy(a, b)
			var u *sys.Uring
			var call string
			var dropped, limited, made, registered sys.Errno
			release := func() {}
			fixture.InThread(func() { // CAP_IPC_LOCK knows no limit, and the ring remembers who made it
				if dropped = sys.DropThreadCapabilities(); dropped != 0 {
					return
				}
				if u, call, made = e.Kernel.NewUring(); made != 0 {
					return
				}
				if registered = u.RegisterBuffer(m); registered == 0 {
					release, limited = sys.SetLockedMemoryLimit(4096)
				}
			})
			for what, errno := range map[string]sys.Errno{"capset": dropped, call: made, "io_uring_register": registered, "setrlimit RLIMIT_MEMLOCK": limited} {
				if errno != 0 {
					e.Fatalf("%s: %w", what, error(errno))
				}
			}
			e.Cleanup(u.Close)
			e.Cleanup(release)
			s, _ := send(e, u, b, sending(a, m))
			s.first(e, "")
			e.Fact("queued", fixture.Queued(e, b))
			entry := sending(a, m)
			entry.Priority = sys.UringFixedBuffer
			s, arrived := send(e, u, b, entry)
			s.first(e, "fixed")
			e.Arrived(arrived, p)
		},
	},
	{
		ID:       "linux/io_uring/sendzc-async-addr",
		Title:    "The address of a send is taken over when it is submitted: what is stored there then changes nothing",
		Facility: "io_uring",
		Level:    Must,
		Sources:  []string{"liburing test/send-zerocopy.c, test_async_addr", "io_uring(7): what a submission points to may be reused when it is consumed, but for buffers"},
		Covers:   []string{"linux/io_uring/sendzc-async-addr"},
		Needs:    []string{"io_uring/send-zc"},
		Systems:  linuxOnly,
		Caller:   "Only the bytes must stay, not the address.",
		Expect:   []Expectation{{Facts: Want{Return: 1000, Errno: "", "order": "RN", Bytes: fixture.Right}}},
		Body: func(e *Env) {
			p := fixture.Pattern(6, 1000)
			receiver, port := fixture.Receiver(e)
			sender := fixture.Unconnected(e, sys.Datagram)
			u := uring(e)
			to := loopbackAddress(port)
			entry := sending(sender, inMemory(e, p))
			entry.To, entry.Flags = to, sys.UringAsync
			submit(e, u, entry)
			clear(to)
			s, arrived := take(e, u, receiver, 1)
			s.first(e, "")
			e.Fact("order", s.order)
			e.Arrived(arrived, p)
		},
	},
}
