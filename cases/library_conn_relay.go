package cases

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
	"github.com/zcprobe/zcprobe/zerocopy"
)

// asConn makes a connection of package net of a socket.
func asConn(e *Env, fd *fixture.FD) *net.TCPConn {
	copied, errno := sys.Dup(fd.Int())
	if errno != 0 {
		e.Fatalf("dup: %w", error(errno))
	}
	file := os.NewFile(uintptr(copied), "socket")
	defer file.Close()
	conn, err := net.FileConn(file)
	if err != nil {
		e.Fatalf("take connection: %w", err)
	}
	e.Cleanup(func() { conn.Close() })
	return conn.(*net.TCPConn)
}

// msgOOB is MSG_OOB, the same on every system.
const msgOOB = 1

var libraryConnRelayCases = []*Case{
	{
		ID:       "linux/library/urgent-byte-does-not-stop-a-relay",
		Title:    "A relay steps over a byte of urgent data, in a stream that goes on and in one that has ended: nothing hangs and nothing behind it is lost",
		Facility: "library",
		Level:    Must,
		Sources: []string{
			"tcp(7), SIOCATMARK and out-of-band data", "Linux net/ipv4/tcp.c: tcp_read_sock stops at urg_seq, tcp_recvmsg goes on behind it",
			"Go 1.26 io.Copy between TCP connections: hangs, or ends there and reports no error",
		},
		Needs:   []string{"splice/tcp-tcp"},
		Systems: linuxOnly,
		Caller:  "Nothing: the byte itself is out of band, and only recv with MSG_OOB gives it.",
		Expect: []Expectation{{Facts: Want{
			"open.n": 2000, "open.error": "", "open.bytes": fixture.Right,
			"ended.n": 2000, "ended.error": "", "ended.bytes": fixture.Right,
		}}},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 2000)
			for _, name := range []string{"open", "ended"} {
				client, server := fixture.TCP(e)
				fixture.WriteAll(e, client, content[:1000])
				switch n, errno := sys.Native().Send(client.Int(), []byte{'!'}, msgOOB); {
				case errno == syscall.EINVAL:
					e.Skip(SkipFeature) // gVisor has no urgent data
				case n != 1:
					e.Fatalf("send MSG_OOB: %w", error(errno))
				}
				fixture.WriteAll(e, client, content[1000:])
				count := int64(len(content))
				if name == "ended" {
					client.Close()
					count = -1
				}
				dst, sink := fixture.Conns(e)
				src := asConn(e, server)
				src.SetReadDeadline(time.Now().Add(fixture.Patience())) // where it hangs, it says so
				arrived := fixture.Collect(sink)
				result, err := engine(e).SocketRelay(dst, src, count)
				dst.Close()
				e.Fact(name+".n", result.N)
				e.Fact(name+".error", errorWord(err))
				e.Fact(name+".bytes", fixture.Compare(arrived(), content))
			}
		},
	},
	{
		ID:       "linux/library/ktls-relay",
		Title:    "A relay from kernel TLS delivers the plaintext, stops at a record that is no data with EIO and takes nothing of it, and goes on behind it",
		Facility: "library",
		Level:    Must,
		Sources:  []string{"package zerocopy, Connections", "Documentation/networking/tls.rst, Receiving TLS application data", "kube-vip/kube-gateway#4"},
		Covers:   []string{"bug/G14-ktls-splice-einval"},
		Needs:    []string{"ktls/splice-receive", "splice/tcp-tcp"},
		Systems:  linuxOnly,
		Caller:   "On EIO from kernel TLS take the record with recvmsg and a control message (TLS_GET_RECORD_TYPE), then relay on.",
		Expect: []Expectation{
			{Since: "5.16", Why: "the type of a record was not looked at before 520493f66f68", Facts: Want{
				"first.n": 16_000, "first.error": "EIO", "record.kind": fixture.TLSHandshake, "record.bytes": fixture.Right,
				"second.n": 4000, "second.error": "", Bytes: fixture.Right,
			}},
		},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 20_000)
			ticket := fixture.Pattern(2, 100)
			client, server := fixture.TLSReceiver(e)
			stream := fixture.SealRecord(0, fixture.TLSApplication, content[:16_000])
			stream = append(stream, fixture.SealRecord(1, fixture.TLSHandshake, ticket)...)
			stream = append(stream, fixture.SealRecord(2, fixture.TLSApplication, content[16_000:])...)
			fixture.WriteAll(e, client, stream)
			client.Close()
			dst, sink := fixture.Conns(e)
			src := asConn(e, server)
			arrived := fixture.Collect(sink)
			relay := engine(e).NewRelay(dst, src)
			result, err := relay.Run(-1)
			e.Fact("first.n", result.N)
			e.Fact("first.error", errorWord(err))
			record := make([]byte, 200)
			n, kind, _ := e.Kernel.RecvRecord(server.Int(), record)
			e.Fact("record.kind", kind)
			e.Fact("record.bytes", fixture.Compare(record[:max(n, 0)], ticket))
			result, err = relay.Run(-1)
			e.Fact("second.n", result.N)
			e.Fact("second.error", errorWord(err))
			dst.Close()
			e.Arrived(arrived(), content)
		},
	},
	{
		ID:       "linux/library/beyond-2-gib-does-not-spin",
		Title:    "A file of more than 2 GiB takes one call for each piece and then ends: no limit of a call is met again and again",
		Facility: "library",
		Level:    Must,
		Sources:  []string{librarySource, "libuv/libuv#5151", "sendfile(2), NOTES: at most 0x7ffff000 bytes a call"},
		Covers:   []string{"bug/R02-libuv-busyloop"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "Nothing to do: one call with the whole count.",
		Expect:   []Expectation{{Facts: Want{"n": beyond2GiB + int64(400_000), "error": "", "few-calls": true, Offset: beyond2GiB + int64(400_000), Bytes: fixture.Right}}},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 400_000)
			file := fixture.OSFile(e, nil)
			if _, err := file.WriteAt(content, beyond2GiB); err != nil {
				e.Skip(SkipPlace)
			}
			// Up to the tail the bytes are only counted, as if a peer had taken
			// them all: 2 GiB over loopback take longer than a case may.
			k := *e.Kernel
			sendfile := k.Sendfile
			var calls atomic.Int64
			k.Sendfile = func(out, in int, offset *int64, count int) (int, sys.Errno) {
				calls.Add(1)
				if offset == nil || *offset >= beyond2GiB {
					return sendfile(out, in, offset, count)
				}
				n := min(int64(count), beyond2GiB-*offset, 0x7ffff000)
				*offset += n
				return int(n), 0
			}
			a, b := fixture.Conns(e)
			arrived := fixture.Collect(b)
			offset := int64(0)
			result, err := engineOn(e, &k).FileToSocket(a, file, &offset, beyond2GiB+int64(len(content)))
			a.Close()
			e.Fact("n", result.N)
			e.Fact("error", errorWord(err))
			e.Fact("few-calls", calls.Load() < 1100) // 1024 pieces of 2 MiB and the tail, in a few
			e.Fact(Offset, offset)
			e.Arrived(arrived(), content)
		},
	},
	{
		ID:       "any/library/in-flight-goes-back-to-the-source",
		Title:    "Bytes that io.Copy had taken from a wrapped connection when the deadline of the destination struck are the next that it reads",
		Facility: "library",
		Level:    Must,
		Sources:  []string{connSource + ", TCPConn", "io.Copy between connections of package net loses them: Go internal/poll, splice_linux.go"},
		Needs:    []string{"splice/tcp-tcp"},
		Systems:  linuxOnly,
		Caller:   "Wrap the source: after an error it is where the count says.",
		Expect:   []Expectation{{Facts: Want{"error": "deadline", "rest-is-limit": true, Bytes: fixture.Right}}},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 2<<20)
			z := engine(e)
			client, src := fixture.Conns(e)
			dst, sink := fixture.NarrowConns(e)
			feed(client, content)
			source := z.Wrap(src)
			fixture.WhenFull(dst, func() { dst.SetWriteDeadline(past) })
			limit := &io.LimitedReader{R: source, N: int64(len(content))}
			_, err := io.Copy(z.Wrap(dst), limit)
			e.Fact("error", errorWord(err))
			dst.Close()
			got := fixture.Collect(sink)()
			rest := fixture.Collect(source)()
			e.Fact("rest-is-limit", int64(len(rest)) == limit.N)
			e.Arrived(append(got, rest...), content)
		},
	},
	proxyCase,
}

