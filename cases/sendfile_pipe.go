package cases

import (
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// pipeCopies is why pipes differ in old kernels.
const pipeCopies = "before commit b964bf53e540 sendfile wrote into a pipe as write does: a copy, and all of it"

// A pipe as the destination.
var sendfilePipe = []*Case{
	{
		ID:       "linux/sendfile/pipe-destination-fast-path",
		Title:    "Into a pipe one call moves what fits, and does not wait for room for the rest",
		Facility: "sendfile",
		Level:    Should,
		Sources:  []string{"Linux commit b964bf53e540", "Linux fs/splice.c, splice_file_to_pipe", "gVisor SendFileToPipe"},
		Covers:   []string{"linux/sendfile/pipe-destination-fast-path"},
		Needs:    []string{"sendfile/file-pipe"},
		Systems:  linuxOnly,
		Caller:   "Loop: a blocking pipe gives short counts, too.",
		Expect: []Expectation{
			{Until: "5.12", Facts: Want{
				"empty.waited": true, "empty.return": 200_000, "empty.errno": "", "empty.offset": 200_000, "empty.bytes": fixture.Right,
				"half.waited": true, "half.return": 200_000, "half.bytes": fixture.Right,
			}, Why: pipeCopies},
			{Facts: Want{
				"empty.waited": false, "empty.return": 64 << 10, "empty.errno": "", "empty.offset": 64 << 10, "empty.bytes": fixture.Right,
				"half.waited": false, "half.room": true, "half.bytes": fixture.Right,
			}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 200_000)
			file := fixture.File(e, content, os.O_RDONLY)
			for _, name := range []string{"empty", "half"} {
				r, w := fixture.PipeOf(e, 64<<10)
				before := 0
				if name == "half" {
					before = 32 << 10
					fixture.WriteAll(e, w, make([]byte, before))
				}
				offset := int64(0)
				call := begin(func() (int, sys.Errno) { return e.Kernel.Sendfile(w.Int(), file.Int(), &offset, len(content)) })
				waited := call.Waits()
				e.Fact(name+".waited", waited)
				if waited {
					fixture.ReadN(e, r, before)
					arrived := fixture.ReadN(e, r, len(content))
					e.Ended(name, call)
					e.Fact(name+"."+Offset, offset)
					e.Fact(name+".bytes", fixture.Compare(arrived, content))
					e.Fact(name+".room", false)
					continue
				}
				e.Ended(name, call)
				n, _, _ := call.Returned()
				e.Fact(name+"."+Offset, offset)
				e.Fact(name+".room", n == 64<<10-before)
				fixture.ReadN(e, r, before)
				e.Fact(name+".bytes", fixture.Compare(fixture.ReadReady(e, r, len(content)), content[:max(n, 0)]))
			}
		},
	},
	{
		ID:       "linux/sendfile/pipe-full-blocks",
		Title:    "A full blocking pipe makes the call wait, and it ends once the pipe is read",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"pipe(7)", "Linux fs/splice.c, wait_for_space", "gVisor SendPipeBlocks"},
		Covers:   []string{"linux/sendfile/pipe-full-blocks"},
		Needs:    []string{"sendfile/file-pipe"},
		Systems:  linuxOnly,
		Caller:   "Nobody can end such a call but a reader or a signal: prefer a non-blocking pipe.",
		Expect: []Expectation{
			{Facts: Want{"waited": true, Return: 5000, Errno: "", Offset: 5000, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 5000)
			file := fixture.File(e, content, os.O_RDONLY)
			r, w := fixture.Pipe(e)
			before := fixture.Fill(e, w)
			offset := int64(0)
			call := begin(func() (int, sys.Errno) { return e.Kernel.Sendfile(w.Int(), file.Int(), &offset, len(content)) })
			e.Fact("waited", call.Waits())
			fixture.ReadN(e, r, before)
			e.Ended("", call)
			e.Fact(Offset, offset)
			e.Arrived(fixture.ReadReady(e, r, before), content)
		},
	},
	{
		ID:       "linux/sendfile/pipe-full-nonblock-eagain",
		Title:    "A full non-blocking pipe answers EAGAIN, and no offset moves",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"sendfile(2), ERRORS: EAGAIN", "Linux commit bdeb77bc2c40", "gVisor SendPipeWouldBlock, SendToFullPipeReturnsEAGAIN"},
		Covers:   []string{"linux/sendfile/pipe-full-nonblock-eagain"},
		Needs:    []string{"sendfile/file-pipe"},
		Systems:  linuxOnly,
		Caller:   "Wait until the pipe can be written.",
		Expect: []Expectation{
			{Until: "5.12", Facts: Want{"waited": false, Return: -1, Errno: "EAGAIN", Offset: 3, "queued-more": false}, Why: pipeCopies + "; a write looks at O_NONBLOCK"},
			// In between, O_NONBLOCK of the pipe was not looked at, until stable
			// releases took the correction.
			{Since: "5.19", Facts: Want{"waited": false, Return: -1, Errno: "EAGAIN", Offset: 3, "queued-more": false}, Why: "commit bdeb77bc2c40 looks at O_NONBLOCK of the output"},
		},
		Body: func(e *Env) {
			file := fixture.File(e, fixture.Pattern(1, 5000), os.O_RDONLY)
			r, w := fixture.Pipe(e)
			before := fixture.Fill(e, w)
			w.Nonblock(e)
			offset := int64(3)
			call := begin(func() (int, sys.Errno) { return e.Kernel.Sendfile(w.Int(), file.Int(), &offset, 1000) })
			waited := call.Waits()
			e.Fact("waited", waited)
			e.Fact("queued-more", fixture.Queued(e, r) != before)
			if waited { // let it go: this kernel did not look at O_NONBLOCK
				fixture.ReadN(e, r, before)
			}
			e.Ended("", call)
			e.Fact(Offset, offset)
		},
	},
	{
		ID:       "linux/sendfile/pipe-full-count-zero",
		Title:    "A count of zero to a full non-blocking pipe answers EAGAIN: room is looked for first",
		Facility: "sendfile",
		Level:    Info,
		Sources:  []string{"Linux fs/splice.c, splice_file_to_pipe: wait_for_space before the count is looked at", "Linux commit b964bf53e540"},
		Needs:    []string{"sendfile/file-pipe"},
		Systems:  linuxOnly,
		Caller:   "Do not call with a count of zero: a blocking pipe would wait.",
		Expect: []Expectation{
			{Until: "5.12", Facts: Want{"full.return": 0, "full.errno": "", "empty.return": 0, "empty.errno": ""}, Why: "before commit b964bf53e540 the loop over the count did not begin"},
			{Since: "5.19", Why: "commit bdeb77bc2c40 looks at O_NONBLOCK of the output", Facts: Want{"full.return": -1, "full.errno": "EAGAIN", "empty.return": 0, "empty.errno": ""}},
		},
		Body: func(e *Env) {
			file := fixture.File(e, fixture.Pattern(1, 5000), os.O_RDONLY)
			_, full := fixture.Pipe(e)
			fixture.Fill(e, full)
			full.Nonblock(e)
			n, errno := e.Kernel.Sendfile(full.Int(), file.Int(), nil, 0)
			e.Named("full", n, errno)
			_, empty := fixture.Pipe(e)
			n, errno = e.Kernel.Sendfile(empty.Int(), file.Int(), nil, 0)
			e.Named("empty", n, errno)
		},
	},
	{
		ID:       "linux/sendfile/pipe-shares-pages",
		Title:    "A pipe gets the pages of the file by reference: bytes that are overwritten before they are read arrive new",
		Facility: "sendfile",
		Level:    Should,
		Sources:  []string{"sendfile(2), NOTES", "Linux commit b964bf53e540", "rust-lang/rust#108283"},
		Covers:   []string{"bug/K13-splice-aliasing-overwrite"},
		Needs:    []string{"sendfile/file-pipe", "splice/file-pipe"},
		Systems:  linuxOnly,
		Caller:   "Do not change a file while its bytes are on their way.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: gvisorPipe,
				Known: gvisorSource + "sentry/kernel/pipe/vfs.go#L317-L341",
				Facts: Want{Return: 32768, "splice": "copied", Witness: fixture.Copied}},
			{Until: "5.12", Facts: Want{"splice": string(fixture.ByReference), Return: fixture.WitnessSize / 2, Witness: string(fixture.Copied)}, Why: pipeCopies},
			{Facts: Want{"splice": string(fixture.ByReference), Return: fixture.WitnessSize / 2, Witness: string(fixture.ByReference)}},
		},
		Body: func(e *Env) {
			const size = fixture.WitnessSize / 2
			before, after := fixture.Pattern(1, size), fixture.Pattern(2, size)
			r, w := fixture.Pipe(e)
			file := fixture.File(e, before, os.O_RDWR)
			n, _ := e.Kernel.Splice(file.Int(), nil, w.Int(), nil, size, 0)
			fixture.Overwrite(e, file, after, 0)
			e.Fact("splice", string(fixture.Witnessed(fixture.ReadReady(e, r, max(n, 0)), before, after)))
			file = fixture.File(e, before, os.O_RDWR)
			n, errno := e.Kernel.Sendfile(w.Int(), file.Int(), nil, size)
			e.Answer(n, errno)
			fixture.Overwrite(e, file, after, 0)
			e.Fact(Witness, string(fixture.Witnessed(fixture.ReadReady(e, r, max(n, 0)), before, after)))
		},
	},
}
