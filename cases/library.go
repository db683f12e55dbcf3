package cases

import (
	"errors"
	"net"
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
	"github.com/zcprobe/zcprobe/zerocopy"
)

// The cases of facility library ask package zerocopy, on the kernel under test,
// whether it keeps its own contract. They are for every system on which the
// fixtures can be had.

// librarySource is the contract.
const librarySource = "package zerocopy, Counts and errors"

// engine is the library on the kernel under test.
func engine(e *Env) *zerocopy.Engine {
	z := zerocopy.New(zerocopy.Config{Kernel: e.Kernel})
	e.Cleanup(z.CloseIdlePipes)
	return z
}

// moved records what a transfer said of itself.
func moved(e *Env, result zerocopy.Result, err error) {
	e.Fact("n", result.N)
	e.Fact("path", string(result.Path))
	e.Fact("error", errorWord(err))
}

// errorWord is an error in a word: the same on every system.
func errorWord(err error) string {
	var errno sys.Errno
	switch {
	case err == nil:
		return ""
	case errors.Is(err, zerocopy.ErrShortSource):
		return "short-source"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "deadline"
	case errors.Is(err, net.ErrClosed):
		return "closed"
	case errors.As(err, &errno):
		return sys.ErrnoName(errno)
	default:
		return err.Error()
	}
}

