package sys

// Operations of io_uring that the cases use beside those of [Request].
const (
	UringNop       = 0
	UringCancel    = 14
	UringReadFixed = 4
	UringSplice    = 30
	UringTee       = 33
	UringSendZC    = 47
	UringSendmsgZC = 48
)

// Flags of a submission (IOSQE_…), of splice and tee (SPLICE_F_…), and of the
// zero-copy sends (IORING_RECVSEND_…, IORING_SEND_…).
const (
	UringFixedFile   = 1 << 0  // FD is an index into the registered files
	UringLink        = 1 << 2  // the next one waits for this one
	UringAsync       = 1 << 4  // do not try it in the submitting thread
	SpliceInFixed    = 1 << 31 // In is an index into the registered files
	UringFixedBuffer = 1 << 2  // Address lies in the registered buffer
	UringReportUsage = 1 << 3  // the notification tells whether the kernel copied
)

// UringCurrent is the offset that stands for the position of the file, and for
// none where there is no position.
const UringCurrent = -1

// UringEntry is one submission, named by what splice and send make of its
// fields. Address is put in by [UringEntry.Memory] where it is memory of Go.
type UringEntry struct {
	Op        int
	Flags     uint8 // IOSQE_…
	Priority  uint16
	FD        int
	In        int   // of splice and tee: where bytes come from
	Offset    int64 // of FD
	InOffset  int64 // of splice: that of In
	Count     int
	OpFlags   uint32 // SPLICE_F_…, MSG_…
	Memory    []byte // of send and read: the bytes
	To        []byte // of send: the socket address
	Tag       uint64 // comes back with the completion
	RawMemory uint64 // an address of no memory, in place of Memory
	RawTo     uint64 // an address of no memory, in place of To
}

// UringCompletion is what the kernel says of a submission.
type UringCompletion struct {
	Tag    uint64
	Result int   // -1 with an errno
	Errno  Errno //
	More   bool  // another one for the same submission follows (IORING_CQE_F_MORE)
	Notice bool  // this one says that the memory is free (IORING_CQE_F_NOTIF)
	Usage  uint32
}

// UringCopied is the Usage of a notice by which the kernel copied after all
// (IORING_NOTIF_USAGE_ZC_COPIED).
const UringCopied = 1 << 31

// Uring is an io_uring as functions that can be exchanged one by one.
type Uring struct {
	// Submit hands over entries with one io_uring_enter(2) and tells how many
	// the kernel took. The memory that they point to stays where it is until
	// the ring is closed.
	Submit func(entries ...UringEntry) (int, Errno)

	// Complete takes one completion; it waits for it this many milliseconds,
	// and answers ETIME when none came.
	Complete func(ms int) (UringCompletion, Errno)

	// RegisterFiles and RegisterBuffer are io_uring_register(2).
	RegisterFiles  func(fds ...int) Errno
	RegisterBuffer func(p []byte) Errno

	// Knows asks the kernel whether it has an operation (IORING_REGISTER_PROBE).
	Knows func(op int) (bool, Errno)

	Close func()
}
