package zerocopy

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// serve runs an HTTP server on connections of e.
func serve(t testing.TB, e *Engine, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Listener = e.NewListener(s.Listener)
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// sniffed is what net/http reads of a body for its type and writes by itself.
const sniffed = 512

// moved waits until the engine has moved n bytes: the last call is booked after
// its bytes are on their way.
func moved(t testing.TB, e *Engine, n int64) {
	t.Helper()
	require.Eventually(t, func() bool { return e.Counters().Bytes() == n }, patience, time.Millisecond,
		"want %d, have %+v", n, e.Counters())
}

// Files that net/http serves go out by sendfile, but for the 512 bytes that it
// sniffs.
func TestHTTPServesFilesBySendfile(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	data := pattern(sized(3<<20, 400_000), 70)
	path := filepath.Join(directory, "file.bin")
	require.NoError(t, os.WriteFile(path, data, 0o600))
	for name, c := range map[string]struct {
		handler  http.Handler
		span     [2]int // of a Range request
		sendfile int64
	}{
		"FileServer":          {http.FileServer(http.Dir(directory)), [2]int{}, int64(len(data) - sniffed)},
		"FileServer, range":   {http.FileServer(http.Dir(directory)), [2]int{1000, 200_000}, 199_000 - sniffed},
		"FileServer of an FS": {http.FileServerFS(os.DirFS(directory)), [2]int{}, 0},
		"ServeFile": {http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.ServeFile(w, r, path)
		}), [2]int{}, int64(len(data) - sniffed)},
		"ServeContent of a section": {http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			f, _ := os.Open(path)
			defer f.Close()
			http.ServeContent(w, r, "x", time.Time{}, io.NewSectionReader(f, 0, int64(len(data))))
		}), [2]int{}, int64(len(data) - sniffed)},
		"io.Copy": {http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			f, _ := os.Open(path)
			defer f.Close()
			w.Header().Set("Content-Length", strconv.Itoa(len(data)))
			_, _ = io.Copy(w, f)
		}), [2]int{}, int64(len(data) - sniffed)},
		"io.Copy, chunked": {http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			f, _ := os.Open(path)
			defer f.Close()
			_, _ = io.Copy(w, f)
		}), [2]int{}, 0},
		"a wrapper that hides ReadFrom": {http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.ServeFile(struct{ http.ResponseWriter }{w}, r, path)
		}), [2]int{}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := tamper(t, nil)
			s := serve(t, e, c.handler)
			want := data
			request, err := http.NewRequest(http.MethodGet, s.URL+"/file.bin", nil)
			require.NoError(t, err)
			if c.span[1] > 0 {
				request.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", c.span[0], c.span[1]-1))
				want = data[c.span[0]:c.span[1]]
			}
			for i := range 2 { // the second on the same connection
				response, err := s.Client().Do(request)
				require.NoError(t, err)
				body, err := io.ReadAll(response.Body)
				require.NoError(t, err)
				require.NoError(t, response.Body.Close())
				sameBytes(t, want, body)
				if c.sendfile == 0 {
					continue
				}
				moved(t, e, int64(i+1)*c.sendfile)
			}
			assert.Equal(t, 2*c.sendfile, e.Counters().Sendfile.Bytes)
			assert.Eventually(t, func() bool { // a write is counted after its bytes have arrived
				counters := e.Counters()
				return counters.Written.Bytes+counters.Bytes() >= 2*int64(len(want))
			}, patience, time.Millisecond)
		})
	}
}

// A client that goes away, and one that reads slowly, cost a handler an error
// and nothing else.
func TestHTTPClientLeaves(t *testing.T) {
	t.Parallel()
	e := tamper(t, nil)
	f := fileWith(t, nil)
	require.NoError(t, f.Truncate(64<<20)) // a hole
	failed := make(chan error, 1)
	s := serve(t, e, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(64<<20))
		_, err := io.Copy(w, f)
		failed <- err
	}))
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	require.NoError(t, err)
	_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	_, err = io.CopyN(io.Discard, conn, 1<<20)
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	require.True(t, verdictOf(t, <-failed).isReset)
	require.Equal(t, e.Counters().Bytes()+sniffed, position(t, f))
}

// A body that a client uploads from a file goes by sendfile too, where its
// transport dials connections of Wrap.
func TestHTTPUpload(t *testing.T) {
	t.Parallel()
	data := pattern(sized(2<<20, 400_000), 72)
	e := tamper(t, nil)
	got := make(chan []byte, 1)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- body
	}))
	defer s.Close()
	transport := &http.Transport{Dial: func(network, address string) (net.Conn, error) {
		conn, err := net.Dial(network, address)
		return e.Wrap(conn), err
	}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequest(http.MethodPut, s.URL, fileWith(t, data))
	require.NoError(t, err)
	request.ContentLength = int64(len(data))
	response, err := (&http.Client{Transport: transport}).Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	sameBytes(t, data, <-got)
	require.Positive(t, e.Counters().Sendfile.Bytes)
	require.Zero(t, e.Counters().Copied)
}
