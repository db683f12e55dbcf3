package probe

import (
	"context"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

var blocks sync.Mutex

// pair tries a pair of the grid on a kernel of the test's, in this process.
func pair(t *testing.T, kernel *sys.Kernel, facility, source, destination string) answer {
	t.Helper()
	if source == "block" || destination == "block" { // a process has one to read and one to write
		blocks.Lock()
		defer blocks.Unlock()
	}
	got, back := attempt{Path: Path{facility, source, destination}, Nonblock: true}.watched(kernel, t.TempDir())
	require.True(t, back, "%+v", got)
	return got
}

func TestGridIsEveryPairOnce(t *testing.T) {
	t.Parallel()
	list := Grid("linux")
	assert.True(t, slices.IsSortedFunc(list, comparePaths))
	assert.Equal(t, list, slices.Compact(slices.Clone(list)))
	sources, destinations := GridEnds()
	assert.Len(t, list, len(sources)*len(destinations)*len(GridFacilities()))
	for _, facility := range GridFacilities() {
		assert.NotNil(t, mover(facility), facility)
	}
	assert.Empty(t, Grid("plan9"))
}

// What the manual pages and the kernel say of pairs, for every release from
// 5.10 on.
func TestGridAgreesWithItsSources(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		facility, source, destination, errno string
		witness                              fixture.Witness
		says                                 string
	}{
		{"splice", "file", "pipe", "", fixture.ByReference, "splice(2), DESCRIPTION; filemap_splice_read (generic_file_splice_read before 6.5)"},
		{"splice", "pipe", "tcp", "", fixture.ByReference, "splice_to_socket (generic_splice_sendpage before 6.5)"},
		{"splice", "pipe", "null", "", fixture.KernelOnly, "splice_write_null in drivers/char/mem.c"},
		{"sendfile", "file", "tcp", "", fixture.ByReference, "sendfile(2), DESCRIPTION"},
		{"sendfile", "block", "tcp", "", fixture.ByReference, "splice_direct_to_actor takes S_ISBLK"},
		{"sendfile", "file", "append", "EINVAL", "", "do_splice_direct: out->f_flags & O_APPEND"},
		{"splice", "pipe", "append", "EINVAL", "", "splice(2), ERRORS: the target file is opened in append mode"},
		{"copy_file_range", "file", "append", "EBADF", "", "copy_file_range(2), ERRORS: the O_APPEND flag is set"},
		{"sendfile", "tcp", "file", "EINVAL", "", "sendfile(2): in_fd cannot be a socket"},
		{"sendfile", "pipe", "file", "EINVAL", "", "splice_direct_to_actor: neither S_ISREG nor S_ISBLK, no FMODE_LSEEK"},
		{"sendfile", "directory", "tcp", "EINVAL", "", "a directory has no splice_read"},
		{"copy_file_range", "directory", "file", "EISDIR", "", "copy_file_range(2), ERRORS"},
		{"copy_file_range", "file", "directory", "EISDIR", "", "copy_file_range(2), ERRORS"},
		{"copy_file_range", "pipe", "file", "EINVAL", "", "copy_file_range(2), ERRORS: not a regular file"},
		{"copy_file_range", "zero", "file", "EINVAL", "", "copy_file_range(2), ERRORS: not a regular file"},
		{"copy_file_range", "file", "tcp", "EINVAL", "", "copy_file_range(2), ERRORS: not a regular file"},
		{"sendfile", "o-path", "tcp", "EBADF", "", "open(2), O_PATH"},
		{"splice", "o-path", "pipe", "EBADF", "", "open(2), O_PATH"},
		{"copy_file_range", "file", "o-path", "EBADF", "", "open(2), O_PATH"},
		{"sendfile", "file-wronly", "tcp", "EBADF", "", "sendfile(2), ERRORS"},
		{"sendfile", "file", "file-rdonly", "EBADF", "", "sendfile(2), ERRORS"},
		{"copy_file_range", "file-wronly", "file", "EBADF", "", "copy_file_range(2), ERRORS"},
		{"copy_file_range", "file", "file-rdonly", "EBADF", "", "copy_file_range(2), ERRORS"},
		{"sendfile", "file", "memfd-sealed", "EPERM", "", "fcntl(2), F_SEAL_WRITE"},
		{"splice", "epoll", "pipe", "EINVAL", "", "splice(2), ERRORS: the target does not support splicing"},
		{"splice", "pipe", "epoll", "EINVAL", "", "splice(2), ERRORS: the target does not support splicing"},
		{"sendfile", "proc-mem", "tcp", "EINVAL", "", "proc_mem_operations has no splice_read; commit 36e2c7421f02"},
		{"splice", "pipe", "full", "EINVAL", "", "full_fops has write and no splice_write; commit 36e2c7421f02"},
	} {
		t.Run(test.facility+"."+test.source+"."+test.destination, func(t *testing.T) {
			t.Parallel()
			got := pair(t, sys.Native(), test.facility, test.source, test.destination)
			if got.Errno == PathSetUp {
				t.Skip(got.Reason) // a loop device takes privilege
			}
			assert.Equal(t, test.errno, got.Errno, test.says)
			assert.Equal(t, test.errno == "", got.Works && got.BytesRight, test.says)
			if test.witness != "" {
				assert.Equal(t, test.witness, got.Witness, test.says)
			}
		})
	}
}

