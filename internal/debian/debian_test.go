package debian

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMirrorFromSources(t *testing.T) {
	t.Parallel()
	line := func(uri string) string { return "'" + uri + "' some_file 0 \n" }
	for name, c := range map[string]struct {
		uris []string
		want mirrors
		ok   bool
	}{
		"debian": {
			[]string{"http://m/debian/dists/bookworm/InRelease", "http://m/debian/dists/bookworm-updates/InRelease", "http://s/debian-security/dists/bookworm-security/InRelease"},
			mirrors{"http://m/debian", "http://s/debian-security"}, true,
		},
		"someone else's suite of the same name first": {
			[]string{"https://other/linux/debian/dists/trixie/InRelease", "http://m/debian/dists/trixie/InRelease", "http://m/debian/dists/trixie-updates/InRelease"},
			mirrors{"http://m/debian", "http://m/debian-security"}, true,
		},
		"no updates":  {[]string{"http://m/x/debian/dists/sid/InRelease"}, mirrors{"http://m/x/debian", "http://m/x/debian-security"}, true},
		"ubuntu":      {[]string{"http://u/ubuntu/dists/noble/InRelease", "http://u/ubuntu/dists/noble-security/InRelease"}, mirrors{}, false},
		"none at all": {nil, mirrors{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var uris strings.Builder
			for _, u := range c.uris {
				uris.WriteString(line(u))
			}
			m, ok := fromSources(uris.String())
			assert.Equal(t, c.ok, ok)
			if ok {
				assert.Equal(t, c.want, m)
			}
		})
	}
}

var digestOf = func(letter string) string { return strings.Repeat(letter, 64) }

func TestStanzas(t *testing.T) {
	t.Parallel()
	list := stanzas([]byte("Package: a\nVersion: 1.0-1\nDescription: words\n more words\n .\nSHA256: " + digestOf("A") +
		"\n\nPackage: b\nVersion: 2\nSHA256: " + digestOf("b") + "\n\nPackage: virtual\n"))
	assert.Equal(t, []Package{{"a", "1.0-1", digestOf("a")}, {"b", "2", digestOf("b")}}, list)
	assert.Empty(t, stanzas(nil))
}

// Versions are compared as Debian does, not as text.
func TestNewest(t *testing.T) {
	t.Parallel()
	offered := []Package{
		{"linux-binary-7.3.9", "7.3.9-1~bpo13+1", "1"},
		{"linux-modules-7.3.10", "7.3.10-1~bpo13+1", "2"},
		{"linux-binary-7.3.10", "7.3.10-1~bpo13+1", "3"},
		{"linux-binary-7.3.10", "7.3.10-1~bpo13+1", "4"}, // from another suite
		{"linux-binary-7.4.1", "7.4.1-1", "5"},
		{"linux-binary-7.3.10-dbg", "7.3.10-2", "6"},
	}
	series := regexp.MustCompile(`^(?:linux-(binary|modules)-7\.3\.[0-9]+)$`)
	assert.Equal(t, []Package{offered[2], offered[1]}, newest(offered, series))
	assert.Empty(t, newest(offered, regexp.MustCompile(`^none$`)))
}

func TestChoose(t *testing.T) {
	t.Parallel()
	pin := Package{"k-1", "1", "aa"}
	w := Want{Series: `k-[0-9]`, Pinned: []Package{pin}}
	newer := Package{"k-2", "2", "bb"}
	assert.Equal(t, &Got{Packages: []Package{pin}, Pinned: true}, choose([]Package{newer, pin}, w))
	assert.Equal(t, &Got{Packages: []Package{newer}}, choose([]Package{newer}, w))
	other := pin
	other.SHA256 = "cc"
	assert.Equal(t, &Got{Packages: []Package{other}}, choose([]Package{other}, w), "the same name with another digest is not the pinned one")
	assert.Nil(t, choose(nil, w))
}

// What is in the cache is used when its digest fits, and only then.
func TestCache(t *testing.T) {
	t.Parallel()
	a := &Archive{Cache: t.TempDir()}
	sum := sha256.Sum256([]byte("package"))
	pin := Package{"linux-image-6.1.0-9", "1:6.1~rc1-1", hex.EncodeToString(sum[:])}
	w := Want{Suites: []string{"sid"}, Arch: "amd64", Series: `linux-image-6\.1\.0-[0-9]+`, Pinned: []Package{pin}}
	assert.Nil(t, a.Cached(w))
	require.NoError(t, os.MkdirAll(filepath.Join(a.Cache, "debs"), 0o755))
	file := a.file(pin, "amd64")
	require.NoError(t, os.WriteFile(file, []byte("package"), 0o600))
	want := &Got{Packages: []Package{pin}, Pinned: true, Files: []string{file}}
	assert.Equal(t, want, a.Cached(w))
	got, err := a.Fetch(t.Context(), w)
	require.NoError(t, err)
	assert.Equal(t, want, got)

	require.NoError(t, os.WriteFile(file, []byte("altered"), 0o600))
	assert.Nil(t, a.Cached(w))

	// The newest of last time stands in, and says that it is not pinned.
	require.NoError(t, os.WriteFile(file, []byte("package"), 0o600))
	require.NoError(t, a.remember(w, &Got{Packages: []Package{pin}}))
	w.Pinned = []Package{{"linux-image-6.1.0-8", "1", digestOf("d")}}
	got, err = a.Fetch(t.Context(), w)
	require.NoError(t, err)
	assert.False(t, got.Pinned)
	assert.Equal(t, []string{file}, got.Files)
}

