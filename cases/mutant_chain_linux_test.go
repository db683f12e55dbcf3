package cases

import "github.com/zcprobe/zcprobe/internal/sys"

var uringChainMutants = []mutant{
	ofUring("a linked splice from a file copies", func(u *sys.Uring) {
		submit, complete := u.Submit, u.Complete
		var done []sys.UringCompletion
		u.Submit = func(entries ...sys.UringEntry) (int, sys.Errno) {
			first := entries[0]
			if first.Op != sys.UringSplice || first.Flags&sys.UringLink == 0 || !isFile(first.In) {
				return submit(entries...)
			}
			n, errno := byHand(&transfer{in: first.In, out: first.FD, count: first.Count})
			done = append(done, sys.UringCompletion{Tag: first.Tag, Result: n, Errno: errno})
			k, errno := submit(entries[1:]...)
			return k + 1, errno
		}
		u.Complete = func(ms int) (sys.UringCompletion, sys.Errno) {
			if len(done) > 0 {
				c := done[0]
				done = done[1:]
				return c, 0
			}
			return complete(ms)
		}
	}),
	ofUring("what was called off leaves a byte in its source", calledOff(func(source int, _ *sys.UringCompletion) { inject(source, []byte{0x55}) })),
	ofUring("what was called off says that it moved a byte", calledOff(func(_ int, c *sys.UringCompletion) { c.Result, c.Errno = 1, 0 })),
}

// calledOff changes the completion of a splice that was submitted together with
// its cancellation.
func calledOff(change func(source int, c *sys.UringCompletion)) func(*sys.Uring) {
	return func(u *sys.Uring) {
		submit, complete := u.Submit, u.Complete
		var waiting sys.UringEntry
		u.Submit = func(entries ...sys.UringEntry) (int, sys.Errno) {
			if len(entries) == 2 && entries[1].Op == sys.UringCancel {
				waiting = entries[0]
			}
			return submit(entries...)
		}
		u.Complete = func(ms int) (sys.UringCompletion, sys.Errno) {
			c, errno := complete(ms)
			if errno == 0 && c.Errno != 0 && waiting.Tag != 0 && c.Tag == waiting.Tag {
				change(waiting.In, &c)
			}
			return c, errno
		}
	}
}
