package cases

import (
	"math"
	"os"
	"syscall"
	"time"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// ofSendfile is a lie about sendfile alone.
func ofSendfile(name string, lie func(transferring) transferring) mutant {
	return mutant{"sendfile: " + name, func(k *sys.Kernel) { tellTransfer["sendfile"](k, lie) }}
}

var sendfileMutants = []mutant{
	ofSendfile("what has no operation is read and written", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			n, errno := call(t)
			if ready, _ := sys.Poll(t.in, false, 0); errno != syscall.EINVAL || !ready || t.count <= 0 || t.inOffset != nil && atNow(t.in, t.inOffset) < 0 {
				return n, errno
			}
			return byHand(t)
		}
	}),
	ofSendfile("a source that cannot seek takes an offset", answering(func(t *transfer, n int, errno sys.Errno) (int, sys.Errno) {
		if errno == syscall.ESPIPE {
			return honest.Sendfile(t.out, t.in, nil, t.count)
		}
		return n, errno
	})),
	ofSendfile("a call that is denied is done by hand", answering(func(t *transfer, n int, errno sys.Errno) (int, sys.Errno) {
		if errno == syscall.EPERM || errno == syscall.ENOSYS {
			return byHand(t)
		}
		return n, errno
	})),
	ofSendfile("only files are sources", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			if !isFile(t.in) && modeOf(t.in) != ^uint32(0) {
				return -1, syscall.EINVAL
			}
			return call(t)
		}
	}),
	ofSendfile("the limit of a call is a byte lower", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			own := *t
			own.count = min(t.count, math.MaxInt32&^(pageBytes-1)-1)
			return call(&own)
		}
	}),
	ofSendfile("sums of offset and count are not checked", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			if sound(t.inOffset) && t.count > 0 && *t.inOffset > math.MaxInt64-int64(t.count) {
				return 0, 0
			}
			return call(t)
		}
	}),
	ofSendfile("a call into a pipe waits for the whole count", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			return inParts(t, math.MaxInt, call)
		}
	}),
	ofSendfile("messages are cut at 1000 bytes", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			return inParts(t, 1000, call)
		}
	}),
	ofSendfile("an error of the connection is thrown away and the call made again", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			n, errno := call(t)
			if errno == syscall.ECONNREFUSED || errno == syscall.ECONNRESET {
				return call(t)
			}
			return n, errno
		}
	}),
	ofSendfile("bytes are held back for more", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			sys.SetCork(t.out, true)
			return call(t)
		}
	}),
	ofSendfile("the cork is not looked at", afterwards(func(t *transfer, _ int) {
		sys.SetCork(t.out, false)
		sys.SetCork(t.out, true)
	})),
	ofSendfile("the output is written where the input is read", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			if !sound(t.inOffset) {
				return call(t)
			}
			at := atNow(t.out, nil)
			honest.Seek(t.out, *t.inOffset, 0)
			n, errno := call(t)
			honest.Seek(t.out, at+int64(max(n, 0)), 0)
			return n, errno
		}
	}),
	ofSendfile("the output is cut off behind what was written", afterwards(func(t *transfer, n int) {
		if n >= 0 {
			sys.Ftruncate(t.out, atNow(t.out, nil))
		}
	})),
	ofSendfile("holes stay holes", afterwards(func(t *transfer, _ int) {
		st, _ := sys.Fstat(t.out)
		content := make([]byte, min(st.Size, mostChanged))
		if n, _ := honest.Pread(t.out, content, 0); n != len(content) || n == 0 || !isOurs(t.out) {
			return
		}
		sys.Ftruncate(t.out, 0)
		sys.Ftruncate(t.out, st.Size)
		for at := 0; at < len(content); at += 4096 {
			if p := content[at:min(at+4096, len(content))]; texture(p) != "zeros" {
				honest.Pwrite(t.out, p, int64(at))
			}
		}
	})),
	ofSendfile("the time of the output is kept", timeKept),
	ofSendfile("the time of the input changes", afterwards(func(t *transfer, _ int) {
		if isOurs(t.in) {
			now := time.Now()
			os.Chtimes(procLink(t.in), now, now)
		}
	})),
	ofSendfile("set-user-ID bits are kept", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			st, _ := sys.Fstat(t.out)
			n, errno := call(t)
			done := make(chan struct{})
			go func() { // in a thread with all rights
				syscall.Chmod(procLink(t.out), st.Mode&0o7777)
				close(done)
			}()
			<-done
			return n, errno
		}
	}),
	ofSendfile("a call reads and writes a byte aside", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			p := make([]byte, 1)
			honest.Pread(t.in, p, 0)
			if w, errno := sys.Open(os.DevNull, os.O_WRONLY); errno == 0 {
				honest.Write(w, p)
				sys.Close(w)
			}
			return call(t)
		}
	}),
}

// timeKept keeps the time at which the destination was modified.
func timeKept(call transferring) transferring {
	return func(t *transfer) (int, sys.Errno) {
		st, _ := sys.Fstat(t.out)
		n, errno := call(t)
		if isOurs(t.out) {
			kept := time.Unix(0, st.ModifiedNS)
			os.Chtimes(procLink(t.out), kept, kept)
		}
		return n, errno
	}
}

// inParts makes many calls of one.
func inParts(t *transfer, size int, call transferring) (int, sys.Errno) {
	total := 0
	for total < t.count {
		own := *t
		own.count = min(size, t.count-total)
		n, errno := call(&own)
		if n <= 0 {
			if total == 0 {
				return n, errno
			}
			break
		}
		total += n
	}
	return total, 0
}

// byHand is a transfer by read and write.
func byHand(t *transfer) (int, sys.Errno) {
	p := make([]byte, min(max(t.count, 0), 1<<20))
	var n int
	var errno sys.Errno
	if t.inOffset == nil {
		n, errno = honest.Read(t.in, p)
	} else {
		n, errno = honest.Pread(t.in, p, atNow(t.in, t.inOffset))
	}
	if n <= 0 {
		return n, errno
	}
	k, errno := honest.Write(t.out, p[:n])
	if k > 0 {
		slip(t.inOffset, int64(k))
	}
	return k, errno
}
