package guest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/cavaliergopher/cpio"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestImageHoldsWhatAGuestNeeds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program, tests := filepath.Join(dir, "zcprobe"), filepath.Join(dir, "zerocopy.test")
	require.NoError(t, os.WriteFile(program, []byte("\x7fELF program"), 0o600))
	require.NoError(t, os.WriteFile(tests, []byte("\x7fELF tests"), 0o600))
	image := &Image{
		Program: program, Tests: tests, Modules: []Module{{"gcm", []byte("one")}, {"tls", []byte("two")}},
		Job: Job{Run: []string{"run"}, Tests: []string{"-test.v"}, Restart: true},
	}
	var archive bytes.Buffer
	n, err := image.WriteTo(&archive)
	require.NoError(t, err)
	assert.Equal(t, int64(archive.Len()), n)

	contents, modes := map[string]string{}, map[string]cpio.FileMode{}
	for from := cpio.NewReader(&archive); ; {
		h, err := from.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		p, err := io.ReadAll(from)
		require.NoError(t, err)
		contents[h.Name], modes[h.Name] = string(p), h.Mode
	}
	assert.Equal(t, "\x7fELF program", contents["init"])
	assert.Equal(t, cpio.FileMode(cpio.TypeReg|0o755), modes["init"], "the kernel runs it whatever the mode of the file was")
	assert.Equal(t, "\x7fELF tests", contents["zerocopy.test"])
	assert.Equal(t, "two", contents["modules/tls.ko"])
	for _, place := range []string{"proc", "sys", "dev", "run"} {
		assert.Equal(t, cpio.FileMode(cpio.TypeDir|0o755), modes[place], place)
	}
	assert.Equal(t, cpio.FileMode(cpio.TypeDir|cpio.ModeSticky|0o777), modes["tmp"])
	var job Job
	require.NoError(t, json.Unmarshal([]byte(contents["job.json"]), &job))
	assert.Equal(t, []string{"gcm.ko", "tls.ko"}, job.Modules, "in the order to load them")
	assert.True(t, job.Restart)
	assert.Empty(t, image.Job.Modules, "the caller's job is its own")
}

func TestImageWithoutProgram(t *testing.T) {
	t.Parallel()
	_, err := (&Image{Program: filepath.Join(t.TempDir(), "none")}).WriteTo(io.Discard)
	assert.ErrorIs(t, err, os.ErrNotExist)
}

// A process 1 that was not booted as a guest, in a container say, and any
// other process that has the word in its environment go on as they are.
func TestServeLeavesOthersAlone(t *testing.T) {
	t.Setenv(Word, "1")
	Serve()
}
