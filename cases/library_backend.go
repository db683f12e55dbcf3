package cases

import (
	"syscall"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
	"github.com/zcprobe/zcprobe/zerocopy"
)

// denied is a case in which a seccomp filter takes calls away from its process.
func denied(id, title string, errno sys.Errno, calls []string, backend string) *Case {
	return &Case{
		ID:       id,
		Title:    title,
		Facility: "library",
		Level:    Must,
		Sources:  []string{"package zerocopy, BackendName", "seccomp(2)"},
		Needs:    []string{"sendfile/file-unix", "splice/unix-unix"}, // what the backend is found on
		Systems:  linuxOnly,
		Alone:    true,
		Caller:   "Nothing: the next best way is taken and the counters say why.",
		Expect: []Expectation{
			{Facts: Want{"backend": backend, "file": "", "relay": "", "file-bytes": fixture.Right, "relay-bytes": fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 300_000)
			file := fixture.OSFile(e, content)
			a, b := fixture.Conns(e)
			client, src := fixture.Conns(e)
			dst, sink := fixture.Conns(e)
			if err := sys.DenyCalls(errno, calls...); err != nil {
				e.Fatalf("install filter: %w", err)
			}
			z := engine(e)
			e.Fact("backend", z.BackendName())

			arrived := fixture.Collect(b)
			_, err := z.FileToSocket(a, file, nil, -1)
			a.Close()
			e.Fact("file", errorWord(err))
			e.Fact("file-bytes", fixture.Compare(arrived(), content))

			feed(client, content)
			arrived = fixture.Collect(sink)
			_, err = z.SocketRelay(dst, src, -1)
			dst.Close()
			e.Fact("relay", errorWord(err))
			e.Fact("relay-bytes", fixture.Compare(arrived(), content))
		},
	}
}

var libraryBackendCases = []*Case{
	denied("linux/library/splice-denied-leaves-sendfile",
		"With splice denied by a seccomp filter, the backend is sendfile and everything arrives",
		syscall.EPERM, []string{"splice"}, "sendfile"),
	denied("linux/library/sendfile-denied-leaves-splice",
		"With sendfile denied by a seccomp filter, splice stands in for it and everything arrives",
		syscall.EPERM, []string{"sendfile"}, "sendfile+splice"),
	denied("linux/library/both-denied-copies",
		"With sendfile and splice denied by a seccomp filter, the backend is none and everything arrives by a copy",
		syscall.EPERM, []string{"sendfile", "splice"}, "none"),
	denied("linux/library/both-missing-copies",
		"With sendfile and splice answering ENOSYS, the backend is none and everything arrives by a copy",
		syscall.ENOSYS, []string{"sendfile", "splice"}, "none"),
	{
		ID:       "linux/library/backend-found-by-trying",
		Title:    "Where the kernel has sendfile and splice and nothing denies them, the backend is both",
		Facility: "library",
		Level:    Must,
		Sources:  []string{"package zerocopy, BackendName"},
		Needs:    []string{"sendfile/file-unix", "splice/unix-unix"},
		Systems:  linuxOnly,
		Caller:   "Show it at start-up; the transfers find their way without it.",
		Expect: []Expectation{
			{Facts: Want{"backend": "sendfile+splice"}},
		},
		Body: func(e *Env) {
			e.Fact("backend", zerocopy.New(zerocopy.Config{Kernel: e.Kernel}).BackendName())
		},
	},
}
