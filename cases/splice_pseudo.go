package cases

import (
	"bytes"
	"os"
	"strings"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// sizes are counts around the borders of sectors and pages.
var sizes = []int{1, 2, 511, 512, 513, 4095, 4096, 4097, 65535}

var splicePseudo = []*Case{
	{
		ID:       "linux/splice/dev-null-sink",
		Title:    "Into /dev/null splice takes all that is asked for and empties the pipe",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"LTP splice09", "gVisor SpliceTest.FromPipeWithWriterToDevNull", "Go TestSplice", "stress-ng"},
		Covers:   []string{"linux/splice/dev-null-sink"},
		Needs:    []string{"splice/pipe-devnull"},
		Systems:  linuxOnly,
		Caller:   "The cheapest way to drop what is in a pipe.",
		Expect:   []Expectation{{Facts: Want{Return: 9000, Errno: "", kept: fixture.Right}}},
		Body: func(e *Env) {
			p := fixture.Pattern(1, 10_000)
			r, _ := loaded(e, p)
			null := fixture.Open(e, os.DevNull, os.O_WRONLY)
			e.Answer(e.Kernel.Splice(r.Int(), nil, null.Int(), nil, 9000, 0))
			holds(e, kept, r, p[9000:])
		},
	},
	{
		ID:       "linux/splice/dev-null-source",
		Title:    "From /dev/null splice is EINVAL, though a read there is a clean end",
		Facility: "splice",
		Level:    Info,
		Sources:  []string{"kernel commit 36e2c7421f02 (no splice read without explicit ops, 5.10)"},
		Needs:    []string{"splice/file-pipe"},
		Systems:  linuxOnly,
		Caller:   "On EINVAL fall back to read, which says zero.",
		Expect: []Expectation{
			{Since: "5.10", Why: "no way to splice without explicit ops since 36e2c7421f02",
				Facts: Want{Return: -1, Errno: "EINVAL", "read.return": 0, "read.errno": "", "queued": 0}},
		},
		Body: func(e *Env) {
			r, w := roomyPipe(e)
			null := fixture.Open(e, os.DevNull, os.O_RDONLY)
			e.Answer(e.Kernel.Splice(null.Int(), nil, w.Int(), nil, 100, 0))
			n, errno := e.Kernel.Read(null.Int(), make([]byte, 100))
			e.Named("read", n, errno)
			e.Fact("queued", fixture.Queued(e, r))
		},
	},
	{
		ID:       "linux/splice/dev-zero-source",
		Title:    "From /dev/zero and /dev/full splice gets as many zeros as it asks for",
		Facility: "splice",
		Level:    Should,
		Sources:  []string{"LTP splice08", "kernel commits 36e2c7421f02, c6585011bc1d, 1b057bd800c3", "ColinIanKing/stress-ng#326"},
		Covers:   []string{"linux/splice/dev-zero-source", "bug/K03-random-zero-splice"},
		Needs:    []string{"splice/file-pipe"},
		Systems:  linuxOnly,
		Caller:   "On EINVAL fall back to read.",
		Expect: []Expectation{
			// LTP splice08 names c6585011bc1d (6.5) as what lost it; 5.10 and 6.1
			// refuse as well, as Linus Torvalds says of 36e2c7421f02.
			{Since: "5.10", Until: "6.7", Why: "lost with 36e2c7421f02, back with 1b057bd800c3",
				Facts: Want{"zero.works": 0, "zero.errno": "EINVAL", "full.works": 0, "full.errno": "EINVAL"}},
			{Facts: Want{"zero.works": len(sizes), "zero.errno": "", "full.works": len(sizes), "full.errno": ""}},
		},
		Body: func(e *Env) { askDevices(e, "zero", "full") },
	},
	{
		ID:       "linux/splice/urandom-source",
		Title:    "From /dev/urandom and /dev/random splice gets as many bytes as it asks for",
		Facility: "splice",
		Level:    Should,
		Sources:  []string{"kernel commit 79025e727a84 (random: wire up fops->splice_{read,write}_iter)", "ColinIanKing/stress-ng#326"},
		Covers:   []string{"linux/splice/urandom-source"},
		Needs:    []string{"splice/file-pipe"},
		Systems:  linuxOnly,
		Caller:   "On EINVAL fall back to read; better, use getrandom.",
		Expect: []Expectation{
			{Since: "5.10", Until: "5.19", Why: "lost with 36e2c7421f02, back with 79025e727a84, also in stable releases of these",
				Facts: Want{"urandom.works": OneOf{0, len(sizes)}, "urandom.errno": OneOf{"", "EINVAL"}, "random.works": OneOf{0, len(sizes)}, "random.errno": OneOf{"", "EINVAL"}}},
			{Facts: Want{"urandom.works": len(sizes), "urandom.errno": "", "random.works": len(sizes), "random.errno": ""}},
		},
		Body: func(e *Env) { askDevices(e, "urandom", "random") },
	},
	{
		ID:       "linux/splice/dev-zero-sink",
		Title:    "Into /dev/zero splice drops what it is given",
		Facility: "splice",
		Level:    Info,
		Sources:  []string{"LTP splice09", "kernel commit 1b057bd800c3"},
		Covers:   []string{"linux/splice/dev-zero-sink"},
		Needs:    []string{"splice/pipe-devnull"},
		Systems:  linuxOnly,
		Caller:   "Use /dev/null.",
		Expect: []Expectation{
			{Since: "5.10", Until: "6.7", Why: "no way to splice without explicit ops since 36e2c7421f02",
				Facts: Want{Return: -1, Errno: "EINVAL", kept: fixture.Right}},
			{Since: "6.7", Why: "splice_write of /dev/zero came with 1b057bd800c3",
				Facts: Want{Return: 900, Errno: "", kept: fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(2, 1000)
			r, _ := loaded(e, p)
			zero := fixture.Open(e, "/dev/zero", os.O_WRONLY)
			n, errno := e.Kernel.Splice(r.Int(), nil, zero.Int(), nil, 900, 0)
			e.Answer(n, errno)
			holds(e, kept, r, p[max(n, 0):])
		},
	},
	{
		ID:       "linux/splice/dev-full-sink-einval",
		Title:    "Into /dev/full splice is EINVAL, where a write is ENOSPC; the pipe keeps its bytes",
		Facility: "splice",
		Level:    Info,
		Sources:  []string{"drivers/char/mem.c, full_fops: no splice_write", "coreutils/coreutils#277"},
		Covers:   []string{"linux/splice/dev-full-sink-einval"},
		Needs:    []string{"splice/pipe-devnull"},
		Systems:  linuxOnly,
		Caller:   "On EINVAL fall back to write, which says what is wrong.",
		Expect: []Expectation{
			{Since: "5.10", Why: "no way to splice without explicit ops since 36e2c7421f02",
				Facts: Want{Return: -1, Errno: "EINVAL", "write.errno": "ENOSPC", kept: fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(3, 1000)
			r, _ := loaded(e, p)
			full := fixture.Open(e, "/dev/full", os.O_WRONLY)
			e.Answer(e.Kernel.Splice(r.Int(), nil, full.Int(), nil, 900, 0))
			_, errno := e.Kernel.Write(full.Int(), p)
			e.Fact("write.errno", sys.ErrnoName(errno))
			holds(e, kept, r, p)
		},
	},
	{
		ID:       "linux/splice/pty",
		Title:    "A pseudo-terminal in raw mode works as source and as sink, at both ends",
		Facility: "splice",
		Level:    Should,
		Sources:  []string{"kernel commits 9bb48c82aced, dd78b0c483e3 (tty: read_iter, write_iter)", "Go testSpliceToTTY", "linux-test-project/ltp#779"},
		Covers:   []string{"linux/splice/pty", "bug/K02-tty-splice"},
		Needs:    []string{"splice/pipe-pty", "splice/pty-pipe"},
		Systems:  linuxOnly,
		Caller:   "Standard output may be a terminal: fall back to write on EINVAL.",
		Expect: []Expectation{
			{Facts: Want{"slave.out.return": 100, "slave.out.errno": "", "slave.out.bytes": fixture.Right,
				"master.in.return": 100, "master.in.errno": "", "master.in.bytes": fixture.Right,
				"master.out.return": 100, "master.out.errno": "", "master.out.bytes": fixture.Right,
				"slave.in.return": 100, "slave.in.errno": "", "slave.in.bytes": fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(4, 100)
			master, slave := fixture.Terminal(e)
			for _, end := range []struct {
				name         string
				fd, opposite *fixture.FD
			}{{"slave", slave, master}, {"master", master, slave}} {
				r, _ := loaded(e, p)
				n, errno := e.Kernel.Splice(r.Int(), nil, end.fd.Int(), nil, len(p), 0)
				e.Named(end.name+".out", n, errno)
				got := []byte{}
				if n > 0 {
					got = fixture.ReadN(e, end.opposite, n)
				}
				e.Fact(end.name+".out.bytes", fixture.Compare(got, p))
			}
			for _, end := range []struct {
				name         string
				fd, opposite *fixture.FD
			}{{"master", master, slave}, {"slave", slave, master}} {
				r, w := roomyPipe(e)
				fixture.WriteAll(e, end.opposite, p)
				fixture.AwaitEnd(e, end.fd) // a terminal hands bytes on from a worker of its own
				total := 0
				var errno sys.Errno
				for total < len(p) {
					var n int
					n, errno = e.Kernel.Splice(end.fd.Int(), nil, w.Int(), nil, len(p)-total, 0)
					if n <= 0 {
						break
					}
					total += n
				}
				e.Named(end.name+".in", total, errno)
				holds(e, end.name+".in.bytes", r, p)
			}
		},
	},
	{
		ID:       "linux/splice/proc-sysfs-source",
		Title:    "From files of procfs and sysfs that are made when read splice gets what read gets, also two bytes first",
		Facility: "splice",
		Level:    Should,
		Sources:  []string{"selftests splice/short_splice_read.sh", "LTP splice06", "fs/seq_file.c, seq_read_iter", "fs/proc/proc_sysctl.c, proc_sys_read"},
		Covers:   []string{"linux/splice/proc-sysfs-source"},
		Needs:    []string{"splice/file-pipe"},
		Systems:  linuxOnly,
		Caller:   "Loop until zero: such files have no size.",
		Expect:   []Expectation{{Facts: Want{"tried": true, "refused": "", "differ": ""}}},
		Body: func(e *Env) {
			var refused, differ []string
			tried := 0
			for _, path := range []string{
				"/proc/version", "/proc/filesystems", "/proc/devices", "/proc/sys/kernel/ostype", "/proc/sys/fs/nr_open",
				"/sys/kernel/notes", "/sys/kernel/fscaps", "/sys/class/net/lo/address",
			} {
				if _, ok := fixture.Existing(e, path, os.O_RDONLY); !ok || !steady(e, path) {
					continue
				}
				tried++
				// A sysctl of a number has nothing after a first short read: what
				// counts is what read gets with the same counts.
				reader, file := fixture.Open(e, path, os.O_RDONLY), fixture.Open(e, path, os.O_RDONLY)
				var want, got []byte
				for count := 2; ; count = 32 << 10 { // two bytes first
					p := make([]byte, count)
					n, _ := sys.Native().Read(reader.Int(), p)
					if n <= 0 {
						break
					}
					want = append(want, p[:n]...)
				}
				r, w := roomyPipe(e)
				for count := 2; ; count = 32 << 10 {
					n, errno := e.Kernel.Splice(file.Int(), nil, w.Int(), nil, count, 0)
					if errno != 0 {
						refused = append(refused, path)
					}
					if n <= 0 {
						break
					}
					got = append(got, fixture.ReadReady(e, r, n)...)
				}
				if len(want) == 0 || !bytes.Equal(got, want) {
					differ = append(differ, path)
				}
			}
			if tried == 0 {
				e.Skip(SkipPlace) // a container without them
			}
			e.Fact("tried", tried >= 4)
			e.Fact("refused", strings.Join(refused, " "))
			e.Fact("differ", strings.Join(differ, " "))
		},
	},
	{
		ID:       "linux/splice/procfs-splice-einval",
		Title:    "Files of procfs without a splice operation are EINVAL, and read gives their bytes all the same",
		Facility: "splice",
		Level:    Info,
		Sources:  []string{"kernel commit 36e2c7421f02", "topjohnwu/libsu#206", "Gallopsled/pwntools#1871", "openjdk/jdk#4543"},
		Covers:   []string{"bug/K01-procfs-splice-einval"},
		Needs:    []string{"splice/file-pipe"},
		Systems:  linuxOnly,
		Caller:   "On EINVAL fall back to read.",
		Expect: []Expectation{
			{Emulator: "qemu-user", Why: qemuProc, Known: qemuSource + "syscall.c",
				Facts: Want{"cmdline": "", "maps": "", "environ": "EINVAL", "status": "EINVAL", "meminfo": "", "version": "", "read": true}},
			{Since: "5.10", Why: "no way to splice without explicit ops since 36e2c7421f02",
				Facts: Want{"cmdline": "EINVAL", "maps": "EINVAL", "environ": "EINVAL", "status": "EINVAL", "meminfo": "", "version": "", "read": true}},
		},
		Body: func(e *Env) {
			_, w := roomyPipe(e)
			all := true
			for name, path := range map[string]string{
				"cmdline": "/proc/self/cmdline", "maps": "/proc/self/maps", "environ": "/proc/self/environ",
				"meminfo": "/proc/meminfo", "status": "/proc/self/status", "version": "/proc/version",
			} {
				file, ok := fixture.Existing(e, path, os.O_RDONLY)
				if !ok {
					e.Skip(SkipPlace)
				}
				_, errno := e.Kernel.Splice(file.Int(), nil, w.Int(), nil, 1000, 0)
				e.Fact(name, sys.ErrnoName(errno))
				if name == "maps" || name == "cmdline" {
					all = all && len(readPseudo(e, path)) > 0
				}
			}
			e.Fact("read", all)
		},
	},
	{
		ID:       "linux/splice/sysctl-sink",
		Title:    "A sysctl can be set by splice from a pipe",
		Facility: "splice",
		Level:    Info,
		Sources:  []string{"LTP splice06", "fs/proc/proc_sysctl.c, proc_sys_file_operations: splice_write"},
		Covers:   []string{"linux/splice/sysctl-sink"},
		Needs:    []string{"splice/pipe-file"},
		Systems:  linuxOnly,
		Root:     true, // a network namespace, whose sysctls are nobody else's
		Caller:   "Use write.",
		Expect:   []Expectation{{Facts: Want{Return: 3, Errno: "", "before": "64", "after": "77"}}},
		Body: func(e *Env) {
			r, _ := loaded(e, []byte("77\n"))
			var n int
			var left, opened, errno sys.Errno
			var before, after string
			fixture.InThread(func() {
				if left = sys.LeaveNetwork(); left != 0 {
					return
				}
				const path = "/proc/sys/net/ipv4/ip_default_ttl" // of the thread's own namespace
				read := func() string {
					p, _ := os.ReadFile(path)
					return strings.TrimSpace(string(p))
				}
				before = read()
				var fd int
				if fd, opened = sys.Open(path, os.O_WRONLY); opened != 0 {
					return
				}
				n, errno = e.Kernel.Splice(r.Int(), nil, fd, nil, 3, 0)
				sys.Close(fd)
				after = read()
			})
			if left != 0 || opened != 0 {
				e.Skip(SkipPrivilege)
			}
			e.Answer(n, errno)
			e.Fact("before", before)
			e.Fact("after", after)
		},
	},
	{
		ID:       "linux/splice/fd-type-matrix",
		Title:    "Descriptors that hold no stream of bytes are refused at once, as source and as sink",
		Facility: "splice",
		Level:    Should,
		Sources:  []string{"LTP splice07", "kernel commit 36e2c7421f02", "linux-test-project/ltp#1156"},
		Covers:   []string{"linux/splice/fd-type-matrix", "bug/K17-splice-no-error-hang"},
		Needs:    []string{"splice/file-pipe", "splice/pipe-file"},
		Systems:  linuxOnly,
		Caller:   "On EINVAL fall back to read and write.",
		Expect: []Expectation{
			{Since: "5.10", Why: "normalised by 36e2c7421f02; before that such a splice could hang",
				Facts: Want{
					"eventfd.in": "EINVAL", "eventfd.out": "EINVAL", "epoll.in": "EINVAL", "epoll.out": "EINVAL",
					"timerfd.in": "EINVAL", "timerfd.out": "EINVAL", "signalfd.in": "EINVAL", "signalfd.out": "EINVAL",
					"inotify.in": "EINVAL", "inotify.out": "EBADF", "pidfd.in": "EINVAL", "pidfd.out": "EINVAL",
					"directory.in": "EINVAL", "directory.out": "EBADF", "path.in": "EBADF", "path.out": "EBADF",
					kept: fixture.Right, "queued": 0}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(5, 8) // what an eventfd takes
			left, queued := fixture.Right, 0
			ask := func(name string, fd int) {
				// Pipes of their own: a call may move bytes, or wait for ever.
				r, _ := loaded(e, p)
				r2, w2 := roomyPipe(e)
				for _, way := range []struct {
					name    string
					in, out int
				}{{".in", fd, w2.Int()}, {".out", r.Int(), fd}} {
					call := fixture.Begin(func() (int, sys.Errno) { return e.Kernel.Splice(way.in, nil, way.out, nil, len(p), 0) })
					if call.Waits() {
						e.Fact(name+way.name, "waits")
						continue
					}
					_, errno, _ := call.Returned()
					e.Fact(name+way.name, sys.ErrnoName(errno))
				}
				if v := fixture.Compare(fixture.ReadReady(e, r, len(p)+1), p); v != fixture.Right {
					left = v
				}
				queued += fixture.Queued(e, r2)
			}
			for _, kind := range []string{"eventfd", "epoll", "timerfd", "signalfd", "inotify", "pidfd"} {
				ask(kind, fixture.Anonymous(e, kind).Int())
			}
			ask("directory", fixture.Directory(e).Int())
			_, path := fixture.NamedFile(e, p, os.O_RDWR)
			ask("path", fixture.Open(e, path, sys.PathOnly).Int())
			e.Fact(kept, left)
			e.Fact("queued", queued)
		},
	},
}

// askDevices splices from devices that never end, in each of sizes, and tells
// how often all that was asked for came; zeros are checked.
func askDevices(e *Env, names ...string) {
	for _, name := range names {
		device := fixture.Open(e, "/dev/"+name, os.O_RDONLY)
		works, last := 0, sys.Errno(0)
		for _, size := range sizes {
			r, w := roomyPipe(e)
			done := 0
			for done < size {
				n, errno := e.Kernel.Splice(device.Int(), nil, w.Int(), nil, size-done, sys.SpliceNonblock)
				if errno != 0 {
					last = errno
				}
				if n <= 0 {
					break
				}
				done += n
			}
			got := fixture.ReadReady(e, r, size+1)
			right := len(got) == size
			switch name {
			case "zero", "full":
				right = right && bytes.Equal(got, make([]byte, size))
			default: // that there is chance in it shows where there is enough
				right = right && (size < 500 || bytes.Count(got, got[:1]) < size/10)
			}
			if right {
				works++
			}
		}
		e.Fact(name+".works", works)
		e.Fact(name+".errno", sys.ErrnoName(last))
	}
}

// readPseudo reads a file that has no size.
func readPseudo(e *Env, path string) []byte {
	p, err := os.ReadFile(path)
	if err != nil {
		e.Fatalf("read %s: %w", path, err)
	}
	return p
}

// steady tells whether a file that is made when read is the same each time, so
// that what another call gets can be compared with it. gVisor lists
// /proc/filesystems in the random order of a Go map.
func steady(e *Env, path string) bool {
	first := readPseudo(e, path)
	for range 32 {
		if !bytes.Equal(readPseudo(e, path), first) {
			return false
		}
	}
	return true
}
