package cases

import (
	"os"
	"syscall"
	"time"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// ofCopy is a lie about copy_file_range alone.
func ofCopy(name string, lie func(transferring) transferring) mutant {
	return mutant{"copy_file_range: " + name, func(k *sys.Kernel) { tellTransfer["copy_file_range"](k, lie) }}
}

var copyFileRangeMutants = []mutant{
	ofCopy("zero instead of EXDEV", answering(func(_ *transfer, n int, errno sys.Errno) (int, sys.Errno) {
		if errno == syscall.EXDEV {
			return 0, 0
		}
		return n, errno
	})),
	ofCopy("flags are ignored", withFlags(func(int) int { return 0 })),
	ofCopy("the time of the destination stays", timeKept),
	ofCopy("the time of the source changes", afterwards(func(t *transfer, _ int) {
		if isOurs(t.in) {
			now := time.Now()
			os.Chtimes(procLink(t.in), now, now)
		}
	})),
	ofCopy("refused ranges are copied all the same", answering(func(t *transfer, n int, errno sys.Errno) (int, sys.Errno) {
		if errno != syscall.EINVAL || t.flags != 0 || !sound(t.inOffset) || !sound(t.outOffset) || !isFile(t.in) || !isFile(t.out) {
			return n, errno
		}
		p := make([]byte, t.count)
		k, _ := honest.Pread(t.in, p, *t.inOffset)
		return honest.Pwrite(t.out, p[:max(k, 0)], *t.outOffset)
	})),
	ofCopy("holes stay holes", afterwards(func(t *transfer, n int) {
		st, _ := sys.Fstat(t.out)
		content := make([]byte, min(st.Size, mostChanged))
		if k, _ := honest.Pread(t.out, content, 0); k != len(content) || k == 0 || !isOurs(t.out) {
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
}
