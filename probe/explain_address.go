package probe

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
)

// findAddress looks at HOST:PORT and asks nobody: no name is looked up, no
// connection made.
func findAddress(network, address string) (*foundEnd, error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		var malformed *net.AddrError
		if errors.As(err, &malformed) {
			return nil, errors.New("malformed address: " + malformed.Err)
		}
		return nil, errors.New("malformed address")
	}
	port, err := net.LookupPort(network, service)
	if err != nil || service == "" || port == 0 {
		return nil, fmt.Errorf("no port %q", service)
	}
	if !plausible(host) {
		return nil, fmt.Errorf("no host %q", host)
	}
	e := &foundEnd{kind: kind(network), End: End{Address: address, Local: local(host)}}
	e.notes = append(e.notes, fmt.Sprintf("No connection was made to %s: %s over loopback stood in for it.", address, e.kind.Title))
	switch e.Local {
	case "yes":
		e.notes = append(e.notes, host+" is this host, so that the real connection goes over loopback too.")
	default:
		if e.Local == "unknown" {
			e.notes = append(e.notes, host+" was not looked up, and is taken for another machine.")
		}
		e.notes = append(e.notes, "On a network card the send side behaves as seen here where the card does scatter-gather (ethtool -k: scatter-gather: on); without it the kernel copies every page (sk_route_caps without NETIF_F_SG). The receiving machine always gets a copy.")
	}
	if port == 443 {
		e.notes = append(e.notes, "Port 443 is TLS: bytes are encrypted in the process, and no zero-copy call can serve them, unless the kernel does the encryption (kTLS).")
	}
	return e, nil
}

// plausible tells whether host can be a name or an address; "" is any address
// of this host.
func plausible(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil || host == "" {
		return true
	}
	return !strings.ContainsAny(host, " /\\@:[]%")
}

// local tells whether a host is this one.
func local(host string) string {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	self, _ := os.Hostname()
	if host == "" || host == "localhost" || strings.HasSuffix(host, ".localhost") || host == strings.ToLower(self) {
		return "yes"
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return "unknown"
	}
	address = address.Unmap().WithZone("")
	if address.IsLoopback() || address.IsUnspecified() {
		return "yes"
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return "unknown"
	}
	for _, a := range own {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil && prefix.Addr().Unmap() == address {
			return "yes"
		}
	}
	return "no"
}

// findUnix looks at the path of a UNIX socket; "@name" is an abstract one.
func findUnix(path string) (*foundEnd, error) {
	if path == "" || path == "@" {
		return nil, errors.New("no path of a socket")
	}
	if !strings.HasPrefix(path, "@") {
		st, err := os.Stat(path)
		if err != nil {
			return nil, errors.Unwrap(err)
		}
		if st.Mode()&os.ModeSocket == 0 {
			return nil, errors.New("it is no socket")
		}
	}
	return &foundEnd{
		kind:  kind("unix"),
		End:   End{Path: path},
		notes: []string{"No connection was made to " + path + ": a pair of stream sockets stood in for it. Datagram sockets take no splice."},
	}, nil
}
