package guest

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Console takes in what comes over a serial line, as an [io.Writer], and keeps
// the two things in it apart: the lines of the wire, and what the kernel and
// the emulator say.
type Console struct {
	Changed func(stage string) // told of each new stage; may be nil

	mu      sync.Mutex
	partial []byte
	bytes   int64
	tail    []string
	died    string // the first line that tells of the kernel's death

	last   int // the number of the last line that came in its turn
	broken string
	total  int // what the closing line says; zero until it is there
	stage  string
	notes  []string
	pieces map[string][]byte
	ended  chan struct{}
}

// Report is what a guest sent, whole.
type Report struct {
	Record []byte // nil when the guest could not make one
	Tests  []byte // what the library's tests printed; nil when there were none
	Notes  []string
}

const (
	tailLines = 40
	maxTail   = 1 << 10  // of one of them
	maxLine   = 8 << 10  // what is longer is no line of the wire
	maxReport = 64 << 20 // compressed content comes from a machine under test
)

// NewConsole makes a console.
func NewConsole() *Console {
	return &Console{pieces: map[string][]byte{}, ended: make(chan struct{})}
}

// Write takes in what came. It never fails.
func (c *Console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bytes += int64(len(p))
	c.partial = append(c.partial, p...)
	for {
		at := bytes.IndexByte(c.partial, '\n')
		if at < 0 {
			break
		}
		c.line(string(c.partial[:at]))
		c.partial = c.partial[at+1:]
	}
	if len(c.partial) > maxLine {
		c.line(string(c.partial))
		c.partial = nil
	}
	c.partial = slices.Clone(c.partial)
	return len(p), nil
}

// Close says that nothing more comes: what has no newline counts as a line.
func (c *Console) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.partial) > 0 {
		c.line(string(c.partial))
		c.partial = nil
	}
	return nil
}

func (c *Console) line(text string) {
	text = strings.Map(printable, text)
	m, ours := parse(text)
	switch {
	case m != nil:
		c.message(m)
	case !ours && strings.TrimSpace(text) != "":
		if c.died == "" && death.MatchString(text) {
			c.died = strings.TrimSpace(text)
		}
		c.tail = append(c.tail, strings.TrimRight(text[:min(len(text), maxTail)], " "))
		if over := len(c.tail) - tailLines; over > 0 {
			c.tail = slices.Delete(c.tail, 0, over)
		}
	}
}

func (c *Console) message(m *message) {
	if c.total > 0 {
		return // nothing counts after the closing line
	}
	if m.number != c.last+1 && c.broken == "" {
		c.broken = fmt.Sprintf("after line %d of the record came line %d", c.last, m.number)
	}
	c.last = m.number
	switch m.kind {
	case kindStage:
		c.stage = string(m.payload)
		if c.Changed != nil {
			c.Changed(c.stage)
		}
	case kindNote:
		c.notes = append(c.notes, string(m.payload))
	case kindEnd:
		n, err := strconv.Atoi(string(m.payload))
		if err != nil || n != m.number {
			c.broken = "the closing line does not count right"
		}
		c.total = m.number
		close(c.ended)
	default:
		if len(c.pieces[m.kind]) < maxReport {
			c.pieces[m.kind] = append(c.pieces[m.kind], m.payload...)
		}
	}
}

// Ended is closed when the closing line has come.
func (c *Console) Ended() <-chan struct{} { return c.ended }

// ErrNoEnd says that the closing line has not come.
var ErrNoEnd = errors.New("no closing line")

// Report is what the guest sent, when every line of it has come.
func (c *Console) Report() (*Report, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.total == 0 && c.last == 0:
		return nil, ErrNoEnd
	case c.total == 0:
		return nil, fmt.Errorf("%w after line %d", ErrNoEnd, c.last)
	case c.broken != "":
		return nil, errors.New(c.broken)
	}
	r := &Report{Notes: c.notes}
	var err error
	if r.Record, err = unpack(c.pieces[kindRecord]); err != nil {
		return nil, fmt.Errorf("unpack record: %w", err)
	}
	if r.Tests, err = unpack(c.pieces[kindTests]); err != nil {
		return nil, fmt.Errorf("unpack test output: %w", err)
	}
	return r, nil
}

// Record is the run record of a guest that has sent all of it, whether or not
// the guest has come to its end: it is whole when the guest has gone on to the
// library's tests. nil is that it is not.
func (c *Console) Record() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != "" || c.stage != stageTests {
		return nil
	}
	record, err := unpack(c.pieces[kindRecord])
	if err != nil {
		return nil
	}
	return record
}

func unpack(packed []byte) ([]byte, error) {
	if packed == nil {
		return nil, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(z, maxReport))
	return content, errors.Join(err, z.Close())
}

// Stage is what the guest said last that it does; "" before it said a word.
func (c *Console) Stage() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stage
}

// Sending tells whether lines of the record itself have come.
func (c *Console) Sending() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.pieces) > 0 || c.total > 0
}

// Silent tells whether nothing at all has come.
func (c *Console) Silent() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes == 0
}

// Tail is the last lines that are not of the wire.
func (c *Console) Tail() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.tail)
}

// Death is the kernel's own words on its end; "" when it spoke none.
func (c *Console) Death() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.died
}

// death is how Linux says that it is at its end.
var death = regexp.MustCompile(`Kernel panic - not syncing|Unable to mount root fs|Attempted to kill init|BUG: unable to handle|Oops:|Internal error: |kernel BUG at `)

// complaint is how Linux says that something is wrong with itself.
var complaint = regexp.MustCompile(`\b(BUG|WARNING|KASAN|KCSAN|UBSAN): |\bOops\b|general protection fault|\bstall(s)? (detected|on CPU)|blocked for more than|Out of memory: |possible (recursive|circular) locking`)

// printable drops what a terminal would obey: carriage returns, escapes.
func printable(r rune) rune {
	if r < ' ' && r != '\t' || r == 0x7f {
		return -1
	}
	return r
}
