package zerocopy

import "net"

// NewListener is [Engine.NewListener] on the engine of the package's functions.
func NewListener(l net.Listener) net.Listener { return standard().NewListener(l) }

// NewListener gives the connections that l accepts through [Engine.Wrap], for
// http.Server.Serve and its like. Of a *net.TCPListener and a *net.UnixListener
// everything but Accept stays at hand (SetDeadline, File, SyscallConn, by an
// interface with these methods).
//
// TLS belongs above it: tls.NewListener(zerocopy.NewListener(l), config). A
// listener that accepts *tls.Conn gives them as they are.
func (e *Engine) NewListener(l net.Listener) net.Listener {
	switch l := l.(type) {
	case *net.TCPListener:
		return &tcpListener{l, e}
	case *net.UnixListener:
		return &unixListener{l, e}
	default:
		return &listener{l, e}
	}
}

type tcpListener struct {
	*net.TCPListener
	e *Engine
}

func (l *tcpListener) Accept() (net.Conn, error) { return l.e.accepted(l.TCPListener.Accept()) }

type unixListener struct {
	*net.UnixListener
	e *Engine
}

func (l *unixListener) Accept() (net.Conn, error) { return l.e.accepted(l.UnixListener.Accept()) }

type listener struct {
	net.Listener
	e *Engine
}

func (l *listener) Accept() (net.Conn, error) { return l.e.accepted(l.Listener.Accept()) }

func (e *Engine) accepted(conn net.Conn, err error) (net.Conn, error) {
	if err != nil {
		return nil, err
	}
	return e.Wrap(conn), nil
}
