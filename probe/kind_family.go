package probe

import (
	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// familyKinds are stream sockets that are not there everywhere.
var familyKinds = []*Kind{
	streamKind("mptcp", "a Multipath TCP connection", func(t fixture.T) (a, b *fixture.FD) {
		a, b, ok := fixture.Multipath(t)
		if !ok {
			t.Fatalf("the connection fell back to plain TCP")
		}
		return a, b
	}),
	streamKind("vsock", "a VSOCK connection within this machine", func(t fixture.T) (a, b *fixture.FD) {
		afd, bfd, call, errno := sys.FamilyPair(sys.VSock)
		if errno != 0 {
			t.Fatalf("%s: %w", call, error(errno))
		}
		return fixture.Adopt(t, afd), fixture.Adopt(t, bfd)
	}),
}
