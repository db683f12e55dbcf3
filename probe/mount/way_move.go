package mount

import (
	"os"
	"runtime/debug"
	"slices"
	"syscall"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// native is what the harness itself reads and writes with.
var native = sys.Native()

// view is a file as one way looks at it.
type view struct {
	*check
	fixture.T
	file *os.File
	fd   int
	held []byte // a mapping from before the change, which way mmap keeps

	direct   bool  // the descriptor has O_DIRECT
	buffered *view // then, one of the same file that has not
}

// plainly is the view that plain read has of the file.
func (v *view) plainly() *view {
	if v.buffered != nil {
		return v.buffered
	}
	return v
}

// all repeats a call until n bytes have come, it is refused or nothing comes.
func all(n int, call func(done int) (int, sys.Errno)) reading {
	var r reading
	done := 0
	for done < n {
		k, errno := call(done)
		if errno == syscall.EINTR {
			continue
		}
		if errno != 0 || k <= 0 {
			r.errno = errno
			break
		}
		r.short = r.short || done > 0 // what came before was not all
		done += k
	}
	return r
}

// movePlain reads into memory that begins at a page, as O_DIRECT asks for.
func movePlain(v *view, offset int64, n int) reading {
	memory, errno := sys.Memory(n)
	if errno != 0 {
		return reading{errno: errno}
	}
	defer sys.FreeMemory(memory)
	done := 0
	r := all(n, func(int) (int, sys.Errno) {
		if v.direct && done%512 != 0 {
			return 0, 0 // a read that ended inside of a block has met the end
		}
		k, errno := v.kernel.Pread(v.fd, memory[done:], offset+int64(done))
		done += max(k, 0)
		return k, errno
	})
	r.got = append([]byte{}, memory[:done]...)
	return r
}

// moveSendfile sends to a socket that takes no more than it has room for, and
// empties it in between: nothing here can wait for a reader.
func moveSendfile(v *view, offset int64, n int) reading {
	a, b := fixture.Unix(v, sys.Stream)
	defer a.Close()
	defer b.Close()
	a.Nonblock(v)
	b.Nonblock(v)
	at := offset
	var got []byte
	r := all(n, func(done int) (int, sys.Errno) {
		k, errno := v.kernel.Sendfile(a.Int(), v.fd, &at, n-done)
		before := len(got)
		got = drain(b, got)
		if errno == syscall.EAGAIN && len(got) > before {
			return 0, syscall.EINTR // there was no room, and now there is
		}
		return k, errno
	})
	r.got = got
	return r
}

// drain takes all that waits in a descriptor.
func drain(fd *fixture.FD, got []byte) []byte {
	for {
		got = slices.Grow(got, 16<<10)
		n, errno := native.Read(fd.Int(), got[len(got):cap(got)])
		if errno != 0 || n <= 0 {
			return got
		}
		got = got[:len(got)+n]
	}
}

// moveSplice splices into a pipe, never more than the smallest one takes.
func moveSplice(v *view, offset int64, n int) reading {
	in, out := fixture.Pipe(v)
	defer in.Close()
	defer out.Close()
	in.Nonblock(v)
	out.Nonblock(v)
	at := offset
	var got []byte
	r := all(n, func(done int) (int, sys.Errno) {
		k, errno := v.kernel.Splice(v.fd, &at, out.Int(), nil, min(n-done, 16*os.Getpagesize()), 0)
		got = drain(in, got)
		return k, errno
	})
	r.got, r.short = got, false // a pipe is what cuts these
	return r
}

// moveCopy copies to a new file and reads that one back by its name.
func moveCopy(v *view, offset int64, n int) reading {
	to := v.target()
	defer to.close()
	at := offset
	r := all(n, func(done int) (int, sys.Errno) {
		// Without an offset the destination's position moves on by itself.
		return v.kernel.CopyFileRange(v.fd, &at, int(to.file.Fd()), nil, n-done, 0)
	})
	r.got = to.content()
	return r
}

// moveMapped copies what a mapping shows of the file. Only what lies before the
// end of the file can be looked at: behind it, the signal SIGBUS waits (mmap(2)).
func moveMapped(v *view, offset int64, n int) (r reading) {
	st, err := v.file.Stat()
	if err != nil {
		v.Fatalf("fstat: %w", err)
	}
	n = int(min(int64(n), st.Size()-offset))
	if n <= 0 {
		return reading{}
	}
	mapping, first := v.held, int64(0)
	if offset+int64(n) > int64(len(mapping)) {
		first = offset / int64(v.page) * int64(v.page)
		var errno sys.Errno
		mapping, errno = v.kernel.Mmap(v.fd, first, int(offset-first)+n)
		if errno != 0 {
			return reading{errno: errno}
		}
		defer sys.FreeMemory(mapping)
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil {
			r.died = signalled
		}
	}()
	shown := mapping[offset-first:][:n]
	for len(shown) > 0 { // page by page, so that what came before a signal is there
		piece := shown[:min(len(shown), v.page-int((offset+int64(len(r.got)))%int64(v.page)))]
		r.got = append(r.got, piece...)
		shown = shown[len(piece):]
	}
	return r
}

// moveSeek reads what lseek(2) says is data, and takes the rest for zeros, as
// programs do that copy files with holes in them.
func moveSeek(v *view, offset int64, n int) reading {
	size, errno := v.kernel.Seek(v.fd, 0, 2)
	if errno != 0 {
		return reading{errno: errno}
	}
	end := min(offset+int64(n), size)
	if end <= offset {
		return reading{}
	}
	got := make([]byte, end-offset)
	for at := offset; at < end; {
		data, errno := v.kernel.Seek(v.fd, at, sys.SeekData)
		if errno == syscall.ENXIO || errno == 0 && data >= end { // nothing but a hole is left
			break
		}
		if errno != 0 {
			return reading{errno: errno}
		}
		hole, errno := v.kernel.Seek(v.fd, data, sys.SeekHole)
		if errno != 0 {
			return reading{errno: errno}
		}
		if data < at || hole <= data {
			v.Fatalf("lseek: data at %d and a hole at %d, asked at %d", data, hole, at)
		}
		r := movePlain(v, data, int(min(hole, end)-data))
		if r.errno != 0 {
			return r
		}
		copy(got[data-offset:], r.got)
		at = hole
	}
	return reading{got: got}
}
