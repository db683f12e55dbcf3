package mount

import (
	"fmt"
	"slices"
	"strings"

	"github.com/zcprobe/zcprobe/internal/fixture"
)

// verdict puts into words what the ways came to.
func (c *check) verdict() {
	r := c.report
	c.cacheWord()
	r.Verdict = Right
	var wrong, answered []string
	for i := range r.Ways {
		w := &r.Ways[i]
		r.Sentences = append(r.Sentences, r.sentence(w))
		switch w.State {
		case WayWrong, WayTimeout, WayCrashed:
			wrong = append(wrong, w.Way)
			r.Remedies = append(r.Remedies, remedy(w)...)
		case WayRefused, WayPartly:
			r.Remedies = append(r.Remedies, fallBack(w)...)
		}
		if w.Compared > 0 {
			answered = append(answered, w.Way)
		}
	}
	switch {
	case len(wrong) > 0:
		r.Verdict = Wrong
		r.Sentences = slices.Insert(r.Sentences, 0, r.wrongHead(wrong))
	case !slices.Contains(answered, plain):
		r.Verdict = Untried
		r.Why = "plain read gave nothing to compare with: " + r.Way(plain).Why
	default:
		r.Sentences = slices.Insert(r.Sentences, 0, r.rightHead())
	}
	if slices.Contains(wrong, plain) {
		r.Remedies = remedy(&WayReport{Way: plain}) // the other ways cannot be better than that
	}
	r.Remedies = slices.Compact(r.Remedies)
	if words := knownOf(r.Mount.Type); words != "" {
		r.Notes = append(r.Notes, words)
	}
	if shared(r.Mount.Type) && r.Kind != Changed {
		r.Notes = append(r.Notes, "Files here can change behind this kernel's back, which one look cannot show: zcprobe fs prepare, and then verify, do.")
	}
}

func (r *Report) rightHead() string {
	switch r.Kind {
	case Changed:
		return "The change from the other side shows by every way that works here."
	case File:
		return "Every way that works here delivers what a plain read delivers."
	}
	return "Zero copy is right here: every way that works delivers the right bytes."
}

func (r *Report) wrongHead(wrong []string) string {
	if slices.Contains(wrong, plain) {
		return "Plain read itself is wrong here: " + list(wrong) + "."
	}
	return "Do not trust " + list(wrong) + " here."
}

// sentence is one way in words.
func (r *Report) sentence(w *WayReport) string {
	name := words[w.Way]
	switch w.State {
	case WayRight:
		s := name + " is right here"
		if w.Way == "mmap" {
			s = name + " is coherent here"
		}
		if by := byWords(w); by != "" {
			s += by
		}
		return s + "."
	case WayPartly:
		return fmt.Sprintf("%s is right here%s, but refused (%s) for a file that %s.", name, byWords(w), w.Errno, r.situations(w.Refused))
	case WayWrong:
		return fmt.Sprintf("%s is WRONG here: %s.", name, r.fault(w))
	case WayRefused:
		s := fmt.Sprintf("%s is refused here: %s", name, w.Errno)
		if w.Why != "" {
			s += "; " + w.Why
		}
		return s + "."
	case WayTimeout:
		return fmt.Sprintf("%s HANGS here: %s.", name, w.Why)
	case WayCrashed:
		return fmt.Sprintf("%s takes its process with it here: %s.", name, w.Why)
	default:
		return fmt.Sprintf("%s was not asked: %s.", name, w.Why)
	}
}

// words are the ways as sentences begin with them.
var words = map[string]string{
	plain: "read", "sendfile": "sendfile", "splice": "splice", "copy_file_range": "copy_file_range", "mmap": "mmap",
	"lseek": "lseek with SEEK_DATA", "direct": "read with O_DIRECT", "sendfile-direct": "sendfile from a file with O_DIRECT",
}

// byWords says whether bytes were shared.
func byWords(w *WayReport) string {
	if w.Way == plain || w.Way == "mmap" {
		return ""
	}
	if w.Way == "copy_file_range" {
		return map[fixture.Witness]string{
			fixture.ByReference: " and shares extents (reflink)",
			fixture.Copied:      " and copies, inside the kernel",
			fixture.KernelOnly:  "; the bytes stay in the kernel or on the server, and whether they are shared there cannot be seen",
		}[w.Witness]
	}
	return map[fixture.Witness]string{
		fixture.ByReference: " and by reference",
		fixture.Copied:      ", though the kernel copies",
		fixture.Mixed:       " and shares some of the pages",
	}[w.Witness]
}

