package sys

// Signal is a signal that the kernel raises beside an errno, by meaning.
type Signal int

// The signals that the calls under test raise.
const (
	BrokenPipe    Signal = iota // SIGPIPE, beside EPIPE
	FileSizeLimit               // SIGXFSZ, beside EFBIG
)
