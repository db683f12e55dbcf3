package cases

import (
	"slices"
	"sync"
	"syscall"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// tellUring puts a lie about splice or tee in the place of the operation of
// io_uring: submissions of that operation, one by one, are done while they are
// submitted, by way of the lie, and complete with what it answers.
func tellUring(k *sys.Kernel, op int, lie func(transferring) transferring) {
	tellRing(k, func(u *sys.Uring) {
		honest := *u
		var mu sync.Mutex
		var done []sys.UringCompletion
		var registered []int
		u.RegisterFiles = func(fds ...int) sys.Errno {
			registered = fds
			return honest.RegisterFiles(fds...)
		}
		resolved := func(fd int, fixed bool) int {
			switch {
			case !fixed:
				return fd
			case 0 <= fd && fd < len(registered):
				return registered[fd]
			default:
				return -1
			}
		}
		var entry sys.UringEntry
		told := lie(func(t *transfer) (int, sys.Errno) {
			own := entry
			own.Count = t.count
			if t.in != resolved(entry.In, entry.OpFlags&sys.SpliceInFixed != 0) {
				own.In, own.OpFlags = t.in, own.OpFlags&^uint32(sys.SpliceInFixed)
			}
			if op == sys.UringSplice {
				own.InOffset, own.Offset = offsetOr(t.inOffset), offsetOr(t.outOffset)
			}
			if _, errno := honest.Submit(own); errno != 0 {
				return -1, errno
			}
			c, errno := honest.Complete(completionMS)
			if errno != 0 {
				return -1, errno
			}
			return c.Result, c.Errno
		})
		u.Submit = func(entries ...sys.UringEntry) (int, sys.Errno) {
			if len(entries) != 1 || entries[0].Op != op {
				return honest.Submit(entries...)
			}
			mu.Lock()
			defer mu.Unlock()
			entry = entries[0]
			t := &transfer{
				in:    resolved(entry.In, entry.OpFlags&sys.SpliceInFixed != 0),
				out:   resolved(entry.FD, entry.Flags&sys.UringFixedFile != 0),
				count: entry.Count,
			}
			if op == sys.UringSplice {
				t.inOffset, t.outOffset = offsetIn(entry.InOffset), offsetIn(entry.Offset)
			}
			n, errno := told(t)
			done = append(done, sys.UringCompletion{Tag: entry.Tag, Result: n, Errno: errno})
			return 1, 0
		}
		u.Complete = func(ms int) (sys.UringCompletion, sys.Errno) {
			mu.Lock()
			defer mu.Unlock()
			if len(done) == 0 {
				return honest.Complete(ms)
			}
			c := done[0]
			done = done[1:]
			return c, 0
		}
	})
}

// offsetIn is an offset as the other calls have it: none for -1.
func offsetIn(offset int64) *int64 {
	if offset == sys.UringCurrent {
		return nil
	}
	return &offset
}

func offsetOr(offset *int64) int64 {
	if offset == nil {
		return sys.UringCurrent
	}
	return *offset
}

// tellRing changes the functions of each ring that is made.
func tellRing(k *sys.Kernel, change func(u *sys.Uring)) {
	made := k.NewUring
	k.NewUring = func() (*sys.Uring, string, sys.Errno) {
		u, call, errno := made()
		if errno == 0 {
			change(u)
		}
		return u, call, errno
	}
}

// ofUring is a lie about a ring.
func ofUring(name string, change func(u *sys.Uring)) mutant {
	return mutant{"io_uring: " + name, func(k *sys.Kernel) { tellRing(k, change) }}
}

// completing changes completions.
func completing(change func(c *sys.UringCompletion)) func(*sys.Uring) {
	return func(u *sys.Uring) {
		complete := u.Complete
		u.Complete = func(ms int) (sys.UringCompletion, sys.Errno) {
			c, errno := complete(ms)
			if errno == 0 {
				change(&c)
			}
			return c, errno
		}
	}
}

// submitting changes submissions.
func submitting(change func(entry *sys.UringEntry)) func(*sys.Uring) {
	return func(u *sys.Uring) {
		submit := u.Submit
		u.Submit = func(entries ...sys.UringEntry) (int, sys.Errno) {
			entries = slices.Clone(entries)
			for i := range entries {
				change(&entries[i])
			}
			return submit(entries...)
		}
	}
}

// uringTransfers are the lies about splice and tee that can be told about the
// operations of io_uring; these do not tell the offsets that they came to.
var uringTransfers = []string{
	"one byte fewer is reported", "one byte more is reported", "nothing is reported as one byte", "every errno is EIO", "a success has an errno",
	"errors are hidden", "an error drops a byte of the source", "an error writes a byte", "a call that moves nothing writes a byte",
	"the position of the source is not moved", "the position of the source is moved beside an offset",
	"the position of the destination is moved beside an offset", "an error moves the position of the source",
	"a call that moves nothing moves the position of the source", "what comes out is zeros", "the last byte is reported and not moved",
}

// uringTransferMutants tells them.
func uringTransferMutants() []mutant {
	var list []mutant
	own := []transferLie{{ofPipes, "a call that moves nothing takes a byte", afterwards(func(t *transfer, n int) {
		if n == 0 {
			steal(t.in, 1)
		}
	})}}
	for _, lies := range append(slices.Clone(transferLies), own) {
		for _, l := range lies {
			if !slices.Contains(uringTransfers, l.name) && l.name != own[0].name {
				continue
			}
			for call, op := range map[string]int{"splice": sys.UringSplice, "tee": sys.UringTee} {
				if slices.Contains(l.of, call) {
					list = append(list, mutant{"io_uring " + call + ": " + l.name, func(k *sys.Kernel) { tellUring(k, op, l.lie) }})
				}
			}
		}
	}
	return list
}

var uringMutants = []mutant{
	ofUring("one byte fewer is reported", completing(func(c *sys.UringCompletion) {
		if !c.Notice && c.Result > 0 {
			c.Result--
		}
	})),
	ofUring("nothing is reported as one byte", completing(func(c *sys.UringCompletion) {
		if !c.Notice && c.Result == 0 {
			c.Result = 1
		}
	})),
	ofUring("an error has the result zero", completing(func(c *sys.UringCompletion) { c.Result = max(c.Result, 0) })),
	ofUring("every errno is EIO", completing(func(c *sys.UringCompletion) {
		if c.Errno != 0 {
			c.Errno = syscall.EIO
		}
	})),
	ofUring("a success has an errno", completing(func(c *sys.UringCompletion) {
		if c.Errno == 0 {
			c.Errno = syscall.EIO
		}
	})),
	ofUring("tags are lost", completing(func(c *sys.UringCompletion) { c.Tag = 0 })),
	ofUring("a result announces no notification", completing(func(c *sys.UringCompletion) { c.More = false })),
	ofUring("a notification announces another", completing(func(c *sys.UringCompletion) { c.More = c.More || c.Notice })),
	ofUring("a notification looks like a result", completing(func(c *sys.UringCompletion) { c.Notice = false })),
	ofUring("a notification does not admit a copy", completing(func(c *sys.UringCompletion) { c.Usage = 0 })),
	ofUring("a notification always says copied", completing(func(c *sys.UringCompletion) {
		if c.Notice {
			c.Usage = sys.UringCopied
		}
	})),
	ofUring("a completion comes twice", func(u *sys.Uring) {
		complete := u.Complete
		var last *sys.UringCompletion
		u.Complete = func(ms int) (sys.UringCompletion, sys.Errno) {
			if last != nil {
				again := *last
				last = nil
				return again, 0
			}
			c, errno := complete(ms)
			if errno == 0 && !c.More {
				last = &c
			}
			return c, errno
		}
	}),
	ofUring("notifications come before results", func(u *sys.Uring) {
		complete := u.Complete
		var kept []sys.UringCompletion
		u.Complete = func(ms int) (sys.UringCompletion, sys.Errno) {
			if len(kept) > 0 {
				c := kept[0]
				kept = kept[1:]
				return c, 0
			}
			c, errno := complete(ms)
			if errno == 0 && c.More {
				if notice, errno := complete(int(shortPatience.Milliseconds())); errno == 0 {
					kept = append(kept, c)
					return notice, 0
				}
			}
			return c, errno
		}
	}),
	ofUring("a link is not broken", submitting(func(entry *sys.UringEntry) { entry.Flags &^= sys.UringLink })),
	ofUring("a link is always broken", func(u *sys.Uring) {
		complete := u.Complete
		u.Complete = func(ms int) (sys.UringCompletion, sys.Errno) {
			c, errno := complete(ms)
			if errno == 0 && c.Tag == 2 {
				c.Result, c.Errno = -1, syscall.ECANCELED
			}
			return c, errno
		}
	}),
	ofUring("a byte is lost before a linked splice", submitting(func(entry *sys.UringEntry) {
		if entry.Op == sys.UringSplice && entry.Flags&sys.UringLink != 0 {
			steal(entry.In, 1)
		}
	})),
	ofUring("zeros are sent", submitting(func(entry *sys.UringEntry) {
		if entry.Op == sys.UringSendZC && len(entry.Memory) > 0 && entry.Priority&sys.UringFixedBuffer == 0 {
			entry.Memory = make([]byte, len(entry.Memory))
		}
	})),
	ofUring("zeros are sent from a registered buffer", func(u *sys.Uring) {
		register := u.RegisterBuffer
		u.RegisterBuffer = func(p []byte) sys.Errno {
			errno := register(p)
			clear(p)
			return errno
		}
	}),
	ofUring("zeros are read", func(u *sys.Uring) {
		var memory []byte
		submitting(func(entry *sys.UringEntry) {
			if entry.Op == sys.UringReadFixed {
				memory = entry.Memory
			}
		})(u)
		completing(func(*sys.UringCompletion) { clear(memory) })(u)
	}),
	ofUring("a read writes beyond its memory", func(u *sys.Uring) {
		var memory []byte
		submitting(func(entry *sys.UringEntry) {
			if entry.Op == sys.UringReadFixed {
				memory = entry.Memory
			}
		})(u)
		completing(func(*sys.UringCompletion) {
			if len(memory) > 0 && cap(memory) > len(memory) {
				memory[:len(memory)+1][len(memory)] = 0x55
			}
		})(u)
	}),
	ofUring("an error sends a byte", func(u *sys.Uring) {
		fd := -1
		submitting(func(entry *sys.UringEntry) {
			if fd = entry.FD; entry.Flags&sys.UringFixedFile != 0 {
				fd = -1
			}
		})(u)
		completing(func(c *sys.UringCompletion) {
			if c.Errno != 0 {
				inject(fd, []byte{0x55})
			}
		})(u)
	}),
	ofUring("a submission is looked at when its completion is asked for", func(u *sys.Uring) {
		submit, complete := u.Submit, u.Complete
		var waiting []sys.UringEntry
		u.Submit = func(entries ...sys.UringEntry) (int, sys.Errno) {
			waiting = append(waiting, entries...)
			return len(entries), 0
		}
		u.Complete = func(ms int) (sys.UringCompletion, sys.Errno) {
			if len(waiting) > 0 {
				submit(waiting...)
				waiting = nil
			}
			return complete(ms)
		}
	}),
	ofUring("no message can be sent", submitting(func(entry *sys.UringEntry) {
		if entry.Op == sys.UringSendmsgZC {
			entry.Op = 255
		}
	})),
	ofUring("every operation is known", func(u *sys.Uring) {
		u.Knows = func(int) (bool, sys.Errno) { return true, 0 }
	}),
	ofUring("no operation is known", func(u *sys.Uring) {
		u.Knows = func(int) (bool, sys.Errno) { return false, 0 }
	}),
}