func TestWithoutApt(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	a := &Archive{Cache: t.TempDir()}
	_, err := a.Fetch(t.Context(), Want{Suites: []string{"sid"}, Arch: "amd64", Series: "x"})
	assert.ErrorIs(t, err, ErrNoApt)
}

// fakeApt puts programs in the place of apt's that know one package, and
// leave a trace of what they were told.
func fakeApt(t *testing.T, content string) (trace string) {
	t.Helper()
	if _, err := os.Stat(keyring); err != nil {
		t.Skip("debian-archive-keyring is not installed")
	}
	dir := t.TempDir()
	trace = filepath.Join(dir, "trace")
	sum := sha256.Sum256([]byte(content))
	for name, script := range map[string]string{
		"apt-get": `case "$*" in
*print-uris*) echo "'http://mirror.test/debian/dists/bookworm/InRelease' x 0" ;;
*download*) printf %s '` + content + `' >k-2_2_amd64.deb ;;
*update*) [ -z "$FAIL" ] || { echo 'E: no route to mirror' >&2; exit 100; } ;;
esac`,
		"apt-cache":  `case "$1" in pkgnames) echo k-1; echo k-2; echo other ;; show) [ $2 = k-2 ] && printf 'Package: k-2\nVersion: 2\nSHA256: ` + hex.EncodeToString(sum[:]) + `\n\n' ;; esac`,
		"apt-config": `echo 'Acquire::http::Proxy "http://cache.test";'; echo 'APT::Update::Post-Invoke "rm -rf /";'`,
	} {
		text := "#!/bin/sh\necho \"" + name + " $* APT_CONFIG=$APT_CONFIG\" >>" + trace + "\n" + script + "\n"
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700))
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return trace
}

func TestFetchNewestOfTheSeries(t *testing.T) {
	trace := fakeApt(t, "content")
	a := &Archive{Cache: t.TempDir()}
	w := Want{Suites: []string{"bookworm", "bookworm-security"}, Arch: "amd64", Series: "k-[0-9]", Pinned: []Package{{"k-1", "1", digestOf("0")}}}
	got, err := a.Fetch(t.Context(), w)
	require.NoError(t, err)
	assert.False(t, got.Pinned)
	require.Len(t, got.Files, 1)
	text, err := os.ReadFile(got.Files[0])
	require.NoError(t, err)
	assert.Equal(t, "content", string(text))

	told, err := os.ReadFile(trace)
	require.NoError(t, err)
	for line := range strings.Lines(string(told)) {
		private := strings.Contains(line, "APT_CONFIG="+a.Cache)
		assert.Equal(t, !strings.Contains(line, "print-uris") && !strings.HasPrefix(line, "apt-config"), private, line)
	}
	conf, err := filepath.Glob(filepath.Join(a.Cache, "apt/*/apt.conf"))
	require.NoError(t, err)
	require.Len(t, conf, 1)
	settings, err := os.ReadFile(conf[0])
	require.NoError(t, err)
	assert.Contains(t, string(settings), "http://cache.test", "how the host reaches its mirror")
	assert.NotContains(t, string(settings), "Post-Invoke", "none of the host's hooks")
	sources, err := os.ReadFile(filepath.Join(filepath.Dir(conf[0]), "etc/sources.list"))
	require.NoError(t, err)
	assert.Contains(t, string(sources), "http://mirror.test/debian bookworm main\n")
	assert.Contains(t, string(sources), "http://mirror.test/debian-security bookworm-security main\n")

	// Another day without a network, the cache still answers.
	t.Setenv("FAIL", "1")
	old := time.Now().Add(-2 * fresh)
	require.NoError(t, os.Chtimes(a.choice(w), old, old))
	require.NoError(t, os.Remove(filepath.Join(filepath.Dir(conf[0]), "updated")))
	again, err := a.Fetch(t.Context(), w)
	require.NoError(t, err)
	assert.Equal(t, got, again)
	require.NoError(t, os.Remove(got.Files[0]))
	_, err = a.Fetch(t.Context(), w)
	assert.ErrorContains(t, err, "no route to mirror")
}

func TestFetchWhatIsGone(t *testing.T) {
	fakeApt(t, "content")
	a := &Archive{Cache: t.TempDir(), Mirror: "http://named.test/debian/"}
	_, err := a.Fetch(t.Context(), Want{Suites: []string{"bookworm"}, Arch: "amd64", Series: "linux-image-9"})
	assert.EqualError(t, err, "no package linux-image-9 for amd64 in [bookworm]")
	sources, err := filepath.Glob(filepath.Join(a.Cache, "apt/*/etc/sources.list"))
	require.NoError(t, err)
	require.Len(t, sources, 1)
	text, err := os.ReadFile(sources[0])
	require.NoError(t, err)
	assert.Contains(t, string(text), "http://named.test/debian bookworm main")
}
