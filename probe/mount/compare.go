package mount

// What can be wrong with a reading.
const (
	asItShould  = "right"
	oldBytes    = "old bytes"
	zeroBytes   = "zeros"
	oldAndZeros = "old bytes and zeros"
	wrongBytes  = "wrong bytes"
	cutShort    = "cut short"
	tooMany     = "bytes behind the end"
	silentEnd   = "nothing at all, without an error"
	signalled   = "SIGBUS"
)

// difference is what sets a reading apart from what should have come.
type difference struct {
	what   string // one of the above
	at     int    // the first wrong byte
	differ int    // how many are wrong, missing or too many
}

// compare tells what is wrong with got. was is what stood in the same place
// before: bytes from there are stale, which says more than that they are wrong.
func compare(got, want, was []byte) difference {
	if len(got) == 0 && len(want) > 0 {
		return difference{silentEnd, 0, len(want)}
	}
	d := difference{what: asItShould, at: -1}
	stale, zero := 0, 0
	for i, b := range got {
		if i < len(want) && b == want[i] {
			continue
		}
		if d.at < 0 {
			d.at = i
		}
		d.differ++
		if i < len(was) && b == was[i] {
			stale++
		} else if b == 0 {
			zero++
		}
	}
	inside := d.at >= 0 && d.at < len(want)
	if missing := len(want) - len(got); missing > 0 {
		if d.at < 0 {
			d.at = len(got)
		}
		d.differ += missing
	}
	switch {
	case d.differ == 0:
	case !inside && len(got) < len(want):
		d.what = cutShort
	case !inside && stale == 0:
		d.what = tooMany
	case stale > 0 && zero > 0 && stale+zero >= d.differ-max(0, len(want)-len(got)):
		d.what = oldAndZeros
	case stale > 0 && stale >= d.differ-max(0, len(want)-len(got)):
		d.what = oldBytes
	case zero > 0 && zero >= d.differ-max(0, len(want)-len(got)):
		d.what = zeroBytes
	default:
		d.what = wrongBytes
	}
	return d
}

// shows names the content that a reading of a changed file shows.
func shows(got, now, was []byte) string {
	switch d := compare(got, now, was); {
	case d.what == asItShould:
		return "new"
	case len(got) > 0 && compare(got, was, now).what == asItShould:
		return "old"
	case len(got) > 0 && allZero(got):
		return "zeros"
	case d.what == oldBytes || d.what == oldAndZeros || d.what == zeroBytes:
		return "mixed"
	default:
		return "other"
	}
}

func allZero(p []byte) bool {
	for _, b := range p {
		if b != 0 {
			return false
		}
	}
	return true
}

// window is the part of content that a range of a file shows.
func window(content []byte, offset int64, n int) []byte {
	size := int64(len(content))
	if offset >= size {
		return nil
	}
	return content[offset:min(offset+int64(n), size)]
}
