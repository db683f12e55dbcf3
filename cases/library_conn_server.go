package cases

import (
	"bufio"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/zerocopy"
)

// serveHTTP runs a server on connections of z, each prepared once, and returns
// its address.
func serveHTTP(e *Env, z *zerocopy.Engine, prepare func(net.Conn), handler http.HandlerFunc) string {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		e.Fatalf("listen: %w", err)
	}
	server := &http.Server{
		Handler:  handler,
		ErrorLog: log.New(io.Discard, "", 0),
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			if prepare != nil {
				prepare(conn)
			}
			return ctx
		},
	}
	go server.Serve(z.NewListener(listener))
	e.Cleanup(func() { server.Close() })
	return listener.Addr().String()
}

// askHTTP sends a request for a connection of its own, with these headers.
func askHTTP(e *Env, address, headers string) net.Conn {
	conn, err := net.Dial("tcp4", address)
	if err != nil {
		e.Fatalf("connect: %w", err)
	}
	e.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: zcprobe\r\nConnection: close\r\n"+headers+"\r\n"); err != nil {
		e.Fatalf("write request: %w", err)
	}
	return conn
}

// readHTTP reads the response that comes, as far as it comes, and then to the
// end of the connection: the server has counted everything by then, and what
// stands behind the length that was announced is part of the body that is told.
func readHTTP(e *Env, conn net.Conn) (status int, body []byte) {
	conn.SetReadDeadline(time.Now().Add(2 * fixture.Patience()))
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		return 0, nil
	}
	defer response.Body.Close()
	body, _ = io.ReadAll(response.Body)
	rest, _ := io.ReadAll(reader)
	return response.StatusCode, append(body, rest...)
}

// getHTTP is a request and its response.
func getHTTP(e *Env, address, headers string) (status int, body []byte) {
	return readHTTP(e, askHTTP(e, address, headers))
}

// rests waits until a transfer has moved something since then and waits for its
// peer.
func rests(z *zerocopy.Engine, then zerocopy.Counters) {
	last := then
	for end := time.Now().Add(fixture.Patience()); time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
		now := z.Counters()
		if now.Bytes() == last.Bytes() && now.Waits == last.Waits && now.Waits > then.Waits && now.Bytes() > then.Bytes() {
			return
		}
		last = now
	}
}
