package cases

import "github.com/zcprobe/zcprobe/internal/sys"

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
	{withInOffset, "the offset of the source is moved too far", after(func(t *transfer, n int) {
		if n > 0 {
			slip(t.inOffset, 1)
		}
	})},
	{withOutOffset, "the offset of the destination is moved too far", after(func(t *transfer, n int) {
		if n > 0 {
			slip(t.outOffset, 1)
		}
	})},
	{withInOffset, "an error moves the offset of the source", after(func(t *transfer, n int) {
		if n < 0 {
			slip(t.inOffset, 1)
		}
	})},
	{withOutOffset, "an error moves the offset of the destination", after(func(t *transfer, n int) {
		if n < 0 {
			slip(t.outOffset, 1)
		}
	})},
	{withInOffset, "a call that moves nothing moves the offset of the source", after(func(t *transfer, n int) {
		if n == 0 {
			slip(t.inOffset, 1)
		}
	})},
	{withOutOffset, "a call that moves nothing moves the offset of the destination", after(func(t *transfer, n int) {
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
	{withInOffset, "a bad pointer to the source's offset is none", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			n, errno := call(t)
			if errno == efault {
				own := *t
				own.inOffset = nil
				return call(&own)
			}
			return n, errno
		}
	}},
	{withOutOffset, "a bad pointer to the destination's offset is none", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			n, errno := call(t)
			if errno == efault {
				own := *t
				own.outOffset = nil
				return call(&own)
			}
			return n, errno
		}
	}},
	{withInOffset, "the source is read a byte behind the offset", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			if t.inOffset == nil || *t.inOffset < 0 {
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
	{withInOffset, "offsets are cut to 32 bits", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			if t.inOffset == nil || *t.inOffset < 1<<31 {
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
			if t.inOffset != nil && readable(t.inOffset) && *t.inOffset < 0 {
				*t.inOffset = 0
			}
			return call(t)
		}
	}},
	{withOutOffset, "the offsets are exchanged", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			if t.inOffset == nil || t.outOffset == nil {
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
	{withInOffset, "the position of the source is not moved", after(func(t *transfer, n int) {
		if t.inOffset == nil && n > 0 {
			shift(t.in, -int64(n))
		}
	})},
	{withInOffset, "the position of the destination is not moved", after(func(t *transfer, n int) {
		if t.outOffset == nil && n > 0 {
			shift(t.out, -int64(n))
		}
	})},
	{withInOffset, "the position of the source is moved too far", after(func(t *transfer, n int) {
		if t.inOffset == nil && n > 0 {
			shift(t.in, 1)
		}
	})},
	{withInOffset, "the position of the destination is moved too far", after(func(t *transfer, n int) {
		if t.outOffset == nil && n > 0 {
			shift(t.out, 1)
		}
	})},
	{withInOffset, "the position of the source is moved beside an offset", after(func(t *transfer, n int) {
		if t.inOffset != nil && n > 0 {
			shift(t.in, int64(n))
		}
	})},
	{withOutOffset, "the position of the destination is moved beside an offset", after(func(t *transfer, n int) {
		if t.outOffset != nil && n > 0 {
			shift(t.out, int64(n))
		}
	})},
	{withInOffset, "an error moves the position of the source", after(func(t *transfer, n int) {
		if n < 0 {
			shift(t.in, 1)
		}
	})},
	{withInOffset, "an error moves the position of the destination", after(func(t *transfer, n int) {
		if n < 0 {
			shift(t.out, 1)
		}
	})},
	{withInOffset, "a call that moves nothing moves the position of the source", after(func(t *transfer, n int) {
		if n == 0 {
			shift(t.in, 1)
		}
	})},
	{withInOffset, "the position of a duplicate is its own", func(call transferring) transferring {
		type file struct{ device, inode uint64 }
		positions := map[int]int64{}
		return func(t *transfer) (int, sys.Errno) {
			if t.inOffset != nil {
				return call(t)
			}
			at, ok := positions[t.in]
			if !ok {
				at = 0
			}
			own := *t
			own.inOffset = &at
			n, errno := call(&own)
			if errno == 0 {
				positions[t.in] = at
			}
			return n, errno
		}
	}},
}
