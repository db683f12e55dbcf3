package cases

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/zcprobe/zcprobe/internal/sys"
	"github.com/zcprobe/zcprobe/probe"
)

// spliceMutant is a kernel that lies about one thing, and the cases that must find
// it out.
type spliceMutant struct {
	lie    string
	tamper func(k *sys.Kernel)
	killed []string
}

// isPipe tells whether a descriptor is a pipe.
func isPipe(fd int) bool {
	_, errno := sys.Native().PipeSize(fd)
	return errno == 0
}

// drained empties a pipe.
func drained(fd int) {
	if n, errno := sys.Queued(fd); errno == 0 && n > 0 {
		sys.Native().Read(fd, make([]byte, n))
	}
}

// elsewhere makes a call in another thread.
func elsewhere(call func()) {
	done := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		call()
		close(done)
	}()
	<-done
}

// copied stands in for a splice or sendfile from a file: it reads and writes.
func copied(out, in int, offset *int64, count int, change func([]byte)) (int, sys.Errno) {
	native := sys.Native()
	room, _ := native.PipeSize(out)
	queued, _ := sys.Queued(out)
	p := make([]byte, max(0, min(count, room-queued)))
	var n int
	var errno sys.Errno
	if offset != nil {
		n, errno = native.Pread(in, p, *offset)
	} else {
		n, errno = native.Read(in, p)
	}
	if n <= 0 || errno != 0 {
		return n, errno
	}
	if offset != nil {
		*offset += int64(n)
	}
	change(p[:n])
	return native.Write(out, p[:n])
}

