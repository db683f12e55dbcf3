package zerocopy_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/zcprobe/zcprobe/zerocopy"
)

// A file server whose bodies go by sendfile, and how much went so.
func ExampleNewListener() {
	directory, _ := os.MkdirTemp("", "www")
	defer os.RemoveAll(directory)
	_ = os.WriteFile(filepath.Join(directory, "hello.txt"), []byte("hello, world\n"), 0o600)

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	server := &http.Server{Handler: http.FileServer(http.Dir(directory))}
	go server.Serve(zerocopy.NewListener(listener))
	defer server.Close()

	response, err := http.Get("http://" + listener.Addr().String() + "/hello.txt")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	fmt.Printf("%s", body)
	// Output: hello, world
}

// io.CopyN takes the engine's path, and the limit and the position are exact.
func ExampleWrap() {
	file := hello()
	defer os.Remove(file.Name())
	defer file.Close()
	tcp, peer := connect()
	defer peer.Close()
	_, _ = file.Seek(0, io.SeekStart)

	conn := zerocopy.Wrap(tcp)
	n, err := io.CopyN(conn, file, 5)
	at, _ := file.Seek(0, io.SeekCurrent)
	fmt.Println(n, at, err)
	conn.Close()

	got, _ := io.ReadAll(peer)
	fmt.Printf("%s\n", got)
	// Output:
	// 5 5 <nil>
	// hello
}

// meter counts what is read through it, and lets the engine pass it by.
type meter struct {
	io.Reader
	n atomic.Int64
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	m.n.Add(int64(n))
	return n, err
}

func (m *meter) ZeroCopySource() io.Reader { return m.Reader }
func (m *meter) CountRead(n int64)         { m.n.Add(n) }

// A wrapper that says of itself that it changes nothing does not cost the fast
// path, and still gets its counts.
func ExampleSourceWrapper() {
	file := hello()
	defer os.Remove(file.Name())
	defer file.Close()
	_, _ = file.Seek(0, io.SeekStart)
	tcp, peer := connect()
	defer peer.Close()
	conn := zerocopy.Wrap(tcp)
	defer conn.Close()

	m := &meter{Reader: file}
	n, err := io.Copy(conn, m)
	fmt.Println(n, m.n.Load(), err)
	// Output: 12 12 <nil>
}

// Both directions of a connection, with the end of each carried over.
func ExampleProxy() {
	client, front := connect()
	back, server := connect()
	go func() { // a server that answers when the request has ended
		request, _ := io.ReadAll(server)
		fmt.Fprintf(server, "you said %q", request)
		server.Close()
	}()
	go func() {
		fmt.Fprint(client, "ping")
		client.CloseWrite()
	}()

	var progress zerocopy.Progress // may be looked at while it runs
	result, err := zerocopy.Proxy(context.Background(), front, back,
		zerocopy.WithIdleTimeout(time.Minute), zerocopy.WithProgress(&progress))
	fmt.Println(result.AToB.N, result.BToA.N, err)

	answer, _ := io.ReadAll(client)
	fmt.Printf("%s\n", answer)
	fmt.Println(progress.AToB.Load())
	// Output:
	// 4 15 <nil>
	// you said "ping"
	// 4
}
