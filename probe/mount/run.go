package mount

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/zcprobe/zcprobe/internal/worker"
)

// Runner asks about mounts. Its methods return an [*InputError] where a path is
// no good, and ctx's error when ctx ends.
type Runner struct {
	Pool    *worker.Pool
	Scratch string        // the directory that Pool was given
	Timeout time.Duration // how long one call may take; zero is DefaultTimeout
	Step    func()        // called as time goes by; may be nil
}

// DefaultTimeout is how long one call may take: far longer than any mount that
// answers takes, be it on the other side of the world.
const DefaultTimeout = 20 * time.Second

// Check asks about the mounts of paths: directories, in which files are made and
// removed, or files, which are only read. All paths are looked at before the
// first is asked about.
func (r *Runner) Check(ctx context.Context, paths []string) (Result, error) {
	result := Result{Schema: Schema, Mounts: []Report{}}
	looked := make([]outcome, len(paths))
	for i, path := range paths {
		var err error
		if looked[i], err = r.do(ctx, task{Do: "look", Path: path}); err != nil {
			return result, err
		}
	}
	for i, path := range paths {
		o := looked[i]
		if o.Why == "" { // else it did not even bear to be looked at
			var err error
			if o, err = r.do(ctx, task{Do: "check", Path: path, Kind: o.Kind}); err != nil {
				return result, err
			}
		}
		result.Mounts = append(result.Mounts, o.Report)
	}
	return result, nil
}

// Prepare makes files in a directory and has every way read them; then
// somebody is to change them from the other side. state is where to keep what Verify has to
// know; "" is in the directory. The lines say what to do. Where the report is
// not right, there is nothing prepared.
func (r *Runner) Prepare(ctx context.Context, path, state string) (Report, []string, error) {
	nonce := random()
	o, err := r.do(ctx, task{Do: "prepare", Path: path, State: state, Name: "zcprobe-fs-" + nonce, Nonce: nonce})
	if err != nil || o.Report.Verdict != Right {
		return o.Report, nil, err
	}
	return o.Report, o.Kept.instructions(path, state), nil
}

// Change is what the other side does. The notes are what its user should know.
func (r *Runner) Change(ctx context.Context, path, state string) (notes []string, err error) {
	o, err := r.do(ctx, task{Do: "change", Path: path, State: state})
	if err == nil && o.Why != "" {
		err = errors.New(o.Why)
	}
	return o.Report.Notes, err
}

// Verify tells which ways show what the other side has written, and removes what
// Prepare made. It is kept where nothing has changed.
func (r *Runner) Verify(ctx context.Context, path, state string) (Report, error) {
	o, err := r.do(ctx, task{Do: "verify", Path: path, State: state})
	return o.Report, err
}

// Forget removes what Prepare made.
func (r *Runner) Forget(ctx context.Context, path, state string) error {
	o, err := r.do(ctx, task{Do: "forget", Path: path, State: state})
	if err == nil && o.Why != "" {
		err = errors.New(o.Why)
	}
	return err
}

// do has a worker do a task. Where a way hangs or dies, that is noted, and the
// task is begun again without it.
func (r *Runner) do(ctx context.Context, t task) (outcome, error) {
	t.Skip = map[string]WayReport{}
	for {
		t.Private = privateName + random()
		o, last, err := r.once(ctx, t)
		var crash *worker.CrashError
		var state State
		var why string
		switch {
		case err == nil && o.Input != "":
			return o, &InputError{o.Input}
		case err == nil:
			if o.Report.Verdict == Untried && o.Why != "" {
				o.Report.Why = o.Why
			}
			return o, nil
		case ctx.Err() != nil:
			r.clean(t, last)
			return o, ctx.Err()
		case errors.Is(err, worker.ErrTimeout):
			state, why = WayTimeout, fmt.Sprintf("%s did not return within %s", last.Call, r.timeout())
		case errors.As(err, &crash) && crash.Filtered():
			state, why = WayCrashed, last.Call+" is answered by SIGSYS: a seccomp filter kills who makes it"
		case errors.As(err, &crash):
			state, why = WayCrashed, fmt.Sprintf("%s: %s", last.Call, crash.How)
		default:
			return o, err
		}
		if last.Situation != "" {
			why += ", with a file that " + last.Situation
		}
		if left := r.clean(t, last); left != nil {
			why += fmt.Sprintf("; %s may be left behind", filepath.Join(t.Path, t.Private))
		}
		if !last.ofWay() || last.Way == plain || t.Skip[last.Way].State != "" {
			return gaveUp(t, why), nil
		}
		t.Skip[last.Way] = WayReport{State: state, Why: why}
	}
}

// gaveUp is what is said of a mount that does not even answer what the harness
// has to ask.
func gaveUp(t task, why string) outcome {
	return outcome{Why: why, Report: Report{
		Path: t.Path, Verdict: Untried, Why: why,
		Sentences: []string{}, Remedies: []string{}, Notes: []string{}, Ways: []WayReport{}, Situations: []SituationReport{},
	}}
}

// ofWay tells whether a step is a way's own call, and not one of the harness.
func (s step) ofWay() bool {
	w := wayOf(s.Way)
	return w != nil && w.Call == s.Call
}

func (r *Runner) timeout() time.Duration {
	if r.Timeout > 0 {
		return r.Timeout
	}
	return DefaultTimeout
}

// once has a worker do a task, and watches that it gets on with it: no call may
// take longer than the timeout, all of them together may. A worker that hangs in
// a call that no signal ends is left behind; it dies when the mount answers.
func (r *Runner) once(ctx context.Context, t task) (o outcome, last step, err error) {
	os.Remove(filepath.Join(r.Scratch, progress))
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	answered := make(chan error, 1)
	var got outcome
	go func() {
		answered <- r.Pool.Do(ctx, kind, t, &got, forever, true)
	}()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	text, since := r.progress(), time.Now()
	for {
		select {
		case err := <-answered:
			return got, decode(r.progress()), err
		case <-ctx.Done():
		case <-tick.C:
		}
		if now := r.progress(); !bytes.Equal(now, text) {
			text, since = now, time.Now()
			if r.Step != nil {
				r.Step()
			}
		}
		if ctx.Err() != nil || time.Since(since) > r.timeout() {
			cancel(worker.ErrTimeout)
			select {
			case <-answered:
			case <-time.After(time.Second):
			}
			return outcome{}, decode(r.progress()), context.Cause(ctx)
		}
	}
}

// forever is longer than any check takes.
const forever = 24 * time.Hour

func (r *Runner) progress() []byte {
	text, _ := os.ReadFile(filepath.Join(r.Scratch, progress))
	return text
}

func decode(text []byte) (s step) {
	json.Unmarshal(bytes.TrimRight(text, "\x00"), &s)
	if s.Call == "" {
		s.Call = "the worker"
	}
	return s
}

// clean removes what a worker that was ended at this step may have left. Another
// worker does it, for the mount may still not answer.
func (r *Runner) clean(t task, last step) error {
	made := t.Do != "look" || last.Call == "mkdir" || last.Call == "rmdir"
	if !made || t.Kind == File {
		return nil
	}
	t.Do = "clean"
	quick := *r
	quick.Timeout = min(r.timeout(), 5*time.Second)
	o, _, err := quick.once(context.Background(), t)
	if err == nil && o.Why != "" {
		err = errors.New(o.Why)
	}
	return err
}

func random() string {
	p := make([]byte, 8)
	rand.Read(p)
	return hex.EncodeToString(p)[:15]
}
