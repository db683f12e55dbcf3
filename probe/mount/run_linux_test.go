package mount

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/internal/worker"
)

func runner(t *testing.T, lie string) *Runner {
	scratch := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(scratch, "lie"), []byte(lie), 0o600))
	pool := worker.NewPool(8, scratch, nil)
	t.Cleanup(pool.Close)
	return &Runner{Pool: pool, Scratch: scratch, Timeout: 3 * time.Second}
}

func TestACallThatHangsIsNamedAndTheRestGoesOn(t *testing.T) {
	t.Parallel()
	dir := memory(t)
	result, err := runner(t, "sendfile hangs").Check(t.Context(), []string{dir})
	require.NoError(t, err)
	r := result.Mounts[0]
	assert.Equal(t, Wrong, r.Verdict)
	assert.Equal(t, WayTimeout, r.Way("sendfile").State)
	assert.Equal(t, "sendfile(2) to a socket did not return within 3s, with a file that was read before", r.Way("sendfile").Why)
	assert.Equal(t, WayRight, r.Way("splice").State)
	assert.Equal(t, WayRight, r.Way("copy_file_range").State)
	empty(t, dir)
}

func TestACallThatKillsIsNamedAndTheRestGoesOn(t *testing.T) {
	t.Parallel()
	dir := memory(t)
	result, err := runner(t, "splice dies").Check(t.Context(), []string{dir})
	require.NoError(t, err)
	r := result.Mounts[0]
	assert.Equal(t, WayCrashed, r.Way("splice").State)
	assert.Contains(t, r.Way("splice").Why, "splice(2) to a pipe: exit status 7")
	assert.Equal(t, WayRight, r.Way("sendfile").State)
	empty(t, dir)
}

func TestAMountThatDoesNotAnswerIsUntried(t *testing.T) {
	t.Parallel()
	dir := memory(t)
	result, err := runner(t, "read hangs").Check(t.Context(), []string{dir})
	require.NoError(t, err)
	assert.Equal(t, Untried, result.Mounts[0].Verdict)
	assert.Contains(t, result.Mounts[0].Why, "pread(2) did not return within 3s")
	empty(t, dir)
}

func TestInterruptedLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := memory(t)
	ctx, cancel := context.WithCancel(t.Context())
	r := runner(t, "sendfile hangs")
	r.Timeout = time.Minute
	go func() {
		for entries, _ := os.ReadDir(dir); len(entries) == 0; entries, _ = os.ReadDir(dir) {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	_, err := r.Check(ctx, []string{dir})
	require.ErrorIs(t, err, context.Canceled)
	empty(t, dir)

	ctx, cancel = context.WithCancel(t.Context())
	go func() {
		for {
			if _, err := os.Stat(filepath.Join(dir, StateName)); err == nil {
				cancel()
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	_, _, err = r.Prepare(ctx, dir, "")
	require.ErrorIs(t, err, context.Canceled)
	empty(t, dir)
}

func empty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, entries)
}

func TestPathsThatAreNoGood(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fifo, socket := filepath.Join(dir, "fifo"), filepath.Join(dir, "socket")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	require.NoError(t, err)
	defer syscall.Close(fd)
	require.NoError(t, syscall.Bind(fd, &syscall.SockaddrUnix{Name: socket}))
	for path, want := range map[string]string{
		dir + "/none":       "no such file or directory",
		fifo:                "is a FIFO",
		socket:              "is a socket",
		"/dev/null":         "is a device",
		"/proc":             "the kernel makes its files up",
		"/proc/self/status": "the kernel makes its files up",
	} {
		_, err := runner(t, "").Check(t.Context(), []string{path})
		var wrong *InputError
		require.ErrorAs(t, err, &wrong, path)
		assert.Contains(t, err.Error(), path)
		assert.Contains(t, err.Error(), want)
	}
}

// A directory that a link has taken the place of is not the one that was made.
func TestALinkIsNotFollowed(t *testing.T) {
	t.Parallel()
	dir, victim := t.TempDir(), t.TempDir()
	p, err := newPlace(dir, privateName+"x")
	require.NoError(t, err)
	require.NoError(t, os.Rename(filepath.Join(dir, p.name), filepath.Join(dir, "aside")))
	require.NoError(t, os.Symlink(victim, filepath.Join(dir, p.name)))
	require.Error(t, p.same())
	file, _, err := p.create()
	require.NoError(t, err)
	file.Close()
	empty(t, victim)
	assert.FileExists(t, filepath.Join(dir, "aside", "file-1"))
	require.NoError(t, os.WriteFile(filepath.Join(victim, "file-1"), nil, 0o600))
	require.NoError(t, p.Close())
	assert.FileExists(t, filepath.Join(victim, "file-1"), "the link goes, and not what it leads to")

	// Somebody has put a link where a file is to be made.
	p, err = newPlace(dir, privateName+"y")
	require.NoError(t, err)
	defer p.Close()
	require.NoError(t, os.Symlink(filepath.Join(victim, "new"), filepath.Join(dir, p.name, "file-1")))
	_, _, err = p.create()
	require.ErrorIs(t, err, os.ErrExist)
	assert.NoFileExists(t, filepath.Join(victim, "new"))
}
