package zerocopy

import (
	"bytes"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// The witness: what is written over the source's pages after the transfer, and
// before anybody has read, is what arrives where the pages were shared.
func TestSharedAndNotCopied(t *testing.T) {
	t.Parallel()
	const size = 32 << 10 // fits every socket, and a pipe as well
	before, after := bytes.Repeat([]byte{'a'}, size), bytes.Repeat([]byte{'b'}, size)
	if !kernelShares(t, before, after) {
		t.Skip("sendfile(2) itself copies here") // gVisor: pkg/sentry/syscalls/linux/sys_splice.go, Sendfile
	}
	file := func(_ *testing.T, _ *Engine, f *os.File) io.Reader { return f }
	via := func(family string, read func(io.Reader) io.Reader) func(*testing.T, *Engine, *os.File) io.Reader {
		return func(t *testing.T, e *Engine, f *os.File) io.Reader {
			origin, src := pair(t, family)
			_, err := e.FileToSocket(origin, f, new(int64), size) // by reference into the source
			require.NoError(t, err)
			return read(src)
		}
	}
	plain := func(r io.Reader) io.Reader { return io.LimitReader(r, size) }
	for name, source := range map[string]func(*testing.T, *Engine, *os.File) io.Reader{
		"file":            file,
		"section":         func(_ *testing.T, _ *Engine, f *os.File) io.Reader { return io.NewSectionReader(f, 0, size) },
		"limited tcp":     via("tcp", plain),
		"limited unix":    via("unix", plain),
		"counted unix":    via("unix", func(r io.Reader) io.Reader { return &counter{Reader: io.LimitReader(r, size)} }),
		"limited, Wrap":   via("unix", func(r io.Reader) io.Reader { return io.LimitReader(Wrap(r.(stream)), size) }),
		"pipe with pages": pipeOf(size),
	} {
		for _, family := range []string{"tcp", "unix"} {
			t.Run(name+" to "+family, func(t *testing.T) {
				t.Parallel()
				e := tamper(t, nil)
				f := fileWith(t, before)
				dst, sink := wrapped(t, e, family)
				n, err := io.Copy(dst, source(t, e, f))
				require.NoError(t, err)
				require.Equal(t, int64(size), n)
				_, err = f.WriteAt(after, 0)
				require.NoError(t, err)
				got := make([]byte, size)
				_, err = io.ReadFull(sink, got)
				require.NoError(t, err)
				require.True(t, bytes.Equal(after, got), "copied: %+v", e.Counters())
			})
		}
	}
}

// kernelShares tells whether sendfile(2) gives TCP the pages of a file.
func kernelShares(t *testing.T, before, after []byte) bool {
	t.Helper()
	f := fileWith(t, before)
	a, b := pair(t, "tcp")
	raw, err := a.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, raw.Write(func(out uintptr) bool {
		n, errno := sys.Native().Sendfile(int(out), int(f.Fd()), nil, len(before))
		require.Zero(t, errno)
		require.Equal(t, len(before), n)
		return true
	}))
	_, err = f.WriteAt(after, 0)
	require.NoError(t, err)
	got := make([]byte, len(before))
	_, err = io.ReadFull(b, got)
	require.NoError(t, err)
	return bytes.Equal(got, after)
}

// pipeOf is a pipe into which pages of the file were spliced.
func pipeOf(size int) func(*testing.T, *Engine, *os.File) io.Reader {
	return func(t *testing.T, e *Engine, f *os.File) io.Reader {
		r, w, err := os.Pipe()
		require.NoError(t, err)
		t.Cleanup(func() { _ = r.Close() })
		raw, err := w.SyscallConn()
		require.NoError(t, err)
		require.NoError(t, raw.Control(func(out uintptr) {
			in, err := f.SyscallConn()
			require.NoError(t, err)
			require.NoError(t, in.Control(func(in uintptr) {
				n, errno := e.kernel.Splice(int(in), new(int64), int(out), nil, size, 0)
				require.Zero(t, errno)
				require.Equal(t, size, n)
			}))
		}))
		require.NoError(t, w.Close())
		return r
	}
}
