// Package zerocopy moves bytes from a file to a socket and from a socket to
// another the best way that the system has: sendfile(2) and splice(2) on Linux,
// a pooled buffered copy where those are not to be had, and it always tells
// which it was and why.
//
//	n, err := zerocopy.FileToSocket(conn, file, nil, -1)   // a file to a connection
//	n, err := zerocopy.SocketRelay(upstream, client, -1)   // one direction of a proxy
//	fmt.Println(zerocopy.BackendName())                    // "sendfile+splice"
//
// [Wrap] and [NewListener] give connections whose ReadFrom and WriteTo take these
// paths, so that net/http, io.Copy and io.CopyN do without another change, and
// [Proxy] relays in both directions:
//
//	http.Serve(zerocopy.NewListener(listener), http.FileServer(http.Dir("www")))
//	result, err := zerocopy.Proxy(ctx, client, upstream, zerocopy.WithIdleTimeout(time.Minute))
//
// An [Engine] gives the same with a [Result] for each transfer and with
// counters of its own; a [Relay] survives deadlines without losing a byte.
//
// # Counts and errors
//
// The same rules hold for every transfer on every path.
//
//   - The count n that is returned is what the kernel accepted for dst. It says
//     nothing about what the peer has read.
//   - count is in bytes. A negative count means until src ends, and then the end
//     is no error. A count of 0 moves nothing and returns nil.
//   - n < count always comes with an error. Where src ended early it is
//     [ErrShortSource], which wraps [io.ErrUnexpectedEOF].
//   - The file's offset has moved by exactly n, on success and on every error.
//   - Bytes that were taken out of a source that cannot take them back (a
//     socket, a pipe, a terminal) and that dst did not accept are never dropped:
//     they come back in an [InFlightError], or stay in the [Relay], or go back to
//     the next Read of a source of [Wrap].
//   - Deadlines of dst and src hold, before and during a transfer, and closing
//     either connection from another goroutine ends it. Such errors wrap
//     [os.ErrDeadlineExceeded], [net.ErrClosed] (connections) and
//     [os.ErrClosed] (files). A transfer looks at the end that it waits for:
//     while dst is full, src can be closed (nothing holds it), and that is
//     noticed when dst takes bytes again.
//   - An error of the kernel wraps its [syscall.Errno] in an
//     [os.SyscallError] that names the call, and the message reads
//     "send file: sendfile: connection reset by peer".
//
// Refusals are no errors: whatever the kernel, a sandbox or a limit says against
// the fast path (ENOSYS, EPERM, EINVAL, no pipe to be had …), before the first
// byte or after it, makes the transfer go on by the next best way, and
// [Result.Reason] says so.
//
// # Connections
//
// Both ends are reached through [syscall.Conn] and through nothing else: all
// bytes go to the descriptor that dst.SyscallConn gives, on every path. A
// wrapper that adds a layer (compression, TLS) must not hand out the raw
// descriptor of the connection below it, and *tls.Conn does not; there is no
// looking through NetConn. A wrapper that changes nothing says so by implementing
// [SourceWrapper] or [DestinationWrapper], and is told the counts. On a socket with kernel TLS attached by the caller,
// the kernel encrypts what is sent.
//
// TCP, MPTCP, UNIX stream and other stream sockets work in every combination.
// Datagram and seqpacket sockets are refused with [ErrNotStream], as
// destination and as source: a stream has no message boundaries, and any split
// of it into datagrams would be an invention.
//
// A transfer is not atomic: between chunks it gives other writers of dst their
// turn, so that deadlines and Close are noticed. Two goroutines that write to
// one connection must agree on the order, as always.
//
// A descriptor in blocking mode (someone called [os.File.Fd] on the file that
// net's File method gave, or cleared O_NONBLOCK) is never handed to a call that
// could block. Its bytes are copied with MSG_DONTWAIT, and the waiting stays in
// the runtime's poller, with deadlines and Close. Where that cannot be done the
// transfer is refused with [ErrBlockingDescriptor].
//
// # SIGPIPE
//
// A Go program has nothing to do: writes to a closed peer report EPIPE, since
// the runtime handles the signal (package os/signal, "SIGPIPE"). Only package
// os raises it again, and only for its own writes to descriptors 1 and 2. In a
// Go library inside a C program the signal is the program's matter: sendfile
// and splice to a closed peer raise it, the copy does not (MSG_NOSIGNAL).
//
// # Systems
//
// Sendfile and splice are used on Linux. The other systems of this module copy,
// with the same rules; on those that are not Unix (Windows) the ends must be
// *net.TCPConn or *net.UnixConn.
package zerocopy
