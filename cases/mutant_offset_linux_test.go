package cases

import (
	"os"
	"sync"
	"syscall"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// Lies about the offset arguments.
var offsetLies = []transferLie{
	{withInOffset, "the offset of the source is not moved", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			own := *t
			own.inOffset = like(t.inOffset)
			return call(&own)
		}
	}},
	{withOutOffset, "the offset of the destination is not moved", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			own := *t
			own.outOffset = like(t.outOffset)
			return call(&own)
		}
	}},
	{withInOffset, "the offset of the source is moved too far", afterwards(func(t *transfer, n int) {
		if n > 0 {
			slip(t.inOffset, 1)
		}
	})},
	{withOutOffset, "the offset of the destination is moved too far", afterwards(func(t *transfer, n int) {
		if n > 0 {
			slip(t.outOffset, 1)
		}
	})},
	{withInOffset, "an error moves the offset of the source", afterwards(func(t *transfer, n int) {
		if n < 0 {
			slip(t.inOffset, 1)
		}
	})},
	{withOutOffset, "an error moves the offset of the destination", afterwards(func(t *transfer, n int) {
		if n < 0 {
			slip(t.outOffset, 1)
		}
	})},
	{withInOffset, "a call that moves nothing moves the offset of the source", afterwards(func(t *transfer, n int) {
		if n == 0 {
			slip(t.inOffset, 1)
		}
	})},
	{[]string{"copy_file_range"}, "a call that moves nothing moves the offset of the destination", afterwards(func(t *transfer, n int) {
		if n == 0 {
			slip(t.outOffset, 1)
		}
	})},
	{withInOffset, "the offset of the source is not looked at", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			own := *t
			own.inOffset = nil
			return call(&own)
		}
	}},
	{withOutOffset, "the offset of the destination is not looked at", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			own := *t
			own.outOffset = nil
			return call(&own)
		}
	}},
	{[]string{"sendfile", "splice"}, "a bad pointer to the source's offset is none", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			n, errno := call(t)
			if errno == syscall.EFAULT {
				own := *t
				own.inOffset = nil
				return call(&own)
			}
			return n, errno
		}
	}},
	{[]string{"splice"}, "a bad pointer to the destination's offset is none", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			n, errno := call(t)
			if errno == syscall.EFAULT {
				own := *t
				own.outOffset = nil
				return call(&own)
			}
			return n, errno
		}
	}},
	{withInOffset, "the source is read a byte behind the offset", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			if !sound(t.inOffset) || *t.inOffset < 0 {
				return call(t)
			}
			own := *t
			own.inOffset = new(*t.inOffset + 1)
			n, errno := call(&own)
			if n > 0 {
				*t.inOffset += int64(n)
			}
			return n, errno
		}
	}},
	{[]string{"sendfile"}, "offsets are cut to 32 bits", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			if !sound(t.inOffset) || *t.inOffset < 1<<31 {
				return call(t)
			}
			own := *t
			own.inOffset = new(int64(uint32(*t.inOffset) &^ (1 << 31)))
			n, errno := call(&own)
			if n > 0 {
				*t.inOffset += int64(n)
			}
			return n, errno
		}
	}},
	{withInOffset, "a negative offset is the start", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			if sound(t.inOffset) && *t.inOffset < 0 {
				*t.inOffset = 0
			}
			return call(t)
		}
	}},
	{[]string{"copy_file_range"}, "the offsets are exchanged", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			if !sound(t.inOffset) || !sound(t.outOffset) {
				return call(t)
			}
			own := *t
			own.inOffset, own.outOffset = like(t.outOffset), like(t.inOffset)
			n, errno := call(&own)
			slip(t.inOffset, int64(max(n, 0)))
			slip(t.outOffset, int64(max(n, 0)))
			return n, errno
		}
	}},
}

// Lies about the file positions.
var positionLies = []transferLie{
	{withInOffset, "the position of the source is not moved", afterwards(func(t *transfer, n int) {
		if t.inOffset == nil && n > 0 {
			shift(t.in, -int64(n))
		}
	})},
	{withInOffset, "the position of the destination is not moved", afterwards(func(t *transfer, n int) {
		if t.outOffset == nil && n > 0 {
			shift(t.out, -int64(n))
		}
	})},
	{withInOffset, "the position of the source is moved too far", afterwards(func(t *transfer, n int) {
		if t.inOffset == nil && n > 0 {
			shift(t.in, 1)
		}
	})},
	{withInOffset, "the position of the destination is moved too far", afterwards(func(t *transfer, n int) {
		if t.outOffset == nil && n > 0 {
			shift(t.out, 1)
		}
	})},
	{withInOffset, "the position of the source is moved beside an offset", afterwards(func(t *transfer, n int) {
		if t.inOffset != nil && n > 0 {
			shift(t.in, int64(n))
		}
	})},
	{withOutOffset, "the position of the destination is moved beside an offset", afterwards(func(t *transfer, n int) {
		if t.outOffset != nil && n > 0 {
			shift(t.out, int64(n))
		}
	})},
	{withInOffset, "an error moves the position of the source", afterwards(func(t *transfer, n int) {
		if n < 0 {
			shift(t.in, 1)
		}
	})},
	{[]string{"splice", "copy_file_range"}, "an error reads the source to its end", afterwards(func(t *transfer, n int) {
		if n < 0 && isFile(t.in) {
			shift(t.in, 1<<30)
		}
	})},
	{[]string{"sendfile", "splice"}, "what opens a file anew shares its position", afterwards(func(t *transfer, n int) {
		if n <= 0 || !isOurs(t.in) {
			return
		}
		path, _ := os.Readlink(procLink(t.in))
		at, _ := honest.Seek(t.in, 0, 1)
		for fd := range t.in + 16 {
			if other, err := os.Readlink(procLink(fd)); err == nil && other == path {
				honest.Seek(fd, at, 0)
			}
		}
	})},
	{withOutOffset, "an error moves the position of the destination", afterwards(func(t *transfer, n int) {
		if n < 0 {
			shift(t.out, 1)
		}
	})},
	{[]string{"sendfile", "splice"}, "a call that moves nothing moves the position of the source", afterwards(func(t *transfer, n int) {
		if n == 0 {
			shift(t.in, 1)
		}
	})},
	{withInOffset, "the position of a duplicate is its own", func(call transferring) transferring {
		var mu sync.Mutex
		positions := map[int]int64{} // by descriptor, not by description
		return func(t *transfer) (int, sys.Errno) {
			if t.inOffset != nil || !isFile(t.in) {
				return call(t)
			}
			mu.Lock()
			defer mu.Unlock()
			own, at := *t, positions[t.in]
			own.inOffset = &at
			n, errno := call(&own)
			positions[t.in] = at
			return n, errno
		}
	}},
}