// Every end that is said to hold or take bytes does, by read(2) and write(2): a
// refusal of the grid is the call's, not the fixture's.
func TestReadAndWriteReachEveryEnd(t *testing.T) {
	t.Parallel()
	mute := []string{"directory", "o-path", "epoll", "pidfd", "io_uring"}
	noSource := append([]string{"file-wronly"}, mute...)
	noSink := append([]string{"file-rdonly", "memfd-sealed", "memfd-huge", "full", "timerfd", "signalfd", "inotify"}, mute...)
	control := func(source, destination string) {
		t.Run(source+"."+destination, func(t *testing.T) {
			t.Parallel()
			got := pair(t, sys.Native(), readWrite, source, destination)
			if got.Errno == PathSetUp {
				t.Skip(got.Reason)
			}
			if slices.Contains(noSource, source) || slices.Contains(noSink, destination) {
				assert.False(t, got.Works, "%+v", got)
				return
			}
			assert.True(t, got.Works && got.BytesRight, "%+v", got)
			assert.Equal(t, fixture.Copied, got.Witness, "%+v", got)
		})
	}
	sources, destinations := GridEnds()
	for _, source := range sources {
		if source == "test-copied" {
			continue
		}
		for _, destination := range []string{"file", "tcp", "pipe"} {
			control(source, destination)
		}
	}
	for _, destination := range destinations {
		control("memory", destination)
	}
	control("timerfd", "eventfd")
}

func TestTamperedPairsAreSeen(t *testing.T) {
	t.Parallel()
	native := sys.Native()
	reading := func(change func([]byte)) func(in int, _ *int64, out int, _ *int64, count, _ int) (int, sys.Errno) {
		return func(in int, _ *int64, out int, _ *int64, count, _ int) (int, sys.Errno) {
			p := make([]byte, count)
			n, errno := native.Read(in, p)
			if errno != 0 || n == 0 {
				return n, errno
			}
			change(p[:n])
			return native.Write(out, p[:n])
		}
	}
	for name, test := range map[string]struct {
		splice              func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno)
		source, destination string
		works               bool
		errno               string
		right               bool
		witness             fixture.Witness
	}{
		"a file is copied on its way": {
			reading(func([]byte) {}), "file-deleted", "pipe", true, "", true, fixture.Copied,
		},
		"a message arrives with a wrong byte": {
			reading(func(p []byte) { p[len(p)/2]++ }), "unix-seqpacket", "tcp", true, "", false, fixture.NotWitnessed,
		},
		"zeros are not zero": {
			reading(func(p []byte) { p[0] = 1 }), "zero", "pipe", true, "", false, fixture.NotWitnessed,
		},
		"random bytes are zeros": {
			reading(func(p []byte) { clear(p) }), "urandom", "pipe", true, "", false, fixture.NotWitnessed,
		},
		"a signal is another": {
			reading(func(p []byte) { clear(p) }), "signalfd", "pipe", true, "", false, fixture.NotWitnessed,
		},
		"a file without a hole is read for one with": {
			reading(func(p []byte) { p[len(p)-1] = 7 }), "file-sparse", "pipe", true, "", false, fixture.NotWitnessed,
		},
		"a sealed file is changed on its way": {
			reading(func(p []byte) { p[1]++ }), "memfd-sealed", "pipe", true, "", false, fixture.NotWitnessed,
		},
		"the end of a file is said to be bytes": {
			func(_ int, _ *int64, _ int, _ *int64, count, _ int) (int, sys.Errno) { return count, 0 },
			"null", "pipe", false, "", false, fixture.NotWitnessed,
		},
		"a directory is said to be bytes": {
			func(_ int, _ *int64, _ int, _ *int64, count, _ int) (int, sys.Errno) { return count, 0 },
			"directory", "pipe", false, "", false, fixture.NotWitnessed,
		},
		"a socket that has bytes is said to have none": {
			func(int, *int64, int, *int64, int, int) (int, sys.Errno) { return -1, syscall.EAGAIN },
			"tcp", "pipe", false, "EAGAIN", false, fixture.NotWitnessed,
		},
		"a lack of memory says nothing of the pair": {
			func(int, *int64, int, *int64, int, int) (int, sys.Errno) { return -1, syscall.ENOMEM },
			"file", "pipe", false, PathSetUp, false, fixture.NotWitnessed,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kernel := sys.Native()
			kernel.Splice = test.splice
			got := pair(t, kernel, "splice", test.source, test.destination).PathResult
			got.Reason = ""
			assert.Equal(t, PathResult{"splice", test.source, test.destination, test.works, test.errno, test.right, test.witness, ""}, got)
		})
	}
}

