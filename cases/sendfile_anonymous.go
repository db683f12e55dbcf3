package cases

import (
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// Descriptors that are no streams of bytes, and files that live in memory.
var sendfileAnonymous = []*Case{
	{
		ID:       "linux/sendfile/anon-fd-einval",
		Title:    "eventfd, epoll, timerfd, signalfd, pidfd, io_uring, inotify, userfaultfd and memfd_secret are refused at once, as input and as output",
		Facility: "sendfile",
		Level:    Should,
		Sources:  []string{"LTP splice07, issue #1156", "gVisor EventfdTest", "Linux commit 36e2c7421f02"},
		Covers:   []string{"linux/sendfile/anon-fd-einval"},
		Needs:    []string{"sendfile/file-tcp", "sendfile/file-pipe"},
		Systems:  linuxOnly,
		Caller:   "They carry records: read them with read.",
		Expect: []Expectation{
			{Since: "5.10", Why: noFallback, Facts: Want{
				"eventfd.in": "EINVAL", "eventfd.out": "EINVAL", "eventfd.pipe": "EINVAL",
				"epoll.in": "EINVAL", "epoll.out": "EINVAL", "epoll.pipe": "EINVAL",
				"timerfd.in": "EINVAL", "timerfd.out": "EINVAL", "timerfd.pipe": "EINVAL",
				"signalfd.in": "EINVAL", "signalfd.out": "EINVAL", "signalfd.pipe": "EINVAL",
				"inotify.in": "EINVAL", "inotify.out": "EBADF", "inotify.pipe": "EINVAL", // opened for reading only
				"pidfd.in": refused("EINVAL"), "pidfd.out": refused("EINVAL"), "pidfd.pipe": refused("EINVAL"),
				"io_uring.in": refused("EINVAL"), "io_uring.out": refused("EINVAL"), "io_uring.pipe": refused("EINVAL"),
				"userfaultfd.in": refused("EINVAL"), "userfaultfd.out": refused("EBADF", "EINVAL"), "userfaultfd.pipe": refused("EINVAL"),
				"memfd_secret.in": refused("EINVAL"), "memfd_secret.out": refused("EINVAL"), "memfd_secret.pipe": refused("EINVAL"),
			}},
		},
		Body: func(e *Env) {
			file := fixture.File(e, fixture.Pattern(1, 100), os.O_RDONLY)
			a, _ := fixture.TCP(e)
			_, w := fixture.Pipe(e)
			for _, kind := range []string{"eventfd", "epoll", "timerfd", "signalfd", "inotify", "pidfd", "io_uring", "userfaultfd", "memfd_secret"} {
				fd, errno := sys.Anonymous(kind)
				if errno != 0 {
					for _, way := range []string{".in", ".out", ".pipe"} {
						e.Fact(kind+way, notHere)
					}
					continue
				}
				fixture.Adopt(e, fd)
				_, errno = e.Kernel.Sendfile(a.Int(), fd, nil, 8)
				e.Fact(kind+".in", sys.ErrnoName(errno))
				_, errno = e.Kernel.Sendfile(fd, file.Int(), nil, 8)
				e.Fact(kind+".out", sys.ErrnoName(errno))
				_, errno = e.Kernel.Sendfile(w.Int(), fd, nil, 8)
				e.Fact(kind+".pipe", sys.ErrnoName(errno))
			}
		},
	},
	{
		ID:       "linux/sendfile/in-memfd-ok",
		Title:    "A file in memory is sent like any other",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"memfd_create(2)", "gVisor SendFileToSelf"},
		Covers:   []string{"linux/sendfile/in-memfd-ok"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "Nothing to mind.",
		Expect: []Expectation{
			{Facts: Want{Return: 10_001, Errno: "", Position: 10_001, "end.return": 0, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 10_001)
			file := fixture.MemoryFile(e, content)
			a, b := fixture.TCP(e)
			e.Answer(e.Kernel.Sendfile(a.Int(), file.Int(), nil, len(content)))
			n, errno := e.Kernel.Sendfile(a.Int(), file.Int(), nil, 1)
			e.Named("end", n, errno)
			e.Fact(Position, fixture.Position(e, file))
			e.Arrived(fixture.ReadN(e, b, len(content)), content)
		},
	},
	{
		ID:       "linux/sendfile/sealed-memfd",
		Title:    "A memfd sealed against writing still is a source; as a destination it is refused with EPERM",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"fcntl(2), File Sealing: F_SEAL_WRITE"},
		Needs:    []string{"sendfile/file-tcp", "sendfile/file-file"},
		Systems:  linuxOnly,
		Caller:   "A sealed file is the safe source: nobody can change the bytes on their way.",
		Expect: []Expectation{
			{Facts: Want{"in.return": 5000, "in.errno": "", Bytes: fixture.Right, "out.return": -1, "out.errno": "EPERM", Position: 0, "content": fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 5000)
			sealed := fixture.MemoryFile(e, content)
			if errno := sys.AddSeals(sealed.Int(), sys.SealWrite|sys.SealShrink|sys.SealGrow); errno != 0 {
				e.Fatalf("fcntl F_ADD_SEALS: %w", errno)
			}
			a, b := fixture.TCP(e)
			offset := int64(0)
			n, errno := e.Kernel.Sendfile(a.Int(), sealed.Int(), &offset, 5000)
			e.Named("in", n, errno)
			e.Arrived(fixture.ReadN(e, b, 5000), content)
			other := fixture.File(e, fixture.Pattern(2, 5000), os.O_RDONLY)
			n, errno = e.Kernel.Sendfile(sealed.Int(), other.Int(), nil, 5000)
			e.Named("out", n, errno)
			e.Fact(Position, fixture.Position(e, other))
			e.Fact("content", fixture.Compare(fixture.Contents(e, sealed), content))
		},
	},
	{
		ID:       "linux/sendfile/odirect-input",
		Title:    "A source with O_DIRECT is sent from an aligned offset; from an odd one it is refused with EINVAL or sent right, as the filesystem likes",
		Facility: "sendfile",
		Level:    Should,
		Sources:  []string{"open(2), NOTES: O_DIRECT", "xfstests generic/591"},
		Covers:   []string{"linux/sendfile/odirect-input"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "Do not send with O_DIRECT: it always copies.",
		Expect: []Expectation{
			{Facts: Want{"aligned.return": 8192, "aligned.errno": "", "aligned.offset": 4096 + 8192, "aligned.bytes": fixture.Right,
				"odd": OneOf{"EINVAL", fixture.Right}, "odd.offset-true": true}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 64<<10)
			plain, path := fixture.NamedFile(e, content, os.O_RDWR)
			fd, errno := sys.Open(path, os.O_RDONLY|sys.Direct)
			if errno != 0 {
				e.Skip(SkipPlace)
			}
			file := fixture.Adopt(e, fd)
			if errno := sys.Forget(plain.Int()); errno != 0 { // written to the disk: a direct read looks there
				e.Fatalf("fsync: %w", errno)
			}
			a, b := fixture.TCP(e)
			offset := int64(4096)
			n, errno := e.Kernel.Sendfile(a.Int(), file.Int(), &offset, 8192)
			e.Named("aligned", n, errno)
			e.Fact("aligned.offset", offset)
			e.Fact("aligned.bytes", fixture.Compare(fixture.ReadN(e, b, max(n, 0)), content[4096:4096+8192]))

			offset = 100
			n, errno = e.Kernel.Sendfile(a.Int(), file.Int(), &offset, 1000)
			e.Fact("odd.offset-true", offset == int64(100+max(n, 0)))
			if errno != 0 {
				e.Fact("odd", sys.ErrnoName(errno))
				return
			}
			e.Fact("odd", fixture.Compare(fixture.ReadN(e, b, n), content[100:1100]))
		},
	},
}

// notHere is the fact of a kind that this kernel or this user does not get.
const notHere = "not here"

// refused accepts errnos, and that the kind is not here.
func refused(errnos ...any) OneOf { return append(OneOf{notHere}, errnos...) }
