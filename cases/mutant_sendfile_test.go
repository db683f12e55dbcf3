package cases

import (
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/zcprobe/zcprobe/internal/sys"
	"github.com/zcprobe/zcprobe/probe"
)

// send is the shape of sendfile.
type send = func(out, in int, offset *int64, count int) (int, sys.Errno)

// sendfileMutants are kernels that lie in one thing, and the cases that must
// notice.
var sendfileMutants = []struct {
	name  string
	lie   func(honest send) send
	cases []string
}{
	{"the offset is not moved", func(honest send) send {
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			if offset == nil {
				return honest(out, in, nil, count)
			}
			own := *offset
			return honest(out, in, &own, count)
		}
	}, []string{"offset-pointer-leaves-file-position", "large-offset-over-4g", "count-beyond-eof-is-short", "file-to-file-allowed", "unix-stream-destination",
		"out-dev-null-ok", "no-implicit-more-at-count-end", "nonblock-cold-file", "pipe-full-blocks", "source-shrinks-between-calls"}},
	{"the offset is moved too far", func(honest send) send {
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			n, errno := honest(out, in, offset, count)
			if offset != nil && n > 0 {
				*offset++
			}
			return n, errno
		}
	}, []string{"offset-pointer-leaves-file-position", "writes-at-output-position", "blocking-socket-sends-all-or-signal", "signal-partial",
		"rst-mid-transfer-partial", "sndtimeo", "eof-peer-close-first-call-ok", "udp-refused", "odirect-input", "max-rw-count-clamp", "source-shrinks-under-waiting-call"}},
	{"an error moves the offset or the position", func(honest send) send {
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			n, errno := honest(out, in, offset, count)
			if n < 0 {
				slip(in, offset, 1)
			}
			return n, errno
		}
	}, []string{"eagain-leaves-offsets", "negative-offset-einval", "negative-count-einval", "offset-plus-count-overflow-einval", "bad-out-fd-ebadf",
		"out-not-writable-ebadf", "in-not-readable-ebadf", "o-path-ebadf", "out-append-einval", "nonblock-dgram-eagain", "pipe-full-nonblock-eagain",
		"signal-nothing-sent-eintr", "sigpipe-epipe", "rst-econnreset-then-epipe", "udp-unconnected", "tcp-unconnected-epipe", "out-dev-full-einval", "sealed-memfd",
		"rlimit-fsize", "offset-behind-size-limit-eoverflow", "udp-refused", "bad-in-fd-ebadf", "huge-count-behind-start-einval"}},
	{"a call that moves nothing moves the offset or the position", func(honest send) send {
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			n, errno := honest(out, in, offset, count)
			if n == 0 {
				slip(in, offset, 1)
			}
			return n, errno
		}
	}, []string{"at-eof-returns-zero", "count-zero-returns-zero", "parts-join-exactly", "file-growth-after-eof", "empty-file-returns-zero"}},
	{"the file position is moved beside an offset", func(honest send) send {
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			n, errno := honest(out, in, offset, count)
			if offset != nil && n > 0 {
				slip(in, nil, int64(n))
			}
			return n, errno
		}
	}, []string{"offset-pointer-leaves-file-position", "file-to-file-allowed", "unix-stream-destination", "out-dev-null-ok", "max-rw-count-clamp"}},
	{"the file position is not moved", func(honest send) send {
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			n, errno := honest(out, in, offset, count)
			if offset == nil && n > 0 {
				slip(in, nil, -int64(n))
			}
			return n, errno
		}
	}, []string{"null-offset-advances-file-position", "duplicates-share-position", "parts-join-exactly", "file-growth-after-eof", "huge-count-small-file",
		"deleted-source", "in-memfd-ok", "tty-destination", "tcp-basic", "huge-count-behind-start-einval", "max-rw-count-exact", "random-operations-keep-bytes"}},
	{"the last byte is reported and not sent", func(honest send) send {
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			if count < 2 {
				return honest(out, in, offset, count)
			}
			n, errno := honest(out, in, offset, count-1)
			if n == count-1 {
				slip(in, offset, 1)
				n++
			}
			return n, errno
		}
	}, []string{"close-after-return-safe", "tcp-interleaved-with-send", "offset-pointer-leaves-file-position", "mapped-files", "to-self-overlap",
		"page-reference-truncate-to-zero", "append-set-later-einval", "tcp-uncork-flushes", "unix-dgram-seqpacket-destination", "udp-destination-one-datagram"}},
	{"the last byte is sent and not reported", func(honest send) send {
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			n, errno := honest(out, in, offset, count)
			if n > 1 {
				slip(in, offset, -1)
				n--
			}
			return n, errno
		}
	}, []string{"null-offset-advances-file-position", "count-beyond-eof-is-short", "huge-count-small-file", "tcp-interleaved-with-send", "tcp-basic",
		"nonblock-partial-then-eagain", "pipe-destination-fast-path", "in-dev-zero-ok", "random-operations-keep-bytes", "source-shrinks-under-waiting-call", "dst-mtime-updated"}},
	{"zeros are sent for the bytes", func(honest send) send {
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			return relay(out, in, offset, count, func(p []byte) { clear(p) })
		}
	}, []string{"offset-pointer-leaves-file-position", "large-offset-over-4g", "large-file-copy", "sparse-source-zero-fill", "mapped-files", "in-memfd-ok", "deleted-source",
		"odirect-input", "tty-destination", "proc-seqfile-ok", "mptcp-destination", "no-implicit-more-at-eof", "tcp-cork-holds", "random-operations-keep-bytes", "duplicates-share-position"}},
	{"the bytes are copied", func(honest send) send {
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			return relay(out, in, offset, count, func([]byte) {})
		}
	}, []string{"page-reference-modify", "pipe-shares-pages", "page-reference-truncate-partial-zeroes", "to-self-overlap"}},
	{"every errno is EIO", func(honest send) send {
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			n, errno := honest(out, in, offset, count)
			if errno != 0 {
				errno = syscall.EIO
			}
			return n, errno
		}
	}, []string{"bad-in-fd-ebadf", "bad-out-fd-ebadf", "in-directory-einval", "in-dev-null-einval", "offset-efault", "offset-writeback-efault-after-transfer",
		"anon-fd-einval", "proc-pid-files-einval", "count-zero-still-validates", "argument-matrix", "in-pipe-einval", "in-socket-einval", "in-socket-to-pipe-works",
		"offset-behind-size-limit-eoverflow", "sealed-memfd", "udp-oversize-emsgsize", "max-rw-count-exact", "signal-nothing-sent-eintr", "tty-source-einval"}},
	{"what has no operation is read and written", func(honest send) send {
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			n, errno := honest(out, in, offset, count)
			if ready, _ := sys.Poll(in, false, 0); errno != syscall.EINVAL || !ready || count <= 0 || offset != nil && *offset < 0 {
				return n, errno
			}
			return relay(out, in, offset, count, func([]byte) {})
		}
	}, []string{"in-pipe-einval", "in-socket-einval", "in-dev-null-einval", "out-dev-full-einval", "out-append-einval", "append-set-later-einval", "argument-matrix",
		"proc-pid-files-einval", "tty-source-einval", "anon-fd-einval"}},
	{"the end of the file is an error", func(honest send) send {
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			n, errno := honest(out, in, offset, count)
			if n == 0 && count > 0 {
				return -1, syscall.EINVAL
			}
			return n, errno
		}
	}, []string{"at-eof-returns-zero", "count-beyond-eof-is-short", "file-growth-after-eof", "empty-file-returns-zero", "source-shrinks-between-calls", "large-file-copy", "argument-matrix"}},
	{"the end of the file never comes", func(honest send) send {
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			n, errno := honest(out, in, offset, count)
			if n == 0 && count > 0 {
				return 1, 0
			}
			return n, errno
		}
	}, []string{"at-eof-returns-zero", "file-growth-after-eof", "page-reference-truncate-to-zero", "source-shrinks-under-waiting-call", "inotify-events", "parts-join-exactly"}},
	{"a count of zero is never looked at", func(honest send) send {
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			if count == 0 {
				return 0, 0
			}
			return honest(out, in, offset, count)
		}
	}, []string{"count-zero-still-validates", "pipe-full-count-zero"}},
	{"nothing to send sends an empty message", func(honest send) send {
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			n, errno := honest(out, in, offset, count)
			if n == 0 {
				sys.Native().Write(out, nil)
			}
			return n, errno
		}
	}, []string{"count-zero-returns-zero", "empty-file-returns-zero"}},
	{"the offset pointer is not looked at", func(honest send) send {
		return func(out, in int, _ *int64, count int) (int, sys.Errno) { return honest(out, in, nil, count) }
	}, []string{"offset-efault", "offset-writeback-efault-after-transfer", "negative-offset-einval", "at-eof-returns-zero"}},
	{"negative numbers are taken for none", func(honest send) send {
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			if count < 0 {
				count = 100
			}
			if offset != nil && *offset < 0 {
				*offset = 0
			}
			return honest(out, in, offset, count)
		}
	}, []string{"negative-count-einval", "negative-offset-einval"}},
	{"large counts are cut to a megabyte", func(honest send) send {
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			return honest(out, in, offset, min(count, 1<<20))
		}
	}, []string{"max-rw-count-clamp", "max-rw-count-exact", "huge-count-behind-start-einval", "blocking-socket-sends-all-or-signal"}},
	{"the limit of a call is a byte lower", func(honest send) send {
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			return honest(out, in, offset, min(count, math.MaxInt32&^(os.Getpagesize()-1)-1))
		}
	}, []string{"max-rw-count-clamp", "max-rw-count-exact"}},
	{"sums of offset and count are not checked", func(honest send) send {
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			if offset != nil && count > 0 && *offset > math.MaxInt64-int64(count) {
				return 0, 0
			}
			return honest(out, in, offset, count)
		}
	}, []string{"offset-plus-count-overflow-einval"}},
	{"no call waits", func(honest send) send {
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			was, _ := sys.Nonblocking(out)
			sys.SetNonblock(out, true)
			defer sys.SetNonblock(out, was)
			return honest(out, in, offset, count)
		}
	}, []string{"blocking-socket-sends-all-or-signal", "pipe-full-blocks", "nonblock-source-ignored", "rst-mid-transfer-partial", "source-shrinks-under-waiting-call"}},
	{"a call into a pipe waits for the whole count", func(honest send) send {
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			total := 0
			for total < count {
				n, errno := honest(out, in, offset, count-total)
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
	}, []string{"pipe-destination-fast-path"}},
	{"the first call says EAGAIN", func(honest send) send {
		first := true
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			if first {
				first = false
				return -1, syscall.EAGAIN
			}
			return honest(out, in, offset, count)
		}
	}, []string{"nonblock-cold-file", "nonblock-partial-then-eagain", "in-socket-to-pipe-works", "setuid-cleared", "io-accounting"}},
	{"a short count is an error", func(honest send) send {
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			n, errno := honest(out, in, offset, count)
			if 0 < n && n < count {
				return -1, syscall.EINTR
			}
			return n, errno
		}
	}, []string{"signal-partial", "rst-mid-transfer-partial", "sndtimeo", "nonblock-partial-then-eagain", "rlimit-fsize", "count-beyond-eof-is-short"}},
	{"an error is thrown away and the call made again", func(honest send) send {
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			n, errno := honest(out, in, offset, count)
			if errno == syscall.ECONNREFUSED || errno == syscall.ECONNRESET {
				return honest(out, in, offset, count)
			}
			return n, errno
		}
	}, []string{"udp-refused", "rst-econnreset-then-epipe"}},
	{"no signal is raised", func(honest send) send {
		return func(out, in int, offset *int64, count int) (n int, errno sys.Errno) {
			sys.Raised(sys.BrokenPipe, func() {
				sys.Raised(sys.FileSizeLimit, func() { n, errno = honest(out, in, offset, count) })
			})
			return n, errno
		}
	}, []string{"tcp-unconnected-epipe", "sigpipe-epipe", "eof-peer-close-first-call-ok", "rst-econnreset-then-epipe", "rlimit-fsize"}},
	{"bytes are held back for more", func(honest send) send {
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			sys.SetCork(out, true)
			return honest(out, in, offset, count)
		}
	}, []string{"no-implicit-more-at-count-end", "no-implicit-more-at-eof"}},
	{"the cork is not looked at", func(honest send) send {
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			n, errno := honest(out, in, offset, count)
			sys.SetCork(out, false)
			sys.SetCork(out, true)
			return n, errno
		}
	}, []string{"tcp-cork-holds", "tcp-uncork-flushes"}},
	{"messages are cut at 1000 bytes", func(honest send) send {
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			total := 0
			for total < count {
				n, errno := honest(out, in, offset, min(1000, count-total))
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
	}, []string{"unix-dgram-seqpacket-destination", "udp-destination-one-datagram", "udp-oversize-emsgsize"}},
	{"the output is written where the input is read", func(honest send) send {
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			if offset == nil {
				return honest(out, in, offset, count)
			}
			native := sys.Native()
			at, _ := native.Seek(out, 0, 1)
			native.Seek(out, *offset, 0)
			n, errno := honest(out, in, offset, count)
			native.Seek(out, at+int64(max(n, 0)), 0)
			return n, errno
		}
	}, []string{"writes-at-output-position", "file-to-file-allowed"}},
	{"the output is cut off behind what was written", func(honest send) send {
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			n, errno := honest(out, in, offset, count)
			at, _ := sys.Native().Seek(out, 0, 1)
			sys.Ftruncate(out, at)
			return n, errno
		}
	}, []string{"writes-at-output-position", "random-operations-keep-bytes"}},
	{"holes stay holes", func(honest send) send {
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			n, errno := honest(out, in, offset, count)
			st, _ := sys.Fstat(out)
			content := make([]byte, st.Size)
			native := sys.Native()
			if k, _ := native.Pread(out, content, 0); k != len(content) || k == 0 {
				return n, errno
			}
			sys.Ftruncate(out, 0)
			sys.Ftruncate(out, st.Size)
			for at := 0; at < len(content); at += 4096 {
				if p := content[at:min(at+4096, len(content))]; texture(p) != "zeros" {
					native.Pwrite(out, p, int64(at))
				}
			}
			return n, errno
		}
	}, []string{"sparse-source-zero-fill"}},
	{"the times of the output are kept", func(honest send) send {
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			st, _ := sys.Fstat(out)
			n, errno := honest(out, in, offset, count)
			kept := time.Unix(0, st.ModifiedNS)
			os.Chtimes("/proc/self/fd/"+strconv.Itoa(out), kept, kept)
			return n, errno
		}
	}, []string{"dst-mtime-updated"}},
	{"set-user-ID bits are kept", func(honest send) send {
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			st, _ := sys.Fstat(out)
			n, errno := honest(out, in, offset, count)
			done := make(chan struct{})
			go func() { // in a thread with all rights
				syscall.Chmod("/proc/self/fd/"+strconv.Itoa(out), st.Mode&0o7777)
				close(done)
			}()
			<-done
			return n, errno
		}
	}, []string{"setuid-cleared"}},
	{"a call reads and writes a byte aside", func(honest send) send {
		null, _ := sys.Open("/dev/null", os.O_WRONLY)
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			p := make([]byte, 1)
			sys.Native().Pread(in, p, 0)
			sys.Native().Write(null, p)
			return honest(out, in, offset, count)
		}
	}, []string{"io-accounting", "inotify-events"}},
	{"only files are sources", func(honest send) send {
		return func(out, in int, offset *int64, count int) (int, sys.Errno) {
			if st, errno := sys.Fstat(in); errno == 0 && st.Mode&syscall.S_IFMT != syscall.S_IFREG {
				return -1, syscall.EINVAL
			}
			return honest(out, in, offset, count)
		}
	}, []string{"in-dev-zero-ok", "in-socket-to-pipe-works"}},
}

