package cases

import (
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

var appendCases = []*Case{
	{
		ID:       "linux/copy_file_range/append-three-answers",
		Title:    "To one file in append mode copy_file_range is EBADF where sendfile and splice are EINVAL, and a write appends",
		Facility: "copy_file_range",
		Level:    Should,
		Sources:  []string{"copy_file_range(2), ERRORS EBADF", "sendfile(2), ERRORS EINVAL", "splice(2), ERRORS EINVAL", "rust-lang/rust#82410", "golang/go#60181"},
		Covers:   []string{"bug/K07-cfr-o_append-ebadf", "bug/G01-append-post-open", "linux/fallback/rust-append-sink"},
		Needs:    []string{"copy_file_range/same-filesystem", "sendfile/file-file", "splice/pipe-file"},
		Systems:  linuxOnly,
		Caller:   "Take EBADF of copy_file_range for a refusal where O_APPEND is set: the descriptors are fine.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: gvisorAppends,
				Known: gvisorSource + "sentry/syscalls/linux/sys_splice.go#L57-L104",
				Facts: Want{
					Bytes: "100 bytes too many", "copy.errno": "EBADF", "copy.return": -1, "kept": "cut off at 0 of 100", Position: 0,
					"sendfile.errno": "EINVAL", "sendfile.return": -1, "splice.errno": "", "splice.return": 100, "write.errno": "",
					"write.return": 100,
				}},
			{Facts: Want{"copy.return": -1, "copy.errno": "EBADF", "sendfile.return": -1, "sendfile.errno": "EINVAL", "splice.return": -1, "splice.errno": "EINVAL",
				"write.return": 100, "write.errno": "", Position: 0, kept: fixture.Right, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			p, q := fixture.Pattern(1, 100), fixture.Pattern(2, 50)
			in, out := fixture.File(e, p, os.O_RDONLY), fixture.File(e, q, os.O_RDWR)
			fixture.Append(e, out) // after open, as a program can find it
			r, _ := loaded(e, p)
			for _, call := range []struct {
				name string
				call func() (int, sys.Errno)
			}{
				{"copy", func() (int, sys.Errno) { return e.Kernel.CopyFileRange(in.Int(), nil, out.Int(), nil, len(p), 0) }},
				{"sendfile", func() (int, sys.Errno) { return e.Kernel.Sendfile(out.Int(), in.Int(), nil, len(p)) }},
				{"splice", func() (int, sys.Errno) { return e.Kernel.Splice(r.Int(), nil, out.Int(), nil, len(p), 0) }},
				{"write", func() (int, sys.Errno) { return e.Kernel.Write(out.Int(), p) }},
			} {
				n, errno := call.call()
				e.Named(call.name, n, errno)
			}
			e.Fact(Position, fixture.Position(e, in))
			holds(e, kept, r, p)
			e.Arrived(fixture.Contents(e, out), append(q, p...))
		},
	},
}
