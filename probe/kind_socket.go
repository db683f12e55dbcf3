package probe

import (
	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

var socketKinds = []*Kind{
	streamKind("tcp", "a TCP connection", fixture.TCP),
	streamKind("unix", "a UNIX stream socket", func(t fixture.T) (a, b *fixture.FD) {
		return fixture.Unix(t, sys.Stream)
	}),
	// A datagram holds at most 65507 bytes (RFC 768 over IPv4).
	socketKind("udp", "a connected UDP socket", fixture.WitnessSize/2, fixture.UDP, awaitMessage),
}

// streamKind is a kind of stream socket.
func streamKind(name, title string, pair func(fixture.T) (a, b *fixture.FD)) *Kind {
	return socketKind(name, title, fixture.WitnessSize, pair, fixture.AwaitStream)
}

// awaitMessage waits until a message has arrived.
func awaitMessage(t fixture.T, fd *fixture.FD, _ int) {
	fixture.Readable(t, fd, int(fixture.Patience().Milliseconds()))
}

// socketKind is a kind whose two ends come as a connected pair; await waits
// until what was sent has arrived.
func socketKind(name, title string, room int, pair func(fixture.T) (a, b *fixture.FD), await func(t fixture.T, fd *fixture.FD, n int)) *Kind {
	return &Kind{
		Name:   name,
		Title:  title,
		Nature: IsSocket,
		Source: func(t fixture.T) *Source {
			far, near := pair(t)
			fixture.Roomy(far, near)
			return &Source{
				FD:   near,
				Room: room,
				Fill: func(p []byte) []byte {
					fixture.WriteAll(t, far, p)
					await(t, near, len(p))
					return p
				},
				Share: func(p []byte) func([]byte) {
					file := fixture.ShareSocket(t, far, p)
					await(t, near, len(p))
					return func(p []byte) { fixture.Overwrite(t, file, p, 0) }
				},
				Fed: true,
			}
		},
		Sink: func(t fixture.T) *Sink {
			near, far := pair(t)
			fixture.Roomy(near, far)
			return &Sink{
				FD:      near,
				Room:    room,
				Arrived: func(n int) []byte { return fixture.ReadN(t, far, n) },
			}
		},
	}
}
