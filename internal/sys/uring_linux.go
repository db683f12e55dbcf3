package sys

import (
	"runtime"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// uringSubmission is struct io_uring_sqe with all that the cases set.
type uringSubmission struct {
	opcode, flags uint8
	priority      uint16
	fd            int32
	offset        uint64 // of send: the socket address
	address       uint64 // of splice: the offset of the input
	length        uint32
	opFlags       uint32
	tag           uint64
	buffer, _     uint16
	spliceIn      int32 // of send: the length of the socket address, in its first two bytes
	_             [2]uint64
}

// newUring makes a ring. call names what failed.
func newUring() (u *Uring, call string, errno Errno) {
	r, call, errno := NewRing()
	if errno != 0 {
		return nil, call, errno
	}
	var pins runtime.Pinner
	return &Uring{
		Submit:         func(entries ...UringEntry) (int, Errno) { return r.submit(entries, &pins) },
		Complete:       r.complete,
		RegisterFiles:  r.registerFiles,
		RegisterBuffer: r.registerBuffer,
		Knows:          r.Supports,
		Close: func() {
			r.Close()
			pins.Unpin()
		},
	}, "", 0
}

func (r *Ring) submit(entries []UringEntry, pins *runtime.Pinner) (int, Errno) {
	mask := *word(r.submissions, r.params.sq.mask)
	tail := word(r.submissions, r.params.sq.tail)
	for i, entry := range entries {
		slot := (*tail + uint32(i)) & mask
		*(*uringSubmission)(unsafe.Pointer(&r.entries[uintptr(slot)*entrySize])) = entry.submission(pins)
		*word(r.submissions, r.params.sq.array+4*slot) = slot
	}
	atomic.StoreUint32(tail, *tail+uint32(len(entries)))
	n, _, errno := unix.Syscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), uintptr(len(entries)), 0, 0, 0, 0)
	return int(n), errno
}

func (entry UringEntry) submission(pins *runtime.Pinner) uringSubmission {
	s := uringSubmission{
		opcode: uint8(entry.Op), flags: entry.Flags, priority: entry.Priority, fd: int32(entry.FD),
		length: uint32(entry.Count), opFlags: entry.OpFlags, tag: entry.Tag,
	}
	pointer := func(p []byte) uint64 {
		if len(p) == 0 {
			return 0
		}
		pins.Pin(unsafe.SliceData(p))
		return address(unsafe.Pointer(unsafe.SliceData(p)))
	}
	switch entry.Op {
	case UringSplice, UringTee:
		s.offset, s.address, s.spliceIn = uint64(entry.Offset), uint64(entry.InOffset), int32(entry.In)
		return s
	case UringReadFixed:
		s.offset = uint64(entry.Offset)
	case UringSendZC:
		s.offset = pointer(entry.To) | entry.RawTo
		*(*uint16)(unsafe.Pointer(&s.spliceIn)) = uint16(len(entry.To))
		if entry.RawTo != 0 {
			*(*uint16)(unsafe.Pointer(&s.spliceIn)) = unix.SizeofSockaddrInet4
		}
	case UringSendmsgZC:
		s.address, s.length = message(entry, pins), 1
		return s
	}
	s.address = pointer(entry.Memory) | entry.RawMemory
	return s
}

// message is a struct msghdr of one segment.
func message(entry UringEntry, pins *runtime.Pinner) uint64 {
	vector := &unix.Iovec{Base: unsafe.SliceData(entry.Memory)}
	vector.SetLen(entry.Count)
	header := &unix.Msghdr{Iov: vector}
	header.SetIovlen(1)
	for _, p := range []any{vector.Base, vector, header} {
		pins.Pin(p)
	}
	return address(unsafe.Pointer(header))
}

func (r *Ring) complete(ms int) (UringCompletion, Errno) {
	head := word(r.completions, r.params.cq.head)
	if atomic.LoadUint32(word(r.completions, r.params.cq.tail)) == *head {
		// A ring can be polled, and its deferred work runs within io_uring_enter.
		if ready, errno := Poll(r.fd, false, ms); errno != 0 || !ready {
			return UringCompletion{}, orElse(errno, unix.ETIME)
		}
		const getEvents = 1
		if _, _, errno := unix.Syscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), 0, 0, getEvents, 0, 0); errno != 0 {
			return UringCompletion{}, errno
		}
		if atomic.LoadUint32(word(r.completions, r.params.cq.tail)) == *head {
			return UringCompletion{}, unix.ETIME
		}
	}
	mask := *word(r.completions, r.params.cq.mask)
	at := r.params.cq.cqes + (*head&mask)*uint32(unsafe.Sizeof(completion{}))
	c := *(*completion)(unsafe.Pointer(&r.completions[at]))
	atomic.StoreUint32(head, *head+1)
	const more, notice = 1 << 1, 1 << 3
	done := UringCompletion{Tag: c.userData, Result: int(c.result), More: c.flags&more != 0, Notice: c.flags&notice != 0}
	switch {
	case done.Notice:
		done.Usage = uint32(c.result)
	case c.result < 0:
		done.Result, done.Errno = -1, Errno(-c.result)
	}
	return done, 0
}

func orElse(errno, other Errno) Errno {
	if errno != 0 {
		return errno
	}
	return other
}

func (r *Ring) registerFiles(fds ...int) Errno {
	list := make([]int32, len(fds))
	for i, fd := range fds {
		list[i] = int32(fd)
	}
	const registerFiles = 2
	_, _, errno := unix.Syscall6(unix.SYS_IO_URING_REGISTER, uintptr(r.fd), registerFiles,
		uintptr(unsafe.Pointer(unsafe.SliceData(list))), uintptr(len(list)), 0, 0)
	return errno
}

func (r *Ring) registerBuffer(p []byte) Errno {
	vector := unix.Iovec{Base: unsafe.SliceData(p)}
	vector.SetLen(len(p))
	const registerBuffers = 0
	_, _, errno := unix.Syscall6(unix.SYS_IO_URING_REGISTER, uintptr(r.fd), registerBuffers,
		uintptr(unsafe.Pointer(&vector)), 1, 0, 0)
	return errno
}
