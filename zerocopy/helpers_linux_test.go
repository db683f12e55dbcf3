package zerocopy

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// patience bounds every test that would otherwise hang. An emulated processor
// that shares its host's with others needs much of it.
const patience = time.Minute

// sized is how many bytes a test moves: fewer with -short, since an emulated
// processor takes a second for a dozen megabytes.
func sized(full, short int) int {
	if testing.Short() {
		return short
	}
	return full
}

// With -short, what is to come to rest before its end, since its peer does not
// read, is more bytes than there is room for.
const (
	pastBuffers = 1 << 20 // in [small] buffers: 300 kB at most, on every kernel that was measured
	pastPipe    = 2 << 20 // in these and a pipe
)

// pattern is n bytes that are right only in their own place, for reading only:
// each seed is another place in one sequence, which is made once.
func pattern(n int, seed uint64) []byte {
	at := int(seed % 251 * 4099)
	sequence.mu.Lock()
	defer sequence.mu.Unlock()
	if missing := at + n - len(sequence.bytes); missing > 0 {
		longer := make([]byte, at+n+missing)
		for word, i := uint64(0), 0; i+8 <= len(longer); word, i = word+1, i+8 {
			mixed := word * 0x9e3779b97f4a7c15 // the golden ratio, as in SplitMix64
			mixed = (mixed ^ mixed>>30) * 0xbf58476d1ce4e5b9
			binary.LittleEndian.PutUint64(longer[i:], mixed^mixed>>27)
		}
		sequence.bytes = longer
	}
	return sequence.bytes[at : at+n : at+n]
}

var sequence struct {
	mu    sync.Mutex
	bytes []byte
}

// fileWith is a file of its own with these bytes, at position 0.
func fileWith(t testing.TB, data []byte) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, data, 0o600))
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func position(t testing.TB, f *os.File) int64 {
	t.Helper()
	n, err := f.Seek(0, io.SeekCurrent)
	require.NoError(t, err)
	return n
}

// stream is what both *net.TCPConn and *net.UnixConn are.
type stream interface {
	net.Conn
	CloseWrite() error
	CloseRead() error
	SetReadBuffer(int) error
	SetWriteBuffer(int) error
	File() (*os.File, error)
	SyscallConn() (rawConn, error)
}

// families are the kinds of connected stream sockets.
var families = []string{"tcp", "unix", "mptcp"}

// pair is a connected pair of a family; both ends are closed after the test.
func pair(t testing.TB, family string) (a, b stream) {
	t.Helper()
	switch family {
	case "unix":
		x, y, errno := sys.UnixPair(sys.Stream)
		require.Zero(t, errno)
		a, b = unixConn(t, x).(*net.UnixConn), unixConn(t, y).(*net.UnixConn)
	default:
		lc := net.ListenConfig{}
		lc.SetMultipathTCP(family == "mptcp")
		l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		d := net.Dialer{}
		d.SetMultipathTCP(family == "mptcp")
		x, err := d.Dial("tcp", l.Addr().String())
		require.NoError(t, err)
		y, err := l.Accept()
		require.NoError(t, err)
		a, b = x.(*net.TCPConn), y.(*net.TCPConn)
	}
	t.Cleanup(func() {
		_ = a.Close()
		_ = b.Close()
	})
	return a, b
}

// unixConn makes a net.Conn of a descriptor, and closes the descriptor.
func unixConn(t testing.TB, fd int) net.Conn {
	t.Helper()
	f := os.NewFile(uintptr(fd), "pair")
	defer f.Close()
	c, err := net.FileConn(f)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// received is what a reader got until the end or an error.
type received struct {
	data []byte
	err  error
}

// collect reads c to its end in the background.
func collect(c io.Reader) <-chan received {
	ch := make(chan received, 1)
	go func() {
		var all bytes.Buffer
		all.Grow(64 << 10) // with larger steps than those of io.ReadAll
		_, err := all.ReadFrom(c)
		ch <- received{all.Bytes(), err}
	}()
	return ch
}

// get waits for the reader.
func get(t testing.TB, ch <-chan received) received {
	t.Helper()
	select {
	case r := <-ch:
		return r
	case <-time.After(patience):
		require.FailNow(t, "the receiver waits for ever")
		return received{}
	}
}

// sameBytes compares without printing megabytes.
func sameBytes(t testing.TB, want, got []byte) {
	t.Helper()
	if bytes.Equal(want, got) {
		return
	}
	require.Equal(t, int64(len(want)), int64(len(got)), "length")
	for i := range want {
		if want[i] != got[i] {
			require.FailNowf(t, "wrong byte", "at %d of %d", i, len(want))
		}
	}
}

// tamper makes an engine on a kernel that edit has changed.
func tamper(t testing.TB, edit func(k *sys.Kernel)) *Engine {
	t.Helper()
	k := sys.Native()
	if edit != nil {
		edit(k)
	}
	e := New(Config{Kernel: k})
	t.Cleanup(e.CloseIdlePipes)
	return e
}

// The kernels on which each path is the best one.
var paths = map[Path]func(k *sys.Kernel){
	PathSendfile: nil,
	PathSplice:   denySendfile,
	PathCopied: func(k *sys.Kernel) {
		denySendfile(k)
		denySplice(k)
	},
}

func denySendfile(k *sys.Kernel) {
	k.Sendfile = func(int, int, *int64, int) (int, sys.Errno) { return -1, errEPERM }
}

func denySplice(k *sys.Kernel) {
	k.Splice = func(int, *int64, int, *int64, int, int) (int, sys.Errno) { return -1, errENOSYS }
}

// agree checks that the counters of an engine add up to n bytes.
func agree(t testing.TB, e *Engine, n int64) {
	t.Helper()
	require.Equal(t, n, e.Counters().Bytes(), "counters: %+v", e.Counters())
}

// small makes the buffers of a connection small, so that everything happens in
// many pieces and a stalled peer is soon full. (Much smaller ones make TCP wait
// for delayed acknowledgements, 40 ms for each segment.)
func small(t testing.TB, conns ...stream) {
	t.Helper()
	for _, c := range conns {
		require.NoError(t, c.SetReadBuffer(64<<10))
		require.NoError(t, c.SetWriteBuffer(64<<10))
	}
}

// deadlineWhenStalled lets dst's write deadline pass as soon as the transfer of
// this engine that is about to start has moved something and come to rest.
func deadlineWhenStalled(t testing.TB, e *Engine, dst stream) {
	t.Helper()
	before := e.Counters() // now: it may be at rest before the goroutine runs
	go func() {
		last := int64(-1)
		for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(40 * time.Millisecond) {
			c := e.Counters()
			if c.Bytes() == last && c.Bytes() > before.Bytes() && c.Waits > before.Waits {
				break
			}
			last = c.Bytes()
		}
		_ = dst.SetWriteDeadline(time.Now().Add(-time.Second))
	}()
}
