package sys

import "golang.org/x/sys/unix"

// NoWait are the flags with which Kernel.Send and Kernel.Recv never block,
// whatever O_NONBLOCK says, and with which a send to a closed peer raises no
// SIGPIPE: MSG_DONTWAIT and MSG_NOSIGNAL (send(2), recv(2)).
const NoWait = unix.MSG_DONTWAIT | unix.MSG_NOSIGNAL
