package guest

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// transcript is what a serial line carries of a good run: the wire, and a
// kernel and firmware that write in between.
func transcript(t testing.TB, record, tests []byte) string {
	t.Helper()
	var wire bytes.Buffer
	s := &Sender{To: &wire}
	s.Stage("suite")
	s.Note("load module tls: ENOENT")
	s.Record(record)
	s.Tests(tests)
	require.NoError(t, s.End())
	return "\x1b[2JSeaBIOS\r\n" + strings.ReplaceAll(wire.String(), "\n", "\r\n") + "[    3.1] reboot: Power down\r\n"
}

// noise does not get smaller when it is compressed.
func noise(t testing.TB, n int) []byte {
	t.Helper()
	p := make([]byte, n)
	_, err := rand.Read(p)
	require.NoError(t, err)
	return p
}

func feed(text string) *Console {
	c := NewConsole()
	c.Write([]byte(text))
	c.Close()
	return c
}

func TestReportComesHome(t *testing.T) {
	t.Parallel()
	record, tests := noise(t, 5000), []byte("PASS\n")
	text := transcript(t, record, tests)
	var stages []string
	c := NewConsole()
	c.Changed = func(s string) { stages = append(stages, s) }
	for _, b := range []byte(text) { // however the line cuts it up
		c.Write([]byte{b})
	}
	r, err := c.Report()
	require.NoError(t, err)
	assert.Equal(t, record, r.Record)
	assert.Equal(t, tests, r.Tests)
	assert.Equal(t, []string{"load module tls: ENOENT"}, r.Notes)
	assert.Equal(t, []string{"suite"}, stages)
	assert.Equal(t, []string{"[2JSeaBIOS", "[    3.1] reboot: Power down"}, c.Tail())
	select {
	case <-c.Ended():
	default:
		t.Error("the closing line has come")
	}
}

func TestWhatTheKernelWritesInBetweenIsNoHarm(t *testing.T) {
	t.Parallel()
	text := transcript(t, noise(t, 2000), nil)
	text = strings.ReplaceAll(text, "\r\n\r\n", "\r\n[    1.0] random: crng init done\r\n[    1.1] partial ")
	_, err := feed(text).Report()
	assert.NoError(t, err)
}

// The record of a guest that is still at the library's tests is there when it
// has gone on to them, and not a line before.
func TestRecordComesBeforeTheTests(t *testing.T) {
	t.Parallel()
	record := noise(t, 2000)
	var wire bytes.Buffer
	s := &Sender{To: &wire}
	s.Stage("suite")
	s.Record(record)
	s.Stage(stageTests)
	assert.Equal(t, record, feed(wire.String()).Record())
	_, err := feed(wire.String()).Report()
	require.ErrorIs(t, err, ErrNoEnd)
	lines := strings.SplitAfter(wire.String(), "\n")
	damaged := 0
	for i, line := range lines {
		if strings.HasPrefix(line, prefix) {
			assert.Nil(t, feed(strings.Join(slices.Delete(slices.Clone(lines), i, i+1), "")).Record(), "line %d is missing", i)
			damaged++
		}
	}
	assert.Greater(t, damaged, 5)
	s.Tests(noise(t, 5000))
	assert.Equal(t, record, feed(wire.String()).Record(), "while their output comes")
}

// Not one line may be missing, torn or out of its turn.
func TestDamageIsNeverAReport(t *testing.T) {
	t.Parallel()
	whole := transcript(t, noise(t, 3000), []byte("PASS\n"))
	lines := strings.Split(whole, "\r\n")
	damaged := 0
	for i, line := range lines {
		if !strings.HasPrefix(line, prefix) {
			continue
		}
		for name, change := range map[string]string{
			"missing":  "",
			"torn":     line[:len(line)/2] + "[   12.3] BUG: " + line[len(line)/2:],
			"cut":      line[:len(line)-1],
			"bit flip": line[:len(prefix)+3] + string(line[len(prefix)+3]^1) + line[len(prefix)+4:],
		} {
			changed := strings.Join(append(append(append([]string{}, lines[:i]...), change), lines[i+1:]...), "\r\n")
			_, err := feed(changed).Report()
			assert.Error(t, err, "line %d %s", i, name)
			damaged++
		}
	}
	assert.Greater(t, damaged, 20)
	for cut := 0; cut < strings.LastIndex(whole, "\r\n[    3.1]"); cut += 7 {
		_, err := feed(whole[:cut]).Report()
		require.Error(t, err, "cut at %d", cut)
		require.ErrorIs(t, err, ErrNoEnd)
	}
}

func TestLinesTwiceAreNoReport(t *testing.T) {
	t.Parallel()
	text := transcript(t, noise(t, 1000), nil)
	at := strings.Index(text, prefix+"3 ")
	end := at + strings.Index(text[at:], "\r\n")
	_, err := feed(text[:end] + "\r\n" + text[at:]).Report()
	assert.ErrorContains(t, err, "after line 3 of the record came line 3")
}

func TestPanicIsSeen(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"[    2.5] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100",
		"[    1.2] BUG: unable to handle page fault for address: ffff8880",
		"Oops: 0000 [#1] PREEMPT SMP",
		"[    0.9] Internal error: Oops: 96000004 [#1] SMP",
	} {
		c := feed("booting\r\n" + line + "\r\nmore\r\n")
		assert.Equal(t, line, c.Death())
		assert.Equal(t, []string{"booting", line, "more"}, c.Tail())
	}
	assert.Empty(t, feed("all is well\n").Death())
}

func TestTailIsBounded(t *testing.T) {
	t.Parallel()
	c := NewConsole()
	for i := range 1000 {
		fmt.Fprintf(c, "line %d\n", i)
	}
	fmt.Fprint(c, strings.Repeat("x", 10*maxLine))
	c.Close()
	tail := c.Tail()
	require.Len(t, tail, tailLines)
	assert.Equal(t, "line 999", tail[tailLines-2])
	assert.Len(t, tail[tailLines-1], maxTail)
}

func TestSilence(t *testing.T) {
	t.Parallel()
	assert.True(t, NewConsole().Silent())
	c := feed("x")
	assert.False(t, c.Silent())
	_, err := c.Report()
	assert.ErrorIs(t, err, ErrNoEnd)
}

func TestSenderTellsOfTheFirstError(t *testing.T) {
	t.Parallel()
	s := &Sender{To: brokenLine{}}
	s.Stage("suite")
	assert.ErrorContains(t, s.End(), "line is cut")
}

type brokenLine struct{}

func (brokenLine) Write([]byte) (int, error) { return 0, errors.New("line is cut") }

// Whatever comes over the line, nothing panics, and what is not whole is no
// report.
func FuzzConsole(f *testing.F) {
	whole := transcript(f, []byte("{}"), []byte("PASS\n"))
	f.Add([]byte(whole))
	f.Add([]byte(whole[:len(whole)/2]))
	f.Add([]byte("zcprobe> 1 end 00000000 MQ==\n"))
	f.Add([]byte("zcprobe> zcprobe> 1 1 1 1\n"))
	f.Fuzz(func(t *testing.T, p []byte) {
		c := NewConsole()
		half := len(p) / 2
		c.Write(p[:half])
		c.Write(p[half:])
		c.Close()
		r, err := c.Report()
		if err == nil {
			require.NotNil(t, r)
			assert.Positive(t, c.total)
			assert.Equal(t, c.total, c.last)
		}
		c.Tail()
		c.Death()
	})
}
