package zerocopy

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// certificate is a fresh one for "localhost".
func certificate(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// tapped keeps what goes over the wire.
type tapped struct {
	net.Conn
	wire bytes.Buffer
}

func (c *tapped) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.wire.Write(p[:n])
	return n, err
}

// Nothing looks through a *tls.Conn, whichever way it is given to the library:
// what is on the wire is never the plaintext.
func TestTLSIsNeverLookedThrough(t *testing.T) {
	t.Parallel()
	secret := bytes.Repeat([]byte("the plaintext that must not leave "), 8000)
	config := &tls.Config{Certificates: []tls.Certificate{certificate(t)}}
	for name, send := range map[string]func(e *Engine, over *tls.Conn) error{
		"io.Copy of a file to Wrap(tls)": func(e *Engine, over *tls.Conn) error {
			_, err := io.Copy(e.Wrap(over), fileWith(t, secret))
			return err
		},
		"io.CopyN of a connection to Wrap(tls)": func(e *Engine, over *tls.Conn) error {
			src, origin := wrapped(t, e, "tcp")
			feed(origin, secret)
			_, err := io.CopyN(e.Wrap(over), src, int64(len(secret)))
			return err
		},
		"WriteTo of a wrapped connection": func(e *Engine, over *tls.Conn) error {
			src, origin := wrapped(t, e, "unix")
			feed(origin, secret)
			_, err := src.WriteTo(over)
			return err
		},
		"WriteTo through a counter": func(e *Engine, over *tls.Conn) error {
			src, origin := wrapped(t, e, "tcp")
			feed(origin, secret)
			_, err := src.WriteTo(&counter{Writer: over})
			return err
		},
		"Proxy": func(e *Engine, over *tls.Conn) error {
			src, origin := wrapped(t, e, "tcp")
			feed(origin, secret)
			res, err := e.Proxy(context.Background(), src, over)
			require.Equal(t, ReasonOpaque, res.AToB.Reason)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := tamper(t, nil)
			below, far := wrapped(t, e, "tcp")
			over := tls.Server(below, config)
			require.Same(t, over, e.Wrap(over))
			tap := &tapped{Conn: far}
			client := tls.Client(tap, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13})
			done := make(chan received, 1)
			go func() {
				data := make([]byte, len(secret))
				_, err := io.ReadFull(client, data)
				_ = client.CloseWrite()
				_, _ = io.Copy(io.Discard, client)
				done <- received{data, err}
			}()
			require.NoError(t, send(e, over))
			_ = over.Close() // Proxy has done so
			r := get(t, done)
			require.NoError(t, r.err)
			sameBytes(t, secret, r.data)
			require.NotContains(t, tap.wire.String(), "plaintext")
			require.Zero(t, e.Counters().Sendfile)
			require.Zero(t, e.Counters().Splice)
			require.GreaterOrEqual(t, e.Counters().Written.Bytes, int64(len(secret)), "TLS writes to the connection of Wrap below it")
		})
	}
}
