package mount

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// asked runs a check of a directory in this process, on a kernel that lies; only
// those ways are asked, or all where none is named. here tells a lie what is
// asked at the moment.
func asked(t *testing.T, dir string, lie func(k *sys.Kernel, here func() step), only ...string) *Report {
	t.Helper()
	return askedTask(t, task{Path: dir, Skip: but(only)}, lie)
}

func askedTask(t *testing.T, of task, lie func(k *sys.Kernel, here func() step)) *Report {
	t.Helper()
	var now step
	kernel := sys.Native()
	if lie != nil {
		lie(kernel, func() step { return now })
	}
	of.Do, of.Private = "check", privateName+random()
	o := of.run(kernel, t.TempDir(), func(s step) { now = s })
	dir := of.Path
	require.Empty(t, o.Input)
	require.Empty(t, o.Why)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left, "something was left behind")
	return &o.Report
}

func but(only []string) map[string]WayReport {
	skip := map[string]WayReport{}
	for _, w := range ways {
		if len(only) > 0 && !strings.Contains(" "+strings.Join(only, " ")+" ", " "+w.ID+" ") {
			skip[w.ID] = WayReport{State: WayNotApplicable, Why: "left out"}
		}
	}
	return skip
}

func memory(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "zcprobe-test-")
	if err != nil {
		t.Skip("no /dev/shm: ", err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// content is all of an open file.
func contentOf(fd int) []byte {
	p, _ := os.ReadFile("/proc/self/fd/" + strconv.Itoa(fd))
	return p
}

// old is what a file held when it was first asked about: a cache that nothing
// makes new.
type old struct {
	mu   sync.Mutex
	held map[string][]byte
}

func (o *old) content(fd int) []byte {
	name, _ := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.held == nil {
		o.held = map[string][]byte{}
	}
	if o.held[name] == nil {
		o.held[name] = contentOf(fd)
	}
	return o.held[name]
}

// send answers a sendfile or a splice with these bytes of a file's content.
func send(out int, content []byte, offset *int64, n int) (int, sys.Errno) {
	k, errno := native.Write(out, window(content, *offset, min(n, 16<<10)))
	*offset += int64(max(k, 0))
	return k, errno
}

func direct(fd int) bool {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", fd))
	_, flags, _ := strings.Cut(string(text), "flags:")
	n, _ := strconv.ParseInt(strings.TrimSpace(strings.SplitN(flags, "\n", 2)[0]), 8, 64)
	return n&int64(sys.Direct) != 0
}

// Each lie is told by one way alone, and is found out with that way alone.
func TestEachWayCanBeWrong(t *testing.T) {
	t.Parallel()
	truth := sys.Native()
	for name, test := range map[string]struct {
		way  string
		what string // of the first example
		lie  func(*sys.Kernel)
	}{
		"read is stale": {"read", oldBytes, func(k *sys.Kernel) {
			cache := &old{}
			k.Pread = func(fd int, p []byte, offset int64) (int, sys.Errno) {
				if direct(fd) {
					return truth.Pread(fd, p, offset)
				}
				return copy(p, window(cache.content(fd), offset, len(p))), 0
			}
		}},
		"sendfile is stale": {"sendfile", oldBytes, func(k *sys.Kernel) {
			cache := &old{}
			k.Sendfile = func(out, in int, offset *int64, n int) (int, sys.Errno) {
				if direct(in) {
					return truth.Sendfile(out, in, offset, n)
				}
				return send(out, cache.content(in), offset, n)
			}
		}},
		"sendfile is stale with the new length": {"sendfile", oldBytes, func(k *sys.Kernel) {
			cache := &old{}
			k.Sendfile = func(out, in int, offset *int64, n int) (int, sys.Errno) {
				if direct(in) {
					return truth.Sendfile(out, in, offset, n)
				}
				p := make([]byte, len(contentOf(in)))
				copy(p, cache.content(in))
				return send(out, p, offset, n)
			}
		}},
		"sendfile sends zeros for the last page": {"sendfile", zeroBytes, func(k *sys.Kernel) {
			k.Sendfile = func(out, in int, offset *int64, n int) (int, sys.Errno) {
				p := contentOf(in)
				if !direct(in) {
					clear(p[len(p)/4096*4096:])
				}
				return send(out, p, offset, n)
			}
		}},
		"sendfile ends at a page": {"sendfile", cutShort, func(k *sys.Kernel) {
			k.Sendfile = func(out, in int, offset *int64, n int) (int, sys.Errno) {
				p := contentOf(in)
				if !direct(in) {
					p = p[:len(p)/4096*4096]
				}
				return send(out, p, offset, n)
			}
		}},
		"sendfile sends the rest of the last page": {"sendfile", tooMany, func(k *sys.Kernel) {
			k.Sendfile = func(out, in int, offset *int64, n int) (int, sys.Errno) {
				p := contentOf(in)
				if !direct(in) {
					p = append(p, make([]byte, 4096-len(p)%4096)...)
				}
				return send(out, p, offset, n)
			}
		}},
		"sendfile with O_DIRECT begins at a block": {"sendfile-direct", wrongBytes, func(k *sys.Kernel) {
			k.Sendfile = func(out, in int, offset *int64, n int) (int, sys.Errno) {
				if !direct(in) {
					return truth.Sendfile(out, in, offset, n)
				}
				return send(out, append([]byte("x"), contentOf(in)...), offset, n)
			}
		}},
		"splice swaps bytes": {"splice", wrongBytes, func(k *sys.Kernel) {
			k.Splice = func(in int, offset *int64, out int, _ *int64, n, _ int) (int, sys.Errno) {
				p := contentOf(in)
				if len(p) > 4097 {
					p[4096], p[4097] = p[4097], p[4096]
				}
				return send(out, p, offset, n)
			}
		}},
		"copy_file_range ends at once": {"copy_file_range", silentEnd, func(k *sys.Kernel) {
			k.CopyFileRange = func(int, *int64, int, *int64, int, int) (int, sys.Errno) { return 0, 0 }
		}},
		"copy_file_range says that it has copied": {"copy_file_range", silentEnd, func(k *sys.Kernel) {
			k.CopyFileRange = func(_ int, _ *int64, _ int, _ *int64, n, _ int) (int, sys.Errno) { return n, 0 }
		}},
		"copy_file_range loses a block": {"copy_file_range", zeroBytes, func(k *sys.Kernel) {
			k.CopyFileRange = func(in int, offset *int64, out int, _ *int64, n, _ int) (int, sys.Errno) {
				p := contentOf(in)
				clear(p[min(8192, len(p)):min(12_288, len(p))])
				return send(out, p, offset, n)
			}
		}},
		"mmap is stale": {"mmap", oldBytes, func(k *sys.Kernel) {
			cache := &old{}
			k.Mmap = func(fd int, offset int64, n int) ([]byte, sys.Errno) {
				p, errno := sys.Memory(max(n, len(cache.content(fd))))
				copy(p, window(cache.content(fd), offset, n))
				return p[:n:n], errno
			}
		}},
		"mmap cannot be looked at": {"mmap", silentEnd + ", then " + signalled, func(k *sys.Kernel) {
			k.Mmap = func(fd int, offset int64, n int) ([]byte, sys.Errno) {
				size, errno := truth.Seek(fd, 0, 2)
				if errno != 0 {
					return nil, errno
				}
				return truth.Mmap(fd, (size+4095)/4096*4096, n)
			}
		}},
		"lseek sees a hole where there is data": {"lseek", zeroBytes, func(k *sys.Kernel) {
			k.Seek = func(fd int, offset int64, whence int) (int64, sys.Errno) {
				at, errno := truth.Seek(fd, offset, whence)
				if whence == sys.SeekData && errno == 0 && at < 4096 {
					at = 4096
				}
				return at, errno
			}
		}},
		"O_DIRECT reads are stale": {"direct", oldBytes, func(k *sys.Kernel) {
			cache := &old{}
			k.Pread = func(fd int, p []byte, offset int64) (int, sys.Errno) {
				if !direct(fd) {
					return truth.Pread(fd, p, offset)
				}
				return copy(p, window(cache.content(fd), offset, len(p))), 0
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := asked(t, memory(t), func(k *sys.Kernel, _ func() step) { test.lie(k) })
			assert.Equal(t, Wrong, r.Verdict)
			for _, w := range r.Ways {
				readsBy := test.way == plain && w.Way == "lseek" // it finds data, and read gets it
				if w.Way != test.way && w.State != WayNotApplicable && !readsBy {
					assert.Equal(t, WayRight, w.State, "%s: %+v", w.Way, w.Examples)
				}
			}
			w := r.Way(test.way)
			require.Equal(t, WayWrong, w.State)
			assert.Equal(t, test.what, w.Examples[0].What, "%+v", w.Examples[0])
			assert.NotEmpty(t, r.Remedies)
			if test.way == plain {
				assert.Contains(t, r.Sentences[0], "Plain read itself is wrong here")
			} else {
				assert.Equal(t, "Do not trust "+test.way+" here.", r.Sentences[0])
				assert.Equal(t, asItShould, w.Examples[0].PlainRead)
			}
		})
	}
}

// Every way is found out in every situation.
func TestEachSituationFindsALie(t *testing.T) {
	t.Parallel()
	for _, w := range ways {
		for _, sit := range situations {
			t.Run(w.ID+"/"+sit.ID, func(t *testing.T) {
				t.Parallel()
				lie := func(k *sys.Kernel, here func() step) { flip(k, w, sit, here) }
				r := askedTask(t, task{Path: memory(t), Skip: but([]string{w.ID}), only: sit}, lie)
				got := r.Way(w.ID)
				if got.State == WayNotApplicable {
					t.Skip(got.Why)
				}
				require.Equal(t, WayWrong, got.State, "%+v", got)
				assert.Equal(t, sit.ID, got.Examples[0].Situation)
			})
		}
	}
}

// flip has the calls of a way change a byte of what they deliver in a situation.
func flip(k *sys.Kernel, w *Way, sit *Situation, here func() step) {
	truth := sys.Native()
	lies := func() bool { s := here(); return s.Call == w.Call && s.Situation == sit.Words }
	changed := func(fd int) []byte {
		p := contentOf(fd)
		for i := range p {
			p[i] ^= 0x55
		}
		return p
	}
	k.Pread = func(fd int, p []byte, offset int64) (int, sys.Errno) {
		if !lies() {
			return truth.Pread(fd, p, offset)
		}
		return copy(p, window(changed(fd), offset, len(p))), 0
	}
	k.Sendfile = func(out, in int, offset *int64, n int) (int, sys.Errno) {
		if !lies() {
			return truth.Sendfile(out, in, offset, n)
		}
		return send(out, changed(in), offset, n)
	}
	k.Splice = func(in int, offset *int64, out int, to *int64, n, flags int) (int, sys.Errno) {
		if !lies() {
			return truth.Splice(in, offset, out, to, n, flags)
		}
		return send(out, changed(in), offset, n)
	}
	k.CopyFileRange = func(in int, offset *int64, out int, to *int64, n, flags int) (int, sys.Errno) {
		if !lies() {
			return truth.CopyFileRange(in, offset, out, to, n, flags)
		}
		return send(out, changed(in), offset, n)
	}
	if w.ID == "mmap" {
		k.Mmap = func(fd int, offset int64, n int) ([]byte, sys.Errno) {
			if here().Situation != sit.Words {
				return truth.Mmap(fd, offset, n)
			}
			p, errno := sys.Memory(n)
			copy(p, window(changed(fd), offset, n))
			return p, errno
		}
	}
}

// An error in place of bytes is no wrong byte, and is told apart by who refuses.
func TestRefusals(t *testing.T) {
	t.Parallel()
	truth := sys.Native()
	onMount := func(fd int) bool {
		name, _ := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
		return !strings.HasPrefix(name, "/memfd:")
	}
	refuse := func(errno sys.Errno, everywhere bool) func(*sys.Kernel, func() step) {
		return func(k *sys.Kernel, _ func() step) {
			k.Sendfile = func(out, in int, offset *int64, n int) (int, sys.Errno) {
				if everywhere || onMount(in) {
					return -1, errno
				}
				return truth.Sendfile(out, in, offset, n)
			}
		}
	}
	r := asked(t, memory(t), refuse(syscall.EINVAL, false), plain, "sendfile")
	assert.Equal(t, Right, r.Verdict)
	assert.Equal(t, WayRefused, r.Way("sendfile").State)
	assert.Contains(t, strings.Join(r.Sentences, "\n"), "sendfile is refused here: EINVAL; the same call works on a file in memory, so it is the mount that refuses.")

	r = asked(t, memory(t), refuse(syscall.EPERM, true), plain, "sendfile")
	assert.Contains(t, r.Way("sendfile").Why, "a filter of this process, not the mount")

	r = asked(t, memory(t), refuse(syscall.ENOSYS, true), plain, "sendfile")
	assert.Equal(t, WayNotApplicable, r.Way("sendfile").State)

	r = asked(t, memory(t), func(k *sys.Kernel, here func() step) {
		k.CopyFileRange = func(in int, offset *int64, out int, to *int64, n, flags int) (int, sys.Errno) {
			if strings.Contains(here().Situation, "this moment") {
				return -1, syscall.EAGAIN
			}
			return truth.CopyFileRange(in, offset, out, to, n, flags)
		}
	}, plain, "copy_file_range")
	w := r.Way("copy_file_range")
	assert.Equal(t, WayPartly, w.State)
	assert.Equal(t, []string{"just-written"}, w.Refused)
	assert.Equal(t, Right, r.Verdict)
}

// A call that moves less than it was asked for is right, as long as the rest
// follows.
func TestShortCountsAreNoFault(t *testing.T) {
	t.Parallel()
	truth := sys.Native()
	r := asked(t, memory(t), func(k *sys.Kernel, _ func() step) {
		k.CopyFileRange = func(in int, offset *int64, out int, to *int64, n, flags int) (int, sys.Errno) {
			return truth.CopyFileRange(in, offset, out, to, min(n, 3000), flags)
		}
		k.Sendfile = func(out, in int, offset *int64, n int) (int, sys.Errno) {
			return truth.Sendfile(out, in, offset, min(n, 3000))
		}
	}, plain, "copy_file_range", "sendfile")
	assert.Equal(t, Right, r.Verdict, "%v", r.Sentences)
	assert.True(t, r.Way("copy_file_range").Short)
	assert.False(t, r.Way(plain).Short)
}

// The witness of a kernel that copies is another one.
func TestWitnessTellsCopies(t *testing.T) {
	t.Parallel()
	r := asked(t, memory(t), nil, "sendfile", "splice")
	assert.Equal(t, fixture.ByReference, r.Way("sendfile").Witness)
	assert.Equal(t, fixture.ByReference, r.Way("splice").Witness)
	r = asked(t, memory(t), func(k *sys.Kernel, _ func() step) {
		k.Sendfile = func(out, in int, offset *int64, n int) (int, sys.Errno) { return send(out, contentOf(in), offset, n) }
		k.Splice = func(in int, offset *int64, out int, _ *int64, n, _ int) (int, sys.Errno) {
			return send(out, contentOf(in), offset, n)
		}
	}, "sendfile", "splice")
	assert.Equal(t, fixture.Copied, r.Way("sendfile").Witness)
	assert.Equal(t, fixture.Copied, r.Way("splice").Witness)
	assert.Contains(t, strings.Join(r.Sentences, "\n"), "sendfile is right here, though the kernel copies.")
}

// A file of the user is read and nothing else.
func TestFileIsOnlyRead(t *testing.T) {
	t.Parallel()
	dir := memory(t)
	path := dir + "/mine"
	want := fixture.Pattern(7, 300_011)
	require.NoError(t, os.WriteFile(path, want, 0o644))
	before, err := os.Stat(path)
	require.NoError(t, err)
	o := task{Do: "check", Path: path, Private: privateName + random()}.run(sys.Native(), t.TempDir(), func(step) {})
	assert.Equal(t, Right, o.Report.Verdict, "%+v", o)
	assert.Equal(t, File, o.Report.Kind)
	assert.Equal(t, WayNotApplicable, o.Report.Way("copy_file_range").State)
	assert.Equal(t, WayRight, o.Report.Way("sendfile").State)
	assert.Equal(t, fixture.NotWitnessed, o.Report.Way("sendfile").Witness)
	now, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, before.ModTime(), now.ModTime())
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(want, content))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 1)

	lie := sys.Native()
	lie.Splice = func(in int, offset *int64, out int, _ *int64, n, _ int) (int, sys.Errno) {
		return send(out, make([]byte, 300_011), offset, n)
	}
	o = task{Do: "check", Path: path}.run(lie, t.TempDir(), func(step) {})
	assert.Equal(t, Wrong, o.Report.Verdict)
	assert.Equal(t, zeroBytes, o.Report.Way("splice").Examples[0].What)

	// Somebody appends to it all the time.
	lie = sys.Native()
	turn := byte(0)
	lie.Pread = func(fd int, p []byte, offset int64) (int, sys.Errno) {
		n, errno := native.Pread(fd, p, offset)
		if n > 0 {
			turn++
			p[0] += turn
		}
		return n, errno
	}
	o = task{Do: "check", Path: path}.run(lie, t.TempDir(), func(step) {})
	assert.Equal(t, Untried, o.Report.Verdict)
	assert.Contains(t, o.Why, "somebody writes to the file meanwhile")
}
