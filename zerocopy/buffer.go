package zerocopy

import "sync"

// bufferSize is the size of the buffers of the copied path in bytes. Larger ones
// gain nothing measurable on loopback, and every stalled copy holds one.
const bufferSize = 64 << 10

type buffer [bufferSize]byte

var buffers = sync.Pool{New: func() any { return new(buffer) }}

func getBuffer() *buffer { return buffers.Get().(*buffer) }

func putBuffer(b *buffer) { buffers.Put(b) }
