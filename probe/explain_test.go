package probe

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEndsThatAreAddresses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ kind, address, local string }{
		"127.0.0.1:80":          {"tcp", "127.0.0.1:80", "yes"},
		"[::1]:80":              {"tcp", "[::1]:80", "yes"},
		"localhost:8080":        {"tcp", "localhost:8080", "yes"},
		":8080":                 {"tcp", ":8080", "yes"},
		"tcp:192.0.2.1:443":     {"tcp", "192.0.2.1:443", "no"},
		"tcp://192.0.2.1:443":   {"tcp", "192.0.2.1:443", "no"},
		"udp:[2001:db8::1]:53":  {"udp", "[2001:db8::1]:53", "no"},
		"example.com:80":        {"tcp", "example.com:80", "unknown"},
		"[::ffff:127.0.0.1]:80": {"tcp", "[::ffff:127.0.0.1]:80", "yes"},
	}
	for given, want := range tests {
		e, err := findEnd(given, false)
		require.NoError(t, err, given)
		assert.Equal(t, given, e.Given)
		assert.Equal(t, want.kind, e.Kind, given)
		assert.Equal(t, want.address, e.Address, given)
		assert.Equal(t, want.local, e.Local, given)
		assert.Equal(t, strings.HasSuffix(given, ":443"), strings.Contains(strings.Join(e.notes, "\n"), "TLS"), given)
	}
}

func TestEndsThatAreWrong(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"":                "nothing is given",
		"tpc":             "no such kind, no such path, and not HOST:PORT",
		"unix:":           "no path of a socket",
		"host:nosuchport": `no port "nosuchport"`,
		"host:99999":      `no port "99999"`,
		"host:0":          `no port "0"`,
		"host:":           `no port ""`,
		"[::1":            "malformed address: missing ']' in address",
		"::1":             "malformed address: too many colons in address",
		"a b:80":          `no host "a b"`,
		"memory":          "memory of the process cannot be a destination",
		t.TempDir():       "it is a directory",
	}
	for given, want := range tests {
		_, err := findEnd(given, false)
		require.ErrorContains(t, err, want, given)
		require.ErrorContains(t, err, "; kinds of destination: append, block, ", given)
		assert.NotContains(t, err.Error(), "\n", given)
	}
	_, err := findEnd("append", true)
	assert.ErrorContains(t, err, "cannot be a source; kinds of source: block, ")
}
