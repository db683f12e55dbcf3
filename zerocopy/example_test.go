package zerocopy_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/zcprobe/zcprobe/zerocopy"
)

// connect makes a TCP connection to itself.
func connect() (client, server *net.TCPConn) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		panic(err)
	}
	s, err := l.Accept()
	if err != nil {
		panic(err)
	}
	return c.(*net.TCPConn), s.(*net.TCPConn)
}

// hello is a file with a greeting in it.
func hello() *os.File {
	f, err := os.CreateTemp("", "hello")
	if err != nil {
		panic(err)
	}
	_, _ = f.WriteString("hello, world")
	return f
}

func ExampleFileToSocket() {
	file := hello()
	defer os.Remove(file.Name())
	defer file.Close()
	conn, peer := connect()
	defer peer.Close()

	offset := int64(7) // the file's own position is left alone
	n, err := zerocopy.FileToSocket(conn, file, &offset, -1)
	fmt.Println(n, offset, err)
	conn.Close()

	got, _ := io.ReadAll(peer)
	fmt.Printf("%s\n", got)
	// Output:
	// 5 12 <nil>
	// world
}

func ExampleFileToSocket_short() {
	file := hello()
	defer os.Remove(file.Name())
	defer file.Close()
	conn, peer := connect()
	defer conn.Close()
	defer peer.Close()

	var offset int64
	n, err := zerocopy.FileToSocket(conn, file, &offset, 100)
	fmt.Println(n, err)
	fmt.Println(errors.Is(err, zerocopy.ErrShortSource), errors.Is(err, io.ErrUnexpectedEOF))
	// Output:
	// 12 send file: source ended early: unexpected EOF after 12 of 100 bytes
	// true true
}

func ExampleSocketRelay() {
	client, front := connect()
	back, server := connect()
	defer front.Close()
	defer server.Close()

	go func() {
		client.Write([]byte("ping"))
		client.CloseWrite()
	}()
	n, err := zerocopy.SocketRelay(back, front, -1)
	back.CloseWrite() // carry the end over
	fmt.Println(n, err)

	got, _ := io.ReadAll(server)
	fmt.Printf("%s\n", got)
	// Output:
	// 4 <nil>
	// ping
}

func ExampleRelay() {
	client, front := connect()
	back, server := connect()
	defer server.Close()
	go func() {
		client.Write(make([]byte, 16<<20))
		client.Close()
	}()

	relay := zerocopy.NewRelay(back, front)
	defer relay.Close()
	var total int64
	back.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
	res, err := relay.Run(-1) // nobody reads yet
	total += res.N
	fmt.Println(errors.Is(err, os.ErrDeadlineExceeded))

	read := make(chan int64)
	go func() {
		n, _ := io.Copy(io.Discard, server)
		read <- n
	}()
	back.SetWriteDeadline(time.Time{})
	res, err = relay.Run(-1) // delivers what was in flight first
	total += res.N
	back.Close()
	fmt.Println(total, <-read, err)
	// Output:
	// true
	// 16777216 16777216 <nil>
}

func ExampleEngine() {
	file := hello()
	defer os.Remove(file.Name())
	defer file.Close()
	conn, peer := connect()
	defer conn.Close()
	defer peer.Close()

	engine := zerocopy.New(zerocopy.Config{})
	var offset int64
	res, err := engine.FileToSocket(conn, file, &offset, -1)
	if err != nil {
		fmt.Println(err)
	}
	if res.Reason != zerocopy.ReasonNone {
		fmt.Fprintln(os.Stderr, "not the best way, because of", res.Why())
	}
	fmt.Println(res.N, engine.Counters().Bytes())
	// Output: 12 12
}
