package zerocopy

import (
	"fmt"
	"io"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// drain throws away what arrives, inside the kernel (MSG_TRUNC, tcp(7)), so that
// a benchmark sees the sender.
func drain(c stream) {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	buf := make([]byte, 1<<20)
	k := sys.Native()
	_ = raw.Read(func(fd uintptr) bool {
		for {
			n, errno := k.Recv(int(fd), buf, syscall.MSG_TRUNC)
			switch {
			case errno == syscall.EAGAIN:
				return false
			case errno != 0 && errno != syscall.EINTR, n == 0:
				return true
			}
		}
	})
}

// cpu is the processor time of this process, receiver included, in µs.
func cpu() float64 {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e3
}

func report(b *testing.B, size int, run func()) {
	b.Helper()
	b.SetBytes(int64(size))
	b.ReportAllocs()
	before := cpu()
	for b.Loop() {
		run()
	}
	b.ReportMetric((cpu()-before)/float64(b.N), "cpu-µs/op")
}

var benchSizes = []int{1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 16 << 20}

func BenchmarkFileToSocket(b *testing.B) {
	for _, size := range benchSizes {
		src := fileWith(b, pattern(size, 90))
		for name, run := range map[string]func(dst stream){
			"zerocopy": func(dst stream) {
				_, err := FileToSocket(dst, src, new(int64), int64(size))
				require.NoError(b, err)
			},
			"io.Copy": func(dst stream) {
				_, _ = src.Seek(0, io.SeekStart)
				_, err := io.Copy(dst, src)
				require.NoError(b, err)
			},
		} {
			b.Run(fmt.Sprintf("%d/%s", size, name), func(b *testing.B) {
				dst, peer := pair(b, "tcp")
				go drain(peer)
				report(b, size, func() { run(dst) })
			})
		}
	}
}

func BenchmarkSocketRelay(b *testing.B) {
	for _, size := range benchSizes {
		src := fileWith(b, pattern(size, 91))
		for name, run := range map[string]func(dst, from stream) error{
			"zerocopy": func(dst, from stream) error {
				_, err := SocketRelay(dst, from, -1)
				return err
			},
			"io.Copy": func(dst, from stream) error {
				_, err := io.Copy(dst, from)
				return err
			},
		} {
			b.Run(fmt.Sprintf("%d/%s", size, name), func(b *testing.B) {
				origin, from := pair(b, "tcp")
				dst, sink := pair(b, "tcp")
				done := make(chan error, 1)
				go func() {
					err := run(dst, from)
					_ = dst.CloseWrite()
					done <- err
				}()
				go drain(sink)
				report(b, size, func() {
					_, err := FileToSocket(origin, src, new(int64), int64(size))
					require.NoError(b, err)
				})
				_ = origin.CloseWrite()
				require.NoError(b, <-done)
			})
		}
	}
}

// A small transfer makes hardly any garbage.
func TestAllocations(t *testing.T) {
	src := fileWith(t, pattern(4096, 92))
	dst, peer := pair(t, "tcp")
	go drain(peer)
	e := tamper(t, nil)
	var offset int64
	sends := testing.AllocsPerRun(200, func() {
		offset = 0
		_, _ = e.FileToSocket(dst, src, &offset, 4096)
	})
	require.LessOrEqual(t, sends, 6.0)

	origin, from := pair(t, "tcp")
	chunk := make([]byte, 4096)
	relays := testing.AllocsPerRun(200, func() {
		_, _ = origin.Write(chunk)
		_, _ = e.SocketRelay(dst, from, 4096)
	})
	require.LessOrEqual(t, relays, 8.0)
}

func BenchmarkRelayOnce(b *testing.B) {
	dst, peer := pair(b, "tcp")
	go drain(peer)
	origin, from := pair(b, "tcp")
	chunk := make([]byte, 4096)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = origin.Write(chunk)
		_, _ = SocketRelay(dst, from, 4096)
	}
}