// fault is the first fault of a way in words.
func (r *Report) fault(w *WayReport) string {
	f := w.Examples[0]
	s := f.What
	switch {
	case f.What == cutShort:
		s = fmt.Sprintf("cut short at %d of %d bytes", f.Got, f.Want)
	case f.What == silentEnd:
		s = fmt.Sprintf("%s, where there are %d bytes", f.What, f.Want)
	case f.Got != f.Want && f.What != tooMany:
		s = fmt.Sprintf("%s (%d bytes came of %d, %d are wrong or missing)", f.What, f.Got, f.Want, f.Differ)
	case f.Want > 0:
		s = fmt.Sprintf("%s (%d of %d)", f.What, f.Differ, f.Want)
	}
	s = fmt.Sprintf("%s at offset %d of a file that %s", s, f.At, r.situations([]string{f.Situation}))
	if f.Descriptor == "held" && f.Situation != "warm" {
		s += ", through a descriptor that was open before"
	}
	if more := r.otherSituations(w, f.Situation); more != "" {
		s += "; also of one that " + more
	}
	switch {
	case w.Way == plain:
	case f.PlainRead == asItShould:
		s += "; plain read is right there"
	default:
		s += "; plain read there: " + f.PlainRead
	}
	return s
}

func (r *Report) otherSituations(w *WayReport, first string) string {
	var ids []string
	for _, f := range w.Examples {
		if f.Situation != first && !slices.Contains(ids, f.Situation) {
			ids = append(ids, f.Situation)
		}
	}
	return r.situations(ids)
}

// situations are situations in words.
func (r *Report) situations(ids []string) string {
	var all []string
	for _, s := range r.Situations {
		if slices.Contains(ids, s.Situation) {
			all = append(all, s.Words)
		}
	}
	return strings.Join(all, ", or ")
}

// remedy is what to do about a way that is not to be trusted.
func remedy(w *WayReport) []string {
	switch w.Way {
	case plain:
		return []string{"do not serve or copy files from this mount before its own read is right: look at the mount's options, and at the server"}
	case "sendfile", "sendfile-direct":
		return []string{
			"turn sendfile off for this folder: nginx: sendfile off; Apache httpd: EnableSendfile Off; lighttpd: server.network-backend = \"writev\"",
			"in Go: hide the *os.File from io.Copy and net/http, with struct{ io.Reader }{file}",
		}
	case "splice":
		return []string{"turn splicing off in programs that splice from files of this folder; in Go: struct{ io.Reader }{file}"}
	case "copy_file_range":
		return []string{"copy with read and write here: cp --reflink=never; in Go: struct{ io.Reader }{file}; in Python: shutil.copyfileobj"}
	case "mmap":
		return []string{"do not map files of this folder: Apache httpd: EnableMMAP Off; keep databases that map their files (LMDB, SQLite with mmap_size) elsewhere"}
	case "lseek":
		return []string{"do not let programs look for holes here: cp --sparse=never, tar without --sparse"}
	default:
		return []string{"do without O_DIRECT here (MySQL: innodb_flush_method = fsync)"}
	}
}

// fallBack is what to do about a way that is refused.
func fallBack(w *WayReport) []string {
	switch w.Way {
	case "lseek", "direct", "sendfile-direct":
		return nil
	}
	return []string{fmt.Sprintf("%s: nothing is lost where programs fall back to read and write on %s; those that do not need it turned off here", w.Way, w.Errno)}
}

func list(all []string) string {
	if len(all) == 1 {
		return all[0]
	}
	return strings.Join(all[:len(all)-1], ", ") + " and " + all[len(all)-1]
}

// cacheWord says how cold the cold situations were.
func (c *check) cacheWord() {
	r := &c.report.Cache
	switch {
	case r.Pages == 0:
		r.Dropped = "unknown"
	case r.Cached == 0:
		r.Dropped = "yes"
	case r.Cached == r.Pages:
		r.Dropped = "no"
		if r.Why == "" {
			r.Why = "every page was still there: the files live in memory, or the kernel does not tell this user"
		}
	default:
		r.Dropped = "partly"
	}
}