// An end that has nothing says so, where a call that waits would wait for ever.
func TestWhatWouldWaitSaysEAGAIN(t *testing.T) {
	t.Parallel()
	kernel := sys.Native()
	kernel.Splice = func(in int, _ *int64, out int, _ *int64, count, flags int) (int, sys.Errno) {
		p := make([]byte, count)
		for { // takes out what the source holds, and asks once more
			if n, errno := sys.Native().Read(in, p); n <= 0 {
				return n, errno
			}
		}
	}
	for _, source := range []string{"pipe", "fifo", "tcp", "unix", "udp", "unix-dgram", "unix-seqpacket", "netlink", "pty", "eventfd", "timerfd", "signalfd", "inotify"} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			got := pair(t, kernel, "splice", source, "pipe")
			assert.Equal(t, "EAGAIN", got.Errno, "%+v", got)
		})
	}
}

func TestGridGoesOnAfterAHangAndACrash(t *testing.T) {
	t.Parallel()
	pairs := []Path{
		{"splice", "file", "pipe"}, {"test-wait", "file", "file"}, {"test-wait", "file", "pipe"},
		{"test-crash", "file", "file"}, {"test-crash", "file", "pipe"}, {"sendfile", "directory", "tcp"},
	}
	began, heard := time.Now(), 0
	got, err := RunGrid(context.Background(), pathPool(t), pairs, func(PathResult) { heard++ })
	require.NoError(t, err)
	assert.Len(t, pairs, heard)
	var words []string
	for i, r := range got {
		assert.Equal(t, pairs[i], r.path())
		words = append(words, r.Errno)
	}
	assert.Equal(t, []string{"", PathTimeout, PathTimeout, PathCrashed, PathCrashed, "EINVAL"}, words)
	assert.Less(t, time.Since(began), pairLimit, "a call that waits costs its own time only")
}

func TestGridStopsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	got, err := RunGrid(ctx, pathPool(t), Grid("linux"), nil)
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, got)
}

func TestReasonsNameNoPrivateFile(t *testing.T) {
	t.Parallel()
	first := attempt{Path: Path{"sendfile", "file", "tcp"}, Nonblock: true}.try(sys.Native(), "/nonexistent/a")
	second := attempt{Path: Path{"sendfile", "file", "tcp"}, Nonblock: true}.try(sys.Native(), "/nonexistent/b")
	assert.NotEmpty(t, first.Reason)
	assert.Equal(t, first.Reason, second.Reason)
	assert.Contains(t, first.Reason, "no such file or directory")
}

func TestMergePrefersThePaths(t *testing.T) {
	t.Parallel()
	path := PathResult{Facility: "sendfile", Source: "file", Destination: "tcp", Works: true}
	same, other := path, path
	same.Works, other.Destination = false, "append"
	assert.Equal(t, []PathResult{other, path}, Merge([]PathResult{path}, []PathResult{other, same}))
}
