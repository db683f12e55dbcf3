package probe

import (
	"fmt"

	"github.com/zcprobe/zcprobe/internal/fixture"
)

// answer picks the best way and says what it means.
func (x *Explanation) answer(src, dst *Kind) {
	best := -1
	for i, w := range x.Ways {
		if w.Good() && w.Facility != readWrite && (best < 0 || worth(w.Witness) > worth(x.Ways[best].Witness)) {
			best = i
		}
	}
	pair := fmt.Sprintf("from %s to %s", src.Title, dst.Title)
	if src == dst {
		pair = fmt.Sprintf("from %s to another", src.Title)
	}
	if best < 0 {
		x.ZeroCopy = ZeroCopyUnknown
		if x.anyTried() {
			x.ZeroCopy = ZeroCopyNo
		}
		x.Sentences = append(x.Sentences, x.withoutWay(pair)...)
		return
	}
	w := x.Ways[best]
	x.Facility, x.Call = w.Facility, w.Call
	var sentence string
	x.ZeroCopy, sentence = inWords(w, pair)
	x.Sentences = append(x.Sentences, sentence)
	if h := hazard(src, dst); h != "" && (w.Witness == fixture.ByReference || w.Witness == fixture.Mixed) {
		x.Sentences = append(x.Sentences, h)
	}
}

// worth orders witnesses, the best highest.
func worth(w fixture.Witness) int {
	return map[fixture.Witness]int{
		fixture.ByReference: 4, fixture.Mixed: 3, fixture.KernelOnly: 2, fixture.NotWitnessed: 1,
	}[w]
}

func inWords(w Way, pair string) (ZeroCopy, string) {
	switch w.Witness {
	case fixture.ByReference:
		return ZeroCopyYes, fmt.Sprintf("Yes: %s moves bytes %s without a copy here.", w.Call, pair)
	case fixture.Mixed:
		return ZeroCopyPartly, fmt.Sprintf("Partly: %s shares some of the bytes %s and copies the rest.", w.Call, pair)
	case fixture.KernelOnly:
		return ZeroCopyKernel, fmt.Sprintf("The bytes stay in the kernel: %s moves them %s, and whether it shares or copies them there cannot be seen from outside.", w.Call, pair)
	case fixture.Copied:
		return ZeroCopyNo, fmt.Sprintf("No: %s works %s, but the kernel copies the bytes.", w.Call, pair)
	default:
		return ZeroCopyUnknown, fmt.Sprintf("%s works %s; whether without a copy was not seen: %s.", w.Call, pair, w.Why)
	}
}

func (x *Explanation) anyTried() bool {
	for _, w := range x.Ways {
		if w.Tried {
			return true
		}
	}
	return false
}

// withoutWay says why no way was found.
func (x *Explanation) withoutWay(pair string) []string {
	if !x.anyTried() {
		return []string{fmt.Sprintf("Nothing was tried %s: %s.", pair, x.way(readWrite).Why)}
	}
	list := []string{fmt.Sprintf("No: no call moves bytes %s inside the kernel here; they pass through the process.", pair)}
	if control := x.way(readWrite); control.Tried && !control.Works {
		list = []string{fmt.Sprintf("No: no call moves bytes %s here, and %s does not either.", pair, control.Call)}
	}
	for _, w := range x.Ways {
		switch {
		case !w.Tried || w.Facility == readWrite:
		case w.Errno == PathTimeout:
			list = append(list, w.Call+" never returned.")
		case w.Errno == PathCrashed:
			list = append(list, w.Call+" took its process with it.")
		case w.Errno != "":
			list = append(list, fmt.Sprintf("%s was refused: %s.", w.Call, w.Errno))
		case !w.Works:
			list = append(list, w.Call+" moved less than it was asked to.")
		default:
			list = append(list, w.Call+" delivered wrong bytes: do not use it here.")
		}
	}
	return list
}
