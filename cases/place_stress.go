package cases

import (
	"bytes"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

var placeStressCases = []*Case{
	mixed("ext4"), mixed("xfs"), mixed("btrfs"),
	growing("ext4"), growing("xfs"), growing("btrfs"), growing("tmpfs"),
}

// mixed asks whether the ways into a file disturb each other.
func mixed(fstype string) *Case {
	return &Case{
		ID:       "linux/splice/mixed-io-on-" + fstype,
		Title:    "Splice, write, stores through a mapping and asynchronous direct I/O into one file on " + fstype + " at once all arrive",
		Facility: "splice",
		Level:    Should,
		Sources:  []string{"xfstests generic/095", "io_submit(2)", "open(2), NOTES O_DIRECT: not both on the same pages"},
		Covers:   []string{"linux/splice/mixed-io-stress"},
		Needs:    []string{"splice/pipe-file", "splice/file-pipe"},
		Systems:  linuxOnly,
		Root:     true,
		Caller:   "Give each way its own pages: direct I/O next to the others is safe, over the same page it is not.",
		Expect:   []Expectation{{Facts: Want{"spliced": 64 << 10, "written": 64 << 10, Bytes: fixture.Right, "cold": fixture.Right}}},
		Body: func(e *Env) {
			on := place(e, fstype)
			page := max(4096, os.Getpagesize())
			const each = 64 << 10
			rounds := each / page
			want := fixture.Pattern(71, 4*each)
			file, path := fixture.NamedFile(on, make([]byte, len(want)), os.O_RDWR)
			direct := fixture.Open(e, path, os.O_RDWR|sys.Direct)
			mapped := fixture.Mapped(e, file, len(want))
			part := func(way, i int) []byte { return want[(4*i+way)*page:][:page] }
			at := func(way, i int) int64 { return int64((4*i + way) * page) }

			var spliced []byte
			for i := range rounds {
				spliced = append(spliced, part(0, i)...)
			}
			r, _ := loaded(e, spliced)
			memory := fixture.Memory(e, each)
			var others sync.WaitGroup
			var splices, writes, directs atomic.Int64
			others.Go(func() {
				for i := range rounds {
					offset := at(0, i)
					n, _ := e.Kernel.Splice(r.Int(), nil, file.Int(), &offset, page, 0)
					splices.Add(int64(n))
				}
			})
			others.Go(func() {
				for i := range rounds {
					n, _ := e.Kernel.Pwrite(file.Int(), part(1, i), at(1, i))
					writes.Add(int64(n))
				}
			})
			var call string
			var errno sys.Errno
			others.Go(func() {
				var buffers [][]byte
				var offsets []int64
				for i := range rounds {
					copy(memory[i*page:], part(2, i))
					buffers, offsets = append(buffers, memory[i*page:][:page]), append(offsets, at(2, i))
				}
				var n int
				n, call, errno = sys.DirectWrites(direct.Int(), buffers, offsets)
				directs.Add(int64(n))
			})
			for i := range rounds {
				copy(mapped[at(3, i):], part(3, i))
			}
			others.Wait()
			if errno != 0 {
				e.Fatalf("%s: %w", call, error(errno))
			} else if directs.Load() != each {
				e.Fatalf("io_submit: %d of %d bytes were written", directs.Load(), each)
			}
			e.Fact("spliced", splices.Load())
			e.Fact("written", writes.Load())
			e.Arrived(throughPipe(e, file, 0, len(want)), want)
			uncached(e, file)
			e.Fact("cold", fixture.Compare(throughPipe(e, file, 0, len(want)), want))
		},
	}
}

// growing asks whether a reader that goes by SEEK_DATA and SEEK_HOLE sees all
// that was written before it asked.
func growing(fstype string) *Case {
	return &Case{
		ID:       "linux/copy_file_range/sparse-copy-while-written-" + fstype,
		Title:    "A sparse copy of a file on " + fstype + " that is being written misses nothing that was there when it asked, and ends",
		Facility: "copy_file_range",
		Level:    Must,
		Sources:  []string{"lseek(2), SEEK_DATA and SEEK_HOLE", "coreutils/coreutils#159, #122", "openzfs/zfs#15526", "xfstests generic/285"},
		Covers:   []string{"bug/K31-seek-hole-race"},
		Needs:    []string{"copy_file_range/same-filesystem"},
		Systems:  linuxOnly,
		Root:     true,
		Caller:   "Stop at the size that the file had when the copy began; what is written behind that belongs to the next copy.",
		Expect:   []Expectation{{Facts: Want{"missed": 0, "ends": true, Bytes: fixture.Right}}},
		Body: func(e *Env) {
			on := place(e, fstype)
			const piece, gap, pieces, most = 5000, 20_000, 40, 6
			size := int64(pieces * gap)
			p := fixture.Pattern(72, piece)
			file := fixture.File(on, nil, os.O_RDWR)
			fixture.Truncate(e, file, size)
			if _, errno := sys.Native().Seek(file.Int(), 0, sys.SeekData); errno == syscall.EINVAL {
				e.Skip(SkipPlace) // lseek(2): not every filesystem knows SEEK_DATA; gVisor's tmpfs does not
			}
			var done atomic.Int64 // pieces that are written
			var writer sync.WaitGroup
			writer.Go(func() {
				for i := range int64(pieces) {
					fixture.Overwrite(e, file, p, i*gap)
					done.Store(i + 1)
				}
			})
			missed, ends := 0, true
			for round, last := 0, false; !last; round++ {
				if round == most {
					writer.Wait() // and once more
				}
				last = done.Load() == pieces
				there := done.Load()
				out := fixture.File(on, nil, os.O_RDWR)
				fixture.Truncate(e, out, size)
				steps := 0
				for at := int64(0); at < size; steps++ {
					data, errno := e.Kernel.Seek(file.Int(), at, sys.SeekData)
					if errno != 0 || data < at { // ENXIO: no more
						break
					}
					hole, errno := e.Kernel.Seek(file.Int(), data, sys.SeekHole)
					if errno != 0 || hole <= data || steps > 10*pieces {
						ends = false
						break
					}
					copyAll(e, file, data, out, data, int(hole-data))
					at = hole
				}
				got := fixture.Contents(e, out)
				for i := range there {
					if !bytes.Equal(got[i*gap:][:piece], p) {
						missed++
					}
				}
				if last = last || !ends; last {
					writer.Wait()
					e.Fact(Bytes, fixture.Compare(got, fixture.Contents(e, file)))
				}
			}
			e.Fact("missed", missed)
			e.Fact("ends", ends)
		},
	}
}
