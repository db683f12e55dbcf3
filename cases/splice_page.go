package cases

import (
	"bytes"
	"os"
	"sync"
	"syscall"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

var splicePage = []*Case{
	{
		ID:       "linux/splice/page-reference-modify",
		Title:    "What is spliced from a file into a pipe is the file's own pages: a later write to the file shows in the pipe",
		Facility: "splice",
		Level:    Should,
		Sources:  []string{"LWN 923237", "Rust dont_splice_pipes_from_files", "systemd/systemd#29044", "patchew 20260531010107.1953702 (a copy instead is proposed)"},
		Covers:   []string{"linux/splice/page-reference-modify", "bug/K13-splice-aliasing-overwrite", "bug/K22-splice-may-become-copy"},
		Needs:    []string{"splice/file-pipe"},
		Systems:  linuxOnly,
		Caller:   "Do not change a file in place while its bytes are under way; replace it.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: gvisorPipe,
				Known: gvisorSource + "sentry/kernel/pipe/vfs.go#L317-L341",
				Facts: Want{"disk.bytes": fixture.Right, "memory": "copied", Witness: fixture.Copied}},
			{Facts: Want{"disk.bytes": fixture.Right, "memory": "by-reference", Witness: "by-reference"}},
		},
		Body: func(e *Env) {
			before, after := fixture.Pattern(1, fixture.WitnessSize), fixture.Pattern(2, fixture.WitnessSize)
			for _, place := range []struct {
				name string
				file *fixture.FD
			}{{"disk", fixture.File(e, before, os.O_RDWR)}, {"memory", fixture.MemoryFile(e, before)}} {
				r, w := roomyPipe(e)
				for done := int64(0); done < fixture.WitnessSize; {
					n, _ := e.Kernel.Splice(place.file.Int(), &done, w.Int(), nil, fixture.WitnessSize-int(done), sys.SpliceNonblock)
					if n <= 0 {
						break
					}
				}
				fixture.Overwrite(e, place.file, after, 0)
				got := fixture.ReadReady(e, r, fixture.WitnessSize+1)
				witness := fixture.Witnessed(got, before, after)
				if place.name == "disk" {
					want := after
					if witness == fixture.Copied {
						want = before
					}
					e.Fact("disk.bytes", fixture.Compare(got, want))
					e.Fact(Witness, witness)
				} else {
					e.Fact(place.name, witness)
				}
			}
		},
	},
	{
		ID:       "linux/splice/file-tcp-by-reference",
		Title:    "What goes from a file through a pipe into a TCP socket is still the file's own pages",
		Facility: "splice",
		Level:    Should,
		Sources:  []string{"LWN 923237", "fs/splice.c, splice_to_socket: MSG_SPLICE_PAGES"},
		Needs:    []string{"splice/file-pipe", "splice/pipe-tcp"},
		Systems:  linuxOnly,
		Caller:   "Count the bytes as sent only when the peer has confirmed them; until then leave the file alone.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: gvisorPipe,
				Known: gvisorSource + "sentry/kernel/pipe/vfs.go#L317-L341",
				Facts: Want{Errno: "", Return: 65536, Witness: fixture.Copied}},
			{Facts: Want{Return: fixture.WitnessSize, Errno: "", Witness: "by-reference"}},
		},
		Body: func(e *Env) {
			before, after := fixture.Pattern(3, fixture.WitnessSize), fixture.Pattern(4, fixture.WitnessSize)
			file := fixture.File(e, before, os.O_RDWR)
			a, b := fixture.TCP(e)
			fixture.Roomy(a, b)
			r, w := roomyPipe(e)
			total := 0
			var errno sys.Errno
			for offset := int64(0); total < fixture.WitnessSize && errno == 0; {
				var n, k int
				if n, errno = e.Kernel.Splice(file.Int(), &offset, w.Int(), nil, fixture.WitnessSize-total, 0); n <= 0 {
					break
				}
				for n > 0 && errno == 0 {
					if k, errno = e.Kernel.Splice(r.Int(), nil, a.Int(), nil, n, 0); k <= 0 {
						break
					}
					n, total = n-k, total+k
				}
			}
			e.Named("", total, errno)
			fixture.Overwrite(e, file, after, 0)
			e.Fact(Witness, fixture.Witnessed(fixture.ReadN(e, b, fixture.WitnessSize), before, after))
		},
	},
	{
		ID:       "linux/splice/truncate-after-splice",
		Title:    "Bytes that are in a pipe stay there when their file is truncated to nothing",
		Facility: "splice",
		Level:    Should,
		Sources:  []string{"fs/splice.c, page_cache_pipe_buf_confirm: a page that is up to date stays"},
		Covers:   []string{"linux/splice/truncate-after-splice"},
		Needs:    []string{"splice/file-pipe"},
		Systems:  linuxOnly,
		Caller:   "A truncation takes nothing back that was spliced before.",
		Expect:   []Expectation{{Facts: Want{Return: 8192, Errno: "", Bytes: fixture.Right}}},
		Body: func(e *Env) {
			p := fixture.Pattern(5, 8192)
			file := fixture.File(e, p, os.O_RDWR)
			r, w := roomyPipe(e)
			e.Answer(e.Kernel.Splice(file.Int(), nil, w.Int(), nil, len(p), 0))
			fixture.Truncate(e, file, 0)
			e.Arrived(fixture.ReadReady(e, r, len(p)+1), p)
		},
	},
	{
		ID:       "linux/splice/truncate-inside-page-zeroes-tail",
		Title:    "A truncation inside a page that is in a pipe puts zeros in place of what it cut off",
		Facility: "splice",
		Level:    Info,
		Sources:  []string{"mm/truncate.c, truncate_inode_partial_folio: the rest of the page is zeroed in place"},
		Needs:    []string{"splice/file-pipe"},
		Systems:  linuxOnly,
		Caller:   "Log files that are cut while they are sent can arrive with zeros: replace them instead.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: gvisorPipe + ": what it has taken no truncation reaches",
				Facts: Want{Errno: "", "head": fixture.Right, Return: 4096, "tail": "kept"}},
			{Facts: Want{Return: 4096, Errno: "", "head": fixture.Right, "tail": "zeros"}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(6, 4096)
			file := fixture.File(e, p, os.O_RDWR)
			r, w := roomyPipe(e)
			e.Answer(e.Kernel.Splice(file.Int(), nil, w.Int(), nil, len(p), 0))
			fixture.Truncate(e, file, 100)
			got := fixture.ReadReady(e, r, len(p)+1)
			e.Fact("head", fixture.Compare(got[:min(100, len(got))], p[:100]))
			tail := "other"
			switch rest := got[min(100, len(got)):]; {
			case bytes.Equal(rest, p[100:]):
				tail = "kept"
			case bytes.Equal(rest, make([]byte, len(p)-100)):
				tail = "zeros"
			}
			e.Fact("tail", tail)
		},
	},
	{
		ID:       "linux/splice/dirty-pipe-safe",
		Title:    "A write into a pipe never changes the file whose page lies in the pipe",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"CVE-2022-0847", "kernel commit 9d2231c5d74e", "xfstests generic/680"},
		Covers:   []string{"linux/splice/dirty-pipe-safe", "bug/X01-dirty-pipe"},
		Needs:    []string{"splice/file-pipe"},
		Systems:  linuxOnly,
		Caller:   "Where this deviates, update the kernel today: any user can overwrite files that they may read.",
		Expect:   []Expectation{{Facts: Want{Return: 1, Errno: "", "file": fixture.Right, Bytes: fixture.Right}}},
		Body: func(e *Env) {
			p := fixture.Pattern(7, 4096)
			_, path := fixture.NamedFile(e, p, os.O_RDONLY)
			fixture.Chmod(e, path, 0o444)
			file := fixture.Open(e, path, os.O_RDONLY)
			r, w := roomyPipe(e)
			// Every slot of the pipe has held a buffer that takes more bytes.
			fixture.ReadN(e, r, fixture.Fill(e, w))
			e.Answer(e.Kernel.Splice(file.Int(), nil, w.Int(), nil, 1, 0))
			fixture.WriteAll(e, w, []byte("more"))
			e.Fact("file", fixture.Compare(fixture.Content(e, path), p))
			e.Arrived(fixture.ReadReady(e, r, 100), append(p[:1:1], "more"...))
		},
	},
	{
		ID:       "linux/splice/hole-source",
		Title:    "Holes of a file in memory arrive as that many zeros, page for page",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"openzfs/zfs#15163 (kernel commit 101df45e7ec3)", "mm/shmem.c, splice_zeropage_into_pipe"},
		Covers:   []string{"bug/K33-nfsd-page-dup"},
		Needs:    []string{"splice/file-pipe", "memfd/create"},
		Systems:  linuxOnly,
		Caller:   "Nothing to do: holes read as zeros.",
		Expect:   []Expectation{{Facts: Want{"total": 200_000, Bytes: fixture.Right, Offset: 200_000}}},
		Body: func(e *Env) {
			const size = 200_000
			want := make([]byte, size)
			copy(want[100_000:], fixture.Pattern(8, 5000))
			file := fixture.MemoryFile(e, nil)
			fixture.Truncate(e, file, size)
			fixture.Overwrite(e, file, want[100_000:105_000], 100_000)
			r, w := roomyPipe(e)
			var got []byte
			offset := int64(0)
			for len(got) <= size {
				n, _ := e.Kernel.Splice(file.Int(), &offset, w.Int(), nil, size, sys.SpliceNonblock)
				if n <= 0 {
					break
				}
				got = append(got, fixture.ReadReady(e, r, n)...)
			}
			e.Fact("total", len(got))
			e.Fact(Offset, offset)
			e.Arrived(got, want)
		},
	},
	{
		ID:       "linux/splice/odirect-source",
		Title:    "A file opened with O_DIRECT is spliced in aligned pieces; an unaligned offset is EINVAL",
		Facility: "splice",
		Level:    Info,
		Sources:  []string{"xfstests generic/591", "open(2), O_DIRECT", "fs/splice.c, copy_splice_read"},
		Covers:   []string{"linux/splice/odirect-source"},
		Needs:    []string{"splice/direct-pipe"},
		Systems:  linuxOnly,
		Caller:   "Open without O_DIRECT for splice: it copies then, and asks for alignment.",
		Expect: []Expectation{
			{Facts: Want{"aligned.return": 8192, "aligned.errno": "", "unaligned.return": -1, "unaligned.errno": "EINVAL",
				Offset: 8192, Bytes: fixture.Right, "queued": 0}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(9, 16<<10)
			_, path := fixture.NamedFile(e, p, os.O_RDWR)
			// What alignment is asked for depends on the filesystem: these two
			// are known to ask for it.
			if name := sys.FilesystemName(e.TempDir()); name != "ext4" && name != "xfs" {
				e.Skip(SkipPlace)
			}
			fd, errno := sys.Open(path, os.O_RDONLY|sys.Direct)
			if errno == syscall.EINVAL {
				e.Skip(SkipPlace)
			} else if errno != 0 {
				e.Fatalf("open O_DIRECT: %w", error(errno))
			}
			direct := fixture.Adopt(e, fd)
			r, w := roomyPipe(e)
			offset := int64(0)
			n, errno := e.Kernel.Splice(direct.Int(), &offset, w.Int(), nil, 8192, 0)
			e.Named("aligned", n, errno)
			e.Fact(Offset, offset)
			e.Arrived(fixture.ReadReady(e, r, 8193), p[:8192])
			offset = 100
			n, errno = e.Kernel.Splice(direct.Int(), &offset, w.Int(), nil, 1000, 0)
			e.Named("unaligned", n, errno)
			e.Fact("queued", fixture.Queued(e, r))
		},
	},
	{
		ID:       "linux/splice/mixed-io-stress",
		Title:    "Splice, write and stores through a mapping into parts of the same pages do not disturb each other",
		Facility: "splice",
		Level:    Should,
		Sources:  []string{"xfstests generic/095"},
		Needs:    []string{"splice/pipe-file", "splice/file-pipe"},
		Systems:  linuxOnly,
		Caller:   "Parts of one page may be written by different means at once.",
		Expect:   []Expectation{{Facts: Want{"spliced": 1600, Bytes: fixture.Right}}},
		Body: func(e *Env) {
			const page, pages, part = 4096, 16, 100
			file := fixture.File(e, make([]byte, page*pages), os.O_RDWR)
			mapped := fixture.Mapped(e, file, page*pages)
			want := make([]byte, page*pages)
			spliced, written, stored := fixture.Pattern(10, part*pages), fixture.Pattern(11, part*pages), fixture.Pattern(12, part*pages)
			r, w := loaded(e, spliced)
			for i := range pages {
				copy(want[i*page+50:], spliced[i*part:][:part])
				copy(want[i*page+1000:], written[i*part:][:part])
				copy(want[i*page+4000:], stored[i*part:][:96])
			}
			total := 0
			var others sync.WaitGroup
			others.Go(func() {
				for i := range pages {
					offset := int64(i*page + 50)
					n, _ := e.Kernel.Splice(r.Int(), nil, file.Int(), &offset, part, 0)
					total += n
				}
			})
			others.Go(func() {
				for i := range pages {
					e.Kernel.Pwrite(file.Int(), written[i*part:][:part], int64(i*page+1000))
				}
			})
			for i := range pages {
				copy(mapped[i*page+4000:], stored[i*part:][:96])
			}
			others.Wait()
			e.Fact("spliced", total)
			// And out again, past the page cache's other users.
			var got []byte
			for offset := int64(0); len(got) < page*pages; {
				n, _ := e.Kernel.Splice(file.Int(), &offset, w.Int(), nil, page*pages, sys.SpliceNonblock)
				if n <= 0 {
					break
				}
				got = append(got, fixture.ReadReady(e, r, n)...)
			}
			e.Arrived(got, want)
		},
	},
}
