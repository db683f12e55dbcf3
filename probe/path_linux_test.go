package probe

import (
	"context"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
	"github.com/zcprobe/zcprobe/internal/worker"
)

// Movers and kinds of these tests only; the workers, which are this binary too,
// know them as well.
func init() {
	movers = append(movers,
		&Mover{Facility: "test-hang", Call: always(""), Refuses: always("a test"), Move: func(*move) (int, sys.Errno) {
			select {}
		}},
		&Mover{Facility: "test-wait", Call: always(""), Refuses: always("a test"), Move: func(m *move) (int, sys.Errno) {
			r, _ := fixture.Pipe(m.T)
			return m.kernel.Read(r.Int(), make([]byte, 1))
		}},
		&Mover{Facility: "test-crash", Call: always(""), Refuses: always("a test"), Move: func(*move) (int, sys.Errno) {
			os.Exit(7)
			return 0, 0
		}},
	)
	pipeKinds = append(pipeKinds, &Kind{Name: "test-copied", Title: "a pipe that was filled by copying", Nature: IsPipe, Source: func(t fixture.T) *Source {
		s := kind("pipe").Source(t)
		fill := s.Fill
		s.Share = func(p []byte) func([]byte) {
			fill(p)
			return func([]byte) {}
		}
		return s
	}})
}

func pathPool(t testing.TB) *worker.Pool {
	pool := worker.NewPool(4, t.TempDir(), nil)
	t.Cleanup(pool.Close)
	return pool
}

func TestRunPathsKeepsTheOrderOfItsList(t *testing.T) {
	t.Parallel()
	list := Paths("linux")
	heard := 0
	results, err := RunPaths(context.Background(), pathPool(t), list, func(PathResult) { heard++ })
	require.NoError(t, err)
	require.Len(t, results, len(list))
	assert.Len(t, list, heard)
	for i, r := range results {
		assert.Equal(t, list[i].Facility+list[i].Source+list[i].Destination, r.Facility+r.Source+r.Destination)
	}
}

func TestRunPathsReturnsWhatItHasWhenItIsStopped(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	results, err := RunPaths(ctx, pathPool(t), Paths("linux"), nil)
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, results)
}

func TestHangAndCrashAreResults(t *testing.T) {
	t.Parallel()
	pool := pathPool(t)
	hang := attempt{Path: Path{"test-hang", "file", "file"}}
	got, err := hang.ask(context.Background(), pool, 100*time.Millisecond)
	require.NoError(t, err)
	assert.Equal(t, PathTimeout, got.Errno)
	crash := attempt{Path: Path{"test-crash", "file", "file"}}
	got, err = crash.ask(context.Background(), pool, deadline)
	require.NoError(t, err)
	assert.Equal(t, PathCrashed, got.Errno)
	assert.Contains(t, got.Note, "exit status 7")
	assert.False(t, got.Works)
}

// tryOn tries a path on a kernel of the test's, in this process.
func tryOn(t *testing.T, kernel *sys.Kernel, facility, source, destination string) answer {
	t.Helper()
	return attempt{Path: Path{facility, source, destination}}.try(kernel, t.TempDir())
}

func TestThisKernelSharesFilesWithSockets(t *testing.T) {
	t.Parallel()
	for _, source := range []string{"file", "memfd"} {
		for _, destination := range []string{"tcp", "unix"} {
			got := tryOn(t, sys.Native(), "sendfile", source, destination)
			assert.True(t, got.Works && got.BytesRight, "%+v", got)
			assert.Equal(t, fixture.ByReference, got.Witness, "%+v", got)
		}
	}
}

