package probe

import (
	"os"
	"strings"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// MPTCP and VSOCK: the same questions as to TCP, of sockets that are not there
// everywhere.
var familyFeatures = []*Feature{
	{
		ID:       "mptcp/socket",
		Facility: "sendfile",
		Title:    "a connection of Multipath TCP over loopback",
		Since:    "5.6",
		Source:   "Documentation/networking/mptcp.rst",
		Systems:  linuxOnly,
		Ends:     SocketType,
		Try: func(e *Env) {
			a, b := familyPair(e, sys.MPTCP)
			want := fixture.Pattern(1, pageful)
			fixture.WriteAll(e, a, want)
			e.Arrives(b, want)
		},
	},
	{
		ID:       "mptcp/sendfile",
		Facility: "sendfile",
		Title:    "sendfile(2) from a regular file to a Multipath TCP socket",
		Since:    "5.6",
		Source:   "Documentation/networking/mptcp.rst",
		Systems:  linuxOnly,
		Ends:     SocketType,
		Try:      func(e *Env) { familySendfile(e, sys.MPTCP) },
	},
	{
		ID:       "mptcp/splice-send",
		Facility: "splice",
		Title:    "splice(2) from a pipe to a Multipath TCP socket",
		Since:    "5.6",
		Source:   "Documentation/networking/mptcp.rst",
		Systems:  linuxOnly,
		Ends:     SocketType,
		Try:      func(e *Env) { familySpliceSend(e, sys.MPTCP) },
	},
	{
		ID:       "mptcp/splice-receive",
		Facility: "splice",
		Title:    "splice(2) from a Multipath TCP socket to a pipe",
		Since:    "5.6",
		Source:   "Documentation/networking/mptcp.rst",
		Systems:  linuxOnly,
		Ends:     SocketType,
		Try:      func(e *Env) { familySpliceReceive(e, sys.MPTCP) },
	},
	{
		ID:       "vsock/loopback",
		Facility: "sendfile",
		Title:    "a VSOCK connection within this machine (VMADDR_CID_LOCAL)",
		Since:    "5.6",
		Source:   "vsock(7), Local communication; commit 0e12190578d0",
		Systems:  linuxOnly,
		Try: func(e *Env) {
			a, b := familyPair(e, sys.VSock)
			want := fixture.Pattern(1, pageful)
			fixture.WriteAll(e, a, want)
			e.Arrives(b, want)
		},
	},
	{
		ID:       "vsock/sendfile",
		Facility: "sendfile",
		Title:    "sendfile(2) from a regular file to a VSOCK socket",
		Since:    "5.6",
		Source:   "vsock(7)",
		Systems:  linuxOnly,
		Ends:     SocketType,
		Try:      func(e *Env) { familySendfile(e, sys.VSock) },
	},
	{
		ID:       "vsock/splice-send",
		Facility: "splice",
		Title:    "splice(2) from a pipe to a VSOCK socket",
		Since:    "5.6",
		Source:   "vsock(7)",
		Systems:  linuxOnly,
		Ends:     SocketType,
		Try:      func(e *Env) { familySpliceSend(e, sys.VSock) },
	},
	{
		ID:       "vsock/splice-receive",
		Facility: "splice",
		Title:    "splice(2) from a VSOCK socket to a pipe",
		Since:    "5.6",
		Source:   "vsock(7)",
		Systems:  linuxOnly,
		Ends:     SocketType,
		Try:      func(e *Env) { familySpliceReceive(e, sys.VSock) },
	},
}

// familyPair is a connected pair of sockets of a family.
func familyPair(e *Env, family sys.Family) (a, b *fixture.FD) {
	afd, bfd, call, errno := sys.FamilyPair(family)
	if family == sys.MPTCP && errno != 0 && !strings.HasPrefix(call, "socket") {
		e.Fatalf("%s: %w", call, error(errno)) // the same would befall plain TCP
	}
	e.Must(call, errno)
	a, b = fixture.Adopt(e, afd), fixture.Adopt(e, bfd)
	if family == sys.MPTCP && !sys.IsMPTCP(bfd) {
		e.Calls("accept")
		e.Is(Inconclusive, "", "the connection fell back to plain TCP", "look at net.mptcp in sysctl(8)")
	}
	return a, b
}

func familySendfile(e *Env, family sys.Family) {
	want := fixture.Pattern(1, 10_000)
	a, b := familyPair(e, family)
	sendfile(e, a, fixture.File(e, want, os.O_RDONLY), want)
	e.Arrives(b, want)
}

func familySpliceSend(e *Env, family sys.Family) {
	want := fixture.Pattern(1, pageful)
	a, b := familyPair(e, family)
	splice(e, filledPipe(e, want), a, want)
	e.Arrives(b, want)
}

func familySpliceReceive(e *Env, family sys.Family) {
	want := fixture.Pattern(1, pageful)
	a, b := familyPair(e, family)
	fixture.WriteAll(e, a, want)
	e.waitFor(b)
	r, w := fixture.Pipe(e)
	splice(e, b, w, want)
	e.Arrives(r, want)
}
