package cases

import "github.com/zcprobe/zcprobe/internal/sys"

// ofTee is a lie about tee alone.
func ofTee(name string, lie func(transferring) transferring) mutant {
	return mutant{"tee: " + name, func(k *sys.Kernel) { tellTransfer["tee"](k, lie) }}
}

var teeMutants = []mutant{
	ofTee("the source is consumed", afterwards(func(t *transfer, n int) {
		if n > 0 {
			steal(t.in, n)
		}
	})),
	ofTee("an error empties the source", afterwards(func(t *transfer, n int) {
		if n < 0 {
			stealAll(t.in)
		}
	})),
	ofTee("unknown flags are ignored", withFlags(func(f int) int { return f & 0xf })),
	ofTee("what waited in the destination is dropped", func(call transferring) transferring {
		return func(t *transfer) (int, sys.Errno) {
			if n, errno := sys.Queued(t.out); errno == 0 && n > 0 {
				takeBack(t.out, n)
			}
			return call(t)
		}
	}),
	ofTee("pipes of one inode are copied to themselves", answering(func(t *transfer, n int, errno sys.Errno) (int, sys.Errno) {
		if n < 0 && isPipe(t.in) && isPipe(t.out) {
			if p, ok := peeked(t.in, t.count); ok {
				inject(t.in, p)
				return len(p), 0
			}
		}
		return n, errno
	})),
}