var spliceMutants = []spliceMutant{
	{"splice: the offsets do not move", func(k *sys.Kernel) {
		splice := k.Splice
		k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
			for _, offset := range []*int64{inOffset, outOffset} {
				if offset != nil {
					defer func(was int64) { *offset = was }(*offset)
				}
			}
			return splice(in, inOffset, out, outOffset, count, flags)
		}
	}, []string{"linux/splice/file-to-pipe-explicit-offset", "linux/splice/pipe-to-file-explicit-offset", "linux/splice/hole-source"}},

	{"splice: the offsets move one too far", func(k *sys.Kernel) {
		splice := k.Splice
		k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
			n, errno := splice(in, inOffset, out, outOffset, count, flags)
			for _, offset := range []*int64{inOffset, outOffset} {
				if offset != nil && n > 0 {
					*offset++
				}
			}
			return n, errno
		}
	}, []string{"linux/splice/file-to-pipe-explicit-offset", "linux/splice/pipe-to-file-explicit-offset", "linux/splice/hole-source"}},

	{"splice: the offsets move on an error", func(k *sys.Kernel) {
		splice := k.Splice
		k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
			n, errno := splice(in, inOffset, out, outOffset, count, flags)
			for _, offset := range []*int64{inOffset, outOffset} {
				if offset != nil && errno != 0 && errno != syscall.EFAULT {
					*offset += int64(count)
				}
			}
			return n, errno
		}
	}, []string{"linux/splice/pipe-offset-espipe", "linux/splice/negative-offset-einval", "linux/splice/neither-pipe-einval",
		"linux/splice/socket-offset-einval", "linux/splice/append-einval"}},

	{"splice: the position moves although there is an offset", func(k *sys.Kernel) {
		splice := k.Splice
		k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
			n, errno := splice(in, inOffset, out, outOffset, count, flags)
			if n > 0 && inOffset != nil {
				k.Seek(in, int64(n), 1)
			}
			if n > 0 && outOffset != nil {
				k.Seek(out, int64(n), 1)
			}
			return n, errno
		}
	}, []string{"linux/splice/file-to-pipe-explicit-offset", "linux/splice/pipe-to-file-explicit-offset"}},

	{"splice: the position stays", func(k *sys.Kernel) {
		splice := k.Splice
		k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
			n, errno := splice(in, inOffset, out, outOffset, count, flags)
			if n > 0 && inOffset == nil {
				k.Seek(in, -int64(n), 1)
			}
			if n > 0 && outOffset == nil {
				k.Seek(out, -int64(n), 1)
			}
			return n, errno
		}
	}, []string{"linux/splice/file-to-pipe-null-offset", "linux/splice/pipe-to-file-null-offset", "linux/splice/count-beyond-end-is-short",
		"linux/splice/splice-f-move-noop", "linux/splice/splice-f-gift-accepted", "linux/splice/full-pipe-blocks", "linux/splice/partial-write-returns-short"}},

	{"splice: an error empties the source", func(k *sys.Kernel) {
		splice := k.Splice
		k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
			n, errno := splice(in, inOffset, out, outOffset, count, flags)
			if errno != 0 {
				drained(in)
			}
			return n, errno
		}
	}, []string{"linux/splice/append-einval", "linux/splice/negative-offset-einval", "linux/splice/write-overflow-einval", "linux/splice/len-negative-einval",
		"linux/splice/no-reader-epipe-keeps-source", "linux/splice/dest-pipe-full-nonblock-eagain", "linux/splice/same-pipe-einval",
		"linux/splice/pipe-offset-espipe", "linux/splice/socket-offset-einval", "linux/splice/bad-fds-ebadf", "linux/splice/offset-fault-efault",
		"linux/splice/dev-full-sink-einval", "linux/splice/tcp-notconn", "linux/splice/tcp-sink-reset", "linux/splice/neither-pipe-einval",
		"linux/splice/nonblock-is-for-the-pipe", "linux/splice/nonblock-socket-eagain-ambiguous", "linux/splice/fd-type-matrix", "linux/splice/full-nonblock-tcp-partial"}},

	{"splice: zeros come out of a file", func(k *sys.Kernel) {
		splice := k.Splice
		k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
			if isPipe(in) || !isPipe(out) || count <= 0 {
				return splice(in, inOffset, out, outOffset, count, flags)
			}
			return copied(out, in, inOffset, count, func(p []byte) { clear(p) })
		}
	}, []string{"linux/splice/file-to-pipe-null-offset", "linux/splice/file-to-pipe-explicit-offset", "linux/splice/tcp-to-pipe-short",
		"linux/splice/tcp-to-pipe-leaves-rest", "linux/splice/large-file-copy-identical", "linux/splice/proc-sysfs-source", "linux/splice/pty",
		"linux/splice/relay-bytes-identical", "linux/splice/relay-tail-after-fin", "linux/splice/unix-stream-both-ways", "linux/splice/netlink-source"}},

	{"splice: a file is copied, not shared", func(k *sys.Kernel) {
		splice := k.Splice
		k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
			if isPipe(in) || !isPipe(out) || count <= 0 {
				return splice(in, inOffset, out, outOffset, count, flags)
			}
			return copied(out, in, inOffset, count, func([]byte) {})
		}
	}, []string{"linux/splice/page-reference-modify", "linux/splice/file-tcp-by-reference", "linux/splice/truncate-inside-page-zeroes-tail"}},

	{"splice: the page in the pipe is the file's for the next writer too", func(k *sys.Kernel) {
		// What Dirty Pipe does to a file, done by hand, one splice of a byte later.
		splice := k.Splice
		k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
			n, errno := splice(in, inOffset, out, outOffset, count, flags)
			if path, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", in)); err == nil && count == 1 {
				if file, err := os.OpenFile(path, os.O_WRONLY, 0); err == nil { // root may, whatever the mode
					file.WriteAt([]byte("more"), 1)
					file.Close()
				}
			}
			return n, errno
		}
	}, []string{"linux/splice/dirty-pipe-safe"}},

	{"splice: one byte more is reported than moved", func(k *sys.Kernel) {
		splice := k.Splice
		k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
			n, errno := splice(in, inOffset, out, outOffset, count, flags)
			if n > 0 {
				n++
			}
			return n, errno
		}
	}, []string{"linux/splice/file-to-pipe-null-offset", "linux/splice/pipe-to-pipe", "linux/splice/partial-read-returns-short",
		"linux/splice/tcp-to-pipe-short", "linux/splice/udp-source", "linux/splice/udp-sink-one-datagram", "linux/splice/dev-null-sink",
		"linux/splice/len-huge-between-pipes", "linux/splice/unix-dgram-seqpacket-source", "linux/splice/p2p-no-deadlock"}},

	{"splice: a byte is lost between two pipes", func(k *sys.Kernel) {
		splice := k.Splice
		k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
			if isPipe(in) && isPipe(out) && count > 1 {
				k.Read(in, make([]byte, 1))
			}
			return splice(in, inOffset, out, outOffset, count, flags)
		}
	}, []string{"linux/splice/pipe-to-pipe", "linux/splice/partial-read-returns-short", "linux/splice/partial-write-returns-short"}},

	{"splice: the source keeps what was moved to a sink that is no pipe", func(k *sys.Kernel) {
		splice, tee := k.Splice, k.Tee
		k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
			if !isPipe(in) || isPipe(out) || count <= 0 {
				return splice(in, inOffset, out, outOffset, count, flags)
			}
			r, w, _ := k.Pipe(false)
			defer sys.Close(r)
			defer sys.Close(w)
			if n, _ := tee(in, w, count, sys.SpliceNonblock); n <= 0 {
				return splice(in, inOffset, out, outOffset, count, flags)
			}
			return splice(r, inOffset, out, outOffset, count, flags)
		}
	}, []string{"linux/splice/pipe-to-file-null-offset", "linux/splice/dev-null-sink", "linux/splice/partial-read-returns-short"}},

	{"splice: it never waits", func(k *sys.Kernel) {
		splice := k.Splice
		k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
			return splice(in, inOffset, out, outOffset, count, flags|sys.SpliceNonblock)
		}
	}, []string{"linux/splice/empty-pipe-blocks", "linux/splice/full-pipe-blocks", "linux/splice/nonblock-is-for-the-pipe"}},

	{"splice: the flag keeps it from waiting for a socket", func(k *sys.Kernel) {
		splice := k.Splice
		k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
			if ready, _ := sys.Poll(in, false, 0); !ready && flags&sys.SpliceNonblock != 0 {
				return -1, syscall.EAGAIN
			}
			return splice(in, inOffset, out, outOffset, count, flags)
		}
	}, []string{"linux/splice/socket-nonblock-needs-o_nonblock"}},

	{"splice: SPLICE_F_MORE is ignored", func(k *sys.Kernel) {
		splice := k.Splice
		k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
			return splice(in, inOffset, out, outOffset, count, flags&^sys.SpliceMore)
		}
	}, []string{"linux/splice/splice-f-more-delays-tail"}},

	{"splice: SPLICE_F_MORE is always on", func(k *sys.Kernel) {
		splice := k.Splice
		k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
			return splice(in, inOffset, out, outOffset, count, flags|sys.SpliceMore)
		}
	}, []string{"linux/splice/splice-f-more-delays-tail"}},

	{"splice, tee, vmsplice: unknown flags are ignored", func(k *sys.Kernel) {
		splice, tee, vmsplice := k.Splice, k.Tee, k.Vmsplice
		k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
			return splice(in, inOffset, out, outOffset, count, flags&0xf)
		}
		k.Tee = func(in, out, count, flags int) (int, sys.Errno) { return tee(in, out, count, flags&0xf) }
		k.Vmsplice = func(fd int, buffers [][]byte, flags int) (int, sys.Errno) { return vmsplice(fd, buffers, flags&0xf) }
	}, []string{"linux/splice/bad-flags-einval", "linux/tee/bad-flags-einval", "linux/tee/len-zero", "linux/vmsplice/bad-flags"}},

	{"splice, tee, vmsplice: no SIGPIPE", func(k *sys.Kernel) {
		splice, tee, vmsplice := k.Splice, k.Tee, k.Vmsplice
		k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (n int, errno sys.Errno) {
			elsewhere(func() { n, errno = splice(in, inOffset, out, outOffset, count, flags) })
			return n, errno
		}
		k.Tee = func(in, out, count, flags int) (n int, errno sys.Errno) {
			elsewhere(func() { n, errno = tee(in, out, count, flags) })
			return n, errno
		}
		k.Vmsplice = func(fd int, buffers [][]byte, flags int) (n int, errno sys.Errno) {
			elsewhere(func() { n, errno = vmsplice(fd, buffers, flags) })
			return n, errno
		}
	}, []string{"linux/splice/no-reader-epipe-keeps-source", "linux/splice/tcp-notconn", "linux/splice/tcp-sink-reset",
		"linux/tee/no-reader-epipe", "linux/vmsplice/no-reader-epipe"}},

	{"splice: O_APPEND is overlooked", func(k *sys.Kernel) {
		splice := k.Splice
		k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
			n, errno := splice(in, inOffset, out, outOffset, count, flags)
			if errno == syscall.EINVAL && sys.SetAppend(out, false) == 0 {
				n, errno = splice(in, inOffset, out, outOffset, count, flags)
				sys.SetAppend(out, true)
			}
			return n, errno
		}
	}, []string{"linux/splice/append-einval"}},

	{"splice: the end of a file is an error", func(k *sys.Kernel) {
		splice := k.Splice
		k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
			n, errno := splice(in, inOffset, out, outOffset, count, flags)
			if n == 0 && count > 0 {
				return -1, syscall.EAGAIN
			}
			return n, errno
		}
	}, []string{"linux/splice/eof-zero", "linux/splice/empty-pipe-no-writer-zero", "linux/splice/tcp-eof-zero", "linux/splice/count-beyond-end-is-short",
		"linux/splice/unix-stream-both-ways", "linux/splice/tcp-rst", "linux/splice/relay-tail-after-fin"}},

	{"splice: a count of zero is looked at", func(k *sys.Kernel) {
		splice := k.Splice
		k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
			if count == 0 && in < 0 {
				return -1, syscall.EBADF
			}
			return splice(in, inOffset, out, outOffset, count, flags)
		}
	}, []string{"linux/splice/len-zero-before-validation"}},

	{"splice, tee, vmsplice, copy_file_range: EIO for every errno", func(k *sys.Kernel) {
		splice, tee, vmsplice, cfr := k.Splice, k.Tee, k.Vmsplice, k.CopyFileRange
		eio := func(n int, errno sys.Errno) (int, sys.Errno) {
			if errno != 0 {
				errno = syscall.EIO
			}
			return n, errno
		}
		k.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
			return eio(splice(in, inOffset, out, outOffset, count, flags))
		}
		k.Tee = func(in, out, count, flags int) (int, sys.Errno) { return eio(tee(in, out, count, flags)) }
		k.Vmsplice = func(fd int, buffers [][]byte, flags int) (int, sys.Errno) { return eio(vmsplice(fd, buffers, flags)) }
		k.CopyFileRange = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
			return eio(cfr(in, inOffset, out, outOffset, count, flags))
		}
	}, []string{"linux/splice/bad-fds-ebadf", "linux/splice/fd-type-matrix", "linux/splice/procfs-splice-einval", "linux/splice/dev-null-source",
		"linux/splice/unix-source-nonblock-flag", "linux/splice/empty-pipe-nonblock-eagain", "linux/tee/non-pipe-einval", "linux/tee/same-pipe-einval",
		"linux/tee/bad-fd-ebadf", "linux/tee/nonblock-eagain", "linux/tee/o-nonblock-honoured", "linux/vmsplice/nonpipe-ebadf",
		"linux/vmsplice/nr-segs-limit", "linux/vmsplice/efault", "linux/vmsplice/full-nonblock-eagain", "linux/copy_file_range/append-ebadf",
		"linux/copy_file_range/modes-ebadf", "linux/copy_file_range/directory-eisdir", "linux/copy_file_range/nonregular-einval",
		"linux/copy_file_range/overlap-einval", "linux/copy_file_range/overflow", "linux/copy_file_range/flags-nonzero"}},

	{"tee: the source is consumed", func(k *sys.Kernel) {
		tee := k.Tee
		k.Tee = func(in, out, count, flags int) (int, sys.Errno) {
			n, errno := tee(in, out, count, flags)
			if n > 0 {
				k.Read(in, make([]byte, n))
			}
			return n, errno
		}
	}, []string{"linux/tee/duplicates-without-consuming", "linux/tee/partial-len", "linux/tee/short-when-less-room"}},

	{"tee: an error empties the source", func(k *sys.Kernel) {
		tee := k.Tee
		k.Tee = func(in, out, count, flags int) (int, sys.Errno) {
			n, errno := tee(in, out, count, flags)
			if errno != 0 {
				drained(in)
			}
			return n, errno
		}
	}, []string{"linux/tee/nonblock-eagain", "linux/tee/no-reader-epipe", "linux/tee/same-pipe-einval", "linux/tee/non-pipe-einval"}},

	{"tee: the bytes are copied, and zeros", func(k *sys.Kernel) {
		tee := k.Tee
		k.Tee = func(in, out, count, flags int) (int, sys.Errno) {
			n, errno := tee(in, out, count, flags)
			if n > 0 && errno == 0 {
				r, w, _ := k.Pipe(false)
				defer sys.Close(r)
				defer sys.Close(w)
				if m, errno := tee(in, w, n, sys.SpliceNonblock); errno == 0 && m == n {
					// Nothing is known of what out held before: the lie needs an empty one.
					if queued, _ := sys.Queued(out); queued == n {
						p := make([]byte, n)
						k.Read(r, p)
						readBack(out, n)
						k.Write(out, make([]byte, n))
					}
				}
			}
			return n, errno
		}
	}, []string{"linux/tee/duplicates-without-consuming", "linux/tee/by-reference", "linux/tee/partial-len"}},

	{"tee: it never waits", func(k *sys.Kernel) {
		tee := k.Tee
		k.Tee = func(in, out, count, flags int) (int, sys.Errno) { return tee(in, out, count, flags|sys.SpliceNonblock) }
	}, []string{"linux/tee/empty-blocks-until-data", "linux/tee/dest-full-blocks"}},

	{"vmsplice: the memory is copied", func(k *sys.Kernel) {
		vmsplice := k.Vmsplice
		k.Vmsplice = func(fd int, buffers [][]byte, flags int) (int, sys.Errno) {
			if sys.SetAppend(fd, false) == 0 && flags&^0xf == 0 && len(buffers) == 1 && len(buffers[0]) > 0 {
				if n, errno := k.Write(fd, buffers[0]); errno == 0 {
					return n, 0
				}
			}
			return vmsplice(fd, buffers, flags)
		}
	}, []string{"linux/vmsplice/page-reference", "linux/vmsplice/gift-page-reference", "linux/vmsplice/through-tcp-by-reference"}},

	{"vmsplice: a gift is refused", func(k *sys.Kernel) {
		vmsplice := k.Vmsplice
		k.Vmsplice = func(fd int, buffers [][]byte, flags int) (int, sys.Errno) {
			if flags&sys.SpliceGift != 0 {
				return -1, syscall.EOPNOTSUPP
			}
			return vmsplice(fd, buffers, flags)
		}
	}, []string{"linux/vmsplice/gift-page-reference", "linux/vmsplice/gift-alignment"}},

	{"vmsplice: only the first segment counts", func(k *sys.Kernel) {
		vmsplice := k.Vmsplice
		k.Vmsplice = func(fd int, buffers [][]byte, flags int) (int, sys.Errno) {
			return vmsplice(fd, buffers[:min(1, len(buffers))], flags)
		}
	}, []string{"linux/vmsplice/user-to-pipe", "linux/vmsplice/pipe-to-user", "linux/vmsplice/nr-segs-limit"}},

	{"vmsplice: it never waits", func(k *sys.Kernel) {
		vmsplice := k.Vmsplice
		k.Vmsplice = func(fd int, buffers [][]byte, flags int) (int, sys.Errno) {
			return vmsplice(fd, buffers, flags|sys.SpliceNonblock)
		}
	}, []string{"linux/vmsplice/full-blocks", "linux/vmsplice/o-nonblock-ignored"}},

	{"vmsplice: the end of a pipe is an error", func(k *sys.Kernel) {
		vmsplice := k.Vmsplice
		k.Vmsplice = func(fd int, buffers [][]byte, flags int) (int, sys.Errno) {
			n, errno := vmsplice(fd, buffers, flags)
			if n == 0 && errno == 0 {
				return -1, syscall.EAGAIN
			}
			return n, errno
		}
	}, []string{"linux/vmsplice/pipe-to-user-eof", "linux/vmsplice/nr-segs-zero"}},

	{"copy_file_range: the offsets do not move", func(k *sys.Kernel) {
		cfr := k.CopyFileRange
		k.CopyFileRange = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
			for _, offset := range []*int64{inOffset, outOffset} {
				if offset != nil {
					defer func(was int64) { *offset = was }(*offset)
				}
			}
			return cfr(in, inOffset, out, outOffset, count, flags)
		}
	}, []string{"linux/copy_file_range/offset-matrix", "linux/copy_file_range/eof"}},

	{"copy_file_range: the offset of the source is used for the destination", func(k *sys.Kernel) {
		cfr := k.CopyFileRange
		k.CopyFileRange = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
			if inOffset != nil && outOffset != nil {
				to := *inOffset
				n, errno := cfr(in, inOffset, out, &to, count, flags)
				*outOffset += int64(max(n, 0))
				return n, errno
			}
			return cfr(in, inOffset, out, outOffset, count, flags)
		}
	}, []string{"linux/copy_file_range/offset-matrix"}},

	{"copy_file_range: zero instead of EXDEV", func(k *sys.Kernel) {
		cfr := k.CopyFileRange
		k.CopyFileRange = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
			n, errno := cfr(in, inOffset, out, outOffset, count, flags)
			if errno == syscall.EXDEV {
				return 0, 0
			}
			return n, errno
		}
	}, []string{"linux/copy_file_range/cross-fs-exdev", "linux/copy_file_range/procfs-silent-zero"}},

	{"copy_file_range: the count is cut to 32 bits", func(k *sys.Kernel) {
		cfr := k.CopyFileRange
		k.CopyFileRange = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
			return cfr(in, inOffset, out, outOffset, int(uint32(count)), flags)
		}
	}, []string{"linux/copy_file_range/len-clamp"}},

	{"copy_file_range: flags are ignored", func(k *sys.Kernel) {
		cfr := k.CopyFileRange
		k.CopyFileRange = func(in int, inOffset *int64, out int, outOffset *int64, count, _ int) (int, sys.Errno) {
			return cfr(in, inOffset, out, outOffset, count, 0)
		}
	}, []string{"linux/copy_file_range/flags-nonzero"}},

	{"copy_file_range: the time of the destination stays", func(k *sys.Kernel) {
		cfr := k.CopyFileRange
		k.CopyFileRange = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
			st, _ := sys.Fstat(out)
			n, errno := cfr(in, inOffset, out, outOffset, count, flags)
			at := time.Unix(0, st.ModifiedNS)
			os.Chtimes(fmt.Sprintf("/proc/self/fd/%d", out), at, at)
			return n, errno
		}
	}, []string{"linux/copy_file_range/mtime"}},

	{"copy_file_range: overlapping ranges are copied", func(k *sys.Kernel) {
		cfr := k.CopyFileRange
		k.CopyFileRange = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
			if in == out && inOffset != nil && outOffset != nil {
				p := make([]byte, count)
				n, _ := k.Pread(in, p, *inOffset)
				return k.Pwrite(out, p[:max(n, 0)], *outOffset)
			}
			return cfr(in, inOffset, out, outOffset, count, flags)
		}
	}, []string{"linux/copy_file_range/overlap-einval"}},

	{"MSG_ZEROCOPY is ignored", func(k *sys.Kernel) {
		send := k.Send
		k.Send = func(fd int, p []byte, flags int) (int, sys.Errno) { return send(fd, p, flags&^sys.MsgZerocopy) }
	}, []string{"linux/msg_zerocopy/notification-range", "linux/msg_zerocopy/one-count-per-call", "linux/msg_zerocopy/loopback-copied",
		"linux/msg_zerocopy/pollerr", "linux/msg_zerocopy/cork-mix", "linux/msg_zerocopy/enobufs"}},

	{"MSG_ZEROCOPY: notifications count from one", func(k *sys.Kernel) {
		notice := k.ZerocopyNotice
		k.ZerocopyNotice = func(fd int) (sys.ZerocopyNotice, sys.Errno) {
			n, errno := notice(fd)
			n.First, n.Last = n.First+1, n.Last+1
			return n, errno
		}
	}, []string{"linux/msg_zerocopy/notification-range", "linux/msg_zerocopy/one-count-per-call", "linux/msg_zerocopy/loopback-copied", "linux/msg_zerocopy/cork-mix"}},

	{"MSG_ZEROCOPY: a copy is not admitted", func(k *sys.Kernel) {
		notice := k.ZerocopyNotice
		k.ZerocopyNotice = func(fd int) (sys.ZerocopyNotice, sys.Errno) {
			n, errno := notice(fd)
			n.Copied = false
			return n, errno
		}
	}, []string{"linux/msg_zerocopy/loopback-copied"}},

	{"MSG_ZEROCOPY: an empty error queue is a success", func(k *sys.Kernel) {
		notice := k.ZerocopyNotice
		k.ZerocopyNotice = func(fd int) (sys.ZerocopyNotice, sys.Errno) {
			n, errno := notice(fd)
			if errno == syscall.EAGAIN {
				errno = 0
			}
			return n, errno
		}
	}, []string{"linux/msg_zerocopy/no-notification-eagain", "linux/msg_zerocopy/flag-without-optin-ignored", "linux/msg_zerocopy/notification-range"}},

	{"MSG_ZEROCOPY: plain sends are counted too", func(k *sys.Kernel) {
		send := k.Send
		k.Send = func(fd int, p []byte, flags int) (int, sys.Errno) { return send(fd, p, flags|sys.MsgZerocopy) }
	}, []string{"linux/msg_zerocopy/one-count-per-call", "linux/msg_zerocopy/cork-mix"}},

	{"F_SETPIPE_SZ: rounded to pages only, and never refused", func(k *sys.Kernel) {
		set := k.SetPipeSize
		k.SetPipeSize = func(fd, size int) (int, sys.Errno) {
			n, errno := set(fd, size)
			page := os.Getpagesize()
			if errno != 0 || size <= 0 {
				return max(size, page), 0
			}
			return min(n, (size+page-1)/page*page), 0
		}
	}, []string{"linux/splice/pipe-size-set", "linux/splice/pipe-size-limits"}},
}

