package probe

import (
	"errors"
	"strings"
	"syscall"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// setUp notes that the fixture of a probe could not be had, which says nothing
// about the call. Of the error only its first words and the errno are kept:
// paths and ports differ from run to run.
func (f *Finding) setUp(err error) {
	f.State = Inconclusive
	what, fixed := err.Error(), false
	var errno sys.Errno
	if errors.As(err, &errno) {
		what, _, _ = strings.Cut(what, ": ")
		if verb, path, ok := strings.Cut(what, " /"); ok {
			if fixed = lasting(path); !fixed {
				what = verb
			}
		}
		what += ": " + sys.ErrnoName(errno)
	}
	f.Evidence = append(f.Evidence, "set-up: "+what)
	switch {
	case sys.IsResourceLimit(err):
		f.Reason = ResourceLimit
		f.Remedy = "raise the limit of descriptors (ulimit -n), or free memory and space"
	case errno == syscall.ENOENT && fixed: // as in many a container
		f.State, f.Reason, f.Remedy = NotApplicable, Filesystem, "mount what is missing, if the program needs it"
	case errno == syscall.ENETUNREACH || errno == syscall.EADDRNOTAVAIL:
		f.Remedy = "bring the loopback interface up: ip link set lo up"
	}
}

// lasting tells whether a path is the same in every run.
func lasting(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return first == "proc" || first == "sys" || first == "dev"
}
