package debian

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"pault.ag/go/debian/version"
)

// keyring is where Debian's package debian-archive-keyring puts the keys of the
// archive, on Ubuntu too.
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// apt is a private directory of apt for one architecture and some suites.
type apt struct {
	dir  string
	conf string
}

// open makes the directory, or takes the one of last time, and brings its lists
// up to date.
func (a *Archive) open(ctx context.Context, w Want) (*apt, error) {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return nil, ErrNoApt
	}
	if _, err := os.Stat(keyring); err != nil {
		return nil, errors.New("the keys of the Debian archive are not here: install debian-archive-keyring")
	}
	mirrors, err := a.mirrors(ctx)
	if err != nil {
		return nil, err
	}
	sources := ""
	for _, suite := range w.Suites {
		mirror := mirrors.main
		if strings.HasSuffix(suite, "-security") {
			mirror = mirrors.security
		}
		sources += fmt.Sprintf("deb [signed-by=%s] %s %s main\n", keyring, mirror, suite)
	}
	sum := sha256.Sum256([]byte(w.Arch + "\n" + sources))
	dir := filepath.Join(a.Cache, "apt", w.Arch+"-"+hex.EncodeToString(sum[:6]))
	for _, d := range []string{"etc/conf.d", "etc/preferences.d", "state/lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(filepath.Join(a.Cache, "debs"), 0o755); err != nil {
		return nil, err
	}
	t := &apt{dir: dir, conf: filepath.Join(dir, "apt.conf")}
	for path, text := range map[string]string{
		t.conf:                                 t.settings(ctx, w.Arch),
		filepath.Join(dir, "etc/sources.list"): sources,
		filepath.Join(dir, "state/status"):     "",
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	stamp := filepath.Join(dir, "updated")
	if info, err := os.Stat(stamp); err == nil && time.Since(info.ModTime()) < fresh {
		return t, nil
	}
	if _, err := t.run(ctx, "", "apt-get", "-q", "update"); err != nil {
		return nil, err
	}
	return t, os.WriteFile(stamp, nil, 0o644)
}

// settings is an apt.conf(5) that leads every path into the directory and takes
// over how the host reaches its mirror.
func (t *apt) settings(ctx context.Context, arch string) string {
	text := fmt.Sprintf(`Dir::Etc "%[1]s/etc";
Dir::Etc::SourceList "%[1]s/etc/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Parts "%[1]s/etc/conf.d";
Dir::State "%[1]s/state";
Dir::State::status "%[1]s/state/status";
Dir::Cache "%[1]s/cache";
APT::Architecture "%[2]s";
APT::Architectures { "%[2]s"; };
APT::Sandbox::User "%[3]s";
APT::Update::Error-Mode "any";
Dir::Cache::srcpkgcache "";
Acquire::Languages "none";
Acquire::GzipIndexes "true";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
`, t.dir, arch, "root")
	host, err := exec.CommandContext(ctx, "apt-config", "dump", "Acquire").Output()
	if err != nil {
		return text
	}
	for line := range strings.Lines(string(host)) {
		if reaching.MatchString(line) {
			text += line
		}
	}
	return text
}

// reaching is the settings that say how a mirror is reached and how far its
// clock is trusted.
var reaching = regexp.MustCompile(`^Acquire::(https?::|ftp::|Retries|Check-Valid-Until|Check-Date|ForceIPv)`)

// offers is every version of every package whose name matches the series or is
// pinned.
func (t *apt) offers(ctx context.Context, w Want) ([]Package, error) {
	series, err := regexp.Compile("^(?:" + w.Series + ")$")
	if err != nil {
		return nil, err
	}
	head, _ := regexp.MustCompile(w.Series).LiteralPrefix()
	names, err := t.run(ctx, "", "apt-cache", "pkgnames", head)
	if err != nil {
		return nil, err
	}
	var wanted []string
	for _, p := range w.Pinned {
		wanted = append(wanted, p.Name)
	}
	for name := range strings.FieldsSeq(string(names)) {
		if series.MatchString(name) && !slices.Contains(wanted, name) {
			wanted = append(wanted, name)
		}
	}
	var list []Package
	for _, name := range wanted {
		// A name that the archive does not have any more is no error here.
		text, err := t.run(ctx, "", "apt-cache", "show", name)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err == nil {
			list = append(list, stanzas(text)...)
		}
	}
	return list, nil
}

// stanzas reads what apt-cache show prints.
func stanzas(text []byte) []Package {
	var list []Package
	from := textproto.NewReader(bufio.NewReader(bytes.NewReader(append(text, "\n\n"...))))
	for {
		fields, err := from.ReadMIMEHeader()
		p := Package{fields.Get("Package"), fields.Get("Version"), strings.ToLower(fields.Get("SHA256"))}
		if p.Name != "" && p.Version != "" && len(p.SHA256) == 64 {
			list = append(list, p)
		}
		if err != nil {
			return list
		}
	}
}

// newest is the packages of the highest version.
func newest(offered []Package, series *regexp.Regexp) []Package {
	var list []Package
	var highest version.Version
	for _, p := range offered {
		v, err := version.Parse(p.Version)
		if err != nil || !series.MatchString(p.Name) {
			continue
		}
		switch order := version.Compare(v, highest); {
		case list == nil || order > 0:
			list, highest = []Package{p}, v
		case order == 0 && !slices.ContainsFunc(list, func(q Package) bool { return q.Name == p.Name }):
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b Package) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// download has apt fetch and verify a package and puts it into place.
func (t *apt) download(ctx context.Context, p Package, to string) error {
	dir, err := os.MkdirTemp(filepath.Dir(to), ".download-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if _, err := t.run(ctx, dir, "apt-get", "-q", "download", p.Name+"="+p.Version); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err != nil || len(files) != 1 {
		return fmt.Errorf("download %s: apt-get left %d files", p.Name, len(files))
	}
	return os.Rename(files[0], to)
}

// run runs one of apt's programs. The error is its own last complaint.
func (t *apt) run(ctx context.Context, dir, program string, arguments ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, program, arguments...)
	cmd.Dir = dir
	// APT_CONFIG is read before the host's settings and leads away from them;
	// a file given with -c is read after them, when their hooks are in force.
	cmd.Env = append(os.Environ(), "APT_CONFIG="+t.conf, "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive")
	var said bytes.Buffer
	cmd.Stderr = &said
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.Output()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, fmt.Errorf("%s %s: %s", program, arguments[len(arguments)-1], complaint(said.Bytes(), err))
	}
	return out, nil
}

// complaint is the first error that apt names.
func complaint(said []byte, err error) string {
	for line := range strings.Lines(string(said)) {
		if text, ok := strings.CutPrefix(line, "E: "); ok {
			return strings.TrimSpace(text)
		}
	}
	return err.Error()
}
