package sys

import (
	"runtime"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The layout of include/uapi/linux/io_uring.h, as far as it is needed here.
type (
	sqOffsets struct {
		head, tail, mask, entries, flags, dropped, array, _ uint32
		_                                                   uint64
	}
	cqOffsets struct {
		head, tail, mask, entries, overflow, cqes, flags, _ uint32
		_                                                   uint64
	}
	ringParams struct {
		sqEntries, cqEntries, flags, sqThreadCPU, sqThreadIdle, features, wqFD uint32
		_                                                                      [3]uint32
		sq                                                                     sqOffsets
		cq                                                                     cqOffsets
	}
	submission struct {
		opcode, flags uint8
		ioprio        uint16
		fd            int32
		offset        uint64
		address       uint64 // of the buffer; of splice: the offset of the input
		length        uint32
		opFlags       uint32
		userData      uint64
		_             uint32
		spliceIn      int32
		_             [2]uint64
	}
	completion struct {
		userData uint64
		result   int32
		flags    uint32
	}
)

// Where mmap(2) finds the parts of a ring, and the size of one submission.
const (
	offSubmissions = 0
	offCompletions = 0x8000000
	offEntries     = 0x10000000
	entrySize      = unsafe.Sizeof(submission{})
)

// Operations of io_uring.
const (
	RingSplice = 30
	RingTee    = 33
	RingSendZC = 47
)

// RingReportUsage is IORING_SEND_ZC_REPORT_USAGE, a flag of [RingSendZC]: the
// notification tells whether the kernel copied after all.
const RingReportUsage = 1 << 3

// Request is one operation for a ring.
type Request struct {
	Op       int
	FD       int    // the descriptor that the operation writes to
	In       int    // of splice and tee: the descriptor that it reads from
	Buffer   []byte // of send: what to send; memory that stays where it is
	Count    int
	Priority uint16 // the flags of send
}

// Completion is what the kernel says of a request.
type Completion struct {
	Result int   // -1 with an errno
	Errno  Errno //
	More   bool  // another one for the same request will follow
	Notice bool  // of send: this is the notification that the buffer is free
	Copied bool  // of a notice: the kernel copied after all
}

// Ring is an io_uring with room for a few requests.
type Ring struct {
	fd                                int
	submissions, completions, entries []byte
	params                            ringParams
}

// NewRing makes a ring. call names what failed.
func NewRing() (r *Ring, call string, errno Errno) {
	r = &Ring{}
	fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, 4, uintptr(unsafe.Pointer(&r.params)), 0)
	if errno != 0 {
		return nil, "io_uring_setup", errno
	}
	r.fd = int(fd)
	unix.CloseOnExec(r.fd)
	p := &r.params
	for _, part := range []struct {
		memory *[]byte
		offset int64
		size   uint32
	}{
		{&r.submissions, offSubmissions, p.sq.array + 4*p.sqEntries},
		{&r.completions, offCompletions, p.cq.cqes + uint32(unsafe.Sizeof(completion{}))*p.cqEntries},
		{&r.entries, offEntries, uint32(entrySize) * p.sqEntries},
	} {
		var err error
		*part.memory, err = unix.Mmap(r.fd, part.offset, int(part.size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE)
		if err != nil {
			r.Close()
			return nil, "mmap of the ring", errnoOf(err)
		}
	}
	return r, "", 0
}

// Close ends the ring.
func (r *Ring) Close() {
	for _, memory := range [][]byte{r.submissions, r.completions, r.entries} {
		if memory != nil {
			unix.Munmap(memory)
		}
	}
	unix.Close(r.fd)
}

// Do submits a request and waits for its first completion. The errno is that of
// io_uring_enter(2).
func (r *Ring) Do(request Request) (Completion, Errno) {
	mask := *word(r.submissions, r.params.sq.mask)
	tail := word(r.submissions, r.params.sq.tail)
	slot := *tail & mask
	e := (*submission)(unsafe.Pointer(&r.entries[uintptr(slot)*entrySize]))
	*e = submission{
		opcode: uint8(request.Op),
		ioprio: request.Priority,
		fd:     int32(request.FD),
		length: uint32(request.Count),
	}
	switch request.Op {
	case RingSplice: // pipes and sockets have no offset, which -1 stands for
		e.offset, e.address, e.spliceIn = ^uint64(0), ^uint64(0), int32(request.In)
	case RingTee:
		e.spliceIn = int32(request.In)
	case RingSendZC:
		e.address = uint64(uintptr(unsafe.Pointer(unsafe.SliceData(request.Buffer))))
	}
	*word(r.submissions, r.params.sq.array+4*slot) = slot
	atomic.StoreUint32(tail, *tail+1)
	c, errno := r.enter(1)
	runtime.KeepAlive(request.Buffer)
	return c, errno
}

// Next waits for one more completion.
func (r *Ring) Next() (Completion, Errno) { return r.enter(0) }

func (r *Ring) enter(submit uintptr) (Completion, Errno) {
	const getEvents = 1
	head := word(r.completions, r.params.cq.head)
	for atomic.LoadUint32(word(r.completions, r.params.cq.tail)) == *head {
		n, _, errno := unix.Syscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), submit, 1, getEvents, 0, 0)
		if errno != 0 && errno != unix.EINTR {
			return Completion{}, errno
		}
		if errno == 0 {
			submit -= min(n, submit)
		}
	}
	mask := *word(r.completions, r.params.cq.mask)
	at := r.params.cq.cqes + (*head&mask)*uint32(unsafe.Sizeof(completion{}))
	c := *(*completion)(unsafe.Pointer(&r.completions[at]))
	atomic.StoreUint32(head, *head+1)
	const more, notice, copied = 1 << 1, 1 << 3, 1 << 31
	done := Completion{Result: int(c.result), More: c.flags&more != 0, Notice: c.flags&notice != 0}
	switch {
	case done.Notice:
		done.Copied = uint32(c.result)&copied != 0
	case c.result < 0:
		done.Result, done.Errno = -1, Errno(-c.result)
	}
	return done, 0
}

func word(memory []byte, offset uint32) *uint32 { return (*uint32)(unsafe.Pointer(&memory[offset])) }

// Supports asks the kernel whether it knows an operation
// (IORING_REGISTER_PROBE, since Linux 5.6).
func (r *Ring) Supports(op int) (bool, Errno) {
	const (
		registerProbe = 8
		supported     = 1
	)
	var probe struct {
		last, length uint8
		_            uint16
		_            [3]uint32
		ops          [256]struct {
			op, _ uint8
			flags uint16
			_     uint32
		}
	}
	_, _, errno := unix.Syscall6(unix.SYS_IO_URING_REGISTER, uintptr(r.fd), registerProbe,
		uintptr(unsafe.Pointer(&probe)), uintptr(len(probe.ops)), 0, 0)
	return errno == 0 && op <= int(probe.last) && probe.ops[op].flags&supported != 0, errno
}

// EnterNoRing is io_uring_enter(2) on a descriptor that does not exist. A
// kernel with io_uring says EBADF, whatever its settings are; those are asked
// by io_uring_setup only.
func EnterNoRing() Errno {
	_, _, errno := unix.Syscall6(unix.SYS_IO_URING_ENTER, ^uintptr(0), 0, 0, 0, 0, 0)
	return errno
}
