package mount

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// on mounts a filesystem for this test's thread alone, and makes a directory in
// it.
func on(t *testing.T, fstype, options string) string {
	p := placeOf(t, fstype, options)
	dir := p.TempDir() + "/dir"
	require.NoError(t, os.Mkdir(dir, 0o700))
	return dir
}

func placeOf(t *testing.T, fstype, options string) *fixture.Place {
	t.Helper()
	p, err := fixture.Mount(t, fstype, options)
	if errors.Is(err, fixture.ErrNoPlace) || errors.Is(err, fixture.ErrNoPrivilege) {
		t.Skip(err)
	}
	require.NoError(t, err)
	return p
}

func TestFilesystemsOfThisKernel(t *testing.T) {
	t.Parallel()
	for fstype, shares := range map[string]fixture.Witness{
		"tmpfs":   fixture.KernelOnly, // it has no FIEMAP
		"ext4":    fixture.Copied,
		"xfs":     fixture.ByReference,
		"btrfs":   fixture.ByReference,
		"overlay": "", // that of what lies below
	} {
		t.Run(fstype, func(t *testing.T) {
			t.Parallel()
			dir := on(t, fstype, "")
			r := asked(t, dir, nil)
			assert.Equal(t, Right, r.Verdict, "%s\n%+v", strings.Join(r.Sentences, "\n"), r.Ways)
			assert.Equal(t, fstype, sys.FilesystemName(dir))
			for _, way := range []string{"read", "sendfile", "splice", "copy_file_range", "mmap", "lseek"} {
				assert.Equal(t, WayRight, r.Way(way).State, way)
			}
			for _, way := range []string{"sendfile", "splice"} {
				assert.Equal(t, fixture.ByReference, r.Way(way).Witness, way)
			}
			if shares != "" {
				assert.Equal(t, shares, r.Way("copy_file_range").Witness)
			}
			for _, s := range r.Situations {
				assert.True(t, s.Made, "%s: %s", s.Situation, s.Why)
			}
			if fstype == "tmpfs" || fstype == "overlay" { // the latter on the former
				assert.Equal(t, "no", r.Cache.Dropped, "its files are the cache")
			} else {
				assert.Contains(t, []string{"yes", "partly"}, r.Cache.Dropped)
				assert.Less(t, r.Cache.Cached, r.Cache.Pages/4)
			}
		})
	}
}

func look1(t *testing.T, path string) outcome {
	return task{Do: "check", Path: path, Private: privateName + random()}.run(sys.Native(), t.TempDir(), func(step) {})
}

func TestReadOnlyMount(t *testing.T) {
	t.Parallel()
	p := placeOf(t, "tmpfs", "")
	file := p.TempDir() + "/file"
	require.NoError(t, os.WriteFile(file, fixture.Pattern(1, 50_000), 0o600))
	p.ReadOnly()
	assert.Equal(t, p.TempDir()+": cannot be written into (read-only file system): name a file in it that is there, which is then only read", look1(t, p.TempDir()).Input)
	o := look1(t, file)
	assert.Equal(t, Right, o.Report.Verdict, "%+v", o)
}

func TestNoRoom(t *testing.T) {
	t.Parallel()
	dir := on(t, "tmpfs", "size=64k")
	o := look1(t, dir)
	assert.Empty(t, o.Input)
	assert.Equal(t, "no space left on device: it takes up to 4 MiB of room", o.Why)
	assert.Equal(t, Untried, o.Report.Verdict)
	empty(t, dir)
	o = task{Do: "prepare", Path: dir, Private: privateName + "x", Name: "zcprobe-fs-x", Nonce: "x"}.run(sys.Native(), t.TempDir(), func(step) {})
	assert.Contains(t, o.Why, "no space left on device")
	empty(t, dir)
	dir = on(t, "tmpfs", "nr_inodes=3")
	assert.Contains(t, look1(t, dir).Why, "no space left on device")
	empty(t, dir)
}
