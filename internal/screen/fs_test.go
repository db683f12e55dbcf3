package screen

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/probe/mount"
)

func TestMountsShowsWhatIsWrong(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	require.NoError(t, Mounts(&b, mount.Result{Mounts: []mount.Report{{
		Path: "/vagrant", Kind: mount.Directory, Verdict: mount.Wrong,
		Mount: mount.Mount{Type: "vboxsf", Source: "vagrant", Point: "/vagrant", Options: "rw,nodev"},
		Sentences: []string{
			"Do not trust sendfile here.",
			"sendfile is WRONG here: old bytes (4412 of 66647) at offset 3996 of a file that was overwritten in place; plain read is right there.",
			"splice is refused here: EINVAL.",
		},
		Remedies: []string{"turn sendfile off for this folder"},
		Notes:    []string{"Known of vboxsf: \x1b[31m."},
		Ways: []mount.WayReport{
			{Way: "read", Call: "pread(2)", State: mount.WayRight, Compared: 12, Witness: fixture.Copied},
			{Way: "sendfile", Call: "sendfile(2) to a socket", State: mount.WayWrong, Compared: 12, Faults: 3, Witness: fixture.NotWitnessed},
			{Way: "splice", Call: "splice(2) to a pipe", State: mount.WayRefused, Errno: "EINVAL", Refused: []string{"warm", "cold"}},
			{Way: "mmap", Call: "mmap(2), shared", State: mount.WayPartly, Compared: 7, Errno: "ENODEV", Refused: []string{"warm"}, Witness: fixture.ByReference},
			{Way: "direct", Call: "pread(2) with O_DIRECT", State: mount.WayNotApplicable},
		},
		Situations: []mount.SituationReport{
			{Situation: "warm", Words: "was read before", Made: true},
			{Situation: "punched", Words: "has got a hole", Why: "fallocate FALLOC_FL_PUNCH_HOLE says EOPNOTSUPP"},
		},
		Cache: mount.CacheReport{Dropped: "partly", Pages: 100, Cached: 7},
	}, {
		Path: "/mnt/dead", Verdict: mount.Untried, Why: "stat did not return within 20s",
	}}}))
	assert.Equal(t, strings.TrimPrefix(`
/vagrant: vboxsf (vagrant) on /vagrant, rw,nodev
Do not trust sendfile here.
  sendfile is WRONG here: old bytes (4412 of 66647) at offset 3996 of a file that was overwritten in
  place; plain read is right there.
  splice is refused here: EINVAL.

What to do
  → turn sendfile off for this folder

What was tried
  call                     readings  bytes                      really zero-copy
  pread(2)                 12        right                      no, copied
  sendfile(2) to a socket  12        WRONG in 3                 not witnessed
  splice(2) to a pipe      0         refused, EINVAL            -
  mmap(2), shared          7         right, or refused, ENODEV  yes, by reference

Asked of a file that
  was read before.
  not to be had here: one that has got a hole (fallocate FALLOC_FL_PUNCH_HOLE says EOPNOTSUPP)
  The page cache was dropped in part: 7 of 100 pages were still there.

Notes
  - Known of vboxsf: �[31m.

/mnt/dead
Nothing could be learned: stat did not return within 20s.
`, "\n"), b.String())
}
