package cases

import (
	"os"
	"path/filepath"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// placeMutants are lies that take a filesystem of one's own to be told or to be
// noticed.
var placeMutants = []mutant{
	ofCopy("the last byte of the source is changed by the call", afterwards(func(t *transfer, n int) {
		if st, _ := sys.Fstat(t.in); n > 0 {
			overwrite(t.in, []byte{0x55}, st.Size-1)
		}
	})),
	ofCopy("what is immutable is written to", afterwards(func(t *transfer, n int) {
		if n >= 0 || !isOurs(t.out) {
			return
		}
		if was, errno := sys.SetImmutable(t.out, false); was && errno == 0 {
			spoil(t.out, 0)
			sys.SetImmutable(t.out, true)
		}
	})),
	ofCopy("the layer below an overlay is written to", lowerSpoiled),
	ofSendfile("the layer below an overlay is written to", lowerSpoiled),
	ofSendfile("what is cached is read again", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			sys.DropCache(t.in)
			return call(t)
		}
	}),
	ofSendfile("a server that is gone is waited for", afterwards(func(_ *transfer, n int) {
		if n < 0 {
			doze(2 * shortPatience)
		}
	})),
	ofRead("one byte fewer is reported", func(n int) int { return n - 1 }),
	ofSeek("the next hole is where the data begins", func(_ int, offset int64, whence int, found int64) int64 {
		if whence == sys.SeekHole {
			return offset
		}
		return found
	}),
	ofSeek("the next data is one page on", func(_ int, _ int64, whence int, found int64) int64 {
		if whence == sys.SeekData {
			return found + int64(pageBytes)
		}
		return found
	}),
}

// lowerSpoiled changes the file below, in the one directory that a case has it.
var lowerSpoiled = afterwards(func(t *transfer, n int) {
	path, err := os.Readlink(procLink(t.in))
	if n <= 0 || err != nil {
		return
	}
	below, _ := filepath.Glob(filepath.Dir(filepath.Dir(path)) + "/tmpfs-*/lower/*")
	for _, name := range below {
		if file, err := os.OpenFile(name, os.O_WRONLY, 0); err == nil {
			file.WriteAt([]byte{0x55, 0xaa}, 7)
			file.Close()
		}
	}
})

// ofRead is a lie about the count of pread.
func ofRead(name string, lie func(n int) int) mutant {
	return mutant{"pread: " + name, func(k *sys.Kernel) {
		k.Pread = func(fd int, p []byte, offset int64) (int, sys.Errno) {
			n, errno := honest.Pread(fd, p, offset)
			if n > 0 {
				n = lie(n)
			}
			return n, errno
		}
	}}
}

// ofSeek is a lie about what lseek finds.
func ofSeek(name string, lie func(fd int, offset int64, whence int, found int64) int64) mutant {
	return mutant{"lseek: " + name, func(k *sys.Kernel) {
		k.Seek = func(fd int, offset int64, whence int) (int64, sys.Errno) {
			found, errno := honest.Seek(fd, offset, whence)
			if errno == 0 {
				found = lie(fd, offset, whence, found)
			}
			return found, errno
		}
	}}
}