func TestTamperedKernelsAreSeen(t *testing.T) {
	t.Parallel()
	native := sys.Native()
	// through moves bytes by way of this process, changed on their way.
	through := func(out, in, count int, change func([]byte)) (int, sys.Errno) {
		p := make([]byte, count)
		n, errno := native.Read(in, p)
		if errno != 0 {
			return n, errno
		}
		change(p[:n])
		return native.Write(out, p[:n])
	}
	unchanged := func([]byte) {}
	sendfile := func(f func(out, in, count int) (int, sys.Errno)) *sys.Kernel {
		k := sys.Native()
		k.Sendfile = func(out, in int, _ *int64, count int) (int, sys.Errno) { return f(out, in, count) }
		return k
	}
	splice := func(f func(in, out, count int) (int, sys.Errno)) *sys.Kernel {
		k := sys.Native()
		k.Splice = func(in int, _ *int64, out int, _ *int64, count, _ int) (int, sys.Errno) { return f(in, out, count) }
		return k
	}
	tests := map[string]struct {
		kernel  *sys.Kernel
		path    Path
		works   bool
		errno   string
		right   bool
		witness fixture.Witness
	}{
		"sendfile copies": {
			sendfile(func(out, in, count int) (int, sys.Errno) { return through(out, in, count, unchanged) }),
			Path{"sendfile", "file", "tcp"}, true, "", true, fixture.Copied,
		},
		"sendfile copies into a pipe": {
			sendfile(func(out, in, count int) (int, sys.Errno) { return through(out, in, count, unchanged) }),
			Path{"sendfile", "file", "pipe"}, true, "", true, fixture.Copied,
		},
		"sendfile copies every second page": {
			sendfile(func(out, in, count int) (int, sys.Errno) {
				page := os.Getpagesize()
				at, _ := native.Seek(in, 0, 1)
				if at/int64(page)%2 == 0 {
					return through(out, in, min(count, page), unchanged)
				}
				return native.Sendfile(out, in, nil, min(count, page))
			}),
			Path{"sendfile", "file", "tcp"}, true, "", true, fixture.Mixed,
		},
		"sendfile changes a byte": {
			sendfile(func(out, in, count int) (int, sys.Errno) {
				return through(out, in, count, func(p []byte) { p[len(p)-1] ^= 1 })
			}),
			Path{"sendfile", "file", "tcp"}, true, "", false, fixture.NotWitnessed,
		},
		"sendfile is refused": {
			sendfile(func(_, _, _ int) (int, sys.Errno) { return -1, syscall.EPERM }),
			Path{"sendfile", "file", "tcp"}, false, "EPERM", false, fixture.NotWitnessed,
		},
		"sendfile stops early": {
			sendfile(func(out, in, count int) (int, sys.Errno) {
				if count < ordinarySize {
					return 0, 0
				}
				return native.Sendfile(out, in, nil, 100)
			}),
			Path{"sendfile", "file", "unix"}, false, "", false, fixture.NotWitnessed,
		},
		"a relay copies": {
			splice(func(in, out, count int) (int, sys.Errno) { return through(out, in, min(count, 16<<10), unchanged) }),
			Path{"splice", "tcp", "tcp"}, true, "", true, fixture.Copied,
		},
		"the second half of a relay fails": {
			splice(func(in, out, count int) (int, sys.Errno) {
				if _, errno := sys.TypeOf(out); errno == 0 {
					return -1, syscall.EOPNOTSUPP
				}
				return native.Splice(in, nil, out, nil, count, 0)
			}),
			Path{"splice", "tcp", "tcp"}, false, sys.ErrnoName(syscall.EOPNOTSUPP), false, fixture.NotWitnessed,
		},
		"the source held copies already": {
			native, Path{"splice", "test-copied", "pipe"}, true, "", true, fixture.NotWitnessed,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := tryOn(t, test.kernel, test.path.Facility, test.path.Source, test.path.Destination)
			assert.Equal(t, PathResult{
				test.path.Facility, test.path.Source, test.path.Destination,
				test.works, test.errno, test.right, test.witness, "",
			}, got.PathResult, got.Note)
		})
	}
}

func TestCopyingVmspliceAndTeeAreSeen(t *testing.T) {
	t.Parallel()
	native := sys.Native()
	k := sys.Native()
	k.Vmsplice = func(fd int, buffers [][]byte, _ int) (int, sys.Errno) { return native.Write(fd, buffers[0]) }
	assert.Equal(t, fixture.Copied, tryOn(t, k, "vmsplice", "memory", "pipe").Witness)
	assert.Equal(t, fixture.Copied, tryOn(t, k, "vmsplice", "memory", "tcp").Witness)
	assert.Equal(t, fixture.ByReference, tryOn(t, native, "vmsplice", "memory", "tcp").Witness)
	k.Tee = func(in, out, count, _ int) (int, sys.Errno) {
		p := make([]byte, count)
		n, errno := native.Read(in, p)
		if errno != 0 {
			return n, errno
		}
		return native.Write(out, p[:n])
	}
	assert.Equal(t, fixture.Copied, tryOn(t, k, "tee", "pipe", "pipe").Witness)
}

func TestSetUpThatFailsSaysNothingOfTheCall(t *testing.T) {
	t.Parallel()
	got := attempt{Path: Path{"sendfile", "file", "tcp"}}.try(sys.Native(), "/nonexistent")
	assert.Equal(t, PathSetUp, got.Errno)
	assert.False(t, got.Works)
	assert.Contains(t, got.Note, "no such file or directory")
}

func BenchmarkPaths(b *testing.B) {
	for b.Loop() {
		pool := worker.NewPool(4, b.TempDir(), nil)
		if _, err := RunPaths(context.Background(), pool, Paths("linux"), nil); err != nil {
			b.Fatal(err)
		}
		pool.Close()
	}
}
