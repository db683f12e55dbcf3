package probe

import (
	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

var vmspliceFeatures = []*Feature{
	{
		ID:       "vmsplice/memory-pipe",
		Facility: "vmsplice",
		Title:    "vmsplice(2) from memory to a pipe",
		Since:    "2.6.17",
		Source:   "vmsplice(2)",
		Systems:  linuxOnly,
		Try:      func(e *Env) { vmspliced(e, 0) },
	},
	{
		ID:       "vmsplice/gift-pipe",
		Facility: "vmsplice",
		Title:    "vmsplice(2) of pages that are given away (SPLICE_F_GIFT)",
		Since:    "2.6.17",
		Source:   "vmsplice(2)",
		Systems:  linuxOnly,
		Ends:     Flag,
		Try:      func(e *Env) { vmspliced(e, sys.SpliceGift) },
	},
	{
		ID:       "vmsplice/pipe-memory",
		Facility: "vmsplice",
		Title:    "vmsplice(2) from a pipe to memory, which copies",
		Since:    "2.6.23",
		Source:   "vmsplice(2); commit 6a14b90bb6bc",
		Systems:  linuxOnly,
		Try: func(e *Env) {
			want := fixture.Pattern(1, pageful)
			r := filledPipe(e, want)
			memory := fixture.Memory(e, pageful)
			n, errno := e.Kernel.Vmsplice(r.Int(), [][]byte{memory}, 0)
			e.Moved("vmsplice", n, errno, len(want))
			e.Same(memory, want)
		},
	},
}

// vmspliced puts a page into a pipe.
func vmspliced(e *Env, flags int) {
	// A gift is a whole page.
	want := fixture.Pattern(1, host().PageSize)
	memory := fixture.Memory(e, len(want))
	copy(memory, want)
	r, w := fixture.Pipe(e)
	n, errno := e.Kernel.Vmsplice(w.Int(), [][]byte{memory}, flags)
	e.Moved("vmsplice", n, errno, len(want))
	e.Arrives(r, want)
}
