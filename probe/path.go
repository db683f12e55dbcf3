package probe

import (
	"slices"

	"github.com/zcprobe/zcprobe/internal/fixture"
)

// Path is one way for bytes from one kind of end to another. To add one, add a
// value to the list below; its facility is a [Mover], its ends are [Kind]s.
type Path struct {
	Facility    string
	Source      string
	Destination string
}

// PathResult is what came of trying a path.
type PathResult struct {
	Facility    string `json:"facility"`
	Source      string `json:"source"`
	Destination string `json:"destination"`

	// Works says that all bytes were taken without an error.
	Works bool `json:"works"`

	// Errno is the symbol that the call was refused with, or one of the words
	// below; "" with Works false says that it moved less than all without one.
	Errno string `json:"errno"`

	BytesRight bool            `json:"bytes_right"`
	Witness    fixture.Witness `json:"witness"`

	// Reason is why a pair was not tried; "" for one that was.
	Reason string `json:"reason,omitempty"`
}

// Words in place of an errno.
const (
	PathTimeout = "timeout" // the call never returned
	PathCrashed = "crashed" // it took its process with it
	PathSetUp   = "set-up"  // the ends could not be had: nothing is known of the call
)

// linuxPaths are the paths that a run tries. Every facility serves more pairs
// than these; see Explain.
var linuxPaths = []Path{
	{"sendfile", "file", "tcp"},
	{"sendfile", "file", "unix"},
	{"sendfile", "file", "udp"},
	{"sendfile", "file", "pipe"},
	{"sendfile", "file", "file"},
	{"sendfile", "memfd", "tcp"},
	{"splice", "file", "pipe"},
	{"splice", "file", "tcp"},
	{"splice", "pipe", "tcp"},
	{"splice", "pipe", "pipe"},
	{"splice", "tcp", "pipe"},
	{"splice", "tcp", "tcp"},
	{"splice", "tcp", "unix"},
	{"splice", "unix", "tcp"},
	{"splice", "unix", "unix"},
	{"tee", "pipe", "pipe"},
	{"vmsplice", "memory", "pipe"},
	{"vmsplice", "gift", "pipe"},
	{"copy_file_range", "file", "file"},
	{"msg_zerocopy", "memory", "tcp"},
	{"msg_zerocopy", "memory", "udp"},
	{"io_uring", "file", "pipe"},
	{"io_uring", "file", "tcp"},
	{"io_uring", "tcp", "tcp"},
	{"io_uring", "memory", "tcp"},
}

// Paths lists the paths that a run tries on a system, sorted.
func Paths(goos string) []Path {
	if goos != "linux" {
		return nil
	}
	list := slices.Clone(linuxPaths)
	slices.SortFunc(list, comparePaths)
	return list
}

func comparePaths(a, b Path) int {
	return compare(a.Facility+"\x00"+a.Source+"\x00"+a.Destination, b.Facility+"\x00"+b.Source+"\x00"+b.Destination)
}
