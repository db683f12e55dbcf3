package cases

import (
	"bytes"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
	"github.com/zcprobe/zcprobe/zerocopy"
)

// refusesFrom is the kernel under test, whose sendfile and splice fail with errno
// from their call numbered first on, counted together from 0.
func refusesFrom(e *Env, errno sys.Errno, first int64) *sys.Kernel {
	k := *e.Kernel
	var calls atomic.Int64
	sendfile, splice := k.Sendfile, k.Splice
	k.Sendfile = func(out, in int, offset *int64, count int) (int, sys.Errno) {
		if calls.Add(1) > first {
			return -1, errno
		}
		return sendfile(out, in, offset, min(count, 50_000))
	}
	k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
		if calls.Add(1) > first {
			return -1, errno
		}
		return splice(in, inOffset, out, outOffset, min(count, 50_000), flags)
	}
	return &k
}

// engineOn is the library on a kernel of this case's making.
func engineOn(e *Env, k *sys.Kernel) *zerocopy.Engine {
	z := zerocopy.New(zerocopy.Config{Kernel: k})
	e.Cleanup(z.CloseIdlePipes)
	return z
}

// refusals are errnos by which kernels, filters and filesystems refuse. Of a
// file EIO and ENOTSOCK are such too; of a relay they are errors of its ends.
var refusals = []struct {
	name   string
	errno  sys.Errno
	relays bool
}{
	{"ENOSYS", syscall.ENOSYS, true}, {"EPERM", syscall.EPERM, true}, {"EACCES", syscall.EACCES, true}, {"EINVAL", syscall.EINVAL, true},
	{"EOPNOTSUPP", syscall.EOPNOTSUPP, true}, {"ENOMEM", syscall.ENOMEM, true}, {"ENOTSOCK", syscall.ENOTSOCK, false}, {"EIO", syscall.EIO, false},
}

// refusedFrom is a case in which the calls are refused from their first on, or in
// the middle of a transfer.
func refusedFrom(id, title string, first int64, covers []string) *Case {
	want := Want{}
	for _, r := range refusals {
		want[r.name+".file"], want[r.name+".offset"], want[r.name+".error"], want[r.name+".copied"] = fixture.Right, 300_000, "", true
		if r.relays {
			want[r.name+".relay"], want[r.name+".relay-error"], want[r.name+".relay-copied"] = fixture.Right, "", true
		}
	}
	return &Case{
		ID:       id,
		Title:    title,
		Facility: "library",
		Level:    Must,
		Sources:  []string{"package zerocopy: refusals are no errors", "Go internal/poll, sendfile_unix.go", "CPython test_shutil, test_socket: sendfile falls back", "openzfs/zfs#12971"},
		Covers:   covers,
		Needs:    []string{"sendfile/file-tcp", "splice/tcp-pipe"},
		Systems:  linuxOnly,
		Caller:   "Nothing: a transfer goes on by a copy from the very byte at which the call was refused.",
		Expect:   []Expectation{{Facts: want}},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 300_000)
			for _, r := range refusals {
				file := fixture.OSFile(e, content)
				a, b := fixture.Conns(e)
				arrived := fixture.Collect(b)
				var offset int64
				z := engineOn(e, refusesFrom(e, r.errno, first))
				_, err := z.FileToSocket(a, file, &offset, int64(len(content)))
				a.Close()
				e.Fact(r.name+".file", fixture.Compare(arrived(), content))
				e.Fact(r.name+".offset", offset)
				e.Fact(r.name+".error", errorWord(err))
				e.Fact(r.name+".copied", z.Counters().Copied.Bytes > 0)
				if !r.relays {
					continue
				}
				client, src := fixture.Conns(e)
				dst, sink := fixture.Conns(e)
				feed(client, content)
				arrived = fixture.Collect(sink)
				z = engineOn(e, refusesFrom(e, r.errno, first))
				_, err = z.SocketRelay(dst, src, -1)
				dst.Close()
				e.Fact(r.name+".relay", fixture.Compare(arrived(), content))
				e.Fact(r.name+".relay-error", errorWord(err))
				e.Fact(r.name+".relay-copied", z.Counters().Copied.Bytes > 0)
			}
		},
	}
}

// deniedFor is a case in which a filter takes calls away, with the rows that it covers.
func deniedFor(c *Case, covers ...string) *Case {
	c.Covers = covers
	return c
}

