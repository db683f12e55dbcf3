package probe

import (
	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// messageRoom is what some sockets of messages take while nobody reads: a file
// goes to them page by page, each page a message, and a UNIX socket holds
// net.unix.max_dgram_qlen of them (10 by default, unix(7)).
const messageRoom = 32 << 10

// messageKinds are sockets that keep the bounds of messages.
var messageKinds = []*Kind{
	messageKind("unix-dgram", "a UNIX datagram socket", func(t fixture.T) (a, b *fixture.FD) {
		return fixture.Unix(t, sys.Datagram)
	}),
	messageKind("unix-seqpacket", "a UNIX seqpacket socket", func(t fixture.T) (a, b *fixture.FD) {
		return fixture.Unix(t, sys.Seqpacket)
	}),
	messageKind("netlink", "a netlink socket", fixture.Netlink),
}

// messageKind has one message in the source. Nothing is known of whether that
// shares its bytes: no call that would put them in by reference is sure to keep
// them in one message.
func messageKind(name, title string, pair func(fixture.T) (a, b *fixture.FD)) *Kind {
	k := socketKind(name, title, messageRoom, pair, awaitMessage)
	source := k.Source
	k.Source = func(t fixture.T) *Source {
		s := source(t)
		s.Share, s.Fed = nil, false
		return s
	}
	return k
}
