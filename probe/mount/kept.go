package mount

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/zcprobe/zcprobe/internal/fixture"
)

// StateName is the file in which prepare keeps what verify has to know, unless
// another one is named.
const StateName = "zcprobe-fs.json"

const keptSchema = "zcprobe.fs-state/1"

// kept is the state between prepare and verify.
type kept struct {
	Schema   string    `json:"schema"`
	Name     string    `json:"name"`      // what the names of the files begin with
	SameSize int       `json:"same_size"` // bytes of the file that is to keep its size
	Shorter  int       `json:"shorter"`   // bytes of the one that is to become longer
	Line     string    `json:"line"`      // what the new content of both repeats
	Lines    int       `json:"lines"`
	Mount    string    `json:"mount"` // where prepare found the directory, to tell the other side from this one
	Boot     string    `json:"boot,omitempty"`
	Prepared time.Time `json:"prepared"`
}

// keptFile is a file that is to be changed. Every way has its own: what one way
// reads may mend, or hide, what another one would show.
type keptFile struct {
	name string
	way  *Way
	size int // of the old content
	sit  *Situation
}

// newKept is what is to be prepared. The new content is lines of 32 bytes, which
// any shell can write.
func newKept(name, nonce string, page int) kept {
	pages := min(max(1, page/4096), 4)
	return kept{
		Schema: keptSchema, Name: name, SameSize: 32_000 * pages, Shorter: 24_007 * pages,
		Line: "zcprobe changed " + nonce, Lines: 1000 * pages, Boot: boot(), Prepared: time.Now().UTC().Truncate(time.Second),
	}
}

// files are what the other side changes, first those that keep their size.
func (k kept) files() []keptFile {
	var list []keptFile
	for _, w := range ways {
		list = append(list, keptFile{k.Name + "-" + w.ID + "-a.dat", w, k.SameSize, changedSameSize})
	}
	for _, w := range ways {
		list = append(list, keptFile{k.Name + "-" + w.ID + "-b.dat", w, k.Shorter, changedLonger})
	}
	return list
}

func (k kept) names() []string {
	var names []string
	for _, f := range k.files() {
		names = append(names, f.name)
	}
	return names
}

func boot() string {
	text, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(text))
}

// was is the old content of a file, and now the new one of both.
func (f keptFile) was() []byte { return fixture.Pattern(before, f.size) }
func (k kept) now() []byte     { return []byte(strings.Repeat(k.Line+"\n", k.Lines)) }

var (
	keptName  = regexp.MustCompile(`^zcprobe-fs-[0-9a-f]{15}$`)
	keptNonce = regexp.MustCompile(`^zcprobe changed [0-9a-f]{15}$`)
)

// check refuses a state that prepare has not written: the files that it names
// are removed.
func (k kept) check() error {
	switch {
	case k.Schema != keptSchema:
		return fmt.Errorf("its schema is %.40q and this zcprobe reads %q", k.Schema, keptSchema)
	case !keptName.MatchString(k.Name) || !keptNonce.MatchString(k.Line):
		return errors.New("it names no files that zcprobe has made")
	case k.SameSize < 1 || k.SameSize > room || k.Shorter < 1 || k.Shorter > room || k.Lines < 1 || k.Lines > room/32:
		return errors.New("its sizes make no sense")
	}
	return nil
}

// statePath is where the state is.
func (t task) statePath() string {
	if t.State != "" {
		return t.State
	}
	return filepath.Join(t.Path, StateName)
}

// save writes the state, and nobody's file over.
func (t task) save(k kept) error {
	text, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return err
	}
	file, err := os.OpenFile(t.statePath(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return input("%s is there already: zcprobe fs verify %s first, or zcprobe fs verify --forget %s to give up what was prepared", t.statePath(), t.Path, t.Path)
	}
	if err != nil {
		return input("%s: cannot be written: %s", t.statePath(), bare(err))
	}
	_, err = file.Write(append(text, '\n'))
	if err = errors.Join(err, file.Close()); err != nil {
		os.Remove(t.statePath())
	}
	return err
}

// load reads the state.
func (t task) load() (k kept, err error) {
	path := t.statePath()
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return k, input("%s: nothing was prepared here: zcprobe fs prepare %s comes first, and --state names its state where that is elsewhere", path, t.Path)
	}
	if err != nil {
		return k, input("%s: cannot be read: %s", path, bare(err))
	}
	defer file.Close()
	if st, err := file.Stat(); err != nil || !st.Mode().IsRegular() {
		return k, input("%s: is no regular file", path)
	}
	text, err := io.ReadAll(io.LimitReader(file, 1<<16))
	if err == nil {
		err = json.Unmarshal(text, &k)
	}
	if err == nil {
		err = k.check()
	}
	if err != nil {
		return k, input("%s: no state of zcprobe fs prepare: %s", path, bare(err))
	}
	return k, nil
}

// instructions are the lines that say what to do on the other side.
func (k kept) instructions(path, state string) []string {
	verify := "zcprobe fs verify " + quote(path)
	lines := []string{
		fmt.Sprintf("Prepared %d files %s; each way has read two of them.", len(k.files()), filepath.Join(path, k.Name+"-*.dat")),
		"",
		"Now change them from the other side: on the host of the shared folder, or on the server of",
		"the network mount, not through this mount. Go into that folder there, and run one of",
		"",
		fmt.Sprintf("  yes '%s' | head -n %d | tee %s-*.dat > /dev/null", k.Line, k.Lines, k.Name),
	}
	if state == "" {
		lines = append(lines, "  zcprobe fs change .")
	} else {
		verify += " --state " + quote(state)
	}
	return append(lines,
		fmt.Sprintf("  dir %s-*.dat | %% { [IO.File]::WriteAllText($_.FullName, \"%s`n\" * %d) }    # PowerShell", k.Name, k.Line, k.Lines),
		"",
		"Then, here:",
		"",
		"  "+verify,
	)
}

// quote makes a word of a shell.
func quote(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+=:,@%") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
