package probe

import (
	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// terminalful is few enough bytes for the buffers of any terminal.
const terminalful = 200

// terminal is a pseudo-terminal in raw mode.
func terminal(e *Env) (master, slave *fixture.FD) {
	m, s, call, errno := sys.OpenPTY()
	if errno != 0 {
		e.Fatalf("%s: %w", call, error(errno))
	}
	return fixture.Adopt(e, m), fixture.Adopt(e, s)
}
