package mount

import (
	"slices"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// Way is one way to get at the bytes of a file. To add one, add a value to ways.
type Way struct {
	ID      string
	Call    string
	Systems []string // values of GOOS; nil is all of them
	Direct  bool     // the file is opened with O_DIRECT, and whole blocks are asked for
	Makes   bool     // it takes a directory to make a file in
	Word    string   // what it does, in the sentence that says that it does so wrongly

	// Move gets n bytes of the file from offset on, or what there is of them.
	Move func(v *view, offset int64, n int) reading
}

// plain is the way that the others are held against.
const plain = "read"

var linuxOnly = []string{"linux"}

// ways lists them. Plain read comes first: without it there is nothing to say
// about the others.
var ways = []*Way{
	{ID: plain, Call: "pread(2)", Word: "delivers", Move: movePlain},
	{ID: "sendfile", Call: "sendfile(2) to a socket", Systems: linuxOnly, Word: "sends", Move: moveSendfile},
	{ID: "splice", Call: "splice(2) to a pipe", Systems: linuxOnly, Word: "moves", Move: moveSplice},
	{ID: "copy_file_range", Call: "copy_file_range(2) to another file", Systems: linuxOnly, Makes: true, Word: "copies", Move: moveCopy},
	{ID: "mmap", Call: "mmap(2), shared", Word: "shows", Move: moveMapped},
	{ID: "lseek", Call: "lseek(2) with SEEK_DATA and SEEK_HOLE", Systems: linuxOnly, Word: "finds", Move: moveSeek},
	{ID: "direct", Call: "pread(2) with O_DIRECT", Systems: linuxOnly, Direct: true, Word: "delivers", Move: movePlain},
	{ID: "sendfile-direct", Call: "sendfile(2) from a file with O_DIRECT", Systems: linuxOnly, Direct: true, Word: "sends", Move: moveSendfile},
}

func wayOf(id string) *Way {
	i := slices.IndexFunc(ways, func(w *Way) bool { return w.ID == id })
	if i < 0 {
		return nil
	}
	return ways[i]
}

// reading is what came of one range.
type reading struct {
	got   []byte
	errno sys.Errno // zero, or the refusal of a call
	died  string    // a signal in place of an errno
	short bool      // a call moved less than asked before the end of the file
}

// refusal names why bytes are missing; "" where nothing was refused.
func (r reading) refusal() string {
	if r.died != "" {
		return r.died
	}
	return sys.ErrnoName(r.errno)
}

// read asks a way for a range. Where the file was opened with O_DIRECT, whole
// blocks around it are asked for.
func (w *Way) read(v *view, offset int64, n int) reading {
	if !w.Direct {
		return w.Move(v, offset, n)
	}
	first := offset / directBlock * directBlock
	last := (offset + int64(n) + directBlock - 1) / directBlock * directBlock
	r := w.Move(v, first, int(last-first))
	r.got = window(r.got, offset-first, n)
	return r
}

// directBlock is a multiple of what O_DIRECT asks for: offsets, lengths and
// addresses that fit the blocks of the device below (open(2)). It is 512 or 4096
// bytes nearly everywhere; 64 KiB fits those of a filesystem as well.
const directBlock = 64 << 10
