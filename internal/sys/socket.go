package sys

// SocketType is the type of a socket, by meaning: its number differs between
// systems and architectures.
type SocketType int

// The types of socket that the fixtures use.
const (
	Stream SocketType = iota
	Datagram
	Seqpacket
)

// Status is what the fixtures need of fstat(2).
type Status struct {
	Size       int64
	Allocated  int64 // bytes
	Mode       uint32
	ModifiedNS int64 // nanoseconds since the epoch
	Device     uint64
}
