// Package debian fetches packages of the Debian archive with apt, in a private
// directory: the host's own package settings, lists and caches are read at
// most. What is fetched is one of two things: a package whose SHA-256 the caller
// knows, or the newest one of a series, which apt has verified against the
// archive's signed index.
package debian

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"
)

// Want is what to fetch: the pinned packages, or where they cannot be had any
// more, all packages of the newest version whose names match the series.
type Want struct {
	Suites []string // "bookworm", "bookworm-security"
	Arch   string   // in Debian's words
	Series string   // a regular expression for the whole name
	Pinned []Package
}

// Package is one binary package.
type Package struct {
	Name    string `json:"name" yaml:"name"`
	Version string `json:"version" yaml:"version"`
	SHA256  string `json:"sha256" yaml:"sha256"`
}

// Got is what was fetched.
type Got struct {
	Packages []Package `json:"packages"`
	Pinned   bool      `json:"pinned"` // else the newest of the series
	Files    []string  `json:"-"`      // the .deb files, in the order of Packages
}

// Archive is the Debian archive with a cache before it.
type Archive struct {
	Cache  string // a directory; made when it is missing
	Mirror string // its address; "" takes the one of the host's own sources

	mu sync.Mutex // apt works on one thing at a time
}

// fresh is how long lists, and what was chosen from them, are good for.
const fresh = 24 * time.Hour

// Fetch has the packages in the cache when it returns. The error says in one
// line what is missing.
func (a *Archive) Fetch(ctx context.Context, w Want) (*Got, error) {
	if got := a.pinned(w); got != nil {
		return got, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	chosen, age := a.chosen(w)
	if chosen != nil && age < fresh {
		return chosen, nil
	}
	got, err := a.fetch(ctx, w)
	if err != nil && chosen != nil && ctx.Err() == nil {
		return chosen, nil // old, but here
	}
	return got, err
}

// Cached is what Fetch would return without asking the archive; nil when it
// would have to.
func (a *Archive) Cached(w Want) *Got {
	if got := a.pinned(w); got != nil {
		return got
	}
	chosen, _ := a.chosen(w)
	return chosen
}

func (a *Archive) fetch(ctx context.Context, w Want) (*Got, error) {
	apt, err := a.open(ctx, w)
	if err != nil {
		return nil, err
	}
	offered, err := apt.offers(ctx, w)
	if err != nil {
		return nil, err
	}
	got := choose(offered, w)
	if got == nil {
		return nil, fmt.Errorf("no package %s for %s in %v", w.Series, w.Arch, w.Suites)
	}
	for _, p := range got.Packages {
		if a.holds(p, w.Arch) {
			continue
		}
		if err := apt.download(ctx, p, a.file(p, w.Arch)); err != nil {
			return nil, err
		}
		if !a.holds(p, w.Arch) {
			return nil, fmt.Errorf("download %s %s: its SHA-256 does not fit", p.Name, p.Version)
		}
	}
	a.locate(got, w.Arch)
	if got.Pinned {
		return got, nil
	}
	return got, a.remember(w, got)
}

// choose takes the pinned packages where the archive offers them with the same
// digest, else those of the newest version.
func choose(offered []Package, w Want) *Got {
	there := map[Package]bool{}
	for _, p := range offered {
		there[p] = true
	}
	all := len(w.Pinned) > 0
	for _, p := range w.Pinned {
		all = all && there[p]
	}
	if all {
		return &Got{Packages: w.Pinned, Pinned: true}
	}
	newest := newest(offered, regexp.MustCompile("^(?:"+w.Series+")$"))
	if len(newest) == 0 {
		return nil
	}
	return &Got{Packages: newest}
}

func (a *Archive) pinned(w Want) *Got {
	if len(w.Pinned) == 0 {
		return nil
	}
	for _, p := range w.Pinned {
		if !a.holds(p, w.Arch) {
			return nil
		}
	}
	got := &Got{Packages: w.Pinned, Pinned: true}
	a.locate(got, w.Arch)
	return got
}

// chosen is what an earlier Fetch chose as the newest, and how long ago.
func (a *Archive) chosen(w Want) (*Got, time.Duration) {
	path := a.choice(w)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, 0
	}
	got := &Got{}
	if json.Unmarshal(text, got) != nil || len(got.Packages) == 0 {
		return nil, 0
	}
	for _, p := range got.Packages {
		if !a.holds(p, w.Arch) {
			return nil, 0
		}
	}
	a.locate(got, w.Arch)
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0
	}
	return got, time.Since(info.ModTime())
}

func (a *Archive) remember(w Want, got *Got) error {
	text, err := json.Marshal(got)
	if err != nil {
		return err
	}
	return os.WriteFile(a.choice(w), text, 0o644)
}

func (a *Archive) locate(got *Got, arch string) {
	for _, p := range got.Packages {
		got.Files = append(got.Files, a.file(p, arch))
	}
}

// holds tells whether the cache has a package, unaltered.
func (a *Archive) holds(p Package, arch string) bool {
	sum, err := digest(a.file(p, arch))
	return err == nil && sum == p.SHA256
}

func (a *Archive) file(p Package, arch string) string {
	return filepath.Join(a.Cache, "debs", unsafe.ReplaceAllString(p.Name+"_"+p.Version+"_"+arch, "+")+".deb")
}

func (a *Archive) choice(w Want) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q", w.Suites, w.Arch, w.Series, a.Mirror))
	return filepath.Join(a.Cache, "debs", "newest-"+hex.EncodeToString(sum[:8])+".json")
}

// unsafe is what does not belong into the name of a file.
var unsafe = regexp.MustCompile(`[^0-9A-Za-z.+~_-]+`)

func digest(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// ErrNoApt says that this host cannot fetch packages.
var ErrNoApt = errors.New("packages are fetched with apt-get, which is not here: use a Debian or Ubuntu host")
