package cases

import (
	"os"
	"runtime"
	"time"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// A file as the destination: what else a write does to it.
var sendfileFileState = []*Case{
	{
		ID:       "linux/sendfile/rlimit-fsize",
		Title:    "RLIMIT_FSIZE cuts a call short at the limit, which raises SIGXFSZ already, and the next one fails with EFBIG and the signal",
		Facility: "sendfile",
		Level:    Must,
		// A write that is cut short raises no signal. sendfile goes on to write the
		// rest of its internal pipe and meets the limit within the same call.
		Sources: []string{"setrlimit(2), RLIMIT_FSIZE", "Linux fs/splice.c, iter_file_splice_write", "Linux fs/read_write.c, generic_write_check_limits", "gVisor SpliceTest FromPipeMaxFileSize"},
		Covers:  []string{"linux/sendfile/rlimit-fsize"},
		Needs:   []string{"sendfile/file-file"},
		Systems: linuxOnly,
		Alone:   true,
		Caller:  "Ignore or catch SIGXFSZ: by default it ends the process.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: "an error after a part was written is dropped, and its signal with it (Sendfile)",
				Known: gvisorSource + "sentry/syscalls/linux/sys_splice.go#L466-L475",
				Facts: Want{
					Bytes: fixture.Right, "first.errno": "", "first.position": 5000, "first.return": 5000, "first.signal": false,
					"second.errno": "EFBIG", "second.position": 5000, "second.return": -1, "second.signal": true, "size": 5000,
				}},
			{Facts: Want{
				"first.return": 5000, "first.errno": "", "first.signal": true, "first.position": 5000,
				"second.return": -1, "second.errno": "EFBIG", "second.signal": true, "second.position": 5000,
				"size": 5000, Bytes: fixture.Right,
			}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 20_000)
			in := fixture.File(e, content, os.O_RDONLY)
			out := fixture.File(e, nil, os.O_RDWR)
			fixture.LimitFileSize(e, 5000)
			for _, name := range []string{"first", "second"} {
				raised := fixture.Raises(e, sys.FileSizeLimit, func() {
					n, errno := e.Kernel.Sendfile(out.Int(), in.Int(), nil, 20_000)
					e.Named(name, n, errno)
				})
				e.Fact(name+".signal", raised)
				e.Fact(name+"."+Position, fixture.Position(e, in))
			}
			e.Fact("size", fixture.Status(e, out).Size)
			e.Arrived(fixture.Contents(e, out), content[:5000])
		},
	},
	{
		ID:       "linux/sendfile/setuid-cleared",
		Title:    "sendfile by a thread without CAP_FSETID into a set-user-ID file clears the bit, as write does",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"inode(7): set-user-ID bit and write", "capabilities(7), CAP_FSETID", "Linux fs/inode.c, file_remove_privs"},
		Covers:   []string{"linux/sendfile/setuid-cleared"},
		Needs:    []string{"sendfile/file-file"},
		Systems:  linuxOnly,
		Caller:   "Set modes after the content was written.",
		Expect: []Expectation{
			{Facts: Want{Return: 100, Errno: "", "after": 0o755}},
		},
		Body: func(e *Env) {
			in := fixture.File(e, fixture.Pattern(1, 100), os.O_RDONLY)
			out, path := fixture.NamedFile(e, nil, os.O_RDWR)
			fixture.Chmod(e, path, 0o6755)
			if fixture.Status(e, out).Mode&0o7777 != 0o6755 {
				e.Skip(SkipPlace) // a filesystem without such bits
			}
			called := false
			call := fixture.Begin(func() (int, sys.Errno) {
				runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
				if keeps, errno := sys.KeepsSetuid(); keeps || errno != 0 {
					sys.ActAs(65534)
				}
				if keeps, errno := sys.KeepsSetuid(); keeps || errno != 0 {
					return -1, errno
				}
				called = true
				return e.Kernel.Sendfile(out.Int(), in.Int(), nil, 100)
			})
			n, errno, _ := call.Returned()
			if !called {
				e.Skip(SkipPrivilege)
			}
			e.Answer(n, errno)
			e.Fact("after", fixture.Status(e, out).Mode&0o7777)
		},
	},
	{
		ID:       "linux/sendfile/dst-mtime-updated",
		Title:    "The modification time of the destination moves on, that of the source stays",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"inode(7): timestamps", "LTP copy_file_range03"},
		Covers:   []string{"linux/sendfile/dst-mtime-updated"},
		Needs:    []string{"sendfile/file-file"},
		Systems:  linuxOnly,
		Caller:   "Nothing to mind: it is a write.",
		Expect: []Expectation{
			{Facts: Want{Return: 100, "destination-moved": true, "source-moved": false}},
		},
		Body: func(e *Env) {
			in, inPath := fixture.NamedFile(e, fixture.Pattern(1, 100), os.O_RDONLY)
			out, outPath := fixture.NamedFile(e, nil, os.O_WRONLY)
			past := time.Unix(1_000_000_000, 0)
			for _, path := range []string{inPath, outPath} {
				if err := os.Chtimes(path, past, past); err != nil {
					e.Fatalf("utimensat: %w", err)
				}
			}
			e.Answer(e.Kernel.Sendfile(out.Int(), in.Int(), nil, 100))
			e.Fact("destination-moved", fixture.Status(e, out).ModifiedNS > past.UnixNano())
			e.Fact("source-moved", fixture.Status(e, in).ModifiedNS != past.UnixNano())
		},
	},
	{
		ID:       "linux/sendfile/inotify-events",
		Title:    "A call is one IN_ACCESS of the source and one IN_MODIFY of the destination; one that moves nothing is none",
		Facility: "sendfile",
		Level:    Should,
		Sources:  []string{"inotify(7)", "Linux fs/read_write.c, do_sendfile: fsnotify_access, fsnotify_modify", "gVisor Inotify.Sendfile"},
		Covers:   []string{"linux/sendfile/inotify-events"},
		Needs:    []string{"sendfile/file-file"},
		Systems:  linuxOnly,
		Caller:   "Watchers see sendfile like read and write.",
		Expect: []Expectation{
			{Facts: Want{
				Return: 100, "source.accessed": 1, "source.modified": 0, "destination.accessed": 0, "destination.modified": 1,
				"end.return": 0, "end.accessed": 0, "end.modified": 0,
			}},
		},
		Body: func(e *Env) {
			in, inPath := fixture.NamedFile(e, fixture.Pattern(1, 100), os.O_RDONLY)
			out, outPath := fixture.NamedFile(e, nil, os.O_WRONLY)
			source, destination := fixture.Notices(e, inPath), fixture.Notices(e, outPath)
			e.Answer(e.Kernel.Sendfile(out.Int(), in.Int(), nil, 100))
			s, d := source(), destination()
			e.Fact("source.accessed", s.Accessed)
			e.Fact("source.modified", s.Modified)
			e.Fact("destination.accessed", d.Accessed)
			e.Fact("destination.modified", d.Modified)
			n, errno := e.Kernel.Sendfile(out.Int(), in.Int(), nil, 100)
			e.Named("end", n, errno)
			e.Fact("end.accessed", source().Accessed)
			e.Fact("end.modified", destination().Modified)
		},
	},
}
