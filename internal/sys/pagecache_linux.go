package sys

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// DropCache asks the kernel to forget the cached pages of a file, by
// POSIX_FADV_DONTNEED (posix_fadvise(2)): it is free not to, and keeps dirty and
// mapped ones.
func DropCache(fd int) Errno { return errnoOf(unix.Fadvise(fd, 0, 0, unix.FADV_DONTNEED)) }

// Cached counts the pages of a file's first size bytes that are in the page
// cache, by mincore(2). For a file that the caller neither owns nor may write
// the kernel claims all of them (commit 134fca9063ad). A read with RWF_NOWAIT,
// which could be asked instead, starts readahead and changes what it looks at
// (commit 2e85abf053b9).
func Cached(fd int, size int64) (cached, pages int, errno Errno) {
	if size <= 0 {
		return 0, 0, 0
	}
	p, err := unix.Mmap(fd, 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return 0, 0, errnoOf(err)
	}
	defer unix.Munmap(p)
	page := unix.Getpagesize()
	marks := make([]byte, (len(p)+page-1)/page)
	_, _, errno = unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)),
		uintptr(unsafe.Pointer(unsafe.SliceData(marks))))
	for _, m := range marks {
		cached += int(m & 1)
	}
	return cached, len(marks), errno
}

// BlockSize is the block size of a file's filesystem, from fstatfs(2); zero
// where it is unknown.
func BlockSize(fd int) int {
	var st unix.Statfs_t
	if unix.Fstatfs(fd, &st) != nil {
		return 0
	}
	return int(st.Bsize)
}
