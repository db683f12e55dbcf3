package probe

import (
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// pageful is how many bytes most probes move: they fit into one page, so that
// they fit into the smallest pipe that a user over pipe-user-pages-soft gets.
const pageful = 4000

var sendfileFeatures = []*Feature{
	{
		ID:       "sendfile/file-tcp",
		Facility: "sendfile",
		Title:    "sendfile(2) from a regular file to a TCP socket",
		Since:    "2.2",
		Source:   "sendfile(2)",
		Systems:  linuxOnly,
		Ends:     Filesystem,
		Try: func(e *Env) {
			want := fixture.Pattern(1, 10_000)
			a, b := fixture.TCP(e)
			sendfile(e, a, fixture.File(e, want, os.O_RDONLY), want)
			e.Arrives(b, want)
		},
	},
	{
		ID:       "sendfile/file-udp",
		Facility: "sendfile",
		Title:    "sendfile(2) from a regular file to a connected UDP socket, as one datagram",
		Since:    "2.4",
		Source:   "sendfile(2)",
		Systems:  linuxOnly,
		Ends:     SocketType,
		Try: func(e *Env) {
			want := fixture.Pattern(1, pageful)
			a, b := fixture.UDP(e)
			file := fixture.File(e, want, os.O_RDONLY)
			n, errno := e.Kernel.Sendfile(a.Int(), file.Int(), nil, len(want))
			e.Moved("sendfile", n, errno, len(want))
			e.Arrives(b, want)
		},
	},
	{
		ID:       "sendfile/file-unix",
		Facility: "sendfile",
		Title:    "sendfile(2) from a regular file to a UNIX stream socket",
		Since:    "2.2",
		Source:   "sendfile(2)",
		Systems:  linuxOnly,
		Ends:     SocketType,
		Try: func(e *Env) {
			want := fixture.Pattern(1, 10_000)
			a, b := fixture.Unix(e, sys.Stream)
			sendfile(e, a, fixture.File(e, want, os.O_RDONLY), want)
			e.Arrives(b, want)
		},
	},
	{
		ID:       "sendfile/file-unix-seqpacket",
		Facility: "sendfile",
		Title:    "sendfile(2) from a regular file to a UNIX socket that keeps records (SOCK_SEQPACKET)",
		Since:    "2.6.4",
		Source:   "unix(7)",
		Systems:  linuxOnly,
		Ends:     SocketType,
		Try: func(e *Env) {
			want := fixture.Pattern(1, pageful)
			a, b := fixture.Unix(e, sys.Seqpacket)
			sendfile(e, a, fixture.File(e, want, os.O_RDONLY), want)
			e.Arrives(b, want)
		},
	},
	{
		ID:       "sendfile/file-file",
		Facility: "sendfile",
		Title:    "sendfile(2) from a regular file to a regular file",
		Since:    "2.6.33",
		Source:   "sendfile(2)",
		Systems:  linuxOnly,
		Ends:     Filesystem,
		Try: func(e *Env) {
			want := fixture.Pattern(1, 10_000)
			out, path := fixture.NamedFile(e, nil, os.O_WRONLY)
			sendfile(e, out, fixture.File(e, want, os.O_RDONLY), want)
			e.Same(fixture.Content(e, path), want)
		},
	},
	{
		ID:       "sendfile/file-pipe",
		Facility: "sendfile",
		Title:    "sendfile(2) from a regular file to a pipe",
		// Possible since 2.6.33 too, but 5.10 lost it for a while.
		Since:   "5.11",
		Source:  "commit f8ad8187c3b5 (fs/pipe: allow sendfile() to pipe again)",
		Systems: linuxOnly,
		Ends:    Filesystem,
		Try: func(e *Env) {
			want := fixture.Pattern(1, pageful)
			r, w := fixture.Pipe(e)
			sendfile(e, w, fixture.File(e, want, os.O_RDONLY), want)
			e.Arrives(r, want)
		},
	},
	{
		ID:       "sendfile/file-devnull",
		Facility: "sendfile",
		Title:    "sendfile(2) from a regular file to /dev/null",
		Since:    "2.6.33",
		Source:   "sendfile(2)",
		Systems:  linuxOnly,
		Ends:     Filesystem,
		Try: func(e *Env) {
			want := fixture.Pattern(1, 10_000)
			sendfile(e, fixture.Open(e, "/dev/null", os.O_WRONLY), fixture.File(e, want, os.O_RDONLY), want)
		},
	},
	{
		ID:       "sendfile/file-pty",
		Facility: "sendfile",
		Title:    "sendfile(2) from a regular file to a pseudo-terminal",
		Since:    "5.11",
		Source:   "commit 9bb48c82aced (tty: implement write_iter)",
		Systems:  linuxOnly,
		Ends:     Filesystem,
		Try: func(e *Env) {
			want := fixture.Pattern(1, terminalful)
			master, slave := terminal(e)
			sendfile(e, slave, fixture.File(e, want, os.O_RDONLY), want)
			e.Arrives(master, want)
		},
	},
	{
		ID:       "sendfile/offset-over-4g",
		Facility: "sendfile",
		Title:    "sendfile(2) from an offset past 4 GiB",
		Since:    "2.4",
		Source:   "sendfile(2), NOTES (sendfile64)",
		Systems:  linuxOnly,
		Ends:     Filesystem,
		Try: func(e *Env) {
			const far = 5 << 30
			want := fixture.Pattern(1, pageful)
			file := fixture.Sparse(e, far)
			fixture.Overwrite(e, file, want, far)
			a, b := fixture.TCP(e)
			offset := int64(far)
			e.Moves("sendfile", len(want), func(left int) (int, sys.Errno) {
				return e.Kernel.Sendfile(a.Int(), file.Int(), &offset, left)
			})
			e.Arrives(b, want)
		},
	},
	{
		ID:       "sendfile/deleted-tcp",
		Facility: "sendfile",
		Title:    "sendfile(2) from a file that has no name any more",
		Since:    "2.2",
		Source:   "unlink(2)",
		Systems:  linuxOnly,
		Ends:     Filesystem,
		Try: func(e *Env) {
			want := fixture.Pattern(1, 10_000)
			file, path := fixture.NamedFile(e, want, os.O_RDONLY)
			if err := os.Remove(path); err != nil {
				e.Fatalf("remove fixture: %w", err)
			}
			a, b := fixture.TCP(e)
			sendfile(e, a, file, want)
			e.Arrives(b, want)
		},
	},
	{
		ID:       "sendfile/direct-tcp",
		Facility: "sendfile",
		Title:    "sendfile(2) from a file opened with O_DIRECT",
		Since:    "2.6.33",
		Source:   "open(2), O_DIRECT",
		Systems:  linuxOnly,
		Ends:     Filesystem,
		Try: func(e *Env) {
			want := fixture.Pattern(1, 64<<10) // whole blocks and pages
			a, b := fixture.TCP(e)
			fixture.Roomy(a, b)
			sendfile(e, a, direct(e, want), want)
			e.Arrives(b, want)
		},
	},
}

// sendfile moves want from the position of a file to out.
func sendfile(e *Env, out, file *fixture.FD, want []byte) {
	e.Moves("sendfile", len(want), func(left int) (int, sys.Errno) {
		return e.Kernel.Sendfile(out.Int(), file.Int(), nil, left)
	})
}

// direct is a file that is opened with O_DIRECT, which some filesystems refuse
// (tmpfs before Linux 6.6, commit e88e0d366f9c).
func direct(e *Env, content []byte) *fixture.FD {
	_, path := fixture.NamedFile(e, content, os.O_RDONLY)
	fd, errno := sys.Open(path, os.O_RDONLY|sys.Direct)
	if errno != 0 {
		e.Answered("open O_DIRECT", errno)
		e.Is(Absent, Filesystem, "the filesystem of the scratch directory refuses O_DIRECT", "put the files on another filesystem")
	}
	return fixture.Adopt(e, fd)
}
