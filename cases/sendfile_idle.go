package cases

import (
	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// Sources that have nothing to give yet.
var sendfileIdle = []*Case{
	{
		ID:       "linux/sendfile/idle-terminal-to-pipe-ends-with-signal",
		Title:    "From a terminal at which nobody types sendfile into a pipe waits until a signal ends it, and takes nothing; a pipe is refused at once, with its bytes kept",
		Facility: "sendfile",
		Level:    Should,
		Sources:  []string{"signal(7)", "golang/go#71375: a program that could not exit", "Linux fs/read_write.c, do_sendfile: since b964bf53e540 (5.12) what splices into a pipe need not be a file", "Linux fs/pipe.c, pipefifo_fops: no splice_read"},
		Covers:   []string{"bug/G05-sendfile-pipe-prevents-exit"},
		Needs:    []string{"sendfile/file-pipe"},
		Systems:  linuxOnly,
		Alone:    true,
		Caller:   "A thread in such a call sees no deadline: make the source non-blocking and wait with poll.",
		Expect: []Expectation{
			{Until: "5.12", Why: "b964bf53e540 (5.12) let sources without a position go into a pipe", Facts: Want{
				"terminal.waited": false, "terminal.return": -1, "terminal.errno": "EINVAL",
				"pipe.waited": false, "pipe.return": -1, "pipe.errno": "EINVAL", Bytes: fixture.Right}},
			{Facts: Want{"terminal.waited": true, "terminal.return": -1, "terminal.errno": "EINTR",
				"pipe.waited": false, "pipe.return": -1, "pipe.errno": "EINVAL", Bytes: fixture.Right}},
		},
		Body: func(e *Env) {
			master, slave := terminal(e)
			p := fixture.Pattern(1, 200)
			pipe, _ := loaded(e, p[100:])
			_, w := roomyPipe(e)
			fixture.Interruptible(e)
			for _, from := range []struct {
				name string
				in   *fixture.FD
			}{{"terminal", slave}, {"pipe", pipe}} {
				call := beginInterruptible(func() (int, sys.Errno) { return e.Kernel.Sendfile(w.Int(), from.in.Int(), nil, 100) })
				e.Fact(from.name+".waited", call.Waits())
				n, errno := call.interrupted(e)
				e.Named(from.name, n, errno)
			}
			fixture.WriteAll(e, master, p[:100])
			e.Arrived(append(fixture.ReadN(e, slave, 100), fixture.ReadReady(e, pipe, 101)...), p)
		},
	},
}
