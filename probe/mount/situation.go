package mount

import "github.com/zcprobe/zcprobe/internal/fixture"

// Situation is a file that was made and changed in one way. To add one, add a
// value to situations.
type Situation struct {
	ID    string
	Words string // completes "… of a file that"
	Times int    // how often; once where it is zero
	Cold  bool   // the page cache is dropped before a range is asked for
	Full  bool   // the file has no holes, which no cache holds

	// Fill makes the file. It is then opened by the way, which reads all of it
	// unless Unread says otherwise, and stays open over the change.
	Fill   func(f *subject)
	Unread bool

	// Change changes it, through another descriptor; nil where nothing changes.
	Change func(f *subject)
}

// Seeds of the patterns.
const (
	before = 1
	after  = 2
)

// filled is a file that is full of a pattern.
func filled(f *subject) { f.write(fixture.Pattern(before, f.size), 0) }

// fresh is the new pattern for a part of a file.
func fresh(offset, n int) []byte { return fixture.PatternAt(after, int64(offset), n) }

// situations lists them, the plainest first.
var situations = []*Situation{
	{
		ID: "warm", Words: "was read before",
		Fill: filled,
	},
	{
		// Several times: where the filesystem has not yet given blocks to what
		// was written, some take it for a hole (openzfs/zfs#15526), or refuse to
		// clone it (openzfs/zfs#15131).
		ID: "just-written", Words: "was written this moment", Times: 8,
		Fill: filled, Unread: true,
	},
	{
		ID: "cold", Words: "is not in the page cache", Cold: true, Full: true, Unread: true,
		Fill: func(f *subject) { filled(f); f.sync() },
	},
	{
		ID: "sparse", Words: "has holes", Unread: true,
		Fill: func(f *subject) {
			f.truncate(f.size)
			f.write(fresh(2*f.page, f.page), 2*f.page)
			f.write(fresh(f.size/2, 99), f.size/2)
		},
	},
	{
		ID: "sparse-cold", Words: "has holes and is not in the page cache", Cold: true, Unread: true,
		Fill: func(f *subject) {
			f.truncate(f.size)
			f.write(fresh(2*f.page, f.page), 2*f.page)
			f.write(fresh(f.size/2, 99), f.size/2)
			f.sync()
		},
	},
	{
		ID: "read-only", Words: "nobody may write to",
		Fill: func(f *subject) {
			filled(f)
			f.unless("chmod", f.writer.Chmod(0o400))
		},
	},
	{
		ID: "rewritten", Words: "was overwritten in place",
		Fill:   filled,
		Change: func(f *subject) { f.write(fresh(f.page-100, f.page+333), f.page-100) },
	},
	{
		ID: "rewritten-cold", Words: "was overwritten in place and is not in the page cache", Cold: true, Full: true,
		Fill: filled,
		Change: func(f *subject) {
			f.write(fresh(f.page-100, f.page+333), f.page-100)
			f.sync()
		},
	},
	{
		ID: "appended", Words: "was appended to",
		Fill:   filled,
		Change: func(f *subject) { f.write(fresh(f.size, f.page+333), f.size) },
	},
	{
		ID: "truncated", Words: "was truncated",
		Fill:   filled,
		Change: func(f *subject) { f.truncate(f.size/2 + 77) },
	},
	{
		ID: "truncated-extended", Words: "was truncated and made longer again",
		Fill: filled,
		Change: func(f *subject) {
			f.truncate(f.size/3 + 5)
			f.truncate(f.size)
		},
	},
	{
		ID: "punched", Words: "has got a hole",
		Fill:   filled,
		Change: func(f *subject) { f.punch(f.page+100, 2*f.page) },
	},
	{
		ID: "mapped-store", Words: "was written to through a mapping",
		Fill:   filled,
		Change: func(f *subject) { f.store(fresh(f.page-100, f.page+333), f.page-100) },
	},
	{
		ID: "replaced", Words: "another one was renamed over",
		Fill:   filled,
		Change: func(f *subject) { f.replace(fresh(0, f.size-333)) },
	},
	{
		ID: "deleted", Words: "was deleted while it was open",
		Fill:   filled,
		Change: func(f *subject) { f.remove() },
	},
}

// The situations of the two-step mode: the user makes those that have changed.
// Some filesystems look at the size of a file only to know that it has changed,
// and others have trouble where it does.
var (
	justPrepared    = &Situation{ID: "prepared", Words: "was written this moment"}
	changedSameSize = &Situation{ID: "changed-same-size", Words: "was changed from the other side and is as long as before"}
	changedLonger   = &Situation{ID: "changed-longer", Words: "was changed from the other side and is longer now"}
)
