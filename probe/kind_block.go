package probe

import (
	"os"
	"sync"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// blockKinds has only loop devices of our own: no other block device is ever
// opened.
var blockKinds = []*Kind{{
	Name:   "block",
	Title:  "a block device (a loop device of a private file)",
	Nature: IsDevice,
	Source: func(t fixture.T) *Source { return fileSource(t, loopDevices.open(t, 0)) },
	Sink: func(t fixture.T) *Sink {
		fd := loopDevices.open(t, 1)
		return &Sink{
			FD:      fd,
			Room:    fixture.WitnessSize,
			Arrived: func(n int) []byte { return fixture.Start(t, fd, n) },
			Keeps:   true,
		}
	},
}}

// loopDevices are those of this process, one to read from and one to write to.
// To make one takes milliseconds and wakes udev(7), so that they are kept; the
// kernel takes them away when this process ends (LO_FLAGS_AUTOCLEAR).
var loopDevices loops

type loops struct {
	mu    sync.Mutex
	paths [2]string
}

// loopSize is the size of a device.
const loopSize = 4 * fixture.WitnessSize

// open opens a device, at position 0, making it first where it is not there.
func (l *loops) open(t fixture.T, which int) *fixture.FD {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.paths[which] == "" {
		file := temporary(t, t.TempDir())
		fixture.Truncate(t, file, loopSize)
		_, path, call, errno := sys.LoopDevice(file.Int()) // stays open
		if errno != 0 {
			t.Fatalf("%s: %w", call, error(errno))
		}
		l.paths[which] = path
	}
	return fixture.Open(t, l.paths[which], os.O_RDWR)
}
