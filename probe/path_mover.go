package probe

import (
	"syscall"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// Mover is how a facility moves bytes between two open ends. To add one, add a
// value to movers.
type Mover struct {
	Facility string
	Call     func(source, sink *Kind) string // what is called, for the reader

	// Refuses tells why the facility cannot even be asked to serve a pair; ""
	// where it can.
	Refuses func(source, sink *Kind) string

	// UserSpace says that the bytes pass through the process, which copies them
	// whatever the kernel does.
	UserSpace bool

	Move func(m *move) (int, sys.Errno)
}

// move is one transfer: n bytes wait in source.
type move struct {
	fixture.T
	kernel *sys.Kernel
	source *Source
	sink   *Sink
	n      int
}

// readWrite is the facility of the control: bytes that pass through the
// process. It is no facility of the vocabulary and stands in no run record.
const readWrite = "read+write"

// movers lists what moves bytes, the one to prefer first.
var movers = []*Mover{
	{
		Facility: "copy_file_range",
		Call:     always("copy_file_range(2)"),
		Refuses: func(source, sink *Kind) string {
			if source.Nature != IsFile || sink.Nature != IsFile {
				return "it copies from a regular file to a regular file only"
			}
			return ""
		},
		Move: func(m *move) (int, sys.Errno) {
			return m.all(func(rest int) (int, sys.Errno) {
				return m.kernel.CopyFileRange(m.source.FD.Int(), nil, m.sink.FD.Int(), nil, rest, 0)
			})
		},
	},
	{
		Facility: "sendfile",
		Call:     always("sendfile(2)"),
		Refuses: func(source, _ *Kind) string {
			if source.Nature == IsMemory {
				return "it reads from a descriptor, not from memory"
			}
			return ""
		},
		Move: func(m *move) (int, sys.Errno) {
			return m.all(func(rest int) (int, sys.Errno) {
				return m.kernel.Sendfile(m.sink.FD.Int(), m.source.FD.Int(), nil, rest)
			})
		},
	},
	{
		Facility: "splice",
		Call:     throughPipe("splice(2)"),
		Refuses: func(source, _ *Kind) string {
			if source.Nature == IsMemory {
				return "it reads from a descriptor, not from memory: that is vmsplice"
			}
			return ""
		},
		Move: moveSplice,
	},
	{
		Facility: "tee",
		Call:     always("tee(2)"),
		Refuses: func(source, sink *Kind) string {
			if source.Nature != IsPipe || sink.Nature != IsPipe {
				return "it duplicates what is in a pipe into another pipe only"
			}
			return ""
		},
		Move: func(m *move) (int, sys.Errno) {
			// Once: a second call would duplicate the same bytes again.
			return m.kernel.Tee(m.source.FD.Int(), m.sink.FD.Int(), m.n, 0)
		},
	},
	{
		Facility: "vmsplice",
		Call:     throughPipe("vmsplice(2)"),
		Refuses: func(source, _ *Kind) string {
			if source.Nature != IsMemory {
				return "it takes memory of the process, not a descriptor"
			}
			return ""
		},
		Move: moveVmsplice,
	},
	{
		Facility: "msg_zerocopy",
		Call:     always("send(2) with MSG_ZEROCOPY"),
		Refuses: func(source, sink *Kind) string {
			switch {
			case source.Nature != IsMemory:
				return "it sends memory of the process, not from a descriptor"
			case sink.Nature != IsSocket:
				return "it sends to a socket only"
			}
			return ""
		},
		Move: moveZerocopy,
	},
	{
		Facility: "io_uring",
		Call: func(source, sink *Kind) string {
			if source.Nature == IsMemory {
				return "IORING_OP_SEND_ZC"
			}
			return throughPipe("IORING_OP_SPLICE")(source, sink)
		},
		Refuses: func(source, sink *Kind) string {
			if source.Nature == IsMemory && sink.Nature != IsSocket {
				return "it sends memory to a socket only"
			}
			return ""
		},
		Move: moveRing,
	},
	{
		Facility: readWrite,
		Call: func(source, _ *Kind) string {
			if source.Nature == IsMemory {
				return "write(2)"
			}
			return "read(2) and write(2)"
		},
		Refuses:   always(""),
		UserSpace: true,
		Move:      moveReadWrite,
	},
}

func always(s string) func(source, sink *Kind) string {
	return func(*Kind, *Kind) string { return s }
}

// mover finds what serves a facility; nil where nothing does.
func mover(facility string) *Mover {
	for _, m := range movers {
		if m.Facility == facility {
			return m
		}
	}
	return nil
}

// all repeats a call until n bytes have moved, it fails, or it moves nothing.
func (m *move) all(call func(rest int) (int, sys.Errno)) (int, sys.Errno) {
	return repeat(m.n, call)
}

func repeat(n int, call func(rest int) (int, sys.Errno)) (int, sys.Errno) {
	done := 0
	for done < n {
		k, errno := call(n - done)
		if errno == syscall.EINTR {
			continue
		}
		if errno != 0 || k <= 0 {
			return done, errno
		}
		done += k
	}
	return done, 0
}

func moveReadWrite(m *move) (int, sys.Errno) {
	p := make([]byte, m.n)
	return m.all(func(rest int) (int, sys.Errno) {
		piece := m.source.Memory
		if piece != nil {
			piece = piece[m.n-rest : m.n]
		} else {
			k, errno := m.kernel.Read(m.source.FD.Int(), p[:rest])
			if errno != 0 {
				return k, errno
			}
			piece = p[:k]
		}
		return repeat(len(piece), func(rest int) (int, sys.Errno) {
			return m.kernel.Write(m.sink.FD.Int(), piece[len(piece)-rest:])
		})
	})
}
