package cases

import (
	"bytes"
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
)

// noFallback is why files and devices differ before 5.10.
const noFallback = "commit 36e2c7421f02 ended the fallback that read and wrote where a file had no operation for splicing"

// The devices of mem(4), null(4) and random(4).
var sendfileDevices = []*Case{
	{
		ID:       "linux/sendfile/in-dev-zero-ok",
		Title:    "/dev/zero, /dev/full and /dev/urandom are sources like files without an end",
		Facility: "sendfile",
		Level:    Should,
		// LTP splice08 says that c6585011bc1d (6.5) took /dev/zero away. It had no
		// splice_read from 5.10 on, when 36e2c7421f02 ended the common fallback.
		Sources: []string{"Linux commits 36e2c7421f02, 97ef77c52b78, 1b057bd800c3, 79025e727a84", "LTP splice08"},
		Covers:  []string{"linux/sendfile/in-dev-zero-ok"},
		Needs:   []string{"sendfile/file-tcp"},
		Systems: linuxOnly,
		Caller:  "Fall back on EINVAL: each of them was refused by some release.",
		Expect: []Expectation{
			{Until: "6.0", Facts: Want{
				"zero.return": -1, "zero.errno": "EINVAL", "full.return": -1, "full.errno": "EINVAL", "urandom.return": -1, "urandom.errno": "EINVAL",
			}, Why: "before commit 97ef77c52b78 the input had to be a regular file or a block device"},
			{Since: "6.0", Until: "6.7", Facts: Want{
				"zero.return": -1, "zero.errno": "EINVAL", "full.return": -1, "full.errno": "EINVAL",
				"urandom.return": 10_000, "urandom.errno": "", "urandom.content": "noise",
			}, Why: "before commit 1b057bd800c3 /dev/zero and /dev/full had no splice_read; /dev/urandom has one since 79025e727a84"},
			{Facts: Want{
				"zero.return": 10_000, "zero.errno": "", "zero.content": "zeros",
				"full.return": 10_000, "full.errno": "", "full.content": "zeros",
				"urandom.return": 10_000, "urandom.errno": "", "urandom.content": "noise",
			}},
		},
		Body: func(e *Env) {
			a, b := fixture.TCP(e)
			for _, name := range []string{"zero", "full", "urandom"} {
				in, ok := fixture.Existing(e, "/dev/"+name, os.O_RDONLY)
				if !ok {
					e.Skip(SkipPlace)
				}
				n, errno := e.Kernel.Sendfile(a.Int(), in.Int(), nil, 10_000)
				e.Named(name, n, errno)
				e.Fact(name+".content", texture(fixture.ReadN(e, b, max(n, 0))))
			}
		},
	},
	{
		ID:       "linux/sendfile/in-dev-null-einval",
		Title:    "/dev/null as a source is refused with EINVAL, though read sees a plain end of file",
		Facility: "sendfile",
		Level:    Info,
		Sources:  []string{"Linux drivers/char/mem.c, null_fops: no splice_read"},
		Covers:   []string{"linux/sendfile/in-dev-null-einval", "bug/K04-devnull-source"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "Fall back on EINVAL: the copy then sees the end at once and no error.",
		Expect: []Expectation{
			{Facts: Want{Return: -1, Errno: "EINVAL", "read.return": 0, "read.errno": "", "queued": 0}},
		},
		Body: func(e *Env) {
			in, ok := fixture.Existing(e, "/dev/null", os.O_RDONLY)
			if !ok {
				e.Skip(SkipPlace)
			}
			a, b := fixture.TCP(e)
			e.Answer(e.Kernel.Sendfile(a.Int(), in.Int(), nil, 100))
			n, errno := e.Kernel.Read(in.Int(), make([]byte, 100))
			e.Named("read", n, errno)
			e.Fact("queued", fixture.Queued(e, b))
		},
	},
	{
		ID:       "linux/sendfile/out-dev-full-einval",
		Title:    "/dev/full as a destination is refused with EINVAL, not with the ENOSPC of write",
		Facility: "sendfile",
		Level:    Info,
		Sources:  []string{"Linux commit 36e2c7421f02: no splice without an operation for it", "coreutils issue 277"},
		Covers:   []string{"linux/sendfile/out-dev-full-einval"},
		Needs:    []string{"sendfile/file-file"},
		Systems:  linuxOnly,
		Caller:   "Fall back on EINVAL: the copy then sees ENOSPC.",
		Expect: []Expectation{
			{Since: "5.10", Why: noFallback, Facts: Want{Return: -1, Errno: "EINVAL", Position: 0, "write.return": -1, "write.errno": "ENOSPC"}},
		},
		Body: func(e *Env) {
			out, ok := fixture.Existing(e, "/dev/full", os.O_WRONLY)
			if !ok {
				e.Skip(SkipPlace)
			}
			in := fixture.File(e, fixture.Pattern(1, 100), os.O_RDONLY)
			e.Answer(e.Kernel.Sendfile(out.Int(), in.Int(), nil, 100))
			e.Fact(Position, fixture.Position(e, in))
			n, errno := e.Kernel.Write(out.Int(), make([]byte, 100))
			e.Named("write", n, errno)
		},
	},
	{
		ID:       "linux/sendfile/out-dev-null-ok",
		Title:    "/dev/null takes everything and the input moves on",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"null(4)", "stress-ng stress-sendfile.c", "Linux drivers/char/mem.c, splice_write_null"},
		Covers:   []string{"linux/sendfile/out-dev-null-ok"},
		Needs:    []string{"sendfile/file-file"},
		Systems:  linuxOnly,
		Caller:   "Do not measure against it: no page is ever touched.",
		Expect: []Expectation{
			{Facts: Want{Return: 100_000, Errno: "", Offset: 100_003, "rest.return": 7, Position: 0}},
		},
		Body: func(e *Env) {
			out, ok := fixture.Existing(e, "/dev/null", os.O_WRONLY)
			if !ok {
				e.Skip(SkipPlace)
			}
			in := fixture.File(e, fixture.Pattern(1, 100_010), os.O_RDONLY)
			offset := int64(3)
			e.Answer(e.Kernel.Sendfile(out.Int(), in.Int(), &offset, 100_000))
			e.Fact(Offset, offset)
			n, errno := e.Kernel.Sendfile(out.Int(), in.Int(), &offset, 100_000)
			e.Named("rest", n, errno)
			e.Fact(Position, fixture.Position(e, in))
		},
	},
}

// texture says what bytes without a known content look like.
func texture(p []byte) string {
	switch {
	case len(p) == 0:
		return "nothing"
	case bytes.Count(p, []byte{0}) == len(p):
		return "zeros"
	case bytes.Count(p, p[:1]) > len(p)/16: // 1 of 256 is to be expected
		return "a pattern"
	default:
		return "noise"
	}
}
