package probe

import (
	"encoding/binary"
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// eventKinds are descriptors that tell of events, one at a time, each with an
// event to tell of.
var eventKinds = []*Kind{
	eventKind("eventfd", "an eventfd", func(t fixture.T) event {
		return event{descriptor(t, "eventfd2", func() (int, sys.Errno) { return sys.Eventfd(7) }), count(7), nil}
	}, eventfdSink),
	eventKind("timerfd", "a timerfd that has fired", func(t fixture.T) event {
		return event{descriptor(t, "timerfd_create", sys.FiredTimer), count(1), nil}
	}, nil),
	eventKind("signalfd", "a signalfd with a signal", func(t fixture.T) event {
		fd := descriptor(t, "signalfd4", sys.SignalInWait)
		return event{fd, make([]byte, sys.SignalInfoSize), func(p []byte) bool {
			return len(p) == sys.SignalInfoSize && binary.NativeEndian.Uint32(p) == sys.WaitingSignal
		}}
	}, nil),
	eventKind("inotify", "an inotify descriptor with an event", func(t fixture.T) event {
		file, path := fixture.NamedFile(t, nil, os.O_RDWR)
		fd := descriptor(t, "inotify_init1", func() (int, sys.Errno) { return sys.WatchFile(path) })
		fixture.WriteAll(t, file, []byte("x"))
		return event{fd, sys.ModifiedNotice(), nil}
	}, nil),
}

// event is a descriptor and what it has to tell.
type event struct {
	fd    *fixture.FD
	bytes []byte
	right func([]byte) bool
}

// eventKind is a kind of such descriptors. sink is nil where it takes no bytes:
// it is a destination all the same, that has to refuse them.
func eventKind(name, title string, make func(fixture.T) event, sink func(fixture.T) *Sink) *Kind {
	if sink == nil {
		sink = func(t fixture.T) *Sink { return &Sink{FD: make(t).fd, Room: fixture.WitnessSize} }
	}
	return &Kind{
		Name:   name,
		Title:  title,
		Nature: IsOther,
		Source: func(t fixture.T) *Source {
			e := make(t)
			// It tells all or nothing, so that all of it is asked for.
			return &Source{FD: e.fd, Room: len(e.bytes), Right: e.right, Fill: func([]byte) []byte {
				fixture.Readable(t, e.fd, int(fixture.Patience().Milliseconds()))
				return e.bytes
			}}
		},
		Sink: sink,
	}
}

// eventfdSink takes eight bytes, which it adds to its count of zero.
func eventfdSink(t fixture.T) *Sink {
	fd := descriptor(t, "eventfd2", func() (int, sys.Errno) { return sys.Eventfd(0) })
	return &Sink{FD: fd, Room: 8, Arrived: func(n int) []byte { return fixture.ReadN(t, fd, n) }}
}

// count is a number as a descriptor tells it (eventfd(2), timerfd_create(2)).
func count(n uint64) []byte { return binary.NativeEndian.AppendUint64(nil, n) }

func descriptor(t fixture.T, call string, open func() (int, sys.Errno)) *fixture.FD {
	t.Helper()
	fd, errno := open()
	if errno != 0 {
		t.Fatalf("%s: %w", call, error(errno))
	}
	return fixture.Adopt(t, fd)
}
