package mount

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestCompareNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	old, now := make([]byte, 100), make([]byte, 100)
	for i := range now {
		now[i], old[i] = byte(1+i), byte(100+i) // no byte is zero, none is its neighbour
	}
	zeros := make([]byte, 100)
	mixed := slices.Concat(now[:40], old[40:])
	for _, c := range []struct {
		name      string
		got, want []byte
		what      string
		at        int
		differ    int
		shows     string
	}{
		{"all right", now, now, asItShould, -1, 0, "new"},
		{"nothing is due and nothing comes", nil, nil, asItShould, -1, 0, "new"},
		{"stale", old, now, oldBytes, 0, 100, "old"},
		{"stale in part", mixed, now, oldBytes, 40, 60, "mixed"},
		{"stale and as short as it was", old, append(slices.Clone(now), 1, 2, 3), oldBytes, 0, 103, "old"},
		{"stale with the new length", append(slices.Clone(old), 0, 0, 0), append(slices.Clone(now), 1, 2, 3), oldAndZeros, 0, 103, "mixed"},
		{"zeros", zeros, now, zeroBytes, 0, 100, "zeros"},
		{"old and zeros", slices.Concat(old[:50], zeros[:50]), now, oldAndZeros, 0, 100, "mixed"},
		{"another place", now[1:], now[:99], wrongBytes, 0, 99, "other"},
		{"cut", now[:70], now, cutShort, 70, 30, "other"},
		{"nothing", nil, now, silentEnd, 0, 100, "other"},
		{"too many", append(slices.Clone(now), 7), now, tooMany, 100, 1, "other"},
		{"a byte", bytes.Replace(now, now[5:6], []byte{now[5] ^ 1}, 1), now, wrongBytes, bytes.IndexByte(now, now[5]), 1, "other"},
	} {
		d := compare(c.got, c.want, old)
		assert.Equal(t, c.what, d.what, c.name)
		assert.Equal(t, c.at, d.at, c.name)
		assert.Equal(t, c.differ, d.differ, c.name)
		assert.Equal(t, c.shows, shows(c.got, c.want, old), c.name)
	}
}

// A byte that is wrong anywhere near an edge lies in some range of its own.
func TestSpansSurroundEveryEdge(t *testing.T) {
	t.Parallel()
	for _, block := range []int{0, 512, 4096, 65536, 1 << 20} {
		list := spans(70_000, 4096, block, []int64{5000, 9000})
		for _, at := range []int64{0, 4095, 4096, 4999, 5000, 8999, 9000, 69_999} {
			assert.True(t, slices.ContainsFunc(list[1:], func(s span) bool {
				return s.offset <= at && at < s.offset+int64(s.n) && s.n < 25_000
			}), "%d with blocks of %d", at, block)
		}
		assert.True(t, slices.ContainsFunc(list, func(s span) bool { return s.offset >= 70_000 }), "none behind the end")
		for i, s := range list {
			assert.GreaterOrEqual(t, s.offset, int64(0))
			assert.NotContains(t, list[:i], s)
		}
	}
}

func TestFindMountTakesTheLastOfTheLongest(t *testing.T) {
	t.Parallel()
	const mountinfo = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
30 22 0:40 / /srv rw - nfs4 server:/export rw,vers=4.2,hard
31 30 0:41 / /srv/my\040dir rw,nosuid master:3 - fuse.sshfs user@host:/x\134y rw,user_id=0
32 30 0:42 / /srv ro,noatime - tmpfs none rw,size=5k
broken line
`
	for path, want := range map[string]Mount{
		"/etc":            {"ext4", "/dev/sda1", "/", "rw,relatime,errors=remount-ro"},
		"/srvx":           {"ext4", "/dev/sda1", "/", "rw,relatime,errors=remount-ro"},
		"/srv":            {"tmpfs", "none", "/srv", "ro,noatime,rw,size=5k"},
		"/srv/my dir/a/b": {"fuse.sshfs", `user@host:/x\y`, "/srv/my dir", "rw,nosuid,user_id=0"},
	} {
		got, ok := findMount(mountinfo, path)
		assert.True(t, ok)
		assert.Equal(t, want, got, path)
	}
	_, ok := findMount("", "/etc")
	assert.False(t, ok)
}

func TestKnownFilesystems(t *testing.T) {
	t.Parallel()
	for _, fstype := range []string{"vboxsf", "zfs", "cifs", "nfs4", "fuse.sshfs", "fuse.glusterfs", "9p"} {
		assert.NotEmpty(t, knownOf(fstype), fstype)
	}
	assert.Contains(t, knownOf("fuse.glusterfs"), "gluster/glusterfs#1223", "the closest one counts")
	assert.Empty(t, knownOf("ext4"))
	assert.True(t, shared("fuse.sshfs"))
	assert.False(t, shared("xfs"))
}
