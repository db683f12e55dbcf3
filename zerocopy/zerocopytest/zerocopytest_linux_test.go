package zerocopytest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/zerocopy"
	"github.com/zcprobe/zcprobe/zerocopy/zerocopytest"
)

const size = 1 << 20

// start serves a directory with a file of 1 MiB.
func start(t testing.TB, e *zerocopy.Engine, wrap func(http.Handler) http.Handler) *httptest.Server {
	t.Helper()
	directory := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(directory, "file.bin"), make([]byte, size), 0o600))
	server := httptest.NewUnstartedServer(wrap(http.FileServer(http.Dir(directory))))
	server.Listener = e.NewListener(server.Listener)
	server.Start()
	t.Cleanup(server.Close)
	return server
}

func download(t testing.TB, server *httptest.Server) {
	t.Helper()
	response, err := server.Client().Get(server.URL + "/file.bin")
	require.NoError(t, err)
	defer response.Body.Close()
	n, err := io.Copy(io.Discard, response.Body)
	require.NoError(t, err)
	require.Equal(t, int64(size), n)
}

func asIs(h http.Handler) http.Handler { return h }

func TestServedWithoutACopy(t *testing.T) {
	t.Parallel()
	engine := zerocopy.New(zerocopy.Config{})
	server := start(t, engine, asIs)
	zerocopytest.Require(t, engine, size-zerocopytest.Sniffed, func() { download(t, server) })
}

// failing keeps what Require says instead of ending the test.
type failing struct {
	testing.TB
	said string
}

func (f *failing) Fatal(args ...any) { f.said = fmt.Sprint(args...) }

func TestWhatItSays(t *testing.T) {
	t.Parallel()
	hide := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h.ServeHTTP(struct{ http.ResponseWriter }{w}, r)
		})
	}
	disguise := func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(size))
			_, _ = io.Copy(w, io.LimitReader(zeros{}, size))
		})
	}
	for name, c := range map[string]struct {
		wrap func(http.Handler) http.Handler
		want []string
	}{
		"hidden ReadFrom": {hide, []string{"0 bytes went without a copy, want 1048064", "Write: ", "hides ReadFrom"}},
		"memory":          {disguise, []string{"and 1048064 by a copy", "copied: 1048064 bytes", "given up because: opaque (1 times)"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			engine := zerocopy.New(zerocopy.Config{})
			server := start(t, engine, c.wrap)
			f := &failing{TB: t}
			zerocopytest.Require(f, engine, size-zerocopytest.Sniffed, func() { download(t, server) })
			for _, want := range c.want {
				require.Contains(t, f.said, want)
			}
		})
	}
	t.Run("nothing", func(t *testing.T) {
		t.Parallel()
		f := &failing{TB: t}
		zerocopytest.Require(f, zerocopy.New(zerocopy.Config{}), 1, func() {})
		require.Contains(t, f.said, "nothing went through this engine")
		require.Len(t, strings.Split(f.said, "\n"), 2)
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