const beyond2GiB = int64(1<<31 + 1<<20)

var proxyCase = &Case{
	ID:       "linux/library/proxy",
	Title:    "Proxy relays both directions without a copy, carries each end over, and makes a reset of one side a reset of the other",
	Facility: "library",
	Level:    Must,
	Sources:  []string{"package zerocopy, Proxy", "haproxy stream.c: SC_FL_NOLINGER towards the server when the client failed", "envoyproxy/envoy#44148, #46519"},
	Needs:    []string{"splice/tcp-tcp"},
	Systems:  linuxOnly,
	Caller:   "Let it close both connections; look at Direction.Err and InFlight for what went wrong where.",
	Expect: []Expectation{{Facts: Want{
		"way": "splice 800000", "a-to-b": 300_000, "b-to-a": 500_000, "error": "", "request": fixture.Right, "answer": fixture.Right,
		"reset.client-to-server": "ECONNRESET", "reset.server-to-client": "other-direction", "reset.server-sees": "ECONNRESET",
	}}},
	Body: func(e *Env) {
		request, answer := fixture.Pattern(1, 300_000), fixture.Pattern(2, 500_000)
		z := engine(e)
		client, a := fixture.Conns(e)
		b, server := fixture.Conns(e)
		e.Fact("way", way(z, func() {
			answered := make(chan []byte, 2)
			feed(client, request)
			go func() {
				got := fixture.Collect(server)() // it ends only when the end of the request has come
				feed(server, answer)
				answered <- got
				answered <- fixture.Collect(client)()
			}()
			result, err := z.Proxy(soon(e), a, b)
			e.Fact("a-to-b", result.AToB.N)
			e.Fact("b-to-a", result.BToA.N)
			e.Fact("error", errorWord(err))
			e.Fact("request", fixture.Compare(<-answered, request))
			e.Fact("answer", fixture.Compare(<-answered, answer))
		}))

		client, a = fixture.Conns(e)
		b, server = fixture.Conns(e)
		client.Write([]byte("hello"))
		go func() {
			server.SetReadDeadline(time.Now().Add(fixture.Patience()))
			io.ReadFull(server, make([]byte, 5))
			client.SetLinger(0)
			client.Close()
		}()
		result, _ := z.Proxy(soon(e), a, b)
		e.Fact("reset.client-to-server", proxyWord(result.AToB.Err))
		e.Fact("reset.server-to-client", proxyWord(result.BToA.Err))
		_, err := server.Read(make([]byte, 1))
		e.Fact("reset.server-sees", errorWord(err))
	},
}

// soon ends what a lie of the kernel keeps waiting.
func soon(e *Env) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 2*fixture.Patience())
	e.Cleanup(cancel)
	return ctx
}

// proxyWord is errorWord for a direction.
func proxyWord(err error) string {
	if errors.Is(err, zerocopy.ErrOtherDirection) {
		return "other-direction"
	}
	return errorWord(err)
}
