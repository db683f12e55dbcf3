package screen

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/cases"
	"github.com/zcprobe/zcprobe/cases/catalog"
)

func TestCoverageShowsRowsReasonsAndNumbers(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	require.NoError(t, Coverage(&out, cases.Coverage{
		Groups:  []cases.GroupCoverage{{Group: catalog.Linux, Rows: 4, Covered: 1}},
		Covered: []cases.CoveredRow{{ID: "linux/a/b", Group: catalog.Linux, Cases: []string{"linux/x/y", "linux/x/z"}}},
		Uncovered: []cases.UncoveredRow{
			{ID: "linux/a/c", Group: catalog.Linux, Kind: catalog.NotYet, Why: "nobody has"},
			{ID: "aix/a", Group: catalog.Other, Kind: catalog.OtherSystem, Why: "AIX", Under: "aix/"},
			{ID: "aix/b", Group: catalog.Other, Kind: catalog.OtherSystem, Why: "AIX", Under: "aix/"},
		},
	}))
	assert.Regexp(t, `linux/a/b +linux/x/y, linux/x/z\n`, out.String())
	assert.Regexp(t, `Not covered: not-yet\n +linux/a/c +nobody has\n`, out.String())
	assert.Regexp(t, `Not covered: other-system\n +aix/ \(2 rows\) +AIX\n`, out.String())
	assert.Regexp(t, `linux +1 +4 +25 %\n`, out.String())
	assert.NotContains(t, out.String(), "no reason given")
}
