package matrix

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"path"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/zcprobe/zcprobe/internal/debian"
)

// Driver is a way to reach a target.
type Driver string

// The drivers.
const (
	ByLocal   Driver = "local"   // this host
	ByQEMU    Driver = "qemu"    // a kernel of its own in an emulated machine
	ByUML     Driver = "uml"     // a kernel of its own as a process
	ByExec    Driver = "exec"    // a program that runs the suite's: gVisor, qemu-user, Wine
	BySSH     Driver = "ssh"     // another machine
	ByGitHub  Driver = "github"  // a runner of GitHub Actions
	ByVagrant Driver = "vagrant" // a virtual machine of Vagrant
)

var drivers = []Driver{ByLocal, ByQEMU, ByUML, ByExec, BySSH, ByGitHub, ByVagrant}

// Target is one row of the list of targets: something that the suite runs on.
type Target struct {
	ID         string   `yaml:"id" json:"id"`
	System     string   `yaml:"system" json:"system"`   // a value of GOOS
	Version    string   `yaml:"version" json:"version"` // of the system, as people say it
	Arch       string   `yaml:"arch" json:"arch"`       // a value of GOARCH
	Driver     Driver   `yaml:"driver" json:"driver"`
	Tool       string   `yaml:"tool,omitempty" json:"tool,omitempty"`             // of the exec driver: gvisor, gvisor-host, qemu-user, wine
	Sandbox    string   `yaml:"sandbox,omitempty" json:"sandbox,omitempty"`       // of the local driver: how the process is confined
	Host       string   `yaml:"host,omitempty" json:"-"`                          // of the ssh driver: as in "ssh HOST"; nobody else's business
	Filesystem string   `yaml:"filesystem,omitempty" json:"filesystem,omitempty"` // fixtures lie on a disk with it
	Package    *Package `yaml:"package,omitempty" json:"package,omitempty"`
	Module     string   `yaml:"module,omitempty" json:"module,omitempty"` // a Go program at a version, verified by Go's checksum database
	GitHub     *GitHub  `yaml:"github,omitempty" json:"github,omitempty"`
	Vagrant    *Vagrant `yaml:"vagrant,omitempty" json:"vagrant,omitempty"`
	Expect     Expect   `yaml:"expect,omitempty" json:"expect"`
	Why        string   `yaml:"why" json:"why"`
}

// Package is what a target's kernel or emulator comes in.
type Package struct {
	Suites []string         `yaml:"suites" json:"suites"`
	Series string           `yaml:"series" json:"series"` // names of packages that stand in for the pinned ones
	Pinned []debian.Package `yaml:"pinned" json:"pinned"`
}

// GitHub is where a target runs in GitHub Actions.
type GitHub struct {
	Runner  string `yaml:"runner" json:"runner"`             // the label
	Action  string `yaml:"action,omitempty" json:"action"`   // boots a machine on the runner
	Release string `yaml:"release,omitempty" json:"release"` // of the system that the action boots
	Kernel  string `yaml:"kernel,omitempty" json:"kernel"`   // an image that holds a kernel to boot with --kernel
	Seccomp string `yaml:"seccomp,omitempty" json:"seccomp"` // run in a container with this profile
}

// Vagrant is the box that a target runs in. Boxes go away: each value can be
// overridden from the environment.
type Vagrant struct {
	Box     string `yaml:"box" json:"box"`
	Version string `yaml:"version,omitempty" json:"version,omitempty"`
	SHA256  string `yaml:"sha256,omitempty" json:"sha256,omitempty"`
	Guest   string `yaml:"guest,omitempty" json:"guest,omitempty"` // "windows", "bsd"; "" is linux
}

// Expect is the least that a run on the target must show. Less means that the
// harness fell short there, and fails the target.
type Expect struct {
	Backend  string   `yaml:"backend,omitempty" json:"backend,omitempty"`
	Features []string `yaml:"features,omitempty" json:"features,omitempty"` // ids that work
	Conform  int      `yaml:"conform,omitempty" json:"conform,omitempty"`   // how many cases, at least
}

//go:embed targets.yaml
var targetsFile []byte

// Targets is the list of targets.
func Targets() ([]*Target, error) {
	list, err := ParseTargets(targetsFile)
	if err != nil {
		return nil, fmt.Errorf("targets.yaml: %w", err)
	}
	return list, nil
}

// ParseTargets reads a list of targets. The error is one line that names the
// target and what is wrong with it.
func ParseTargets(text []byte) ([]*Target, error) {
	var file struct {
		Targets []*Target `yaml:"targets"`
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		return nil, errors.New(strings.Join(strings.Fields(err.Error()), " "))
	}
	if len(file.Targets) == 0 {
		return nil, errors.New("no targets")
	}
	seen := map[string]bool{}
	for i, t := range file.Targets {
		if t == nil {
			return nil, fmt.Errorf("target %d is empty", i+1)
		}
		if err := t.check(); err != nil {
			return nil, fmt.Errorf("target %d, %q: %w", i+1, t.ID, err)
		}
		if seen[t.ID] {
			return nil, fmt.Errorf("target %d, %q: a target before it has the same id", i+1, t.ID)
		}
		seen[t.ID] = true
	}
	return file.Targets, nil
}

var (
	idForm      = regexp.MustCompile(`^[a-z0-9]+([.-][a-z0-9]+)*$`) // also the name of a file
	sha256Form  = regexp.MustCompile(`^[0-9a-f]{64}$`)
	systems     = []string{"linux", "darwin", "freebsd", "openbsd", "netbsd", "dragonfly", "solaris", "illumos", "aix", "windows"}
	filesystems = []string{"ext4", "xfs", "btrfs"}
	tools       = []string{"gvisor", "gvisor-host", "qemu-user", "wine"}
	sandboxes   = []string{"user", "seccomp-docker", "seccomp-no-splice", "seccomp-kill", "no-proc"}
)

