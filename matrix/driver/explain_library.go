package driver

import (
	"io"
	"net"
	"os"
	"slices"
	"syscall"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/probe"
	"github.com/zcprobe/zcprobe/zerocopy"
)

// pair is two ends of Explain that package zerocopy may serve.
type pair struct{ Source, Path, Destination string }

var (
	filesOfLibrary   = []string{"file", "memfd", "tmpfs", "proc", "zero", "pipe"}
	socketsOfLibrary = []string{"tcp", "unix"}
)

// served tells whether the library moves bytes between such ends.
func (p pair) served() bool {
	return slices.Contains(socketsOfLibrary, p.Destination) &&
		(slices.Contains(filesOfLibrary, p.Source) || slices.Contains(socketsOfLibrary, p.Source))
}

// size is enough to be worth a pipe, and fits into the buffers of a socket.
const size = 64 << 10

// transfer has the library move some bytes and tells which way they went.
func (p pair) transfer(scratch string) (way probe.LibraryWay, err error) {
	err = fixture.Run(scratch, func(s *fixture.Scope) {
		dst, sink := p.sockets(s, p.Destination)
		fixture.Collect(sink) // so that nothing waits for room
		z := zerocopy.New(zerocopy.Config{})
		s.Cleanup(z.CloseIdlePipes)
		var result zerocopy.Result
		if slices.Contains(socketsOfLibrary, p.Source) {
			client, src := p.sockets(s, p.Source)
			go client.Write(fixture.Pattern(1, size))
			result, err = z.SocketRelay(dst, src, size)
		} else {
			result, err = z.FileToSocket(dst, p.file(s), nil, size)
		}
		if result.N == 0 && err != nil {
			s.Fatalf("%w", err)
		}
		way = probe.LibraryWay{Path: string(result.Path), Reason: result.Why()}
	})
	return way, err
}

// conn is what both kinds of connection have.
type conn interface {
	net.Conn
	syscall.Conn
}

func (p pair) sockets(s *fixture.Scope, kind string) (a, b conn) {
	if kind == "unix" {
		return fixture.UnixConns(s)
	}
	return fixture.Conns(s)
}

// file is the user's own file, which is only read, or one of its kind.
func (p pair) file(s *fixture.Scope) *os.File {
	if p.Path != "" && p.Source == "file" {
		return fixture.OSOpen(s, p.Path)
	}
	switch p.Source {
	case "pipe":
		r, w, err := os.Pipe()
		if err != nil {
			s.Fatalf("pipe: %w", err)
		}
		s.Cleanup(func() { r.Close() })
		go func() {
			io.Copy(w, io.LimitReader(zeros{}, size))
			w.Close()
		}()
		return r
	case "proc":
		return fixture.OSOpen(s, "/proc/version")
	case "zero":
		return fixture.OSOpen(s, "/dev/zero")
	default:
		return fixture.OSFile(s, fixture.Pattern(1, size))
	}
}

// zeros reads as zeros.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
