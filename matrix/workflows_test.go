package matrix

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// workflows is the files that GitHub Actions reads, by name.
func workflows(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../.github/workflows/*.yml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	texts := map[string]string{}
	for _, file := range append(files, "../action.yml") {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		texts[filepath.Base(file)] = string(text)
	}
	return texts
}

// A tag can be moved to other code, a commit cannot.
func TestActionsArePinnedByCommit(t *testing.T) {
	t.Parallel()
	uses := regexp.MustCompile(`(?m)^ *(?:- )?uses: (.*)$`)
	pinned := regexp.MustCompile(`^[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	byTag := []string{"vmactions/freebsd-vm@v1.5.7"} // the workflow says why
	for name, text := range workflows(t) {
		for _, match := range uses.FindAllStringSubmatch(text, -1) {
			if match[1] == "./" || slices.Contains(byTag, match[1]) {
				continue
			}
			assert.Regexp(t, pinned, match[1], name)
		}
	}
}

// One action has one version everywhere.
func TestActionsHaveOneVersion(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for name, text := range workflows(t) {
		for _, match := range regexp.MustCompile(`uses: ([\w./-]+)@(\S+)`).FindAllStringSubmatch(text, -1) {
			if before, ok := seen[match[1]]; ok {
				assert.Equal(t, before, match[2], "%s in %s", match[1], name)
			}
			seen[match[1]] = match[2]
		}
	}
}

// Jobs that hang are ended, and tokens can do no more than they must.
func TestJobsAreBounded(t *testing.T) {
	t.Parallel()
	for name, text := range workflows(t) {
		if name == "action.yml" {
			continue
		}
		var w struct {
			Permissions map[string]string `yaml:"permissions"`
			Concurrency map[string]any    `yaml:"concurrency"`
			Jobs        map[string]struct {
				Timeout int `yaml:"timeout-minutes"`
				Steps   []struct {
					Uses string         `yaml:"uses"`
					With map[string]any `yaml:"with"`
				} `yaml:"steps"`
			} `yaml:"jobs"`
		}
		require.NoError(t, yaml.Unmarshal([]byte(text), &w), name)
		assert.Equal(t, map[string]string{"contents": "read"}, w.Permissions, name)
		assert.NotEmpty(t, w.Concurrency["group"], name)
		for id, job := range w.Jobs {
			assert.NotZero(t, job.Timeout, "%s: %s", name, id)
			for _, step := range job.Steps {
				if strings.HasPrefix(step.Uses, "actions/checkout@") {
					assert.Equal(t, false, step.With["persist-credentials"], "%s: %s", name, id)
				}
			}
		}
	}
}

// No leg of the plan falls between the steps of the workflow.
func TestEveryLegHasItsStep(t *testing.T) {
	t.Parallel()
	text := workflows(t)["matrix.yml"]
	list, err := Targets()
	require.NoError(t, err)
	legs := GitHubLegs(list)
	require.NotEmpty(t, legs)
	for _, leg := range legs {
		switch {
		case leg.Action != "":
			assert.Contains(t, text, "if: matrix.action == '"+leg.Action+"'", leg.Target)
			assert.Contains(t, text, "uses: "+leg.Action+"@", leg.Target)
		case leg.Driver == ByGitHub, leg.Driver == ByQEMU, leg.Driver == ByUML, leg.Driver == ByExec:
			assert.Contains(t, text, "matrix.driver == '"+string(leg.Driver)+"'", leg.Target)
		default:
			assert.Fail(t, "no step", "%s: %s", leg.Target, leg.Driver)
		}
	}
}

// Every script that a workflow names is there and can be run by hand.
func TestScriptsAreThere(t *testing.T) {
	t.Parallel()
	for name, text := range workflows(t) {
		for _, script := range regexp.MustCompile(`\.github/scripts/[\w-]+\.sh`).FindAllString(text, -1) {
			info, err := os.Stat(filepath.Join("..", script))
			if assert.NoError(t, err, name) {
				assert.NotZero(t, info.Mode()&0o100, script)
			}
		}
	}
}

// CI lints with what .ci/run lints with.
func TestOneVersionOfTheLinter(t *testing.T) {
	t.Parallel()
	run, err := os.ReadFile("../.ci/run")
	require.NoError(t, err)
	match := regexp.MustCompile(`(?m)^lint=(\S+)`).FindSubmatch(run)
	require.NotNil(t, match)
	assert.Contains(t, workflows(t)["ci.yml"], "GOLANGCI_LINT: "+string(match[1])+"\n")
}

// The release is for every port that Go has for the systems of the list.
func TestReleaseHasEveryPort(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "tool", "dist", "list").Output()
	require.NoError(t, err)
	var want []string
	for port := range strings.FieldsSeq(string(out)) {
		if system, arch, _ := strings.Cut(port, "/"); slices.Contains(systems, system) {
			want = append(want, system+"_"+arch)
		}
	}
	text, err := os.ReadFile("../.goreleaser.yaml")
	require.NoError(t, err)
	var release struct {
		Builds []struct {
			Targets []string `yaml:"targets"`
		} `yaml:"builds"`
	}
	require.NoError(t, yaml.Unmarshal(text, &release))
	require.NotEmpty(t, release.Builds)
	var got []string
	for _, target := range release.Builds[0].Targets {
		words := strings.Split(target, "_") // the third is a variant
		got = append(got, words[0]+"_"+words[1])
	}
	assert.ElementsMatch(t, want, got)
}
