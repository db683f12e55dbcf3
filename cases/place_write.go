package cases

import (
	"bytes"
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

func spliceTo(f filesystem) *Case {
	want := Want{"odd.return": 9001, "odd.errno": "", "odd.offset": 13_096, "odd": fixture.Right, "beyond.return": 5000, "beyond": fixture.Right,
		"written": fixture.Right, "size": 105_000}
	if f.maps {
		want["mapped"] = fixture.Right
	}
	return &Case{
		ID:       "linux/splice/to-" + f.name,
		Title:    "What splice writes to a file on " + f.name + " is there: across odd offsets, behind the end with zeros between, in mappings and on disk",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"splice(2)", f.source + ", splice_write", "fs/splice.c, iter_file_splice_write", "xfstests generic/095, generic/113"},
		Needs:    []string{"splice/pipe-file"},
		Caller:   "Nothing to do.",
		Expect:   []Expectation{{Facts: want}},
		Body: func(e *Env) {
			on := place(e, f.name)
			old, p := fixture.Pattern(25, 30_000), fixture.Pattern(26, 9001)
			want := append(bytes.Clone(old), make([]byte, 75_000)...)
			copy(want[4095:], p)
			copy(want[100_000:], p[:5000])
			file := fixture.File(on, old, os.O_RDWR)
			var mapped []byte
			if f.maps {
				mapped = fixture.Mapped(on, file, len(old))
				e.Fact("mapped", fixture.Compare(bytes.Clone(mapped[:100]), old[:100])) // its pages are there
			}
			r, _ := loaded(e, p)
			offset := int64(4095)
			n, errno := e.Kernel.Splice(r.Int(), nil, file.Int(), &offset, len(p), 0)
			e.Named("odd", n, errno)
			e.Fact("odd.offset", offset)
			e.Fact("odd", fixture.Compare(fixture.Contents(e, file), want[:len(old)]))
			if f.maps {
				e.Fact("mapped", fixture.Compare(bytes.Clone(mapped), want[:len(old)]))
			}
			r, _ = loaded(e, p[:5000])
			offset = 100_000
			n, _ = e.Kernel.Splice(r.Int(), nil, file.Int(), &offset, 5000, 0)
			e.Fact("beyond.return", n)
			e.Fact("beyond", fixture.Compare(fixture.Contents(e, file), want))
			e.Fact("size", fixture.Status(e, file).Size)
			uncached(e, file)
			e.Fact("written", fixture.Compare(fixture.Contents(e, file), want))
		},
	}
}

func copyWithin(f filesystem) *Case {
	want := Want{"whole": fixture.Right, "odd": fixture.Right, "sparse": fixture.Right, "apart": fixture.Right,
		"source": fixture.Right, "cold": fixture.Right, "end": 0}
	if f.sharing {
		want["shared"] = true
	}
	return &Case{
		ID:       "linux/copy_file_range/within-" + f.name,
		Title:    "Copies within " + f.name + " are right at once, at odd offsets and of sparse files, and do not change with their source",
		Facility: "copy_file_range",
		Level:    Must,
		Sources: []string{"copy_file_range(2)", "fs/read_write.c, vfs_copy_file_range: remap_file_range first", f.source,
			"xfstests generic/430 to 434, generic/521", "openzfs/zfs#15526: what was just written is copied as zeros"},
		Needs:  []string{"copy_file_range/same-filesystem"},
		Caller: "Loop over short counts. Where blocks are shared, the first write to either file needs new ones and can fail for want of space.",
		Expect: []Expectation{{Facts: want}},
		Body: func(e *Env) {
			on := place(e, f.name)
			const size = 64 << 10 // whole blocks of any filesystem, so that they can be shared
			p := fixture.Pattern(27, size)
			in, out := fixture.File(on, p, os.O_RDWR), fixture.File(on, nil, os.O_RDWR)
			copyAll(e, in, 0, out, 0, size)
			e.Fact("whole", fixture.Compare(fixture.Contents(e, out), p))
			shared, _ := sys.SharedExtents(out.Int())
			e.Fact("shared", shared)
			n, _ := e.Kernel.CopyFileRange(in.Int(), new(int64(size)), out.Int(), new(int64(0)), 100, 0)
			e.Fact("end", n)

			q := fixture.Pattern(28, size)
			odd := fixture.File(on, q, os.O_RDWR)
			want := bytes.Clone(q)
			copy(want[8191:], p[4097:][:30_001])
			copyAll(e, in, 4097, odd, 8191, 30_001)
			e.Fact("odd", fixture.Compare(fixture.Contents(e, odd), want))

			holes, content := sparse(on)
			filled := fixture.File(on, nil, os.O_RDWR)
			copyAll(e, holes, 0, filled, 0, len(content))
			e.Fact("sparse", fixture.Compare(fixture.Contents(e, filled), content))

			fixture.Overwrite(e, in, q[:5000], 100)
			e.Fact("apart", fixture.Compare(fixture.Contents(e, out), p))
			fixture.Overwrite(e, out, q[:5000], 30_000)
			copy(p[100:], q[:5000])
			e.Fact("source", fixture.Compare(fixture.Contents(e, in), p))
			uncached(e, odd)
			e.Fact("cold", fixture.Compare(fixture.Contents(e, odd), want))
		},
	}
}

// copyAll copies a range by as many calls as it takes, and returns how much that
// was.
func copyAll(e *Env, in *fixture.FD, from int64, out *fixture.FD, to int64, count int) int {
	total := 0
	for total < count {
		n, errno := e.Kernel.CopyFileRange(in.Int(), &from, out.Int(), &to, count-total, 0)
		if n <= 0 || errno != 0 {
			break
		}
		total += n
	}
	return total
}