// readBack takes n bytes out of a pipe by its other end, which only /proc knows.
func readBack(w, n int) {
	fd, errno := sys.Open(fmt.Sprintf("/proc/self/fd/%d", w), os.O_RDONLY)
	if errno != 0 {
		return
	}
	defer sys.Close(fd)
	sys.Native().Read(fd, make([]byte, n))
}

func TestTamperedKernelsAreFoundOut(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("these calls are Linux's")
	}
	host := probe.ThisHost(t.TempDir())
	find := func(id string) *Case {
		list := all()
		i := slices.IndexFunc(list, func(c *Case) bool { return c.ID == id })
		if i < 0 {
			t.Fatalf("no case %s", id)
		}
		return list[i]
	}
	honest := map[string]bool{}
	for _, m := range spliceMutants {
		t.Run(m.lie, func(t *testing.T) {
			for _, id := range m.killed {
				c := find(id)
				if _, asked := honest[id]; !asked {
					o := c.ask(sys.Native(), t.TempDir())
					v, _, _ := c.judge(host, o.Facts)
					honest[id] = o.Skip == "" && o.Broken == "" && v == Conforms
					if !honest[id] {
						t.Logf("%s cannot be used here: %s %s %s", id, v, o.Skip, o.Broken)
					}
				}
				if !honest[id] {
					continue
				}
				kernel := sys.Native()
				m.tamper(kernel)
				o, ended := askSoon(c, kernel, t.TempDir())
				if !assert.True(t, ended, "%s hangs", id) {
					continue
				}
				if assert.Empty(t, o.Skip, id) && assert.Empty(t, o.Broken, id) {
					v, _, _ := c.judge(host, o.Facts)
					assert.Equal(t, Deviates, v, "%s: %v", id, o.Facts)
				}
			}
		})
	}
}

// askSoon asks a case that must not hang, whatever the kernel says: a hang is
// found out too, but takes the time of a deadline.
func askSoon(c *Case, kernel *sys.Kernel, scratch string) (outcome, bool) {
	done := make(chan outcome, 1)
	go func() { done <- c.ask(kernel, scratch) }()
	select {
	case o := <-done:
		return o, true
	case <-time.After(DefaultTimeout):
		return outcome{}, false
	}
}
