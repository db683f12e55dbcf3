package debian

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

// mirrors is where the archive and its security updates are.
type mirrors struct{ main, security string }

// mirrors takes the mirror that the caller named, or the one that the host's
// own sources name.
func (a *Archive) mirrors(ctx context.Context) (mirrors, error) {
	if a.Mirror != "" {
		return beside(strings.TrimRight(a.Mirror, "/")), nil
	}
	// This downloads nothing: it prints what an update would download.
	uris, err := exec.CommandContext(ctx, "apt-get", "update", "--print-uris").Output()
	if err != nil {
		return mirrors{}, fmt.Errorf("ask apt-get for this host's mirror: %w", err)
	}
	m, ok := fromSources(string(uris))
	if !ok {
		return m, errors.New("this host's apt sources name no Debian mirror: name one with --mirror")
	}
	return m, nil
}

var release = regexp.MustCompile(`'([^']+)/dists/([a-z]+)(-updates|-security)?/InRelease'`)

// codenames are Debian's suites that a host can be on. A repository of someone
// else can have suites of these names too, but hardly one for updates.
var codenames = []string{"buster", "bullseye", "bookworm", "trixie", "forky", "duke", "sid", "oldoldstable", "oldstable", "stable", "testing", "unstable"}

// fromSources finds Debian's mirror among what an update would download.
func fromSources(uris string) (mirrors, bool) {
	var m mirrors
	updates := false
	for _, match := range release.FindAllStringSubmatch(uris, -1) {
		base, suite, part := match[1], match[2], match[3]
		switch {
		case !slices.Contains(codenames, suite):
		case part == "-security":
			m.security = base
		case m.main == "" || part == "-updates" && !updates:
			m.main, updates = base, part == "-updates"
		}
	}
	if m.main == "" {
		return m, false
	}
	if m.security == "" {
		m.security = beside(m.main).security
	}
	return m, true
}

// beside is the usual layout: debian-security lies beside debian.
func beside(main string) mirrors {
	return mirrors{main, strings.TrimSuffix(main, "/debian") + "/debian-security"}
}
