package probe

import (
	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

var sockmapFeatures = []*Feature{
	{
		ID:       "sockmap/create",
		Facility: "sockmap",
		Title:    "a BPF map of sockets (BPF_MAP_TYPE_SOCKMAP)",
		Since:    "4.14",
		Source:   "Documentation/bpf/map_sockmap.rst",
		Systems:  linuxOnly,
		Try:      func(e *Env) { sockmap(e) },
	},
	{
		ID:       "sockmap/redirect-tcp",
		Facility: "sockmap",
		Title:    "a BPF program hands what arrives at a TCP socket to another, without this process",
		// With a parser beside the verdict since 4.14.
		Since:   "5.10",
		Source:  "Documentation/bpf/map_sockmap.rst; commit ef5659280eb1 (bpf, sockmap: Allow skipping sk_skb parser program)",
		Systems: linuxOnly,
		Ends:    SocketType,
		Try:     func(e *Env) { redirect(e, fixture.TCP) },
	},
	{
		ID:       "sockmap/redirect-unix",
		Facility: "sockmap",
		Title:    "a BPF program hands what arrives at a UNIX stream socket to another, without this process",
		Since:    "5.15",
		Source:   "commit 94531cfcbe79 (af_unix: Add unix_stream_proto for sockmap)",
		Systems:  linuxOnly,
		Ends:     SocketType,
		Try:      func(e *Env) { redirect(e, unixStream) },
	},
}

func sockmap(e *Env) *fixture.FD {
	fd, errno := sys.NewSockmap(1)
	e.Must("bpf BPF_MAP_CREATE", errno)
	return fixture.Adopt(e, fd)
}

// redirect sends bytes into one connection and looks for them at the far end of
// another: client → in ⇒ out → far.
func redirect(e *Env, pair func(fixture.T) (a, b *fixture.FD)) {
	want := fixture.Pattern(1, pageful)
	client, in := pair(e)
	out, far := pair(e)
	// The program judges what arrives at the sockets of one map and sends it to
	// the socket in the other.
	sources, destinations := sockmap(e), sockmap(e)
	fd, errno := sys.LoadRedirect(destinations.Int())
	e.Must("bpf BPF_PROG_LOAD", errno)
	program := fixture.Adopt(e, fd)
	e.Must("bpf BPF_PROG_ATTACH", sys.AttachVerdict(sources.Int(), program.Int()))
	e.Must("bpf BPF_MAP_UPDATE_ELEM", sys.SetSockmap(destinations.Int(), 0, out.Int()))
	e.Must("bpf BPF_MAP_UPDATE_ELEM", sys.SetSockmap(sources.Int(), 0, in.Int()))
	fixture.WriteAll(e, client, want)
	e.last = "bpf_sk_redirect_map"
	e.Arrives(far, want)
}
