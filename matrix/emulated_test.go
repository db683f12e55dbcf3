package matrix

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/cases"
)

// What is known of an emulator is known of the version that the matrix runs: who
// changes the pin looks at the links again.
func TestKnownOfTheVersionsThatRun(t *testing.T) {
	t.Parallel()
	targets, err := Targets()
	require.NoError(t, err)
	var runs []string // modules and versions of the emulators
	for _, target := range targets {
		runs = append(runs, target.Module)
		if target.Driver == ByExec && target.Package != nil {
			for _, pin := range target.Package.Pinned {
				runs = append(runs, pin.Name+" v"+pin.Version[strings.IndexByte(pin.Version, ':')+1:])
			}
		}
	}
	link := regexp.MustCompile(`^https://(?:github\.com/google/gvisor/blob|gitlab\.com/qemu-project/qemu/-/blob)/([^/]+)/`)
	found := 0
	for _, c := range cases.All("") {
		for _, x := range c.Expect {
			if m := link.FindStringSubmatch(x.Known); m != nil {
				found++
				assert.Contains(t, strings.Join(runs, "\n"), m[1], c.ID)
			}
		}
	}
	assert.NotZero(t, found)
}
