package cases

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

const ktlsDoc = "Documentation/networking/tls.rst"

// decrypts ends what a sends, reads it at b, decrypts it and records whether it
// is what was sent; "clear" where it came as it was.
func decrypts(e *Env, name string, a, b *fixture.FD, want []byte) (records int) {
	a.Close()
	stream := fixture.ReadAll(e, b)
	plain, records, wrong := fixture.OpenRecords(stream)
	switch {
	case len(want) > 0 && bytes.Equal(stream, want):
		wrong = "clear"
	case wrong == "":
		wrong = fixture.Compare(plain, want)
	}
	e.Fact(name, wrong)
	return records
}

// spliceAll splices from one end to the other until count bytes have moved or
// the kernel says no.
func spliceAll(e *Env, in, out *fixture.FD, count int) (n int, errno sys.Errno) {
	for n < count {
		k, errno := e.Kernel.Splice(in.Int(), nil, out.Int(), nil, count-n, 0)
		if k <= 0 {
			return n, errno
		}
		n += k
	}
	return n, 0
}

var ktlsSendCases = []*Case{
	{
		ID:       "linux/ktls/ulp-availability",
		Title:    "TLS attaches to a connection and to nothing else, a name that does not exist is ENOENT; without the module all of it is ENOENT",
		Facility: "ktls",
		Level:    Must,
		Sources:  []string{ktlsDoc + ", Creating a TLS connection", "Linux net/ipv4/tcp_ulp.c, __tcp_ulp_find_autoload", "selftests net/tls.c, non_established"},
		Covers:   []string{"linux/ktls/ulp-availability"},
		Systems:  linuxOnly,
		Caller:   "Attach after the handshake; on ENOENT the kernel has no TLS.",
		Expect: []Expectation{
			{Emulator: "qemu-user", Why: "options of TCP are whole numbers to it: three letters are too short, and of a longer name the first four go to the kernel (do_setsockopt)",
				Known: qemuSource + "syscall.c",
				Facts: Want{"answers": "connected: EINVAL, then \"\"; unconnected: EINVAL; again: EINVAL", "none.errno": "ENOENT"}},
			{Emulator: "gvisor", Why: "options that it does not know are taken and forgotten (setSockOptTCP; on the host's stack hostinet, SetSockOpt): no TLS is there",
				Known: gvisorSource + "sentry/socket/netstack/netstack.go#L2411-L2437",
				Facts: Want{"answers": "connected: none, then \"\"; unconnected: none; again: none", "none.errno": ""}},
			{Since: "4.13", Why: "TCP_ULP came with 734942cc4ea6",
				Facts: Want{"answers": OneOf{"connected: none, then \"tls\"; unconnected: ENOTCONN; again: EEXIST", "connected: ENOENT, then \"\"; unconnected: ENOENT; again: ENOENT"}, "none.errno": "ENOENT"}},
		},
		Body: func(e *Env) {
			a, b := fixture.TCP(e)
			first := e.Kernel.AttachULP(a.Int(), "tls")
			name, _ := e.Kernel.ULP(a.Int())
			unconnected := e.Kernel.AttachULP(fixture.Unconnected(e, sys.Stream).Int(), "tls")
			again := e.Kernel.AttachULP(a.Int(), "tls")
			word := func(errno sys.Errno) string {
				if errno == 0 {
					return "none"
				}
				return sys.ErrnoName(errno)
			}
			e.Fact("answers", fmt.Sprintf("connected: %s, then %q; unconnected: %s; again: %s", word(first), name, word(unconnected), word(again)))
			// The kernel looks for a module of that name where it may load any.
			e.Fact("none.errno", sys.ErrnoName(e.Kernel.AttachULP(b.Int(), "zcprobe-none")))
		},
	},
	{
		ID:       "linux/ktls/sendfile",
		Title:    "Sendfile through TLS returns the count of the plaintext, alone and after a send, and the peer decrypts the file",
		Facility: "ktls",
		Level:    Must,
		Sources:  []string{ktlsDoc + ", Sending TLS application data", "selftests net/tls.c, sendfile, send_then_sendfile"},
		Covers:   []string{"linux/ktls/sendfile", "bug/T05-in-place-crypto-overwrites-cache"},
		Needs:    []string{"ktls/sendfile"},
		Systems:  linuxOnly,
		Caller:   "Count plaintext; headers and tags are the kernel's.",
		Expect: []Expectation{
			{Facts: Want{Return: 50_000, Errno: "", Offset: 50_000, Bytes: fixture.Right, "send.return": 100, "after.return": 50_000, "after.bytes": fixture.Right, "file": fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(1, 50_000)
			file := fixture.File(e, p, os.O_RDONLY)
			a, b := fixture.TLSSender(e)
			var offset int64
			e.Answer(e.Kernel.Sendfile(a.Int(), file.Int(), &offset, len(p)))
			e.Fact(Offset, offset)
			decrypts(e, Bytes, a, b, p)

			a, b = fixture.TLSSender(e)
			n, _ := e.Kernel.Send(a.Int(), p[:100], 0)
			e.Fact("send.return", n)
			n, _ = e.Kernel.Sendfile(a.Int(), file.Int(), nil, len(p))
			e.Fact("after.return", n)
			decrypts(e, "after.bytes", a, b, append(bytes.Clone(p[:100]), p...))
			// The pages of the file are encrypted elsewhere, not in their place.
			e.Fact("file", fixture.Compare(fixture.Contents(e, file), p))
		},
	},
	{
		ID:       "linux/ktls/sendfile-chunks",
		Title:    "Sizes around the end of a record and of a page, in one call or several, lose and repeat nothing",
		Facility: "ktls",
		Level:    Must,
		Sources:  []string{"selftests net/tls.c, multi_chunk_sendfile"},
		Covers:   []string{"linux/ktls/sendfile-chunks"},
		Needs:    []string{"ktls/sendfile"},
		Systems:  linuxOnly,
		Caller:   "Nothing to do: any chunk is fine, and large ones make fewer records.",
		Expect:   []Expectation{{Facts: Want{"tried": 22, "wrong": ""}}},
		Body: func(e *Env) {
			tried, wrong := 0, []string{}
			for _, size := range [][2]int{ // the count of a call, and how much longer the file is
				{4096, 4096}, {4096, 0}, {4096, 1}, {4096, 2048}, {8192, 2048}, {4096, 8192}, {8192, 4096},
				{12_288, 1024}, {12_288, 2000}, {15_360, 100}, {15_360, 300}, {64, 4096}, {2048, 4096}, {2048, 8192},
				{1024, 12_288}, {2000, 12_288}, {100, 15_360}, {300, 15_360},
				{16_383, 1}, {16_384, 0}, {16_384, 1}, {16_385, 16_384},
			} {
				tried++
				p := fixture.Pattern(uint64(10+tried), size[0]+size[1])
				file := fixture.File(e, p, os.O_RDONLY)
				a, b := fixture.TLSSender(e)
				fixture.Roomy(a, b)
				for sent := 0; sent < len(p); {
					n, _ := e.Kernel.Sendfile(a.Int(), file.Int(), nil, size[0])
					if n <= 0 {
						break
					}
					sent += n
				}
				a.Close()
				if plain, _, fault := fixture.OpenRecords(fixture.ReadAll(e, b)); fault != "" || !bytes.Equal(plain, p) {
					wrong = append(wrong, fmt.Sprint(size))
				}
				b.Close()
				file.Close()
			}
			e.Fact("tried", tried)
			e.Fact("wrong", strings.Join(wrong, " "))
		},
	},
	{
		ID:       "linux/ktls/sendfile-slow-reader",
		Title:    "A file of some records reaches a reader that is slower than the sender whole and in order",
		Facility: "ktls",
		Level:    Must,
		Sources:  []string{ktlsDoc, "openssl/openssl: SSL_sendfile stopped or repeated after some 64 KiB"},
		Covers:   []string{"bug/T01-ktls-replay-64k", "bug/T03-ktls-linux-early"},
		Needs:    []string{"ktls/sendfile"},
		Systems:  linuxOnly,
		Caller:   "Compare what arrives once per kernel: valid records can hold wrong bytes.",
		Expect:   []Expectation{{Facts: Want{"64k.sent": 64 << 10, "64k.bytes": fixture.Right, "128k.sent": 128 << 10, "128k.bytes": fixture.Right, "1m.sent": 1 << 20, "1m.bytes": fixture.Right}}},
		Body: func(e *Env) {
			for _, x := range []struct {
				name string
				size int
			}{{"64k", 64 << 10}, {"128k", 128 << 10}, {"1m", 1 << 20}} {
				p := fixture.Pattern(2, x.size)
				file := fixture.File(e, p, os.O_RDONLY)
				a, b := fixture.TLSSender(e)
				fixture.Roomy(a, b) // and still less than the longest file: smaller ones wait for TCP's timers
				from, to := file.Int(), a.Int()
				call := fixture.Begin(func() (int, sys.Errno) {
					sent := 0
					for sent < len(p) {
						n, errno := e.Kernel.Sendfile(to, from, nil, len(p)-sent)
						if n <= 0 {
							return sent, errno
						}
						sent += n
					}
					return sent, 0
				})
				call.Waits() // for the reader, or it is done: the buffers took it all
				stream := fixture.ReadN(e, b, len(p))
				n, _, _ := call.Returned()
				e.Fact(x.name+".sent", n)
				a.Close()
				plain, _, wrong := fixture.OpenRecords(append(stream, fixture.ReadAll(e, b)...))
				if wrong == "" {
					wrong = fixture.Compare(plain, p)
				}
				e.Fact(x.name+".bytes", wrong)
				b.Close()
			}
		},
	},
	{
		ID:       "linux/ktls/splice-tx",
		Title:    "Pipes are spliced into TLS, one, two in a row and after a send, and the peer decrypts what they held",
		Facility: "ktls",
		Level:    Must,
		Sources:  []string{"selftests net/tls.c, splice_from_pipe, splice_from_pipe2, send_and_splice"},
		Covers:   []string{"linux/ktls/splice-tx"},
		Needs:    []string{"ktls/splice-send"},
		Systems:  linuxOnly,
		Caller:   "Nothing to do.",
		Expect: []Expectation{
			{Facts: Want{"one.return": 16_000, "one.errno": "", "one.bytes": fixture.Right, "two.return": 32_000, "two.errno": "", "two.bytes": fixture.Right,
				"after.return": 16_000, "after.errno": "", "after.bytes": fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(3, 32_000)
			half := len(p) / 2
			a, b := fixture.TLSSender(e)
			r, _ := loaded(e, p[:half])
			n, errno := spliceAll(e, r, a, half)
			e.Named("one", n, errno)
			decrypts(e, "one.bytes", a, b, p[:half])

			a, b = fixture.TLSSender(e)
			r, _ = loaded(e, p[:half])
			r2, _ := loaded(e, p[half:])
			n, _ = spliceAll(e, r, a, half)
			m, errno := spliceAll(e, r2, a, half)
			e.Named("two", n+m, errno)
			decrypts(e, "two.bytes", a, b, p)

			a, b = fixture.TLSSender(e)
			r, _ = loaded(e, p[half:])
			e.Kernel.Send(a.Int(), p[:half], 0)
			n, errno = spliceAll(e, r, a, half)
			e.Named("after", n, errno)
			decrypts(e, "after.bytes", a, b, p)
		},
	},
	{
		ID:       "linux/ktls/splice-many-frags",
		Title:    "A pipe of more small buffers than a record has room for is spliced whole, and nothing is sent beside it",
		Facility: "ktls",
		Level:    Must,
		Sources:  []string{"kernel commits fe1e81d4f73b, ce5af41e3234 (tls: trim encrypted message to match the plaintext on short splice)", "selftests net/tls.c, splice_short"},
		Covers:   []string{"linux/ktls/splice-many-frags"},
		Needs:    []string{"ktls/splice-send", "vmsplice/memory-pipe"},
		Systems:  linuxOnly,
		Caller:   "Update: unfixed kernels send memory of their own behind such a record, and the connection breaks.",
		Expect: []Expectation{
			{Since: "6.5", Until: "6.18", Why: "memory that nobody wrote follows the record since fe1e81d4f73b until ce5af41e3234, which stable releases took up",
				Facts: Want{Return: OneOf{304, 17, 45}, Errno: "", Bytes: OneOf{fixture.Right, "no record stands after 1", "a record is cut off", "cut off at 17 of 304", "cut off at 45 of 304"}}},
			{Facts: Want{Return: 304, Errno: "", Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			const small = 48 // more than CONFIG_MAX_SKB_FRAGS can be
			p := fixture.Pattern(4, small+256)
			r, w := pipeOfBuffers(e, small+1)
			m := inMemory(e, p)
			for i := range small {
				if n, errno := sys.Native().Vmsplice(w.Int(), [][]byte{m[i : i+1]}, 0); n != 1 {
					e.Fatalf("vmsplice: %w", error(errno))
				}
			}
			fixture.WriteAll(e, w, p[small:])
			w.Close()
			a, b := fixture.TLSSender(e)
			e.Answer(e.Kernel.Splice(r.Int(), nil, a.Int(), nil, small+4096, 0))
			decrypts(e, Bytes, a, b, p)
		},
	},
}

// pipeOfBuffers is a pipe with room for so many buffers; an ordinary user who
// has many pipes cannot have it.
func pipeOfBuffers(e *Env, buffers int) (r, w *fixture.FD) {
	r, w = fixture.Pipe(e)
	if size, errno := sys.Native().SetPipeSize(w.Int(), buffers*os.Getpagesize()); errno != 0 || size < buffers*os.Getpagesize() {
		e.Skip(SkipResources)
	}
	return r, w
}

var ktlsReceiveCases = []*Case{
	{
		ID:       "linux/ktls/splice-rx",
		Title:    "Records are spliced to a pipe decrypted, whole, the second half after a recv of the first, and after a peek",
		Facility: "ktls",
		Level:    Must,
		Sources:  []string{"selftests net/tls.c, splice_to_pipe, recv_and_splice, peek_and_splice", "kernel commits e062fe99cccd, 520493f66f68"},
		Covers:   []string{"linux/ktls/splice-rx"},
		Needs:    []string{"ktls/splice-receive"},
		Systems:  linuxOnly,
		Caller:   "Before 5.16 do not mix recv and splice on one connection.",
		Expect: []Expectation{
			{Since: "5.16", Why: "records that recv had begun or peeked at were not found before e062fe99cccd",
				Facts: Want{"whole.return": 16_000, "whole.errno": "", "whole.bytes": fixture.Right, "half.recv": 8000, "half.return": 8000, "half.errno": "", "half.bytes": fixture.Right,
					"peek.recv": 8000, "peek.return": 16_000, "peek.errno": "", "peek.bytes": fixture.Right}},
			{Facts: Want{"whole.return": 16_000, "whole.errno": "", "whole.bytes": fixture.Right}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(5, 16_000)
			half := len(p) / 2
			record := fixture.SealRecord(0, fixture.TLSApplication, p)
			arrive := func(records ...[]byte) *fixture.FD {
				a, b := fixture.TLSReceiver(e)
				fixture.WriteAll(e, a, bytes.Join(records, nil))
				a.Close()
				fixture.AwaitEnd(e, b)
				return b
			}
			head := make([]byte, half)

			b := arrive(record)
			r, w := roomyPipe(e)
			n, errno := spliceAll(e, b, w, len(p))
			e.Named("whole", n, errno)
			holds(e, "whole.bytes", r, p)

			b = arrive(record)
			r, w = roomyPipe(e)
			n, _ = e.Kernel.Recv(b.Int(), head, 0)
			e.Fact("half.recv", n)
			n, errno = spliceAll(e, b, w, half)
			e.Named("half", n, errno)
			rest := fixture.ReadReady(e, r, len(p)+1)
			e.Fact("half.bytes", fixture.Compare(append(bytes.Clone(head), rest...), p))

			// In records of a quarter: a peek decrypts the first.
			var quarters [][]byte
			for i := range 4 {
				quarters = append(quarters, fixture.SealRecord(uint64(i), fixture.TLSApplication, p[i*len(p)/4:(i+1)*len(p)/4]))
			}
			b = arrive(quarters...)
			r, w = roomyPipe(e)
			peeked := 0
			for range 4 { // one record at a time, from the start each time, or more at once
				if n, _ = e.Kernel.Recv(b.Int(), head, msgPeek); n > peeked {
					peeked = n
				}
			}
			e.Fact("peek.recv", peeked)
			n, errno = spliceAll(e, b, w, len(p))
			e.Named("peek", n, errno)
			holds(e, "peek.bytes", r, p)
		},
	},
	{
		ID:       "linux/ktls/splice-control-record-einval",
		Title:    "A record that is no application data is EINVAL to splice and EIO to recv, and recvmsg gets it with its type",
		Facility: "ktls",
		Level:    Must,
		Sources:  []string{ktlsDoc + ", Receiving TLS application data", "selftests net/tls.c, splice_cmsg_to_pipe, splice_dec_cmsg_to_pipe", "kernel commits 520493f66f68, e062fe99cccd", "haproxy: ssl_sock and splice"},
		Covers:   []string{"linux/ktls/splice-control-record-einval"},
		Needs:    []string{"ktls/splice-receive"},
		Systems:  linuxOnly,
		Caller:   "On EINVAL from a TLS socket call recvmsg with room for a control message: an alert or a handshake waits.",
		Expect: []Expectation{
			{Since: "5.16", Why: "the type of a record was not looked at before 520493f66f68",
				Facts: Want{"data.return": 100, "data.errno": "", Return: -1, Errno: "EINVAL", "recv.return": -1, "recv.errno": "EIO", "again.return": -1, "again.errno": "EINVAL",
					"record.return": 10, "record.kind": 22, "record.bytes": fixture.Right, "queued": 100, "after.return": 50, "after.errno": ""}},
		},
		Body: func(e *Env) {
			p := fixture.Pattern(6, 160)
			a, b := fixture.TLSReceiver(e)
			stream := append(fixture.SealRecord(0, fixture.TLSApplication, p[:100]), fixture.SealRecord(1, fixture.TLSHandshake, p[100:110])...)
			fixture.WriteAll(e, a, append(stream, fixture.SealRecord(2, fixture.TLSApplication, p[110:])...))
			fixture.AwaitEnd(e, b)
			r, w := roomyPipe(e)
			n, errno := e.Kernel.Splice(b.Int(), nil, w.Int(), nil, 1000, 0)
			e.Named("data", n, errno)
			e.Answer(e.Kernel.Splice(b.Int(), nil, w.Int(), nil, 1000, 0))
			n, errno = e.Kernel.Recv(b.Int(), make([]byte, 10), 0)
			e.Named("recv", n, errno)
			n, errno = e.Kernel.Splice(b.Int(), nil, w.Int(), nil, 1000, 0)
			e.Named("again", n, errno)
			got := make([]byte, 100)
			n, kind, _ := e.Kernel.RecvRecord(b.Int(), got)
			e.Fact("record.return", n)
			e.Fact("record.kind", kind)
			e.Fact("record.bytes", fixture.Compare(got[:max(n, 0)], p[100:110]))
			e.Fact("queued", fixture.Queued(e, r))
			n, errno = e.Kernel.Splice(b.Int(), nil, w.Int(), nil, 1000, 0)
			e.Named("after", n, errno)
		},
	},
}

// msgPeek is MSG_PEEK, the same on every architecture of Linux.
const msgPeek = 2
