package cases

import (
	"fmt"
	"os"
	"strconv"

	"github.com/zcprobe/zcprobe/internal/sys"
)

var fileMutants = []mutant{
	{"seek: the position is not moved", func(k *sys.Kernel) {
		k.Seek = func(fd int, offset int64, whence int) (int64, sys.Errno) {
			at, errno := honest.Seek(fd, 0, 1)
			if errno != 0 || whence == 2 {
				return honest.Seek(fd, offset, whence)
			}
			if whence == 1 {
				offset += at
			}
			return offset, 0
		}
	}},
	{"seek: the position is moved a byte too far", func(k *sys.Kernel) {
		k.Seek = func(fd int, offset int64, whence int) (int64, sys.Errno) {
			at, errno := honest.Seek(fd, offset, whence)
			if errno == 0 && (offset != 0 || whence != 1) {
				shift(fd, 1)
			}
			return at, errno
		}
	}},
	{"pwrite: it writes at the position", func(k *sys.Kernel) {
		k.Pwrite = func(fd int, p []byte, _ int64) (int, sys.Errno) { return honest.Write(fd, p) }
	}},
	{"pread: it reads a byte behind the offset", func(k *sys.Kernel) {
		k.Pread = func(fd int, p []byte, offset int64) (int, sys.Errno) { return honest.Pread(fd, p, offset+1) }
	}},
}

// fileFlags are the flags that a descriptor was opened with (proc(5), fdinfo).
func fileFlags(fd int) (int, error) {
	text, err := os.ReadFile("/proc/self/fdinfo/" + strconv.Itoa(fd))
	if err != nil {
		return 0, err
	}
	var position int64
	var flags int
	_, err = fmt.Sscanf(string(text), "pos: %d flags: %o", &position, &flags)
	return flags, err
}
