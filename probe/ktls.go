package probe

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

var ktlsFeatures = []*Feature{
	{
		ID:       "ktls/attach",
		Facility: "ktls",
		Title:    "kernel TLS can be attached to a TCP socket (TCP_ULP)",
		Since:    "4.13",
		Source:   "Documentation/networking/tls.rst",
		Systems:  linuxOnly,
		Try: func(e *Env) {
			a, _ := fixture.TCP(e)
			e.Must("setsockopt TCP_ULP", sys.AttachTLS(a.Int()))
			// An emulator may take any option and do nothing.
			name, errno := sys.ULP(a.Int())
			e.Must("getsockopt TCP_ULP", errno)
			if name != "tls" {
				e.Calls("getsockopt TCP_ULP")
				e.Is(Absent, OSLacksCall, fmt.Sprintf("the socket says that it has %q attached", name), "use TLS in user space here")
			}
		},
	},
	{
		ID:       "ktls/sendfile",
		Facility: "ktls",
		Title:    "sendfile(2) through kernel TLS: the peer decrypts what the file holds",
		Since:    "4.13",
		Source:   "Documentation/networking/tls.rst; commit 3c4d7559159b (tls: kernel TLS support)",
		Systems:  linuxOnly,
		Ends:     SocketType,
		Try: func(e *Env) {
			want := fixture.Pattern(1, 10_000)
			a, b := fixture.TCP(e)
			e.Must("setsockopt TCP_ULP", sys.AttachTLS(a.Int()))
			e.Must("setsockopt TLS_TX", sys.SetTLSSend(a.Int(), tlsKey))
			sendfile(e, a, fixture.File(e, want, os.O_RDONLY), want)
			a.Close()
			e.Same(openRecords(e, fixture.ReadAll(e, b), want), want)
		},
	},
	{
		ID:       "ktls/splice-send",
		Facility: "ktls",
		Title:    "splice(2) from a pipe into kernel TLS",
		Since:    "4.13",
		Source:   "Documentation/networking/tls.rst",
		Systems:  linuxOnly,
		Ends:     SocketType,
		Try: func(e *Env) {
			want := fixture.Pattern(1, pageful)
			a, b := fixture.TCP(e)
			e.Must("setsockopt TCP_ULP", sys.AttachTLS(a.Int()))
			e.Must("setsockopt TLS_TX", sys.SetTLSSend(a.Int(), tlsKey))
			splice(e, filledPipe(e, want), a, want)
			a.Close()
			e.Same(openRecords(e, fixture.ReadAll(e, b), want), want)
		},
	},
	{
		ID:       "ktls/receive",
		Facility: "ktls",
		Title:    "recv(2) through kernel TLS gives what the peer encrypted",
		Since:    "4.17",
		Source:   "commit c46234ebb4d1 (tls: RX path for ktls)",
		Systems:  linuxOnly,
		Ends:     SocketType,
		Try: func(e *Env) {
			want := fixture.Pattern(1, pageful)
			e.Arrives(tlsFilled(e, want), want)
		},
	},
	{
		ID:       "ktls/splice-receive",
		Facility: "ktls",
		Title:    "splice(2) out of kernel TLS to a pipe",
		Since:    "4.17",
		Source:   "commit c46234ebb4d1 (tls: RX path for ktls)",
		Systems:  linuxOnly,
		Ends:     SocketType,
		Try: func(e *Env) {
			want := fixture.Pattern(1, pageful)
			in := tlsFilled(e, want)
			r, w := fixture.Pipe(e)
			splice(e, in, w, want)
			e.Arrives(r, want)
		},
	},
}

// tlsKey is the fixed key of these probes: TLS 1.2, AES-128-GCM, first record.
var tlsKey = sys.TLSKey{
	IV:   [8]byte{1, 2, 3, 4, 5, 6, 7, 8},
	Key:  [16]byte{16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1},
	Salt: [4]byte{9, 8, 7, 6},
}

// tlsFilled is a socket with kernel TLS at which want has arrived, encrypted.
func tlsFilled(e *Env, want []byte) *fixture.FD {
	a, b := fixture.TCP(e)
	e.Must("setsockopt TCP_ULP", sys.AttachTLS(b.Int()))
	e.Must("setsockopt TLS_RX", sys.SetTLSReceive(b.Int(), tlsKey))
	fixture.WriteAll(e, a, sealRecord(want))
	e.waitFor(b)
	return b
}

// The header of a record (RFC 5246, 6.2.1) and the explicit nonce after it
// (RFC 5288, 3).
const (
	recordHeader = 5
	recordNonce  = 8
)

func tlsCipher() cipher.AEAD {
	block, err := aes.NewCipher(tlsKey.Key[:])
	if err != nil {
		panic(err) // the length of the key is fixed
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return aead
}

// additional is what a record authenticates beside its content: its number,
// type, version and length (RFC 5246, 6.2.3.3).
func additional(record uint64, header []byte, length int) []byte {
	p := binary.BigEndian.AppendUint64(nil, record)
	p = append(p, header[:3]...)
	return binary.BigEndian.AppendUint16(p, uint16(length))
}

// inTheClear is worse than any other wrong byte.
const inTheClear = "the bytes crossed in the clear: TLS_TX was taken, and nothing was encrypted"

// openRecords decrypts application data, record by record.
func openRecords(e *Env, stream, want []byte) []byte {
	if bytes.Equal(stream, want) {
		e.wrong(inTheClear)
	}
	aead := tlsCipher()
	var plain []byte
	for record := uint64(0); len(stream) > 0; record++ {
		if len(stream) < recordHeader {
			e.wrong("a record is cut off")
		}
		header := stream[:recordHeader]
		length := int(binary.BigEndian.Uint16(header[3:]))
		if len(stream) < recordHeader+length || length < recordNonce+aead.Overhead() {
			e.wrong("a record is cut off")
		}
		body := stream[recordHeader : recordHeader+length]
		nonce := append(append([]byte{}, tlsKey.Salt[:]...), body[:recordNonce]...)
		p, err := aead.Open(nil, nonce, body[recordNonce:], additional(record, header, length-recordNonce-aead.Overhead()))
		if err != nil {
			e.wrong("a record does not decrypt")
		}
		plain = append(plain, p...)
		stream = stream[recordHeader+length:]
	}
	return plain
}

// sealRecord encrypts p as the first record.
func sealRecord(p []byte) []byte {
	aead := tlsCipher()
	const applicationData = 23
	record := []byte{applicationData, 3, 3}
	sealed := aead.Seal(nil, append(append([]byte{}, tlsKey.Salt[:]...), tlsKey.IV[:]...), p, additional(0, record, len(p)))
	record = binary.BigEndian.AppendUint16(record, uint16(recordNonce+len(sealed)))
	return append(append(record, tlsKey.IV[:]...), sealed...)
}
