package cases

import (
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/zcprobe/zcprobe/internal/fixture"
)

// sendfileAccounting compares the counters of a thread before and after a call.
// Reading them counts as well, once its bytes are handed out.
func sendfileAccounting(e *Env) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	file := fixture.File(e, fixture.Pattern(1, 5000), os.O_RDONLY)
	a, _ := fixture.TCP(e)
	counters := func() (read, written, size int64) {
		fd, ok := fixture.Existing(e, "/proc/thread-self/io", os.O_RDONLY)
		if !ok {
			e.Skip(SkipPlace) // no /proc, or a kernel without accounting
		}
		text := fixture.ReadReady(e, fd, 4096)
		fd.Close()
		for line := range strings.Lines(string(text)) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			n, _ := strconv.ParseInt(value, 10, 64)
			switch name {
			case "rchar":
				read = n
			case "wchar":
				written = n
			}
		}
		return read, written, int64(len(text))
	}
	read, written, own := counters()
	e.Answer(e.Kernel.Sendfile(a.Int(), file.Int(), nil, 5000))
	readAfter, writtenAfter, _ := counters()
	e.Fact("counted-read", readAfter-read-own)
	e.Fact("counted-written", writtenAfter-written)
}
