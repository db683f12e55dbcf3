package probe

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/internal/fixture"
)

func explain(t *testing.T, source, destination string) Explanation {
	t.Helper()
	x, err := Explain(context.Background(), pathPool(t), source, destination)
	require.NoError(t, err)
	_, err = json.Marshal(x)
	require.NoError(t, err)
	return x
}

func TestExplainKinds(t *testing.T) {
	t.Parallel()
	x := explain(t, "file", "tcp")
	assert.Equal(t, ZeroCopyYes, x.ZeroCopy)
	assert.Equal(t, "sendfile(2)", x.Call)
	assert.Equal(t, "Yes: sendfile(2) moves bytes from a regular file to a TCP connection without a copy here.", x.Sentences[0])
	assert.Equal(t, fixture.Copied, x.way(readWrite).Witness)
	assert.Equal(t, "it duplicates what is in a pipe into another pipe only", x.way("tee").Why)
	assert.False(t, x.way("tee").Tried)

	x = explain(t, "unix", "unix")
	assert.Equal(t, "splice(2) through a pipe", x.Call)
	assert.Equal(t, "EINVAL", x.way("sendfile").Errno)
	assert.Contains(t, x.GoCopy, userSpace)

	x = explain(t, "file", "append")
	assert.Equal(t, ZeroCopyNo, x.ZeroCopy)
	assert.Empty(t, x.Call)
	assert.Contains(t, x.Sentences, "copy_file_range(2) was refused: EBADF.")
}

func TestExplainLeavesTheUsersFilesAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	source, sink := filepath.Join(dir, "source"), filepath.Join(dir, "sink")
	require.NoError(t, os.WriteFile(source, fixture.Pattern(7, 100_000), 0o600))
	require.NoError(t, os.WriteFile(sink, []byte("mine"), 0o600))
	before, err := os.Stat(sink)
	require.NoError(t, err)

	x := explain(t, source, "tcp")
	assert.Equal(t, "file", x.Source.Kind)
	assert.NotEmpty(t, x.Source.Filesystem)
	assert.True(t, x.way("sendfile").Good())
	assert.NotEqual(t, fixture.NotWitnessed, x.way("sendfile").Witness, x.way("sendfile").Why)

	x = explain(t, source, sink)
	assert.True(t, x.way("sendfile").Good(), x.way("sendfile").Why)

	after, err := os.Stat(sink)
	require.NoError(t, err)
	assert.Equal(t, before.ModTime(), after.ModTime())
	content, err := os.ReadFile(source)
	require.NoError(t, err)
	assert.Equal(t, fixture.Right, fixture.Compare(content, fixture.Pattern(7, 100_000)))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 2, "something was left behind")
}

func TestExplainOpensNoFIFOAndNoSocket(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fifo, socket := filepath.Join(dir, "fifo"), filepath.Join(dir, "socket")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	listener, err := net.Listen("unix", socket)
	require.NoError(t, err)
	accepted := make(chan error, 1)
	go func() {
		_, err := listener.Accept()
		accepted <- err
	}()
	x := explain(t, fifo, "unix:"+socket) // an open of the FIFO would wait for ever
	assert.Equal(t, "pipe", x.Source.Kind)
	assert.Equal(t, "unix", x.Destination.Kind)
	assert.Equal(t, "unix", explain(t, "file", socket).Destination.Kind)
	listener.Close()
	assert.ErrorIs(t, <-accepted, net.ErrClosed)
}

func TestExplainKnowsPseudoFilesAndDevices(t *testing.T) {
	t.Parallel()
	x := explain(t, "/proc/cpuinfo", "/dev/null")
	assert.Equal(t, "proc", x.Source.Kind)
	assert.Equal(t, "null", x.Destination.Kind)
	assert.Equal(t, "zero", explain(t, "/dev/zero", "pipe").Source.Kind)
	x = explain(t, "/dev/tty", "tcp")
	assert.Equal(t, "device", x.Source.Kind)
	assert.Equal(t, ZeroCopyUnknown, x.ZeroCopy)
	for _, w := range x.Ways {
		assert.False(t, w.Tried)
		assert.NotEmpty(t, w.Why)
	}
}

func TestExplainMissingPaths(t *testing.T) {
	t.Parallel()
	for _, given := range []string{"./nowhere/file", "unix:/nowhere", "unix:nowhere"} {
		_, err := Explain(context.Background(), nil, "file", given)
		require.ErrorContains(t, err, "no such file or directory; kinds of destination: append, block, ", given)
	}
}

func TestExplainEmptyFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "empty")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	x := explain(t, path, "tcp")
	assert.True(t, x.way("sendfile").Good())
	assert.Contains(t, strings.Join(x.Notes, "\n"), path+" is empty")
}

func TestExplainSaysWhyNothingWasWitnessed(t *testing.T) {
	t.Parallel()
	source := filepath.Join(t.TempDir(), "source")
	require.NoError(t, os.WriteFile(source, fixture.Pattern(7, 5000), 0o600))
	err := place(source, "/nonexistent")
	require.ErrorContains(t, err, "no file can be made in /nonexistent (no such file or directory)")
	err = place(source, "/proc")
	require.Error(t, err)
	a := attempt{Path: Path{"sendfile", "file", "tcp"}, SourceFile: source, Unshared: "because"}
	got, err := a.ask(context.Background(), pathPool(t), deadline)
	require.NoError(t, err)
	assert.True(t, got.Works && got.BytesRight)
	assert.Equal(t, fixture.NotWitnessed, got.Witness)
	assert.Equal(t, "because", got.Note)
}