func (t *Target) check() error {
	switch {
	case !idForm.MatchString(t.ID):
		return errors.New("id: lower case letters, digits, dots and dashes")
	case !slices.Contains(systems, t.System):
		return fmt.Errorf("system: %q is no system that zcprobe is built for", t.System)
	case t.Arch == "" && t.Driver != ByLocal:
		return errors.New("arch: missing")
	case !slices.Contains(drivers, t.Driver):
		return fmt.Errorf("driver: no driver %q", t.Driver)
	case t.Why == "":
		return errors.New("why: say why it is in the list")
	case (t.Driver == ByExec) != slices.Contains(tools, t.Tool):
		return fmt.Errorf("tool: one of %s for the exec driver, none for others", strings.Join(tools, ", "))
	case t.Sandbox != "" && (t.Driver != ByLocal || !slices.Contains(sandboxes, t.Sandbox)):
		return fmt.Errorf("sandbox: one of %s, for the local driver only", strings.Join(sandboxes, ", "))
	case (t.Driver == BySSH) != (t.Host != ""):
		return errors.New("host: for the ssh driver, and only for it")
	case t.Driver == ByGitHub && t.GitHub == nil:
		return errors.New("github: missing")
	case t.Driver == ByVagrant && t.Vagrant == nil:
		return errors.New("vagrant: missing")
	case t.GitHub != nil && t.GitHub.Runner == "":
		return errors.New("github: runner: missing")
	case t.Vagrant != nil && t.Vagrant.Box == "":
		return errors.New("vagrant: box: missing")
	case t.Filesystem != "" && (t.Driver != ByQEMU || !slices.Contains(filesystems, t.Filesystem)):
		return fmt.Errorf("filesystem: one of %s, for the qemu driver only", strings.Join(filesystems, ", "))
	case t.Package == nil && (t.Driver == ByQEMU || t.Driver == ByUML):
		return errors.New("package: missing")
	case t.Expect.Backend != "" && backendRank(t.Expect.Backend) < 0:
		return fmt.Errorf("expect: backend: %q is none", t.Expect.Backend)
	}
	return t.Package.check()
}

func (p *Package) check() error {
	if p == nil {
		return nil
	}
	if len(p.Suites) == 0 {
		return errors.New("package: suites: missing")
	}
	series, err := regexp.Compile("^(?:" + p.Series + ")$")
	if err != nil || p.Series == "" {
		return fmt.Errorf("package: series: %q is no regular expression for names", p.Series)
	}
	for _, pin := range p.Pinned {
		switch {
		case pin.Version == "" || !sha256Form.MatchString(pin.SHA256):
			return fmt.Errorf("package: pinned: %q needs a version and a SHA-256", pin.Name)
		case !series.MatchString(pin.Name):
			return fmt.Errorf("package: pinned: %q is not of the series", pin.Name)
		}
	}
	return nil
}

// debianNames is the architectures that Debian names in its own way.
var debianNames = map[string]string{"386": "i386", "arm": "armhf", "ppc64le": "ppc64el", "mips64le": "mips64el"}

// Want is the target's packages for the fetcher.
func (t *Target) Want() debian.Want {
	arch := t.Arch
	if t.Driver == ByExec { // the emulator is a program of this host
		arch = runtime.GOARCH
	}
	if name, ok := debianNames[arch]; ok {
		arch = name
	}
	return debian.Want{Suites: t.Package.Suites, Arch: arch, Series: t.Package.Series, Pinned: t.Package.Pinned}
}

// Lab tells whether the target needs nothing but this machine.
func (t *Target) Lab() bool {
	return t.Driver == ByLocal || t.Driver == ByQEMU || t.Driver == ByUML || t.Driver == ByExec
}

// ChooseTargets is the targets that names choose: ids, or globs on them. "all"
// is every one.
func ChooseTargets(list []*Target, names []string) ([]*Target, error) {
	chosen := map[string]bool{}
	for _, name := range names {
		found := false
		for _, t := range list {
			match, err := path.Match(name, t.ID)
			if err != nil {
				return nil, fmt.Errorf("%q is no pattern of targets", name)
			}
			if match || name == "all" || name == t.ID {
				chosen[t.ID], found = true, true
			}
		}
		if !found {
			return nil, fmt.Errorf("no target %q: zcprobe matrix list shows them", name)
		}
	}
	var out []*Target
	for _, t := range list {
		if chosen[t.ID] {
			out = append(out, t)
		}
	}
	return out, nil
}

// Short tells what a record lacks of what is expected on the target; "" when
// nothing.
func (t *Target) Short(r *Record) string {
	if t.Filesystem != "" && r.Target.Filesystem != t.Filesystem {
		return fmt.Sprintf("the fixtures lay on %s, not on %s", r.Target.Filesystem, t.Filesystem)
	}
	if want := t.Expect.Backend; want != "" && backendRank(r.Backend) < backendRank(want) {
		return fmt.Sprintf("expected the backend %s, got %s", want, r.Backend)
	}
	for _, id := range t.Expect.Features {
		for _, f := range r.Features {
			if f.ID == id && !f.Works() {
				return fmt.Sprintf("expected the feature %s, which is %s", id, f.State)
			}
		}
	}
	if n := r.Count("conforms"); n < t.Expect.Conform {
		return fmt.Sprintf("expected %d cases to conform, %d do", t.Expect.Conform, n)
	}
	return ""
}
