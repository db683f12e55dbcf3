package cases

import (
	"fmt"
	"os"
	"strings"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// Sockets that keep the borders of messages.
var sendfileDatagram = []*Case{
	{
		ID:       "linux/sendfile/unix-dgram-seqpacket-destination",
		Title:    "A call into an AF_UNIX datagram or seqpacket socket is one message",
		Facility: "sendfile",
		Level:    Info,
		Sources:  []string{"Linux commit 2dc334f1a63a: sendmsg with MSG_SPLICE_PAGES in the place of sendpage", "LTP sendfile07"},
		Covers:   []string{"linux/sendfile/unix-dgram-seqpacket-destination"},
		Needs:    []string{"sendfile/file-unix"},
		Systems:  linuxOnly,
		Caller:   "Send messages with send: older kernels cut them at every page.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: "no release of Linux: sendfile is one write for each MiB (sendfileBufPool)",
				Facts: Want{
					"datagram.bytes": fixture.Right, "datagram.messages": "one", "datagram.return": 20000, "seqpacket.bytes": fixture.Right,
					"seqpacket.messages": "one", "seqpacket.return": 20000,
				}},
			{Until: "6.5", Facts: Want{
				"datagram.return": 20_000, "datagram.bytes": fixture.Right, "datagram.messages": "one a page",
				"seqpacket.return": 20_000, "seqpacket.bytes": fixture.Right, "seqpacket.messages": "one a page",
			}, Why: "before commit 2dc334f1a63a each page went by a sendpage of its own, which these sockets turn into a message"},
			{Facts: Want{
				"datagram.return": 20_000, "datagram.bytes": fixture.Right, "datagram.messages": "one",
				"seqpacket.return": 20_000, "seqpacket.bytes": fixture.Right, "seqpacket.messages": "one",
			}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 20_000)
			file := fixture.File(e, content, os.O_RDONLY)
			for name, kind := range map[string]sys.SocketType{"datagram": sys.Datagram, "seqpacket": sys.Seqpacket} {
				a, b := fixture.Unix(e, kind)
				offset := int64(0)
				n, errno := e.Kernel.Sendfile(a.Int(), file.Int(), &offset, len(content))
				e.Named(name, n, errno)
				arrived, sizes := messages(e, b)
				switch sizes {
				case "20000":
					sizes = "one"
				case pages(20_000):
					sizes = "one a page"
				}
				e.Fact(name+".messages", sizes)
				e.Fact(name+".bytes", fixture.Compare(arrived, content))
			}
		},
	},
	{
		ID:       "linux/sendfile/udp-destination-one-datagram",
		Title:    "A call into a connected UDP socket is one datagram",
		Facility: "sendfile",
		Level:    Should,
		Sources:  []string{"udp(7)", "Linux net/ipv4/udp.c: MSG_MORE corks a datagram", "gVisor SendpageFromEmptyFileToUDP"},
		Covers:   []string{"linux/sendfile/udp-destination-one-datagram"},
		Needs:    []string{"sendfile/file-udp"},
		Systems:  linuxOnly,
		Caller:   "Send datagrams with send; nothing promises that a call is one.",
		Expect: []Expectation{
			{Facts: Want{"small.return": 100, "small.messages": "100", "large.return": 20_000, "large.messages": "20000", Bytes: fixture.Right, Offset: 20_100}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 20_100)
			file := fixture.File(e, content, os.O_RDONLY)
			a, b := fixture.UDP(e)
			offset := int64(0)
			n, errno := e.Kernel.Sendfile(a.Int(), file.Int(), &offset, 100)
			e.Named("small", n, errno)
			fixture.Readable(e, b, 1000)
			small, sizes := messages(e, b)
			e.Fact("small.messages", sizes)
			n, errno = e.Kernel.Sendfile(a.Int(), file.Int(), &offset, 20_000)
			e.Named("large", n, errno)
			fixture.Readable(e, b, 1000)
			large, sizes := messages(e, b)
			e.Fact("large.messages", sizes)
			e.Arrived(append(small, large...), content)
			e.Fact(Offset, offset)
		},
	},
	{
		ID:       "linux/sendfile/udp-oversize-emsgsize",
		Title:    "More bytes than a datagram holds are refused with EMSGSIZE, no offset moves, and the socket works on",
		Facility: "sendfile",
		Level:    Should,
		Sources:  []string{"udp(7), ERRORS: EMSGSIZE", "gVisor RawPacketMsgSizeTest SpliceTooLong"},
		Covers:   []string{"linux/sendfile/udp-oversize-emsgsize"},
		Needs:    []string{"sendfile/file-udp"},
		Systems:  linuxOnly,
		Caller:   "Cut messages yourself.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: "no release of Linux: sendfile is one write, which is refused whole (udp(7), EMSGSIZE)",
				Facts: Want{
					"after.messages": "100", "after.return": 100, "arrived": false, Bytes: fixture.Right, Errno: "EMSGSIZE",
					"offset-moved-by-return": true, Return: -1,
				}},
			{Until: "6.5", Facts: Want{Return: Between{1, 65_507}, Errno: "", "offset-moved-by-return": true, "arrived": false, "after.return": 100, "after.messages": "100", Bytes: fixture.Right},
				Why:   "before commit 2dc334f1a63a each page went by a sendpage of its own; the one too many threw the pages before it away, which were counted as sent (udp_sendpage)",
				Known: "https://git.kernel.org/linus/2dc334f1a63a8839b88483a3e73c0f27c9c1791c"},
			{Facts: Want{Return: -1, Errno: "EMSGSIZE", "offset-moved-by-return": true, "arrived": false, "after.return": 100, "after.messages": "100", Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 65_508)
			file := fixture.File(e, content, os.O_RDONLY)
			a, b := fixture.UDP(e)
			offset := int64(0)
			n, errno := e.Kernel.Sendfile(a.Int(), file.Int(), &offset, 65_508)
			e.Answer(n, errno)
			e.Fact("offset-moved-by-return", offset == int64(max(n, 0)))
			e.Fact("arrived", fixture.Readable(e, b, 0))
			messages(e, b)
			offset = 0
			n, errno = e.Kernel.Sendfile(a.Int(), file.Int(), &offset, 100)
			e.Named("after", n, errno)
			fixture.Readable(e, b, 1000)
			arrived, sizes := messages(e, b)
			e.Fact("after.messages", sizes)
			e.Arrived(arrived, content[:100])
		},
	},
	{
		ID:       "linux/sendfile/udp-unconnected",
		Title:    "A UDP socket without a peer is refused with EDESTADDRREQ, and no offset moves",
		Facility: "sendfile",
		Level:    Should,
		Sources:  []string{"send(2), ERRORS: EDESTADDRREQ", "Linux net/ipv4/udp.c, udp_sendmsg"},
		Covers:   []string{"linux/sendfile/udp-unconnected"},
		Needs:    []string{"sendfile/file-udp"},
		Systems:  linuxOnly,
		Caller:   "Connect first: there is no argument for an address.",
		Expect: []Expectation{
			{Facts: Want{Return: -1, Errno: "EDESTADDRREQ", Offset: 0}},
		},
		Body: func(e *Env) {
			file := fixture.File(e, fixture.Pattern(1, 1000), os.O_RDONLY)
			socket, errno := sys.Socket(sys.Datagram)
			if errno != 0 {
				e.Fatalf("socket: %w", errno)
			}
			offset := int64(0)
			e.Answer(e.Kernel.Sendfile(fixture.Adopt(e, socket).Int(), file.Int(), &offset, 100))
			e.Fact(Offset, offset)
		},
	},
	{
		ID:       "linux/sendfile/udp-refused",
		Title:    "The first datagram to a port that nobody has is sent, and the second call hears ECONNREFUSED",
		Facility: "sendfile",
		Level:    Should,
		Sources:  []string{"udp(7), ERRORS: ECONNREFUSED", "ip(7): asynchronous errors"},
		Covers:   []string{"linux/sendfile/udp-refused"},
		Needs:    []string{"sendfile/file-udp"},
		Systems:  linuxOnly,
		Caller:   "The error is that of an earlier datagram: the offset has not moved, and a third call may send.",
		Expect: []Expectation{
			{Facts: Want{"first.return": 100, "first.errno": "", "second.return": -1, "second.errno": "ECONNREFUSED", Offset: 100, "third.return": 100}},
		},
		Body: func(e *Env) {
			file := fixture.File(e, fixture.Pattern(1, 1000), os.O_RDONLY)
			a, b := fixture.UDP(e)
			b.Close()
			offset := int64(0)
			n, errno := e.Kernel.Sendfile(a.Int(), file.Int(), &offset, 100)
			e.Named("first", n, errno)
			if n > 0 {
				fixture.Broken(e, a) // by the ICMP message
			}
			n, errno = e.Kernel.Sendfile(a.Int(), file.Int(), &offset, 100)
			e.Named("second", n, errno)
			e.Fact(Offset, offset)
			n, _ = e.Kernel.Sendfile(a.Int(), file.Int(), &offset, 100)
			e.Fact("third."+Return, n)
		},
	},
}

// messages takes what waits at a socket with message borders: all bytes, and
// the sizes ("4096 4096 10").
func messages(e *Env, fd *fixture.FD) (all []byte, sizes string) {
	var list []string
	for fixture.Readable(e, fd, 0) {
		p := make([]byte, 128<<10)
		n, errno := e.Kernel.Read(fd.Int(), p)
		if errno != 0 {
			break
		}
		all = append(all, p[:n]...)
		list = append(list, fmt.Sprint(n))
	}
	return all, strings.Join(list, " ")
}

// pages is the sizes of messages that were cut at every page.
func pages(n int) string {
	page := os.Getpagesize()
	var list []string
	for ; n > 0; n -= page {
		list = append(list, fmt.Sprint(min(n, page)))
	}
	return strings.Join(list, " ")
}
