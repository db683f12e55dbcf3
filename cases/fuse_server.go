package cases

import (
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// The cases of this file ask what a server that waits, copies by itself, answers
// by a pipe or dies does to those who use its files.

var fuseServerCases = []*Case{
	{
		ID:       "linux/splice/answer-of-server-by-pipe",
		Title:    "A FUSE server's answer that is spliced into /dev/fuse arrives whole, to its last byte, through a chain of copies",
		Facility: "splice",
		Level:    Must,
		Sources:  []string{"fs/fuse/dev.c, fuse_dev_splice_write", "hanwen/go-fuse#54", "flatpak/xdg-desktop-portal#2026", "xfstests generic/001"},
		Covers:   []string{"bug/F16-fuse-splice-corruption"},
		Needs:    []string{"splice/file-pipe"},
		Systems:  linuxOnly,
		Root:     true,
		Caller:   "A server looks at the count of each splice and falls back to write(2) of the whole answer.",
		Expect:   []Expectation{{Facts: Want{"right": 4, "by-pipe": true, Errno: ""}}},
		Body: func(e *Env) {
			f := served(e, fixture.FUSEOptions{Splice: e.Kernel.Splice})
			right := 0
			for i, size := range []int{1, 4097, 130_049, 300_001} { // 1024 bytes short of whole pages, and past what one read asks for
				p := fixture.Pattern(uint64(40+i), size)
				content := p
				for range 3 {
					in := fixture.File(f, content, os.O_RDONLY)
					content = throughPipe(e, in, 0, size)
				}
				if fixture.Compare(content, p) == fixture.Right {
					right++
				}
			}
			e.Fact("right", right)
			n, errno := f.Spliced()
			e.Fact("by-pipe", n > 0)
			e.Fact(Errno, sys.ErrnoName(errno))
		},
	},
	{
		ID:       "linux/copy_file_range/signal-partial",
		Title:    "A signal ends a long copy with the count of what was copied, and the offsets are exact",
		Facility: "copy_file_range",
		Level:    Must,
		Sources:  []string{"copy_file_range(2), RETURN VALUE", "fs/splice.c, splice_from_pipe_next: signal_pending, kernel commit c725bfce7968"},
		Covers:   []string{"linux/copy_file_range/signal-partial"},
		Needs:    []string{"copy_file_range/same-filesystem"},
		Systems:  linuxOnly,
		Root:     true,
		Alone:    true,
		Caller:   "Loop: a short count is no end. EINTR comes only where nothing was copied.",
		Expect: []Expectation{{Facts: Want{"short": true, Errno: "", "in-offset": true, "out-offset": true, "copied": fixture.Right,
			"rest": fixture.Right}}},
		Body: func(e *Env) {
			fixture.Interruptible(e)
			f, p := served(e, fixture.FUSEOptions{}), fixture.Pattern(45, 512<<10)
			file, asked, release := unhurried(e, f, p, 256<<10)
			out := fixture.File(f, nil, os.O_RDWR)
			from, to := int64(0), int64(0)
			call := begin(func() (int, sys.Errno) {
				return e.Kernel.CopyFileRange(file.Int(), &from, out.Int(), &to, len(p), 0)
			})
			asked()
			call.Interrupt(e)
			release()
			n, errno, _ := call.Returned()
			e.Fact("short", 0 < n && n < len(p))
			e.Fact(Errno, sys.ErrnoName(errno))
			e.Fact("in-offset", from == int64(n))
			e.Fact("out-offset", to == int64(n))
			e.Fact("copied", fixture.Compare(fixture.Contents(e, out), firstOf(p, n)))
			copyAll(e, file, from, out, to, len(p)-max(n, 0))
			e.Fact("rest", fixture.Compare(fixture.Contents(e, out), p))
		},
	},
	{
		ID:       "linux/splice/nonblock-waits-for-the-disk",
		Title:    "Neither SPLICE_F_NONBLOCK nor a socket in non-blocking mode keeps a call from waiting for the file",
		Facility: "splice",
		Level:    Should,
		Sources:  []string{"splice(2), SPLICE_F_NONBLOCK: it may nevertheless block", "open(2), O_NONBLOCK has no effect on regular files", "nginx aio directive: sendfile blocks on disk I/O"},
		Needs:    []string{"splice/file-pipe", "sendfile/file-tcp"},
		Systems:  linuxOnly,
		Root:     true,
		Caller:   "Keep splice and sendfile of files that may be slow out of an event loop, or read ahead first.",
		Expect: []Expectation{{Facts: Want{"splice.waits": true, "splice.return": 4096, "splice.errno": "", "sendfile.waits": true, "sendfile.return": 4096,
			"sendfile.errno": ""}}},
		Body: func(e *Env) {
			p := fixture.Pattern(46, 4096)
			_, w := roomyPipe(e)
			w.Nonblock(e)
			a, _ := fixture.TCP(e)
			a.Nonblock(e)
			for name, ask := range map[string]func(in int) (int, sys.Errno){
				"splice": func(in int) (int, sys.Errno) {
					return e.Kernel.Splice(in, nil, w.Int(), nil, len(p), sys.SpliceNonblock)
				},
				"sendfile": func(in int) (int, sys.Errno) { return e.Kernel.Sendfile(a.Int(), in, nil, len(p)) },
			} {
				file, asked, release := unhurried(e, served(e, fixture.FUSEOptions{}), p, 0)
				call := begin(func() (int, sys.Errno) { return ask(file.Int()) })
				asked()
				e.Fact(name+".waits", call.Stalls())
				release()
				e.Ended(name, call)
			}
		},
	},
	{
		ID:       "linux/copy_file_range/server-copies",
		Title:    "Where the filesystem copies by itself its count is handed on, short or not, and both offsets move by it",
		Facility: "copy_file_range",
		Level:    Must,
		Sources:  []string{"fs/fuse/file.c, __fuse_copy_file_range", "copy_file_range(2), RETURN VALUE"},
		Needs:    []string{"copy_file_range/same-filesystem"},
		Systems:  linuxOnly,
		Root:     true,
		Caller:   "Loop until the count is done: NFS and SMB servers copy in pieces of their choice.",
		Expect: []Expectation{{Facts: Want{Return: 3000, Errno: "", "in-offset": 4000, "out-offset": 3100, "all": 10_000, Bytes: fixture.Right, "read": 0,
			"size": 10_100}}},
		Body: func(e *Env) {
			f, p := served(e, fixture.FUSEOptions{CopyRange: true}), fixture.Pattern(47, 11_000)
			path := f.Put("in", &fixture.FUSEFile{Content: p, Copied: 3000})
			in, out := fixture.Open(e, path, os.O_RDONLY), fixture.File(f, nil, os.O_RDWR)
			from, to := int64(1000), int64(100)
			n, errno := e.Kernel.CopyFileRange(in.Int(), &from, out.Int(), &to, 10_000, 0)
			e.Answer(n, errno)
			e.Fact("in-offset", from)
			e.Fact("out-offset", to)
			e.Fact("all", max(n, 0)+copyAll(e, in, from, out, to, 10_000-max(n, 0)))
			e.Fact("read", f.Reads("in")) // it never came to this side
			e.Fact("size", fixture.Status(e, out).Size)
			e.Arrived(fixture.Contents(e, out), append(make([]byte, 100), p[1000:]...))
		},
	},
	{
		ID:       "linux/sendfile/server-goes-away",
		Title:    "A filesystem whose server dies in the middle ends sendfile after the bytes before, with an error and not with a wait",
		Facility: "sendfile",
		Level:    Must,
		Sources:  []string{"fs/fuse/dev.c, fuse_abort_conn", "Documentation/filesystems/fuse.rst, Aborting a filesystem connection"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Root:     true,
		Caller:   "As for EIO: what was counted has been sent, the rest cannot be had.",
		// Which error depends on who asks for the page again: fuse_read_folio finds no
		// connection, iomap (since 6.19) only that the page did not come.
		Expect: []Expectation{{Facts: Want{"ends": true, "some": true, Errno: OneOf{"ENOTCONN", "ECONNABORTED", "EIO"}, Offset: true, Bytes: fixture.Right}}},
		Body: func(e *Env) {
			f, p := served(e, fixture.FUSEOptions{}), fixture.Pattern(48, 256<<10)
			f.Put("gone", &fixture.FUSEFile{Content: p, Read: func(offset int64, size int) ([]byte, sys.Errno) {
				if offset >= 128<<10 {
					return nil, fixture.ServerLeaves
				}
				return p[offset:][:size], 0
			}})
			file := fixture.Open(e, f.TempDir()+"/gone", os.O_RDONLY)
			a, b := fixture.TCP(e)
			fixture.Roomy(a, b)
			offset := int64(0)
			call := begin(func() (int, sys.Errno) { return sendAll(e, a, file, &offset, len(p)) })
			total, errno, ended := call.Returned()
			e.Fact("ends", ended)
			e.Fact("some", 0 < total && total <= 128<<10)
			e.Fact(Errno, sys.ErrnoName(errno))
			e.Fact(Offset, ended && offset == int64(total))
			e.Arrived(fixture.ReadN(e, b, max(total, 0)), firstOf(p, total))
		},
	},
}

// unhurried is a file whose server waits before it hands out what lies at an
// offset and behind it. asked waits until somebody wants that, release hands it
// out from then on.
func unhurried(e *Env, f *fixture.FUSE, p []byte, from int64) (file *fixture.FD, asked, release func()) {
	wanted, goOn := make(chan struct{}), make(chan struct{})
	var want, let sync.Once
	release = func() { let.Do(func() { close(goOn) }) }
	e.Cleanup(release)
	name := fmt.Sprintf("unhurried-%d", from)
	path := f.Put(name, &fixture.FUSEFile{Content: p, Read: func(offset int64, size int) ([]byte, sys.Errno) {
		if offset+int64(size) > from {
			want.Do(func() { close(wanted) })
			<-goOn
		}
		return p[offset:][:min(size, len(p)-int(offset))], 0
	}})
	asked = func() {
		select {
		case <-wanted:
		case <-time.After(fixture.Patience()):
		}
	}
	return fixture.Open(e, path, os.O_RDONLY), asked, release
}
