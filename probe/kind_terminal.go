package probe

import "github.com/zcprobe/zcprobe/internal/fixture"

// terminalRoom is less than what a terminal holds unread (N_TTY_BUF_SIZE, 4096).
const terminalRoom = 2048

var terminalKinds = []*Kind{{
	Name:   "pty",
	Title:  "a pseudo-terminal",
	Nature: IsDevice,
	Source: func(t fixture.T) *Source {
		master, slave := fixture.Terminal(t)
		return &Source{
			FD:   slave,
			Room: terminalRoom,
			Fill: func(p []byte) []byte {
				p = p[:min(len(p), terminalRoom)]
				fixture.WriteAll(t, master, p)
				fixture.Await(t, slave, len(p)) // the line discipline passes them on later
				return p
			},
		}
	},
	Sink: func(t fixture.T) *Sink {
		master, slave := fixture.Terminal(t)
		return &Sink{
			FD:      slave,
			Room:    terminalRoom,
			Arrived: func(n int) []byte { return fixture.ReadN(t, master, n) },
		}
	},
}}
