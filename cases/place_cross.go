package cases

import (
	"bytes"

	"fmt"
	"os"
	"syscall"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// crossRule is where copy_file_range between two superblocks of one type stands
// in the source.
const crossRule = "kernel commits 5dae222a5ff0 (5.3: any two filesystems), 868f9f2f8e00 (5.19: the filesystem must say that it can)"

var placeCrossCases = []*Case{
	{
		ID:       "linux/copy_file_range/two-mounts-of-one-filesystem",
		Title:    "Between two mounts of one filesystem copy_file_range works, and shares blocks where the filesystem can",
		Facility: "copy_file_range",
		Level:    Must,
		Sources:  []string{"copy_file_range(2), EXDEV: not on the same mounted filesystem, until 5.3", "fs/read_write.c: compares superblocks, not mounts", "docker bind mounts"},
		Needs:    []string{"copy_file_range/same-filesystem"},
		Systems:  linuxOnly,
		Root:     true,
		Caller:   "Do not compare mounts or device numbers beforehand: ask, and fall back at EXDEV.",
		Expect: []Expectation{
			{Until: "5.3", Why: "before 5dae222a5ff0 the mount had to be one", Facts: Want{"xfs.return": -1, "xfs.errno": "EXDEV", "ext4.return": -1, "ext4.errno": "EXDEV"}},
			{Facts: Want{"xfs.return": 64 << 10, "xfs.errno": "", "xfs.bytes": fixture.Right, "xfs.shared": true,
				"ext4.return": 64 << 10, "ext4.errno": "", "ext4.bytes": fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(61, 64<<10)
			for _, name := range []string{"xfs", "ext4"} {
				on := place(e, name)
				in, out := fixture.File(on, p, os.O_RDONLY), fixture.File(on.Again(), nil, os.O_RDWR)
				n, errno := e.Kernel.CopyFileRange(in.Int(), nil, out.Int(), nil, len(p), 0)
				e.Named(name, n, errno)
				e.Fact(name+".bytes", fixture.Compare(fixture.Contents(e, out), p))
				shared, _ := sys.SharedExtents(out.Int())
				e.Fact(name+".shared", shared)
			}
		},
	},
	across("ext4", "ext4", false),
	across("xfs", "xfs", false),
	across("tmpfs", "tmpfs", false),
	across("fuse", "fuse", true),
	across("ext4", "tmpfs", false),
	across("fuse", "tmpfs", false),
	across("tmpfs", "overlay", false),
	{
		ID:       "linux/copy_file_range/immutable",
		Title:    "A file that is immutable can be copied from and not to, also through a descriptor that was opened before",
		Facility: "copy_file_range",
		Level:    Must,
		Sources:  []string{"LTP copy_file_range02", "xfstests generic/553", "fs/read_write.c, generic_copy_file_checks: IS_IMMUTABLE, kernel commit a5544984af4f", "kernel commit 02b016ca7f99 (ext4: enforce the immutable flag on open files)"},
		Needs:    []string{"copy_file_range/same-filesystem", "splice/pipe-file", "sendfile/file-file"},
		Systems:  linuxOnly,
		Root:     true,
		Caller:   "EPERM is of the destination: read and write fails as well.",
		Expect: []Expectation{{Facts: Want{"from.return": 5000, "from.errno": "", "from.bytes": fixture.Right, "to.return": -1, "to.errno": "EPERM",
			"splice.return": -1, "splice.errno": "EPERM", "sendfile.return": -1, "sendfile.errno": "EPERM", Bytes: fixture.Right, Position: 0}}},
		Body: func(e *Env) {
			on := place(e, "ext4")
			p, q := fixture.Pattern(62, 5000), fixture.Pattern(63, 5000)
			fixed, other, out := fixture.File(on, p, os.O_RDWR), fixture.File(on, q, os.O_RDONLY), fixture.File(on, nil, os.O_RDWR)
			if _, errno := sys.SetImmutable(fixed.Int(), true); errno != 0 {
				e.Fatalf("ioctl FS_IOC_SETFLAGS: %w", error(errno))
			}
			e.Cleanup(func() { sys.SetImmutable(fixed.Int(), false) })
			n, errno := e.Kernel.CopyFileRange(fixed.Int(), new(int64(0)), out.Int(), nil, len(p), 0)
			e.Named("from", n, errno)
			e.Fact("from.bytes", fixture.Compare(fixture.Contents(e, out), p))
			n, errno = e.Kernel.CopyFileRange(other.Int(), nil, fixed.Int(), nil, len(q), 0)
			e.Named("to", n, errno)
			r, _ := loaded(e, q)
			n, errno = e.Kernel.Splice(r.Int(), nil, fixed.Int(), nil, len(q), 0)
			e.Named("splice", n, errno)
			n, errno = e.Kernel.Sendfile(fixed.Int(), other.Int(), nil, len(q))
			e.Named("sendfile", n, errno)
			e.Fact(Position, fixture.Position(e, other))
			e.Arrived(fixture.Contents(e, fixed), p)
		},
	},
	full("tmpfs"),
	full("ext4"),
	{
		ID:       "linux/sendfile/read-only-filesystem",
		Title:    "Files on a filesystem that was made read-only are sent, spliced and copied from as before",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"mount(2), MS_RDONLY", "sendfile(2)"},
		Needs:    []string{"sendfile/file-tcp", "splice/file-pipe"},
		Systems:  linuxOnly,
		Root:     true,
		Caller:   "Nothing to do: reading takes no right to write, not even for the access time.",
		Expect:   []Expectation{{Facts: Want{"sendfile": fixture.Right, "splice": fixture.Right}}},
		Body: func(e *Env) {
			on := place(e, "xfs")
			p := fixture.Pattern(64, 100_001)
			file, path := fixture.NamedFile(on, p, os.O_RDONLY)
			on.ReadOnly()
			if _, errno := sys.Open(path, os.O_WRONLY); errno != syscall.EROFS {
				e.Fatalf("open for writing: %w", error(errno))
			}
			e.Fact("sendfile", fixture.Compare(overTCP(e, file, 0, len(p)), p))
			e.Fact("splice", fixture.Compare(throughPipe(e, file, 0, len(p)), p))
		},
	},
	{
		ID:       "linux/sendfile/overlay-copy-up",
		Title:    "A file of the lower layer that is written to while it is open is sent as it is now, also by the older descriptor",
		Facility: "sendfile",
		Level:    Should,
		Sources:  []string{"Documentation/filesystems/overlayfs.rst, Non-standard behavior", "fs/overlayfs/file.c, ovl_real_fdget: copied up since we opened it", "kernel commit d1d04ef8572b (4.19)"},
		Needs:    []string{"sendfile/file-tcp", "splice/file-pipe"},
		Systems:  linuxOnly,
		Root:     true,
		Caller:   "Container images are overlays: a mapping that is older than the first write stays with the old bytes; sendfile, splice and read do not.",
		Expect:   []Expectation{{Facts: Want{"before": fixture.Right, "sendfile": fixture.Right, "splice": fixture.Right, "read": fixture.Right, "lower": fixture.Right}}},
		Body: func(e *Env) {
			on := place(e, "overlay")
			p := fixture.Pattern(65, 50_001)
			under := on.Lower() + "/file"
			if err := os.WriteFile(under, p, 0o600); err != nil {
				e.Fatalf("write fixture: %w", err)
			}
			older := fixture.Open(e, on.TempDir()+"/file", os.O_RDONLY)
			e.Fact("before", fixture.Compare(overTCP(e, older, 0, len(p)), p))
			want := bytes.Clone(p)
			copy(want[20_000:], fixture.Pattern(66, 10_000))
			writer := fixture.Open(e, on.TempDir()+"/file", os.O_WRONLY)
			fixture.Overwrite(e, writer, want[20_000:30_000], 20_000)
			e.Fact("sendfile", fixture.Compare(overTCP(e, older, 0, len(p)), want))
			e.Fact("splice", fixture.Compare(throughPipe(e, older, 0, len(p)), want))
			got := make([]byte, len(p))
			e.Kernel.Pread(older.Int(), got, 0)
			e.Fact("read", fixture.Compare(got, want))
			e.Fact("lower", fixture.Compare(fixture.Content(e, under), p))
		},
	},
	{
		ID:       "linux/copy_file_range/overlay-copy-after-copy",
		Title:    "On an overlay a copy of a copy, over an older copy, by copy_file_range and by sendfile, ends and is right",
		Facility: "copy_file_range",
		Level:    Must,
		Sources:  []string{"nodejs/node#40200", "fs/overlayfs/file.c, ovl_copyfile", "copy_file_range(2)"},
		Covers:   []string{"bug/V05-overlay-copyfile-hang"},
		Needs:    []string{"copy_file_range/same-filesystem", "sendfile/file-file"},
		Systems:  linuxOnly,
		Root:     true,
		Caller:   "Nothing to do.",
		Expect:   []Expectation{{Facts: Want{"copies": 4, "sent": 4, "lower": fixture.Right}}},
		Body: func(e *Env) {
			on := place(e, "overlay")
			p := fixture.Pattern(67, 150_001)
			under := on.Lower() + "/file"
			if err := os.WriteFile(under, p, 0o600); err != nil {
				e.Fatalf("write fixture: %w", err)
			}
			copies, sends := 0, 0
			path := on.TempDir() + "/file"
			for i := range 4 {
				next := fmt.Sprintf("%s/copy-%d", on.TempDir(), i%3) // the last one over the first
				for name, move := range map[string]func(in, out *fixture.FD) int{
					"copy": func(in, out *fixture.FD) int { return copyAll(e, in, 0, out, 0, len(p)) },
					"send": func(in, out *fixture.FD) int {
						n, _ := sendAll(e, out, in, new(int64(0)), len(p))
						return n
					},
				} {
					in, out := fixture.Open(e, path, os.O_RDONLY), fixture.Open(e, next+name, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
					if n := move(in, out); n == len(p) && bytes.Equal(fixture.Contents(e, out), p) {
						if name == "copy" {
							copies++
						} else {
							sends++
						}
					}
				}
				path = next + "copy"
			}
			e.Fact("copies", copies)
			e.Fact("sent", sends)
			e.Fact("lower", fixture.Compare(fixture.Content(e, under), p))
		},
	},
}

// across asks for a copy between two filesystems.
func across(from, to string, own bool) *Case {
	copies := Want{Return: 10_000, Errno: "", "in": 10_000, "out": 10_000, Bytes: fixture.Right}
	refuses := Want{Return: -1, Errno: "EXDEV", "in": 0, "out": 0, Bytes: fixture.Right}
	x := &Case{
		ID:       "linux/copy_file_range/" + from + "-to-" + to,
		Facility: "copy_file_range",
		Level:    Should,
		Sources:  []string{"copy_file_range(2), VERSIONS", crossRule, "xfstests generic/565"},
		Needs:    []string{"copy_file_range/same-filesystem"},
		Systems:  linuxOnly,
		Root:     true,
		Caller:   "At EXDEV copy by sendfile, or by read and write; the next kernel may answer otherwise.",
	}
	x.Title = fmt.Sprintf("From a %s to a %s: EXDEV but for 5.3 to 5.18, and nothing moves", from, to)
	if from == to {
		x.Title = fmt.Sprintf("Between two filesystems of type %s: EXDEV but for 5.3 to 5.18, and nothing moves", from)
	}
	x.Expect = []Expectation{
		{Emulator: "gvisor", Why: gvisorCrosses, Facts: copies},
		{Until: "5.3", Why: "before 5dae222a5ff0 both had to lie on one mount", Facts: refuses},
		{Until: "5.19", Why: "from 5dae222a5ff0 on any two, until 868f9f2f8e00, which stable releases took up one after the other",
			Facts: Want{Return: OneOf{-1, 10_000}, Errno: OneOf{"", "EXDEV"}, Bytes: fixture.Right}},
		{Facts: refuses},
	}
	if own {
		x.Title = fmt.Sprintf("Between two filesystems of type %s copy_file_range copies: the type has a call of its own, which falls back", from)
		x.Sources = append(x.Sources, "fs/fuse/file.c, fuse_copy_file_range: EXDEV becomes splice_copy_file_range")
		x.Expect = []Expectation{
			{Emulator: "gvisor", Why: gvisorCrosses, Facts: copies},
			{Until: "5.3", Why: "before 5dae222a5ff0 both had to lie on one mount", Facts: refuses},
			{Facts: copies},
		}
	}
	x.Body = func(e *Env) {
		p := fixture.Pattern(68, 10_000)
		in, out := fixture.File(place(e, from), p, os.O_RDONLY), fixture.File(place(e, to), nil, os.O_RDWR)
		n, errno := e.Kernel.CopyFileRange(in.Int(), nil, out.Int(), nil, len(p), 0)
		e.Answer(n, errno)
		e.Fact("in", fixture.Position(e, in))
		e.Fact("out", fixture.Position(e, out))
		e.Arrived(fixture.Contents(e, out), firstOf(p, n))
	}
	return x
}

// full asks what happens when a filesystem has no room for all.
func full(fstype string) *Case {
	return &Case{
		ID:       "linux/splice/no-space-on-" + fstype,
		Title:    "When " + fstype + " is full in the middle, what went in is counted, the rest stays in the pipe, and then it is ENOSPC",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"splice(2)", "copy_file_range(2), ERRORS ENOSPC", "fs/splice.c, iter_file_splice_write: takes from the pipe what was written", "xfstests generic/015"},
		Needs:    []string{"splice/pipe-file", "sendfile/file-file", "copy_file_range/same-filesystem"},
		Systems:  linuxOnly,
		Root:     true,
		Caller:   "Keep the pipe: what was not written is still there and can go elsewhere.",
		Expect: []Expectation{{Facts: Want{"splice.errno": "ENOSPC", "splice.short": true, "splice.file": fixture.Right, kept: fixture.Right,
			"sendfile.errno": "ENOSPC", "sendfile.short": true, "sendfile.file": fixture.Right,
			"copy.errno": "ENOSPC", "copy.short": true, "copy.file": fixture.Right}}},
		Body: func(e *Env) {
			small := 48 * int64(os.Getpagesize())
			options := fmt.Sprintf("size=%d", small)
			if fstype != "tmpfs" {
				options = ""
			}
			on, err := fixture.Mount(e.Scope, fstype, options)
			placed(e, err)
			if fstype != "tmpfs" { // as much is left
				fill := fixture.Open(e, on.TempDir()+"/fill", os.O_RDWR|os.O_CREATE)
				for size := int64(64 << 20); size >= int64(os.Getpagesize()); size /= 2 {
					at := fixture.Status(e, fill).Size
					sys.Allocate(fill.Int(), at, size)
				}
				if size := fixture.Status(e, fill).Size; size > small {
					fixture.Truncate(e, fill, size-small)
				}
			}
			p := fixture.Pattern(69, int(2*small))
			source := fixture.File(e, p, os.O_RDONLY)

			r, w := fixture.Pipe(e)
			out := fixture.Open(e, on.TempDir()+"/out", os.O_RDWR|os.O_CREATE)
			total, fed := 0, 0
			var errno sys.Errno
			for errno == 0 && total < len(p) {
				if total == fed {
					n := min(16*os.Getpagesize(), len(p)-fed)
					fixture.WriteAll(e, w, p[fed:][:n])
					fed += n
				}
				var n int
				if n, errno = e.Kernel.Splice(r.Int(), nil, out.Int(), nil, fed-total, 0); n > 0 {
					total += n
				} else if errno == 0 {
					break
				}
			}
			e.Fact("splice.errno", sys.ErrnoName(errno))
			e.Fact("splice.short", 0 < total && total < len(p))
			e.Fact("splice.file", fixture.Compare(fixture.Contents(e, out), firstOf(p, total)))
			e.Fact(kept, fixture.Compare(fixture.ReadReady(e, r, len(p)), p[min(total, fed):fed]))
			for name, move := range map[string]func(offset *int64) (int, sys.Errno){
				"sendfile": func(offset *int64) (int, sys.Errno) {
					return e.Kernel.Sendfile(out.Int(), source.Int(), offset, len(p)-int(*offset))
				},
				"copy": func(offset *int64) (int, sys.Errno) {
					inside := fixture.File(on, nil, os.O_RDWR) // a hole, so that the source lies on the same filesystem
					fixture.Truncate(e, inside, int64(len(p)))
					return e.Kernel.CopyFileRange(inside.Int(), offset, out.Int(), nil, len(p)-int(*offset), 0)
				},
			} {
				fixture.Truncate(e, out, 0)
				fixture.SetPosition(e, out, 0)
				want := p
				if name == "copy" {
					want = make([]byte, len(p))
				}
				offset, errno := int64(0), sys.Errno(0)
				for errno == 0 && int(offset) < len(p) {
					var n int
					if n, errno = move(&offset); n <= 0 && errno == 0 {
						break
					}
				}
				e.Fact(name+".errno", sys.ErrnoName(errno))
				e.Fact(name+".short", 0 < offset && int(offset) < len(p))
				e.Fact(name+".file", fixture.Compare(fixture.Contents(e, out), firstOf(want, int(offset))))
			}
		},
	}
}