var libraryFallbackCases = []*Case{
	refusedFrom("linux/library/refused-at-once-copies",
		"Whatever errno the first sendfile or splice is refused with, everything arrives by a copy",
		0, []string{"suite/go/fallback-errnos", "linux/fallback/cpython-fallback"}),
	refusedFrom("linux/library/refused-midway-copies",
		"Whatever errno sendfile or splice is refused with after some bytes, the rest arrives by a copy and no byte twice",
		2, []string{"bug/K27-fallback-after-partial"}),
	deniedFor(denied("linux/library/denied-calls-copy",
		"With sendfile, splice and copy_file_range denied by a seccomp filter with EPERM, everything arrives by a copy",
		syscall.EPERM, []string{"sendfile", "splice", "copy_file_range"}, "none"),
		"bug/V13-seccomp-cfr-eperm", "bug/S05-lighttpd-no-fallback", "bug/R19-bun-no-fallback"),
	deniedFor(denied("linux/library/missing-calls-copy",
		"With sendfile, splice and copy_file_range answering ENOSYS, everything arrives by a copy",
		syscall.ENOSYS, []string{"sendfile", "splice", "copy_file_range"}, "none"),
		"bug/R12-jdk-cfr-enosys"),
	{
		ID:       "linux/library/failed-relays-leave-no-pipe",
		Title:    "Relays whose splice fails in the middle leave no descriptor open, and the next relay gets none of their bytes",
		Facility: "library",
		Level:    Must,
		Sources:  []string{"package zerocopy: a relay holds a pipe only while bytes are in it", "Go TestSplicePipePool", "kahing/catfs#19"},
		Covers:   []string{"linux/fallback/go-pipe-pool", "bug/R17-catfs-pipe-leak"},
		Needs:    []string{"splice/tcp-pipe"},
		Systems:  linuxOnly,
		Alone:    true, // it counts the descriptors of its process
		Caller:   "CloseIdlePipes gives back the few that wait for the next transfer.",
		Expect:   []Expectation{{Facts: Want{"failed": 6, "descriptors": 0, "next": "", "path": "splice", Bytes: fixture.Right}}},
		Body: func(e *Env) {
			k := *e.Kernel
			splice := k.Splice
			var failing atomic.Bool
			k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
				if _, errno := sys.Native().PipeSize(in); errno == 0 && failing.Load() { // the way out of the pipe
					return -1, syscall.ECONNRESET
				}
				return splice(in, inOffset, out, outOffset, count, flags)
			}
			z := engineOn(e, &k)
			content := fixture.Pattern(1, 40_000)
			client, src := fixture.Conns(e)
			dst, sink := fixture.Conns(e)
			z.BackendName() // it tries its calls once
			z.CloseIdlePipes()
			before := descriptors(e)
			failing.Store(true)
			failed := 0
			for i := range 6 {
				if _, err := client.Write(bytes.Repeat([]byte{byte(i)}, 1000)); err != nil {
					e.Fatalf("write: %w", err)
				}
				if _, err := z.SocketRelay(dst, src, 1000); err != nil {
					failed++
				}
			}
			failing.Store(false)
			feed(client, content)
			arrived := fixture.Collect(sink)
			result, err := z.SocketRelay(dst, src, int64(len(content)))
			z.CloseIdlePipes()
			e.Fact("failed", failed)
			e.Fact("descriptors", descriptors(e)-before)
			e.Fact("next", errorWord(err))
			e.Fact("path", string(result.Path))
			dst.Close()
			e.Arrived(arrived(), content)
		},
	},
	{
		ID:       "any/library/half-close-proxy",
		Title:    "A proxy of two relays carries the end of each direction over, and the other direction goes on",
		Facility: "library",
		Level:    Must,
		Sources:  []string{"package zerocopy, SocketRelay: the end is not carried over by itself", "golang/go#25985"},
		Covers:   []string{"linux/fallback/go-half-close-proxy"},
		Systems:  linuxOnly,
		Caller:   "CloseWrite on the destination when a relay ends without an error.",
		Expect:   []Expectation{{Facts: Want{"up": "", "down": "", "request": fixture.Right, "answer": fixture.Right}}},
		Body: func(e *Env) {
			request, answer := fixture.Pattern(1, 300_000), fixture.Pattern(2, 500_000)
			client, front := fixture.Conns(e)
			back, server := fixture.Conns(e)
			z := engine(e)
			var both sync.WaitGroup
			var up, down error
			both.Go(func() {
				_, up = z.SocketRelay(back, front, -1)
				back.CloseWrite()
			})
			both.Go(func() {
				_, down = z.SocketRelay(front, back, -1)
				front.CloseWrite()
			})
			feed(client, request)
			got := fixture.Collect(server)() // it ends only when the end of the request has come
			feed(server, answer)
			back2 := fixture.Collect(client)()
			both.Wait()
			e.Fact("up", errorWord(up))
			e.Fact("down", errorWord(down))
			e.Fact("request", fixture.Compare(got, request))
			e.Fact("answer", fixture.Compare(back2, answer))
		},
	},
	{
		ID:       "linux/library/spliced-both-ways",
		Title:    "A relay is spliced whatever the two ends are: TCP to UNIX, UNIX to TCP, UNIX to UNIX",
		Facility: "library",
		Level:    Should,
		Sources:  []string{"package zerocopy, Connections", "nadoo/glider#187"},
		Covers:   []string{"bug/G10-unix-dst-one-way"},
		Needs:    []string{"splice/unix-unix", "splice/tcp-pipe"},
		Systems:  linuxOnly,
		Caller:   "Nothing: io.Copy splices only where the destination is TCP or the source is.",
		Expect:   []Expectation{{Facts: Want{"tcp-unix": "splice", "unix-tcp": "splice", "unix-unix": "splice", Bytes: fixture.Right}}},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 100_000)
			var got []byte
			tcp := func() (feeder, net.Conn) { a, b := fixture.Conns(e); return a, b }
			unix := func() (feeder, net.Conn) { a, b := fixture.UnixConns(e); return a, b }
			for _, x := range []struct {
				name     string
				from, to func() (feeder, net.Conn)
			}{{"tcp-unix", tcp, unix}, {"unix-tcp", unix, tcp}, {"unix-unix", unix, unix}} {
				client, src := x.from()
				dst, sink := x.to()
				feed(client, content)
				arrived := fixture.Collect(sink)
				result, _ := engine(e).SocketRelay(dst.(syscall.Conn), src.(syscall.Conn), -1)
				dst.CloseWrite()
				e.Fact(x.name, string(result.Path))
				got = append(got, arrived()...)
			}
			e.Arrived(got, bytes.Repeat(content, 3))
		},
	},
}

// feeder is a connection that can be closed for writing.
type feeder interface {
	io.Writer
	CloseWrite() error
}