// Each lie is noticed by the cases that ask about it, and each case notices one.
func TestNoLieAboutSendfilePasses(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("these are questions to Linux")
	}
	host := probe.ThisHost(t.TempDir())
	verdict := func(c *Case, kernel *sys.Kernel) Verdict {
		o := c.ask(kernel, t.TempDir())
		if o.Skip != "" || o.Broken != "" {
			return Broken
		}
		v, _, _ := c.judge(host, o.Facts)
		return v
	}
	var alone, together []trial
	noticing := map[string]bool{}
	for _, c := range sendfileCases {
		if v := verdict(c, sys.Native()); v != Conforms {
			t.Logf("%s: %s here, it proves nothing", c.ID, v)
			noticing[c.ID] = true
			continue
		}
		for _, m := range sendfileMutants {
			if !slices.Contains(m.cases, strings.TrimPrefix(c.ID, "linux/sendfile/")) {
				continue
			}
			noticing[c.ID] = true
			kernel := *sys.Native()
			kernel.Sendfile = m.lie(kernel.Sendfile)
			if x := (trial{c, &kernel, m.name}); c.Alone {
				alone = append(alone, x)
			} else {
				together = append(together, x)
			}
		}
	}
	for _, c := range sendfileCases {
		assert.True(t, noticing[c.ID], "%s: no lie is known that it notices", c.ID)
	}
	try := func(x trial) {
		assert.Equal(t, Deviates, verdict(x.question, x.kernel), "%s, when %s", x.question.ID, x.lie)
	}
	for _, x := range alone { // they change the process
		try(x)
	}
	// Many wait for bytes that never come.
	room := make(chan struct{}, 16)
	var group sync.WaitGroup
	for _, x := range together {
		room <- struct{}{}
		group.Go(func() {
			try(x)
			<-room
		})
	}
	group.Wait()
}

// trial is a case to be asked of a kernel that lies.
type trial struct {
	question *Case
	kernel   *sys.Kernel
	lie      string
}

// slip moves the offset, or the position where there is none.
func slip(in int, offset *int64, by int64) {
	if offset != nil {
		*offset += by
		return
	}
	sys.Native().Seek(in, by, 1)
}

// relay is sendfile by read and write.
func relay(out, in int, offset *int64, count int, alter func([]byte)) (int, sys.Errno) {
	native := sys.Native()
	p := make([]byte, min(max(count, 0), 1<<20))
	var n int
	var errno sys.Errno
	if offset == nil {
		n, errno = native.Read(in, p)
	} else {
		n, errno = native.Pread(in, p, *offset)
	}
	if n <= 0 {
		return n, errno
	}
	alter(p[:n])
	k, errno := native.Write(out, p[:n])
	if k < 0 {
		return k, errno
	}
	if offset != nil {
		*offset += int64(k)
	}
	return k, 0
}
