package screen

import (
	"io"
	"os"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"
	"golang.org/x/term"
)

// Progress is a bar on a terminal, and nothing in a pipe.
type Progress struct {
	writer  progress.Writer
	tracker *progress.Tracker
	done    chan struct{}
}

// NewProgress starts a bar for a number of steps.
func NewProgress(to io.Writer, steps int) *Progress {
	file, ok := to.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) || os.Getenv("TERM") == "dumb" {
		return &Progress{}
	}
	p := &Progress{writer: progress.NewWriter(), tracker: &progress.Tracker{Message: "asking this kernel", Total: int64(steps)}, done: make(chan struct{})}
	p.writer.SetOutputWriter(to)
	p.writer.SetUpdateFrequency(50 * time.Millisecond)
	p.writer.SetStyle(progress.StyleBlocks)
	p.writer.Style().Visibility.Speed = false
	p.writer.AppendTracker(p.tracker)
	go func() {
		p.writer.Render()
		close(p.done)
	}()
	return p
}

// Step says that one more step is done.
func (p *Progress) Step() {
	if p.tracker != nil {
		p.tracker.Increment(1)
	}
}

// Stop takes the bar away.
func (p *Progress) Stop() {
	if p.writer == nil {
		return
	}
	p.tracker.MarkAsDone()
	p.writer.Stop()
	<-p.done
}
