package probe

import (
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// What goCopy says is read from the standard library's source; this looks at
// what the standard library does, by the same witness as for the calls.
func TestGoCopyIsWhatTheStandardLibraryDoes(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{
		{"file", "tcp"}, {"file", "unix"}, {"file", "udp"}, {"file", "pipe"}, {"memfd", "tcp"},
		{"tcp", "tcp"}, {"tcp", "unix"}, {"tcp", "pipe"}, {"unix", "tcp"}, {"unix", "unix"}, {"unix", "pipe"},
		{"pipe", "tcp"}, {"pipe", "unix"}, {"pipe", "pipe"},
	} {
		t.Run(pair[0]+" to "+pair[1], func(t *testing.T) {
			t.Parallel()
			source, sink := kind(pair[0]), kind(pair[1])
			want := fixture.ByReference
			if strings.HasPrefix(goCopy(source, sink), userSpace) {
				want = fixture.Copied
			}
			assert.Equal(t, want, witnessGoCopy(t, source, sink))
		})
	}
}

func witnessGoCopy(t *testing.T, source, sink *Kind) fixture.Witness {
	from, to := source.Source(t), sink.Sink(t)
	const size = 16 << 10
	before := fixture.Pattern(2, size)
	after := fixture.Rewritten(before)
	overwrite := from.Share(before)
	if source.Nature != IsFile {
		waitForQueue(t, from.FD, size)
	}
	r, w := goEnd(t, source, from.FD), goEnd(t, sink, to.FD)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		io.Copy(w, r)
	}()
	if source.Nature == IsFile {
		<-ended
	} else { // which does not end; but what has left the source is copied by now, or never
		waitForQueue(t, from.FD, 0)
	}
	overwrite(after)
	arrived := to.Arrived(size)
	r.Close()
	w.Close()
	<-ended
	return fixture.Witnessed(arrived, before, after)
}

func waitForQueue(t *testing.T, fd *fixture.FD, n int) {
	t.Helper()
	require.Eventually(t, func() bool { return fixture.Queued(t, fd) == n }, 5*time.Second, time.Millisecond)
}

// goEnd is a descriptor as packages os and net would give it.
func goEnd(t *testing.T, k *Kind, fd *fixture.FD) io.ReadWriteCloser {
	t.Helper()
	number, errno := sys.Dup(fd.Int())
	require.Zero(t, errno)
	if k.Nature == IsPipe { // so that Close ends a read that waits
		require.Zero(t, sys.SetNonblock(number, true))
	}
	file := os.NewFile(uintptr(number), k.Name)
	if k.Nature != IsSocket {
		return file
	}
	defer file.Close()
	conn, err := net.FileConn(file)
	require.NoError(t, err)
	return conn
}
