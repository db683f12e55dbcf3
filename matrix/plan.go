package matrix

import (
	"encoding/json"
	"io"
)

// Leg is one job of a workflow: a target and where it runs.
type Leg struct {
	Target  string `json:"target"`
	System  string `json:"system"`
	Version string `json:"version"`
	Arch    string `json:"arch"`
	Driver  Driver `json:"driver"`
	GitHub
}

// GitHubLegs is the targets that run in GitHub Actions. Every leg has every
// key, so that a workflow's expressions need no defaults.
func GitHubLegs(list []*Target) []Leg {
	legs := []Leg{}
	for _, t := range list {
		if t.GitHub != nil {
			legs = append(legs, Leg{t.ID, t.System, t.Version, t.Arch, t.Driver, *t.GitHub})
		}
	}
	return legs
}

// WriteGitHub writes the legs as the value of a job's strategy.matrix, in one
// line as a step's output must be.
func WriteGitHub(to io.Writer, list []*Target) error {
	return json.NewEncoder(to).Encode(map[string][]Leg{"include": GitHubLegs(list)})
}
