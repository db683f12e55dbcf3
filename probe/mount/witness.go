package mount

import (
	"os"
	"syscall"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// witness tells whether a way shares the bytes of the file or copies them.
func (c *check) witness(r *WayReport) {
	if c.place == nil {
		return // the file would have to be overwritten
	}
	see := map[string]func(*subject) fixture.Witness{
		plain:             func(*subject) fixture.Witness { return fixture.Copied },
		"sendfile":        func(f *subject) fixture.Witness { return f.unread(f.sendfile) },
		"sendfile-direct": func(f *subject) fixture.Witness { return f.unread(f.sendfile) },
		"splice":          func(f *subject) fixture.Witness { return f.unread(f.splice) },
		"copy_file_range": (*subject).extents,
		"mmap":            func(*subject) fixture.Witness { return fixture.ByReference }, // by its nature
	}[c.way.ID]
	if see == nil {
		return
	}
	err := fixture.Run(c.scratch, func(s *fixture.Scope) {
		f := newSubject(c, s)
		f.write(fixture.Pattern(before, fixture.WitnessSize), 0)
		r.Witness = see(f)
	})
	if err != nil && r.Why == "" {
		r.Why = "not witnessed: " + err.Error()
	}
}

// unread moves the file to where it waits unread, overwrites it in place, and
// looks at what has arrived.
func (f *subject) unread(move func(v *view) (moved int, arrived *fixture.FD)) fixture.Witness {
	if f.way.Direct {
		f.sync()
	}
	v := f.open()
	f.step(f.way.Call)
	n, arrived := move(v)
	if n != fixture.WitnessSize {
		return fixture.NotWitnessed
	}
	old := fixture.Pattern(before, n)
	f.write(fixture.Rewritten(old), 0)
	return fixture.Witnessed(drain(arrived.Nonblock(f), nil), old, fixture.Rewritten(old))
}

func (f *subject) sendfile(v *view) (int, *fixture.FD) {
	a, b := fixture.Unix(f, sys.Stream)
	fixture.Roomy(a, b)
	a.Nonblock(f)
	var at int64
	return f.fill(func(rest int) (int, sys.Errno) { return f.kernel.Sendfile(a.Int(), v.fd, &at, rest) }), b
}

func (f *subject) splice(v *view) (int, *fixture.FD) {
	in, out := fixture.Pipe(f)
	f.kernel.SetPipeSize(out.Int(), fixture.WitnessSize) // more than the usual size only for odd pages
	out.Nonblock(f)
	var at int64
	return f.fill(func(rest int) (int, sys.Errno) { return f.kernel.Splice(v.fd, &at, out.Int(), nil, rest, 0) }), in
}

// fill repeats a call until a witness's bytes have moved or it moves nothing.
func (f *subject) fill(call func(rest int) (int, sys.Errno)) int {
	done := 0
	for done < fixture.WitnessSize {
		n, errno := call(fixture.WitnessSize - done)
		if errno == syscall.EINTR {
			continue
		}
		if errno != 0 || n <= 0 {
			break
		}
		done += n
	}
	return done
}

// extents tells whether copy_file_range(2) has the two files share their blocks
// (reflink), by FIEMAP, which knows only of what is written out.
func (f *subject) extents() fixture.Witness {
	f.sync()
	v := f.open()
	to := v.target()
	defer to.close()
	f.step(f.way.Call)
	var at int64
	moved := f.fill(func(rest int) (int, sys.Errno) {
		return f.kernel.CopyFileRange(v.fd, &at, int(to.file.Fd()), nil, rest, 0)
	})
	if moved != fixture.WitnessSize {
		return fixture.NotWitnessed
	}
	f.step("fsync")
	if err := to.file.Sync(); err != nil {
		return fixture.KernelOnly
	}
	f.step("ioctl FS_IOC_FIEMAP")
	return extentsOf(to.file)
}

func extentsOf(file *os.File) fixture.Witness {
	shared, errno := sys.SharedExtents(int(file.Fd()))
	switch {
	case errno != 0:
		return fixture.KernelOnly
	case shared:
		return fixture.ByReference
	default:
		return fixture.Copied
	}
}
