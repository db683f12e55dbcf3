package cases

import (
	"bytes"
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// A source that changes while its bytes are on their way.
var sendfileChange = []*Case{
	{
		ID:       "linux/sendfile/page-reference-modify",
		Title:    "Bytes that are overwritten after sendfile returned and before the peer reads arrive new: the pages are shared, over TCP and over AF_UNIX",
		Facility: "sendfile",
		Level:    Should,
		Sources:  []string{"sendfile(2), NOTES", "Rust std dont_splice_pipes_from_files", "lwn.net/Articles/923237"},
		Covers:   []string{"linux/sendfile/page-reference-modify", "bug/K14-sendfile-tcp-aliasing", "bug/K22-splice-may-become-copy"},
		Needs:    []string{"sendfile/file-tcp", "sendfile/file-unix"},
		Systems:  linuxOnly,
		Caller:   "Replace a file that is being served by a rename; never write into it.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: gvisorCopies,
				Known: gvisorSource + "sentry/syscalls/linux/sys_splice.go#L386-L425",
				Facts: Want{Return: 65536, "unix.return": 65536, "unix.witness": "copied", Witness: fixture.Copied}},
			{Facts: Want{Return: fixture.WitnessSize, Witness: string(fixture.ByReference), "unix.return": fixture.WitnessSize, "unix.witness": string(fixture.ByReference)}},
		},
		Body: func(e *Env) {
			before, after := fixture.Pattern(1, fixture.WitnessSize), fixture.Pattern(2, fixture.WitnessSize)
			move := func(a, b *fixture.FD) (int, sys.Errno, string) {
				fixture.Roomy(a, b)
				file := fixture.File(e, before, os.O_RDWR)
				n, errno := e.Kernel.Sendfile(a.Int(), file.Int(), nil, len(before))
				fixture.Overwrite(e, file, after, 0)
				return n, errno, string(fixture.Witnessed(fixture.ReadN(e, b, max(n, 0)), before, after))
			}
			n, errno, witness := move(fixture.TCP(e))
			e.Answer(n, errno)
			e.Fact(Witness, witness)
			n, errno, witness = move(fixture.Unix(e, sys.Stream))
			e.Named("unix", n, errno)
			e.Fact("unix."+Witness, witness)
		},
	},
	{
		ID:       "linux/sendfile/page-reference-truncate-to-zero",
		Title:    "Bytes on their way survive a truncation of the file to nothing",
		Facility: "sendfile",
		Level:    Should,
		Sources:  []string{"Linux mm/truncate.c: pages leave the file, not memory"},
		Covers:   []string{"linux/sendfile/page-reference-truncate-to-zero"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "A truncation shows nothing about sharing; only an overwriting does.",
		Expect: []Expectation{
			{Facts: Want{Return: fixture.WitnessSize, Errno: "", "later.return": 0, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, fixture.WitnessSize)
			file := fixture.File(e, content, os.O_RDWR)
			a, b := fixture.TCP(e)
			fixture.Roomy(a, b)
			e.Answer(e.Kernel.Sendfile(a.Int(), file.Int(), nil, len(content)))
			fixture.Truncate(e, file, 0)
			n, errno := e.Kernel.Sendfile(a.Int(), file.Int(), nil, len(content))
			e.Named("later", n, errno)
			e.Arrived(fixture.ReadN(e, b, len(content)), content)
		},
	},
	{
		ID:       "linux/sendfile/page-reference-truncate-partial-zeroes",
		Title:    "A truncation to the middle of a page turns bytes on their way behind it into zeros, at least to the page's end",
		Facility: "sendfile",
		Level:    Info,
		// The kernel wipes the rest of the folio that it cuts. Folios of several
		// pages make that more than a page, as the filesystem likes.
		Sources: []string{"Linux mm/truncate.c, truncate_inode_partial_folio"},
		Covers:  []string{"linux/sendfile/page-reference-truncate-partial-zeroes"},
		Needs:   []string{"sendfile/file-tcp"},
		Systems: linuxOnly,
		Caller:  "Never cut a file that is being served: peers get zeros and no error.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: gvisorCopies + ": what it has taken no truncation reaches, which sendfile(2), NOTES, leaves open",
				Facts: Want{"beyond": "bytes, or zeros", Errno: "", "kept": fixture.Right, "page-rest": "noise", Return: 65536}},
			{Facts: Want{Return: fixture.WitnessSize, Errno: "", "kept": fixture.Right, "page-rest": "zeros", "beyond": "bytes, or zeros"}},
		},
		Body: func(e *Env) {
			const cut = 1000
			page := os.Getpagesize()
			content := fixture.Pattern(1, fixture.WitnessSize)
			file := fixture.File(e, content, os.O_RDWR)
			a, b := fixture.TCP(e)
			fixture.Roomy(a, b)
			e.Answer(e.Kernel.Sendfile(a.Int(), file.Int(), nil, len(content)))
			fixture.Truncate(e, file, cut)
			arrived := fixture.ReadN(e, b, len(content))
			if len(arrived) < len(content) {
				e.Fact("kept", fixture.Compare(arrived, content))
				return
			}
			e.Fact("kept", fixture.Compare(arrived[:cut], content[:cut]))
			e.Fact("page-rest", texture(arrived[cut:page]))
			beyond := "bytes, or zeros"
			for at := page; at < len(content); at += page {
				got := arrived[at : at+page]
				if texture(got) != "zeros" && !bytes.Equal(got, content[at:at+page]) {
					beyond = "something else"
				}
			}
			e.Fact("beyond", beyond)
		},
	},
	{
		ID:       "linux/sendfile/source-shrinks-between-calls",
		Title:    "A file that shrank below the offset answers 0, again and again, and the offset stays",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2), RETURN VALUE", "netty/netty#8868", "proftpd/proftpd#591"},
		Covers:   []string{"bug/K29-truncate-during-send"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "End a transfer that was promised longer: a loop that only counts would spin for ever.",
		Expect: []Expectation{
			{Facts: Want{"first.return": 5000, "second.return": 0, "second.errno": "", "third.return": 0, "third.errno": "", Offset: 5000, Bytes: fixture.Right, "queued": 0}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 20_000)
			file := fixture.File(e, content, os.O_RDWR)
			a, b := fixture.TCP(e)
			offset := int64(0)
			for i, name := range []string{"first", "second", "third"} {
				count := 15_000
				if i == 0 {
					count = 5000
				}
				n, errno := e.Kernel.Sendfile(a.Int(), file.Int(), &offset, count)
				e.Named(name, n, errno)
				if i == 0 { // read first: a truncation wipes bytes on their way
					e.Arrived(fixture.ReadN(e, b, 5000), content[:5000])
					fixture.Truncate(e, file, 3000)
				}
			}
			e.Fact(Offset, offset)
			e.Fact("queued", fixture.Queued(e, b))
		},
	},
	{
		ID:       "linux/sendfile/source-shrinks-under-waiting-call",
		Title:    "A call that waits half way while the file is cut to nothing ends with a short count when the peer reads on, and sends nothing that was never in the file but zeros",
		Facility: "sendfile",
		Level:    Should,
		Sources:  []string{"Linux mm/filemap.c, filemap_splice_read: the size is looked at for each part", "ocaml/dune#15554"},
		Needs:    []string{"sendfile/file-unix"},
		Systems:  linuxOnly,
		Caller:   "Compare the sum with what was promised, and end the connection where it is less.",
		Expect: []Expectation{
			{Facts: Want{"waited": true, "short": true, Errno: "", "offset-moved-by-return": true, "arrived-is-return": true, "prefix": fixture.Right, "next.return": 0}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 2<<20)
			file := fixture.File(e, content, os.O_RDWR)
			a, b := fixture.Unix(e, sys.Stream)
			offset := int64(0)
			call := begin(func() (int, sys.Errno) { return e.Kernel.Sendfile(a.Int(), file.Int(), &offset, len(content)) })
			e.Fact("waited", call.Waits())
			fixture.Truncate(e, file, 0)
			arrived := make([]byte, 0, len(content))
			for {
				p := fixture.ReadReady(e, b, len(content))
				arrived = append(arrived, p...)
				if len(p) == 0 && !call.Waits() {
					break // returned, or stuck
				}
			}
			n, errno, ok := call.Returned()
			arrived = append(arrived, fixture.ReadReady(e, b, len(content))...)
			e.Fact("short", ok && 0 < n && n < len(content))
			e.Fact(Errno, sys.ErrnoName(errno))
			e.Fact("offset-moved-by-return", ok && offset == int64(n))
			e.Fact("arrived-is-return", len(arrived) == n)
			e.Fact("prefix", fixture.Compare(arrived, content[:len(arrived)]))
			n, _ = e.Kernel.Sendfile(a.Int(), file.Int(), &offset, 100)
			e.Fact("next."+Return, n)
		},
	},
}
