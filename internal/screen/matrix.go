package screen

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"

	"github.com/zcprobe/zcprobe/cases"
	"github.com/zcprobe/zcprobe/matrix"
)

// Targets shows the list of targets.
func Targets(to io.Writer, list []*matrix.Target) error {
	p := newPage(to)
	rows := make([][]string, len(list))
	for i, t := range list {
		rows[i] = []string{t.ID, systemName(t.System) + " " + t.Version, t.Arch, string(t.Driver), t.Why}
	}
	p.table([]string{"target", "system", "arch", "driver", "why"}, rows)
	p.line("%d targets", len(list))
	return p.to(to)
}

// Outcomes shows what came of each target, failures with their last words.
func Outcomes(to io.Writer, list []*matrix.Outcome, took time.Duration) error {
	p := newPage(to)
	rows := make([][]string, len(list))
	for i, o := range list {
		rows[i] = p.outcome(o)
	}
	p.table([]string{"target", "state", "conform", "deviate", "known", "recorded", "skipped", "other", "library tests", "seconds", "reason"}, rows)
	for _, o := range list {
		p.lastWords(o)
	}
	p.line("\n%d targets in %.0f s.", len(list), took.Seconds())
	return p.to(to)
}

func (p *page) outcome(o *matrix.Outcome) []string {
	row := []string{clean(o.Target), p.targetState(o), "", "", "", "", "", "", "", fmt.Sprintf("%.1f", o.Took.Seconds()), clean(o.Reason)}
	r := o.Record
	if r == nil {
		return row
	}
	for i, v := range []cases.Verdict{cases.Conforms, cases.Deviates, cases.Known, cases.Recorded, cases.Skipped} {
		row[2+i] = fmt.Sprint(r.Count(v))
	}
	if n := r.Count(cases.Deviates); n > 0 {
		row[3] = p.paint(text.FgRed, row[3])
	}
	var other []string
	for _, v := range []cases.Verdict{cases.Broken, cases.TimedOut, cases.Crashed} {
		if n := r.Count(v); n > 0 {
			other = append(other, fmt.Sprintf("%d %s", n, v))
		}
	}
	if len(other) > 0 {
		row[7] = p.paint(text.FgYellow, strings.Join(other, ", "))
	}
	if t := r.Target.LibraryTests; t != nil {
		row[8] = fmt.Sprintf("%d passed", t.Passed)
		if t.Skipped > 0 {
			row[8] += fmt.Sprintf(", %d skipped", t.Skipped)
		}
		if t.Failed > 0 {
			row[8] += p.paint(text.FgRed, fmt.Sprintf(", %d FAILED", t.Failed))
		}
	}
	return row
}

func (p *page) targetState(o *matrix.Outcome) string {
	words := string(o.State)
	switch {
	case o.Fails():
		return p.paint(text.FgRed, words)
	case o.State == matrix.Reported:
		return p.paint(text.FgGreen, words)
	default:
		return p.paint(text.FgYellow, words)
	}
}

// lastWords are what deviates, the tests that failed, and the console of what
// gave no record.
func (p *page) lastWords(o *matrix.Outcome) {
	var lines []string
	if r := o.Record; r != nil {
		for _, c := range r.Cases {
			if slices.Contains([]cases.Verdict{cases.Deviates, cases.TimedOut, cases.Crashed, cases.Broken}, c.Verdict) {
				first, _, _ := strings.Cut(c.Explain(), "\n")
				lines = append(lines, fmt.Sprintf("%s %s: %s", c.Verdict, c.ID, first))
			}
		}
		if t := r.Target.LibraryTests; t != nil {
			for _, name := range t.Failures {
				lines = append(lines, "library test failed: "+name)
			}
		}
	}
	lines = append(lines, o.Notes...)
	if o.State != matrix.Reported {
		lines = append(lines, o.Console...)
	}
	if len(lines) == 0 {
		return
	}
	p.heading(clean(o.Target))
	for _, l := range lines {
		p.wrapped("  ", l)
	}
}

// Lines is a line for each of several targets on a terminal, and nothing in a
// pipe.
type Lines struct {
	writer   progress.Writer
	names    []string
	trackers []*progress.Tracker
	done     chan struct{}
}

// NewLines starts the lines.
func NewLines(to io.Writer, names []string) *Lines {
	l := &Lines{names: names}
	file, ok := to.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) || os.Getenv("TERM") == "dumb" {
		return l
	}
	l.writer, l.done = progress.NewWriter(), make(chan struct{})
	l.writer.SetOutputWriter(to)
	l.writer.SetUpdateFrequency(100 * time.Millisecond)
	l.writer.SetMessageLength(56)
	style := l.writer.Style()
	style.Visibility.Percentage, style.Visibility.Value, style.Visibility.Speed, style.Visibility.Tracker = false, false, false, false
	style.Options.TimeInProgressPrecision, style.Options.TimeDonePrecision = time.Second, time.Second
	for _, name := range names {
		// Without a total: how far a machine is cannot be told.
		tracker := &progress.Tracker{Message: name, DeferStart: true}
		l.trackers = append(l.trackers, tracker)
		l.writer.AppendTracker(tracker)
	}
	go func() {
		l.writer.Render()
		close(l.done)
	}()
	return l
}

// Stage says what a target is doing.
func (l *Lines) Stage(i int, words string) {
	if l.writer == nil {
		return
	}
	l.trackers[i].Start()
	l.trackers[i].UpdateMessage(fmt.Sprintf("%-24s %s", clean(l.names[i]), clean(words)))
}

// Done says that a target has come to its end.
func (l *Lines) Done(i int, good bool, words string) {
	if l.writer == nil {
		return
	}
	l.Stage(i, words)
	if good {
		l.trackers[i].MarkAsDone()
	} else {
		l.trackers[i].MarkAsErrored()
	}
}

// Stop leaves the lines as they are.
func (l *Lines) Stop() {
	if l.writer == nil {
		return
	}
	l.writer.Stop()
	<-l.done
}

// Plan shows where each target runs.
func Plan(to io.Writer, list []*matrix.Target) error {
	p := newPage(to)
	rows := make([][]string, len(list))
	for i, t := range list {
		here, github, box := "", "", ""
		if t.Lab() {
			here = "zcprobe matrix run " + t.ID
		}
		if g := t.GitHub; g != nil {
			github = g.Runner
			for _, w := range nonEmpty(g.Action, g.Release, g.Kernel, g.Seccomp) {
				github += ", " + w
			}
		}
		if t.Vagrant != nil {
			box = t.Vagrant.Box
		}
		rows[i] = []string{t.ID, here, github, box}
	}
	p.table([]string{"target", "here", "GitHub Actions", "Vagrant"}, rows)
	return p.to(to)
}
