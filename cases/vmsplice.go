package cases

import (
	"bytes"
	"os"
	"syscall"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// inMemory is p in memory of its own that begins at a page.
func inMemory(e *Env, p []byte) []byte {
	m := fixture.Memory(e, len(p))
	copy(m, p)
	return m
}

// beginVmsplice starts vmsplice(2) of one buffer in a thread of its own.
func beginVmsplice(e *Env, fd *fixture.FD, p []byte, flags int) *fixture.Call {
	pipe := fd.Int()
	return fixture.Begin(func() (int, sys.Errno) { return e.Kernel.Vmsplice(pipe, [][]byte{p}, flags) })
}

var vmspliceCases = []*Case{
	{
		ID:       "linux/vmsplice/user-to-pipe",
		Title:    "Vmsplice puts memory into a pipe, segment after segment",
		Facility: "vmsplice",
		Level:    Must,
		Sources:  []string{"vmsplice(2), DESCRIPTION", "LTP vmsplice01", "stress-ng"},
		Covers:   []string{"linux/vmsplice/user-to-pipe"},
		Needs:    []string{"vmsplice/memory-pipe"},
		Systems:  linuxOnly,
		Caller:   "Leave the memory alone until the other end has read it.",
		Expect:   []Expectation{{Facts: Want{Return: 12_000, Errno: "", Bytes: fixture.Right, "memory": fixture.Right}}},
		Body: func(e *Env) {
			p := fixture.Pattern(1, 20_000)
			m := inMemory(e, p)
			r, w := roomyPipe(e)
			e.Answer(e.Kernel.Vmsplice(w.Int(), [][]byte{m[:5000], nil, m[9000:9001], m[10_000:16_999]}, 0))
			e.Arrived(fixture.ReadReady(e, r, 20_000), slicesOf(p, 0, 5000, 9000, 9001, 10_000, 16_999))
			e.Fact("memory", fixture.Compare(m, p))
		},
	},
	{
		ID:       "linux/vmsplice/page-reference",
		Title:    "What is vmspliced is the memory itself: what is stored there later is what the reader sees",
		Facility: "vmsplice",
		Level:    Should,
		Sources:  []string{"vmsplice(2), NOTES", "fs/splice.c, iter_to_pipe", "LWN 1075838 (a copy instead is proposed)"},
		Covers:   []string{"linux/vmsplice/page-reference"},
		Needs:    []string{"vmsplice/memory-pipe"},
		Systems:  linuxOnly,
		Caller:   "Never reuse the memory before the reader is done; nothing tells when that is.",
		Expect:   []Expectation{{Facts: Want{Return: fixture.WitnessSize, Errno: "", Witness: "by-reference"}}},
		Body:     func(e *Env) { askMemoryWitness(e, 0) },
	},
	{
		ID:       "linux/vmsplice/gift-page-reference",
		Title:    "A gift is no copy and no copy-on-write: what is stored there later is what the reader sees",
		Facility: "vmsplice",
		Level:    Should,
		Sources:  []string{"vmsplice(2), SPLICE_F_GIFT", "checkpoint-restore/criu#3056, #3058"},
		Covers:   []string{"bug/K21-vmsplice-gift-eopnotsupp", "bug/X05-vmsplice-gift-COW"},
		Needs:    []string{"vmsplice/memory-pipe"}, // not gift-pipe: that a kernel refuses it is an answer here
		Systems:  linuxOnly,
		Caller:   "Leave the flag out: it promises nothing, and kernels may come to refuse it.",
		Expect:   []Expectation{{Facts: Want{Return: fixture.WitnessSize, Errno: "", Witness: "by-reference"}}},
		Body:     func(e *Env) { askMemoryWitness(e, sys.SpliceGift) },
	},
	{
		ID:       "linux/vmsplice/pipe-to-user",
		Title:    "At the read end vmsplice copies what is in the pipe into the segments",
		Facility: "vmsplice",
		Level:    Must,
		Sources:  []string{"vmsplice(2), NOTES", "LTP vmsplice03", "stress-ng"},
		Covers:   []string{"linux/vmsplice/pipe-to-user"},
		Needs:    []string{"vmsplice/pipe-memory"},
		Systems:  linuxOnly,
		Caller:   "Use readv: nothing is saved this way round.",
		Expect: []Expectation{
			{Facts: Want{Return: 5000, Errno: "", Bytes: fixture.Right, kept: fixture.Right, "short.return": 1000, "short.errno": ""}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(2, 6000)
			r, w := loaded(e, p)
			got := make([]byte, 6000)
			e.Answer(e.Kernel.Vmsplice(r.Int(), [][]byte{got[:100], got[100:5000]}, 0))
			e.Arrived(got[:5000], p[:5000])
			holds(e, kept, r, p[5000:])
			fixture.WriteAll(e, w, p[5000:])
			n, errno := e.Kernel.Vmsplice(r.Int(), [][]byte{got}, 0)
			e.Named("short", n, errno)
		},
	},
	{
		ID:       "linux/vmsplice/pipe-to-user-eof",
		Title:    "At the read end of a pipe that is empty and has no writer vmsplice returns zero",
		Facility: "vmsplice",
		Level:    Must,
		Sources:  []string{"vmsplice(2), RETURN VALUE", "fs/splice.c, splice_from_pipe_next"},
		Covers:   []string{"linux/vmsplice/pipe-to-user-eof"},
		Needs:    []string{"vmsplice/pipe-memory"},
		Systems:  linuxOnly,
		Caller:   "Zero is the end of the pipe's stream.",
		Expect:   []Expectation{{Facts: Want{"last.return": 10, "last.errno": "", Return: 0, Errno: ""}}},
		Body: func(e *Env) {
			r, w := loaded(e, fixture.Pattern(3, 10))
			w.Close()
			got := make([]byte, 100)
			n, errno := e.Kernel.Vmsplice(r.Int(), [][]byte{got}, 0)
			e.Named("last", n, errno)
			e.Answer(e.Kernel.Vmsplice(r.Int(), [][]byte{got}, 0))
		},
	},
	{
		ID:       "linux/vmsplice/short-when-pipe-full",
		Title:    "More memory than the pipe has room for is taken as far as it fits",
		Facility: "vmsplice",
		Level:    Must,
		Sources:  []string{"vmsplice(2), RETURN VALUE", "LTP vmsplice01"},
		Covers:   []string{"linux/vmsplice/short-when-pipe-full"},
		Needs:    []string{"vmsplice/memory-pipe"},
		Systems:  linuxOnly,
		Caller:   "Go on from the returned count once the reader has made room.",
		Expect:   []Expectation{{Facts: Want{"pages": 16, Errno: "", Bytes: fixture.Right}}},
		Body: func(e *Env) {
			page := os.Getpagesize()
			p := fixture.Pattern(4, 40*page)
			r, w := fixture.PipeOf(e, 16*page)
			n, errno := e.Kernel.Vmsplice(w.Int(), [][]byte{inMemory(e, p)}, 0)
			e.Fact("pages", n/page)
			e.Fact(Errno, sys.ErrnoName(errno))
			holds(e, Bytes, r, p[:16*page])
		},
	},
	{
		ID:       "linux/vmsplice/full-nonblock-eagain",
		Title:    "With SPLICE_F_NONBLOCK vmsplice is EAGAIN at a full pipe, and at the read end of an empty one",
		Facility: "vmsplice",
		Level:    Must,
		Sources:  []string{"vmsplice(2), ERRORS EAGAIN", "LTP vmsplice04"},
		Covers:   []string{"linux/vmsplice/full-nonblock-eagain"},
		Needs:    []string{"vmsplice/memory-pipe", "vmsplice/pipe-memory"},
		Systems:  linuxOnly,
		Caller:   "Poll, then ask again.",
		Expect: []Expectation{
			{Facts: Want{"full.return": -1, "full.errno": "EAGAIN", "same": true, "empty.return": -1, "empty.errno": "EAGAIN"}},
		},
		Body: func(e *Env) {
			m := inMemory(e, fixture.Pattern(5, 100))
			r, w := roomyPipe(e)
			full := fixture.Fill(e, w)
			n, errno := e.Kernel.Vmsplice(w.Int(), [][]byte{m}, sys.SpliceNonblock)
			e.Named("full", n, errno)
			e.Fact("same", fixture.Queued(e, r) == full)
			r, _ = roomyPipe(e)
			n, errno = e.Kernel.Vmsplice(r.Int(), [][]byte{m}, sys.SpliceNonblock)
			e.Named("empty", n, errno)
		},
	},
	{
		ID:       "linux/vmsplice/o-nonblock-ignored",
		Title:    "O_NONBLOCK on the pipe does not keep vmsplice from waiting: only the flag does",
		Facility: "vmsplice",
		Level:    Info,
		Sources:  []string{"fs/splice.c, vmsplice: f_flags are not looked at, as splice and tee do since ee5e001196d1"},
		Needs:    []string{"vmsplice/memory-pipe"},
		Systems:  linuxOnly,
		Caller:   "Always pass SPLICE_F_NONBLOCK where the thread must not wait.",
		Expect:   []Expectation{{Facts: Want{"waits": true, Return: 100, Errno: ""}}},
		Body: func(e *Env) {
			m := inMemory(e, fixture.Pattern(6, 100))
			r, w := roomyPipe(e)
			full := fixture.Fill(e, w)
			w.Nonblock(e)
			call := beginVmsplice(e, w, m, 0)
			e.Fact("waits", call.Waits())
			fixture.ReadN(e, r, full)
			returned(e, "", call)
		},
	},
	{
		ID:       "linux/vmsplice/full-blocks",
		Title:    "At a full pipe vmsplice waits for room, at the read end of an empty one for bytes",
		Facility: "vmsplice",
		Level:    Must,
		Sources:  []string{"vmsplice(2)", "LTP vmsplice04"},
		Covers:   []string{"linux/vmsplice/full-blocks"},
		Needs:    []string{"vmsplice/memory-pipe", "vmsplice/pipe-memory"},
		Systems:  linuxOnly,
		Caller:   "Never fill and drain one pipe from one thread without SPLICE_F_NONBLOCK.",
		Expect: []Expectation{
			{Facts: Want{"full.waits": true, "full.return": 100, "full.errno": "", Bytes: fixture.Right,
				"empty.waits": true, "empty.return": 10, "empty.errno": "", "empty.bytes": fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(7, 100)
			r, w := roomyPipe(e)
			full := fixture.Fill(e, w)
			call := beginVmsplice(e, w, inMemory(e, p), 0)
			e.Fact("full.waits", call.Waits())
			fixture.ReadN(e, r, full)
			returned(e, "full", call)
			holds(e, Bytes, r, p)
			got := make([]byte, 100)
			call = beginVmsplice(e, r, got, 0)
			e.Fact("empty.waits", call.Waits())
			fixture.WriteAll(e, w, p[:10])
			returned(e, "empty", call)
			e.Fact("empty.bytes", fixture.Compare(got[:10], p[:10]))
		},
	},
	{
		ID:       "linux/vmsplice/nonpipe-ebadf",
		Title:    "A file, a socket or a closed descriptor is EBADF",
		Facility: "vmsplice",
		Level:    Must,
		Sources:  []string{"vmsplice(2), ERRORS EBADF", "LTP vmsplice02"},
		Covers:   []string{"linux/vmsplice/nonpipe-ebadf"},
		Needs:    []string{"vmsplice/memory-pipe"},
		Systems:  linuxOnly,
		Caller:   "Use write or send for these.",
		Expect: []Expectation{
			{Facts: Want{"file": "EBADF", "read-only": "EBADF", "socket": "EBADF", "closed": "EBADF", Bytes: fixture.Right, "sent": 0}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(8, 100)
			m := inMemory(e, p)
			a, b := fixture.TCP(e)
			file := fixture.File(e, nil, os.O_RDWR)
			for name, fd := range map[string]int{
				"file": file.Int(), "read-only": fixture.File(e, p, os.O_RDONLY).Int(), "socket": a.Int(), "closed": -1,
			} {
				_, errno := e.Kernel.Vmsplice(fd, [][]byte{m}, 0)
				e.Fact(name, sys.ErrnoName(errno))
			}
			e.Arrived(fixture.Contents(e, file), nil)
			e.Fact("sent", fixture.Queued(e, b))
		},
	},
	{
		ID:       "linux/vmsplice/nr-segs-limit",
		Title:    "1024 segments are taken, one more is EINVAL and moves nothing",
		Facility: "vmsplice",
		Level:    Must,
		Sources:  []string{"vmsplice(2), ERRORS EINVAL: IOV_MAX", "LTP vmsplice02"},
		Covers:   []string{"linux/vmsplice/nr-segs-limit"},
		Needs:    []string{"vmsplice/memory-pipe"},
		Systems:  linuxOnly,
		Caller:   "Split longer lists.",
		Expect: []Expectation{
			{Facts: Want{"most.return": 5, "most.errno": "", Bytes: fixture.Right, "over.return": -1, "over.errno": "EINVAL", "queued": 0}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(9, 5)
			m := inMemory(e, p)
			r, w := roomyPipe(e)
			segments := make([][]byte, 1025)
			segments[1023] = m // the others are empty: a pipe has no room for so many pages
			n, errno := e.Kernel.Vmsplice(w.Int(), segments[:1024], 0)
			e.Named("most", n, errno)
			holds(e, Bytes, r, p)
			n, errno = e.Kernel.Vmsplice(w.Int(), segments, 0)
			e.Named("over", n, errno)
			e.Fact("queued", fixture.Queued(e, r))
		},
	},
	{
		ID:       "linux/vmsplice/nr-segs-zero",
		Title:    "No segment, or none with a byte in it, returns zero at once, at a full pipe too",
		Facility: "vmsplice",
		Level:    Should,
		Sources:  []string{"fs/splice.c, vmsplice: iov_iter_count"},
		Covers:   []string{"linux/vmsplice/nr-segs-zero"},
		Needs:    []string{"vmsplice/memory-pipe"},
		Systems:  linuxOnly,
		Caller:   "Nothing to do.",
		Expect: []Expectation{
			{Facts: Want{"none.return": 0, "none.errno": "", "empty.return": 0, "empty.errno": "", "full.return": 0, "full.errno": "", "queued": 0}},
		},
		Body: func(e *Env) {
			m := inMemory(e, fixture.Pattern(10, 10))
			r, w := roomyPipe(e)
			n, errno := e.Kernel.Vmsplice(w.Int(), nil, 0)
			e.Named("none", n, errno)
			n, errno = e.Kernel.Vmsplice(w.Int(), [][]byte{m[:0], nil}, 0)
			e.Named("empty", n, errno)
			e.Fact("queued", fixture.Queued(e, r))
			fixture.Fill(e, w)
			n, errno = e.Kernel.Vmsplice(w.Int(), [][]byte{m[:0]}, 0)
			e.Named("full", n, errno)
		},
	},
	{
		ID:       "linux/vmsplice/efault",
		Title:    "Memory that cannot be read is EFAULT, after good segments a short count",
		Facility: "vmsplice",
		Level:    Must,
		Sources:  []string{"fs/splice.c, iter_to_pipe: iov_iter_get_pages2"},
		Covers:   []string{"linux/vmsplice/efault"},
		Needs:    []string{"vmsplice/memory-pipe"},
		Systems:  linuxOnly,
		Caller:   "A short count may hide a bad address behind it.",
		Expect: []Expectation{
			{Facts: Want{"bad.return": -1, "bad.errno": "EFAULT", "queued": 0, "then.page": true, "then.errno": "", Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			page := os.Getpagesize()
			cliff := fixture.Cliff(e)
			p := fixture.Pattern(11, page)
			copy(cliff[:page], p)
			r, w := roomyPipe(e)
			n, errno := e.Kernel.Vmsplice(w.Int(), [][]byte{cliff[page:]}, 0)
			e.Named("bad", n, errno)
			e.Fact("queued", fixture.Queued(e, r))
			n, errno = e.Kernel.Vmsplice(w.Int(), [][]byte{cliff[:page], cliff[page:]}, 0)
			e.Fact("then.page", n == page)
			e.Fact("then.errno", sys.ErrnoName(errno))
			holds(e, Bytes, r, p)
		},
	},
	{
		ID:       "linux/vmsplice/bad-flags",
		Title:    "An unknown flag is EINVAL, and nothing moves",
		Facility: "vmsplice",
		Level:    Must,
		Sources:  []string{"kernel commit 3d6ea290f337"},
		Covers:   []string{"linux/vmsplice/bad-flags"},
		Needs:    []string{"vmsplice/memory-pipe"},
		Systems:  linuxOnly,
		Caller:   "Pass only the four flags of splice(2).",
		Expect: []Expectation{
			{Until: "4.10", Why: "unknown flags were ignored before 3d6ea290f337", Facts: Want{Return: 100, Errno: "", "queued": 100}},
			{Facts: Want{Return: -1, Errno: "EINVAL", "queued": 0}},
		},
		Body: func(e *Env) {
			r, w := roomyPipe(e)
			e.Answer(e.Kernel.Vmsplice(w.Int(), [][]byte{inMemory(e, fixture.Pattern(12, 100))}, unknownFlag))
			e.Fact("queued", fixture.Queued(e, r))
		},
	},
	{
		ID:       "linux/vmsplice/gift-alignment",
		Title:    "SPLICE_F_GIFT is accepted for memory that neither begins nor ends at a page",
		Facility: "vmsplice",
		Level:    Info,
		// vmsplice(2) says that a gift must be aligned in address and length;
		// the kernel has never checked it (fs/splice.c, vmsplice_to_pipe).
		Sources: []string{"vmsplice(2), SPLICE_F_GIFT, says otherwise", "fs/splice.c, vmsplice_to_pipe: no check"},
		Covers:  []string{"linux/vmsplice/gift-alignment"},
		Needs:   []string{"vmsplice/gift-pipe"},
		Systems: linuxOnly,
		Caller:  "Leave the flag out.",
		Expect:  []Expectation{{Facts: Want{Return: 5000, Errno: "", Bytes: fixture.Right, "aligned.pages": 2, "aligned.errno": ""}}},
		Body: func(e *Env) {
			page := os.Getpagesize()
			p := fixture.Pattern(13, 3*page)
			m := inMemory(e, p)
			r, w := roomyPipe(e)
			e.Answer(e.Kernel.Vmsplice(w.Int(), [][]byte{m[13:5013]}, sys.SpliceGift))
			e.Arrived(fixture.ReadReady(e, r, 6000), p[13:5013])
			n, errno := e.Kernel.Vmsplice(w.Int(), [][]byte{m[:2*page]}, sys.SpliceGift)
			e.Fact("aligned.pages", n/page)
			e.Fact("aligned.errno", sys.ErrnoName(errno))
		},
	},
	{
		ID:       "linux/vmsplice/no-reader-epipe",
		Title:    "Into a pipe without a reader vmsplice is EPIPE with SIGPIPE",
		Facility: "vmsplice",
		Level:    Must,
		Sources:  []string{"pipe(7)", "fs/splice.c, wait_for_space: send_sig(SIGPIPE)"},
		Covers:   []string{"linux/vmsplice/no-reader-epipe"},
		Needs:    []string{"vmsplice/memory-pipe"},
		Systems:  linuxOnly,
		Caller:   "Ignore SIGPIPE.",
		Expect:   []Expectation{{Facts: Want{Return: -1, Errno: "EPIPE", "raised": true}}},
		Body: func(e *Env) {
			m := inMemory(e, fixture.Pattern(14, 100))
			r, w := roomyPipe(e)
			r.Close()
			e.Fact("raised", fixture.Raises(e, sys.BrokenPipe, func() {
				e.Answer(e.Kernel.Vmsplice(w.Int(), [][]byte{m}, 0))
			}))
		},
	},
	{
		ID:       "linux/vmsplice/signal-eintr",
		Title:    "A signal whose handler does not restart calls ends a waiting vmsplice with EINTR",
		Facility: "vmsplice",
		Level:    Must,
		Sources:  []string{"signal(7), Interruption of system calls", "fs/splice.c, wait_for_space"},
		Covers:   []string{"linux/vmsplice/signal-eintr"},
		Needs:    []string{"vmsplice/memory-pipe"},
		Systems:  linuxOnly,
		Alone:    true,
		Caller:   "Ask again on EINTR.",
		Expect:   []Expectation{{Facts: Want{"waits": true, Return: -1, Errno: "EINTR", "same": true}}},
		Body: func(e *Env) {
			m := inMemory(e, fixture.Pattern(15, 100))
			r, w := roomyPipe(e)
			full := fixture.Fill(e, w)
			fixture.Interruptible(e)
			call := beginVmsplice(e, w, m, 0)
			e.Fact("waits", call.Waits())
			call.Interrupt(e)
			returned(e, "", call)
			e.Fact("same", fixture.Queued(e, r) == full)
		},
	},
	{
		ID:       "linux/vmsplice/through-tcp-by-reference",
		Title:    "Memory that goes through a pipe into a TCP socket is still the memory itself",
		Facility: "vmsplice",
		Level:    Info,
		Sources:  []string{"fs/splice.c, splice_to_socket: MSG_SPLICE_PAGES"},
		Needs:    []string{"vmsplice/memory-pipe", "splice/pipe-tcp"},
		Systems:  linuxOnly,
		Caller:   "Use MSG_ZEROCOPY, which tells when the memory is free again.",
		Expect:   []Expectation{{Facts: Want{Return: fixture.WitnessSize, Witness: "by-reference"}}},
		Body: func(e *Env) {
			before, after := fixture.Pattern(16, fixture.WitnessSize), fixture.Pattern(17, fixture.WitnessSize)
			m := inMemory(e, before)
			a, b := fixture.TCP(e)
			fixture.Roomy(a, b)
			r, w := roomyPipe(e)
			total := 0
			for total < len(m) {
				n, errno := e.Kernel.Vmsplice(w.Int(), [][]byte{m[total:]}, sys.SpliceNonblock)
				if errno != 0 && errno != syscall.EAGAIN || n == 0 {
					break
				}
				n, _ = e.Kernel.Splice(r.Int(), nil, a.Int(), nil, len(m), 0)
				if n <= 0 {
					break
				}
				total += n
			}
			e.Fact(Return, total)
			copy(m, after)
			e.Fact(Witness, fixture.Witnessed(fixture.ReadN(e, b, len(m)), before, after))
		},
	},
}

// askMemoryWitness puts memory into a pipe, stores over it and reads.
func askMemoryWitness(e *Env, flags int) {
	before, after := fixture.Pattern(18, fixture.WitnessSize), fixture.Pattern(19, fixture.WitnessSize)
	m := inMemory(e, before)
	r, w := roomyPipe(e)
	e.Answer(e.Kernel.Vmsplice(w.Int(), [][]byte{m}, flags|sys.SpliceNonblock))
	copy(m, after)
	e.Fact(Witness, fixture.Witnessed(fixture.ReadReady(e, r, len(m)+1), before, after))
}

// slicesOf joins the parts of p between pairs of places.
func slicesOf(p []byte, places ...int) []byte {
	var parts [][]byte
	for i := 0; i < len(places); i += 2 {
		parts = append(parts, p[places[i]:places[i+1]])
	}
	return bytes.Join(parts, nil)
}
