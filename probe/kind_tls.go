package probe

import "github.com/zcprobe/zcprobe/internal/fixture"

var tlsKinds = []*Kind{{
	Name:   "ktls",
	Title:  "a TCP connection with TLS in the kernel",
	Nature: IsSocket,
	Source: func(t fixture.T) *Source {
		far, near := fixture.TLSReceiver(t)
		fixture.Roomy(far, near)
		return &Source{
			FD:   near,
			Room: fixture.WitnessSize,
			Fill: func(p []byte) []byte {
				for number := 0; number*fixture.TLSRecordSize < len(p); number++ {
					at := number * fixture.TLSRecordSize
					fixture.WriteAll(t, far, fixture.SealRecord(uint64(number), fixture.TLSApplication, p[at:min(at+fixture.TLSRecordSize, len(p))]))
				}
				fixture.AwaitStream(t, near, len(p))
				return p
			},
		}
	},
	Sink: func(t fixture.T) *Sink {
		near, far := fixture.TLSSender(t)
		fixture.Roomy(near, far)
		return &Sink{
			FD:      near,
			Room:    fixture.WitnessSize,
			Arrived: func(n int) []byte { return fixture.ReadTLS(t, far, n) },
		}
	},
}}