var libraryFileCases = []*Case{
	{
		ID:       "any/library/file-offset-moves-by-n",
		Title:    "FileToSocket reads from the offset, moves it by what it sent, and leaves the file position alone",
		Facility: "library",
		Level:    Must,
		Sources:  []string{librarySource},
		Systems:  linuxOnly,
		Caller:   "Go on from the offset after an error: it is exact.",
		Expect: []Expectation{
			{Facts: Want{"n": 200_000, "path": OneOf{"sendfile", "splice", "copied"}, "error": "", Offset: 201_000, Position: 7, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 300_000)
			file := fixture.OSFile(e, content)
			file.Seek(7, 0)
			a, b := fixture.Conns(e)
			arrived := fixture.Collect(b)
			offset := int64(1000)
			result, err := engine(e).FileToSocket(a, file, &offset, 200_000)
			a.Close()
			moved(e, result, err)
			e.Fact(Offset, offset)
			filePosition(e, file)
			e.Arrived(arrived(), content[1000:201_000])
		},
	},
	{
		ID:       "any/library/file-position-moves-without-offset",
		Title:    "Without an offset, FileToSocket reads at the file position and moves it by what it sent",
		Facility: "library",
		Level:    Must,
		Sources:  []string{librarySource},
		Systems:  linuxOnly,
		Caller:   "Pass an offset where several goroutines use one file.",
		Expect: []Expectation{
			{Facts: Want{"n": 5000, "error": "", Position: 5123, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 9000)
			file := fixture.OSFile(e, content)
			file.Seek(123, 0)
			a, b := fixture.Conns(e)
			arrived := fixture.Collect(b)
			result, err := engine(e).FileToSocket(a, file, nil, 5000)
			a.Close()
			moved(e, result, err)
			filePosition(e, file)
			e.Arrived(arrived(), content[123:5123])
		},
	},
	{
		ID:       "any/library/count-zero-moves-nothing",
		Title:    "A count of 0 moves nothing and is no error, on systems whose sendfile takes 0 for the end too",
		Facility: "library",
		Level:    Must,
		Sources:  []string{librarySource, "sendfile(2) of FreeBSD: nbytes 0 is until the end"},
		Covers:   []string{"linux/sendfile/count-zero-returns-zero", "suite/apr/no-zero-nbytes"},
		Systems:  linuxOnly,
		Caller:   "Pass a negative count for until the end.",
		Expect: []Expectation{
			{Facts: Want{"n": 0, "path": "", "error": "", Position: 0, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			file := fixture.OSFile(e, fixture.Pattern(1, 100))
			a, b := fixture.Conns(e)
			arrived := fixture.Collect(b)
			result, err := engine(e).FileToSocket(a, file, nil, 0)
			a.Close()
			moved(e, result, err)
			filePosition(e, file)
			e.Arrived(arrived(), nil)
		},
	},
	{
		ID:       "any/library/short-file-is-an-error",
		Title:    "A file that ends before the count gives ErrShortSource with the exact count, and its bytes arrive",
		Facility: "library",
		Level:    Must,
		Sources:  []string{librarySource, "nginx: a sendfile of 0 before the end is a truncated file"},
		Covers:   []string{"linux/fallback/nginx-zero-is-truncation", "linux/fallback/netty-short-file", "suite/nginx/zero-is-truncation"},
		Systems:  linuxOnly,
		Caller:   "Treat it as a file that shrank: a length that was announced cannot be kept.",
		Expect: []Expectation{
			{Facts: Want{"n": 60_000, "error": "short-source", Offset: 70_000, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 70_000)
			file := fixture.OSFile(e, content)
			a, b := fixture.Conns(e)
			arrived := fixture.Collect(b)
			offset := int64(10_000)
			result, err := engine(e).FileToSocket(a, file, &offset, 1_000_000)
			a.Close()
			moved(e, result, err)
			e.Fact(Offset, offset)
			e.Arrived(arrived(), content[10_000:])
		},
	},
	{
		ID:       "any/library/negative-count-is-until-the-end",
		Title:    "A negative count sends until the end of the file, and the end is no error",
		Facility: "library",
		Level:    Must,
		Sources:  []string{librarySource},
		Systems:  linuxOnly,
		Caller:   "Use it where no length was announced.",
		Expect: []Expectation{
			{Facts: Want{"n": 3_000_000, "error": "", Position: 3_000_000, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 3_000_000)
			file := fixture.OSFile(e, content)
			a, b := fixture.Conns(e)
			arrived := fixture.Collect(b)
			result, err := engine(e).FileToSocket(a, file, nil, -1)
			a.Close()
			moved(e, result, err)
			filePosition(e, file)
			e.Arrived(arrived(), content)
		},
	},
	{
		ID:       "linux/library/proc-file-arrives",
		Title:    "A file of /proc, which has no size and on some kernels no sendfile, arrives whole",
		Facility: "library",
		Level:    Should,
		Sources:  []string{librarySource, "Go TestProcCopy", "kernel 36e2c7421f02 took splice_read from files that have none of their own"},
		Covers:   []string{"linux/fallback/go-einval-unhandled", "bug/R11-jdk-proc-copy"},
		Systems:  linuxOnly,
		Caller:   "Nothing: the copy is made where the kernel refuses.",
		Expect: []Expectation{
			{Facts: Want{"error": "", Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			const path = "/proc/self/cmdline" // no splice_read on any kernel since 5.10
			if _, ok := fixture.Existing(e, path, os.O_RDONLY); !ok {
				e.Skip(SkipPlace)
			}
			file := fixture.OSOpen(e, path)
			a, b := fixture.Conns(e)
			arrived := fixture.Collect(b)
			_, err := engine(e).FileToSocket(a, file, nil, -1)
			a.Close()
			e.Fact("error", errorWord(err))
			e.Arrived(arrived(), fixture.Content(e, path))
		},
	},
	{
		ID:       "any/library/deadline-keeps-offset-exact",
		Title:    "When the deadline of a stalled connection strikes, the offset has moved by exactly what the connection took",
		Facility: "library",
		Level:    Must,
		Sources:  []string{librarySource, "net.Conn, SetWriteDeadline"},
		Systems:  linuxOnly,
		Caller:   "Move the deadline and go on from the offset.",
		Expect: []Expectation{
			{Facts: Want{"error": "deadline", "offset-is-n": true, "some": true, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 2<<20)
			file := fixture.OSFile(e, content)
			a, b := fixture.NarrowConns(e)
			fixture.WhenFull(a, func() { a.SetWriteDeadline(past) })
			offset := int64(0)
			z := engine(e)
			result, err := z.FileToSocket(a, file, &offset, int64(len(content)))
			e.Fact("error", errorWord(err))
			e.Fact("offset-is-n", offset == result.N)
			e.Fact("some", 0 < result.N && result.N < int64(len(content)))
			arrived := fixture.Collect(b)
			a.SetWriteDeadline(never)
			if _, err := z.FileToSocket(a, file, &offset, -1); err != nil {
				e.Fatalf("go on after the deadline: %w", err)
			}
			a.Close()
			e.Arrived(arrived(), content)
		},
	},
	{
		ID:       "any/library/counters-add-up",
		Title:    "The counters of all paths together are the bytes that were moved",
		Facility: "library",
		Level:    Must,
		Sources:  []string{"package zerocopy, Counters"},
		Systems:  linuxOnly,
		Caller:   "Export them: they tell by path and reason what strace would.",
		Expect: []Expectation{
			{Facts: Want{"counted": 150_000, "as-results": true, Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 100_000)
			file := fixture.OSFile(e, content)
			a, b := fixture.Conns(e)
			arrived := fixture.Collect(b)
			z := engine(e)
			sum := int64(0)
			for _, part := range [][2]int64{{0, 100_000}, {0, 0}, {60_000, 40_000}, {90_000, 999_999}} {
				offset := part[0]
				result, _ := z.FileToSocket(a, file, &offset, part[1])
				sum += result.N
			}
			a.Close()
			e.Fact("counted", z.Counters().Bytes())
			e.Fact("as-results", z.Counters().Bytes() == sum)
			want := append(append(append([]byte{}, content...), content[60_000:]...), content[90_000:]...)
			e.Arrived(arrived(), want)
		},
	},
}

func filePosition(e *Env, file *os.File) {
	at, err := file.Seek(0, 1)
	if err != nil {
		e.Fatalf("seek: %w", err)
	}
	e.Fact(Position, at)
}
