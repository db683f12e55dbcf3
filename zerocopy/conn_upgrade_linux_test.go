package zerocopy

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// Connections that httputil.ReverseProxy upgrades work on both sides with
// connections of Wrap: all bytes, both ends. They are copied, and the counters
// say so where the library has the copying to do.
func TestReverseProxyUpgrade(t *testing.T) {
	t.Parallel()
	request, answer := pattern(sized(1<<20, 200_000), 110), pattern(sized(2<<20, 300_000), 111)
	e := tamper(t, nil)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n")
		got, _ := io.ReadAll(rw)
		if string(got) == string(request) {
			_, _ = conn.Write(answer)
		}
	}))
	defer backend.Close()
	target, err := url.Parse(backend.URL)
	require.NoError(t, err)
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: &http.Transport{Dial: func(network, address string) (net.Conn, error) {
			conn, err := net.Dial(network, address)
			return e.Wrap(conn), err
		}},
	}
	front := serve(t, e, proxy)

	conn, err := net.Dial("tcp", front.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n")
	require.NoError(t, err)
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusSwitchingProtocols, response.StatusCode)
	_, err = conn.Write(request)
	require.NoError(t, err)
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	got, err := io.ReadAll(reader)
	require.NoError(t, err)
	sameBytes(t, answer, got)
	require.Equal(t, int64(len(answer)), e.Counters().Copied.Bytes)
	require.Equal(t, int64(1), e.Counters().Fallbacks[ReasonOpaque])
}
