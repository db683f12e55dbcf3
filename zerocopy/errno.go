package zerocopy

import "syscall"

// refused classifies the errno of a zero-copy call that moved nothing, EAGAIN
// and EINTR aside. Where final is true the transfer ends with that errno;
// otherwise the next best path goes on, and why is for the Result.
//
// The offset and the bytes in flight are known exactly whenever this is asked,
// so that it makes no difference whether it is the first call or the n-th.
func refused(errno syscall.Errno) (why Reason, final bool) {
	switch errno {
	case syscall.ENOSYS:
		// The call is not there: an old kernel, a sandbox, a filter that
		// answers so in order that programs fall back.
		return ReasonMissing, false
	case syscall.EPERM, syscall.EACCES:
		// sendfile(2) and splice(2) do not list these: they come from seccomp
		// filters and from security modules, which rarely deny read and write
		// along with them.
		return ReasonDenied, false
	case syscall.EINVAL:
		// sendfile(2): "in_fd is not mmap(2)-like or not seekable"; splice(2):
		// "target filesystem doesn't support splicing". Files of /proc since
		// Linux 5.10, FUSE with direct_io and terminals end here.
		return ReasonRefused, false
	case syscall.EOPNOTSUPP, syscall.ESPIPE, syscall.EXDEV, syscall.ENOTTY, syscall.ENOTSOCK:
		// Filesystems and socket families that have a splice operation only in
		// name answer in these ways, and never does a stream that was cut off:
		// no pending error of a socket (sk_err) is one of them.
		return ReasonRefused, false
	case syscall.ENOMEM, syscall.ENOBUFS:
		// sendfile(2): "Insufficient memory to read from in_fd". A copy uses a
		// buffer that is there already.
		return ReasonNoMemory, false
	case syscall.EOVERFLOW, syscall.EFBIG:
		// sendfile(2): "count is too large, the operation would result in
		// exceeding the maximum size" of either end; pread may still know.
		return ReasonOverflow, false
	case syscall.EIO:
		// "Unspecified error while reading from in_fd", but nothing says so:
		// the copy reads and writes in two calls and names the one that fails.
		return ReasonSourceError, false
	}
	if gone(errno) {
		return ReasonNone, true
	}
	if errno == syscall.ENOTSUP { // EOPNOTSUPP itself on Linux
		return ReasonRefused, false
	}
	// Nobody documents it. As with EIO, the copy gets through or tells more.
	return ReasonUnexpected, false
}

// gone tells the errnos of a connection that will not carry another byte, and
// of descriptors that are none. A second call would hide them: the kernel clears
// a pending socket error when it has reported it (SO_ERROR, socket(7)), so that
// reading on would find a clean end.
func gone(errno syscall.Errno) bool {
	switch errno {
	case syscall.EPIPE, // dst was shut down for writing, here or there
		syscall.ECONNRESET, syscall.ECONNABORTED, syscall.ECONNREFUSED, // reset
		syscall.ENOTCONN, syscall.EDESTADDRREQ, syscall.ESHUTDOWN, // never connected, or no more
		syscall.ETIMEDOUT, // keepalive, TCP_USER_TIMEOUT, retransmissions
		syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EHOSTDOWN,
		syscall.ENETDOWN, syscall.ENETRESET, syscall.EPROTO, syscall.ENOPROTOOPT, // the network said so
		syscall.EBADF, syscall.EFAULT: // a mistake; nothing would get better
		return true
	default:
		return false
	}
}

// refusedTaking is refused for a call that takes bytes from a source which
// cannot be asked twice. An errno that is not known to be about the call is
// final there: after it, a read could show the end of a stream that was in
// truth cut off.
func refusedTaking(errno syscall.Errno) (why Reason, final bool) {
	why, final = refused(errno)
	if why == ReasonUnexpected || why == ReasonSourceError {
		return ReasonNone, true
	}
	return why, final
}
