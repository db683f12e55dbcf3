package cases

import (
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// What becomes of memory that lies in a pipe when the process changes its
// mappings.
var vmspliceMemory = []*Case{
	{
		ID:       "linux/vmsplice/unmapped-memory-stays-in-pipe",
		Title:    "Memory that was unmapped after vmsplice is still what the reader gets",
		Facility: "vmsplice",
		Level:    Must,
		Sources:  []string{"Linux lib/iov_iter.c, iov_iter_get_pages2: the pipe holds a reference of its own", "vmsplice(2)"},
		Needs:    []string{"vmsplice/memory-pipe"},
		Systems:  linuxOnly,
		Caller:   "Unmapping takes nothing back, and is the one safe way to be done with the memory.",
		Expect:   []Expectation{{Facts: Want{Return: 8192, Errno: "", Bytes: fixture.Right}}},
		Body: func(e *Env) {
			p := fixture.Pattern(1, 8192)
			m, errno := sys.Memory(len(p))
			if errno != 0 {
				e.Fatalf("mmap: %w", error(errno))
			}
			copy(m, p)
			r, w := roomyPipe(e)
			e.Answer(e.Kernel.Vmsplice(w.Int(), [][]byte{m}, 0))
			if errno := sys.FreeMemory(m); errno != 0 {
				e.Fatalf("munmap: %w", error(errno))
			}
			e.Arrived(fixture.ReadReady(e, r, len(p)+1), p)
		},
	},
	{
		ID:       "linux/vmsplice/forgotten-memory-stays-in-pipe",
		Title:    "After madvise(MADV_DONTNEED) the pipe keeps the bytes, while the memory is new: what is stored there is not seen by the reader",
		Facility: "vmsplice",
		Level:    Should,
		Sources:  []string{"madvise(2), MADV_DONTNEED", "Linux lib/iov_iter.c, iov_iter_get_pages2"},
		Needs:    []string{"vmsplice/memory-pipe"},
		Systems:  linuxOnly,
		Caller:   "A buffer can be had again at once by MADV_DONTNEED: new pages take the place of those in the pipe.",
		Expect:   []Expectation{{Facts: Want{Return: 8192, Errno: "", Bytes: fixture.Right, "memory": "zeros from 0 of 8192"}}},
		Body: func(e *Env) {
			p := fixture.Pattern(2, 8192)
			m := inMemory(e, p)
			r, w := roomyPipe(e)
			e.Answer(e.Kernel.Vmsplice(w.Int(), [][]byte{m}, 0))
			if errno := sys.DropMemory(m); errno != 0 {
				e.Fatalf("madvise MADV_DONTNEED: %w", error(errno))
			}
			e.Fact("memory", fixture.Compare(m, p))
			copy(m, fixture.Pattern(3, len(p)))
			e.Arrived(fixture.ReadReady(e, r, len(p)+1), p)
		},
	},
	{
		ID:       "linux/vmsplice/untouched-memory-is-zeros",
		Title:    "Of memory that was never stored to, the zero page goes into the pipe: what is stored there later is not seen by the reader",
		Facility: "vmsplice",
		Level:    Info,
		Sources:  []string{"Linux mm/memory.c, do_anonymous_page: a read fault maps the zero page, a store replaces it", "Linux lib/iov_iter.c, iov_iter_get_pages2: no FOLL_WRITE for a source"},
		Needs:    []string{"vmsplice/memory-pipe"},
		Systems:  linuxOnly,
		Caller:   "Do not rest on sharing in either direction: fill the memory first, and leave it alone then.",
		Expect:   []Expectation{{Facts: Want{"all": true, Errno: "", Bytes: fixture.Right}}},
		Body: func(e *Env) {
			page := os.Getpagesize()
			m := fixture.Memory(e, page)
			r, w := roomyPipe(e)
			n, errno := e.Kernel.Vmsplice(w.Int(), [][]byte{m}, 0)
			e.Fact("all", n == page)
			e.Fact(Errno, sys.ErrnoName(errno))
			copy(m, fixture.Pattern(4, page))
			e.Arrived(fixture.ReadReady(e, r, page+1), make([]byte, page))
		},
	},
	{
		ID:       "linux/vmsplice/mapped-file-by-reference",
		Title:    "Of a shared mapping of a file its own pages go into the pipe: a later write to the file shows there",
		Facility: "vmsplice",
		Level:    Should,
		Sources:  []string{"vmsplice(2)", "Linux fs/splice.c, iter_to_pipe"},
		Needs:    []string{"vmsplice/memory-pipe"},
		Systems:  linuxOnly,
		Caller:   "Map a file privately, or leave it alone, where others may write to it.",
		Expect:   []Expectation{{Facts: Want{Return: fixture.WitnessSize, Errno: "", Witness: "by-reference"}}},
		Body: func(e *Env) {
			before, after := fixture.Pattern(5, fixture.WitnessSize), fixture.Pattern(6, fixture.WitnessSize)
			file := fixture.File(e, before, os.O_RDWR)
			m := fixture.Mapped(e, file, len(before))
			r, w := roomyPipe(e)
			e.Answer(e.Kernel.Vmsplice(w.Int(), [][]byte{m}, 0))
			fixture.Overwrite(e, file, after, 0)
			e.Fact(Witness, fixture.Witnessed(fixture.ReadReady(e, r, len(before)+1), before, after))
		},
	},
	{
		ID:       "linux/vmsplice/secret-memory-efault",
		Title:    "Memory of memfd_secret(2), which the kernel itself must not map, is EFAULT and nothing of it reaches the pipe",
		Facility: "vmsplice",
		Level:    Must,
		Sources:  []string{"memfd_secret(2), NOTES", "Linux mm/gup.c: vma_is_secretmem"},
		Needs:    []string{"vmsplice/memory-pipe"},
		Systems:  linuxOnly,
		Caller:   "Copy what may leave; a zero-copy path cannot take it from there.",
		Expect:   []Expectation{{Facts: Want{Return: -1, Errno: "EFAULT", "queued": 0}}},
		Body: func(e *Env) {
			n, errno := sys.Anonymous("memfd_secret")
			if errno != 0 {
				e.Skip(SkipFeature) // before 5.14, or not switched on (secretmem.enable)
			}
			secret := fixture.Adopt(e, n)
			size := os.Getpagesize()
			fixture.Truncate(e, secret, int64(size))
			m := fixture.Mapped(e, secret, size)
			copy(m, fixture.Pattern(7, size))
			r, w := roomyPipe(e)
			e.Answer(e.Kernel.Vmsplice(w.Int(), [][]byte{m}, 0))
			e.Fact("queued", fixture.Queued(e, r))
		},
	},
}
