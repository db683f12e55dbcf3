package worker

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// ErrTimeout says that the work did not answer before its deadline. Its worker
// has been killed.
var ErrTimeout = errors.New("no answer before the deadline")

// CrashError says that the worker died over its work.
type CrashError struct {
	How    string // "signal: segmentation fault", "exit status 2"
	Output string // the first lines of its standard error
}

func (e *CrashError) Error() string {
	if e.Output == "" {
		return "worker died: " + e.How
	}
	return "worker died: " + e.How + ": " + strings.SplitN(e.Output, "\n", 2)[0]
}

// Filtered tells whether a seccomp filter killed the worker, which nothing else
// does by this signal. The kernel ends the process, or Go's runtime does, with
// the signal's name first.
func (e *CrashError) Filtered() bool {
	return e.How == "signal: bad system call" || strings.HasPrefix(e.Output, "SIGSYS")
}

// Pool keeps workers and hands them work.
type Pool struct {
	scratch string
	as      *Credential
	slots   chan struct{}
	started atomic.Int64

	mu     sync.Mutex
	idle   []*process
	closed bool
}

// Credential is a user for workers to run as.
type Credential struct{ UID, GID uint32 }

// NewPool makes a pool of at most size workers at a time. scratch is the
// private directory that they share; as, where it is not nil, the user that
// they run as, which takes privilege. Workers are started when there is work.
func NewPool(size int, scratch string, as *Credential) *Pool {
	return &Pool{scratch: scratch, as: as, slots: make(chan struct{}, max(size, 1))}
}

// Started counts the processes that the pool has started so far.
func (p *Pool) Started() int { return int(p.started.Load()) }

// Unprivileged tells whether the workers run as another, ordinary user.
func (p *Pool) Unprivileged() bool { return p.as != nil }

// Do has a worker do one piece of work and decodes its answer into result.
// fresh gives it a worker of its own that ends with it: for work that leaves
// the process changed (limits, users, filters). The error is [ErrTimeout], a
// [*CrashError], the context's, or what the handler said.
func (p *Pool) Do(ctx context.Context, kind string, argument, result any, deadline time.Duration, fresh bool) error {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	encoded, err := json.Marshal(argument)
	if err != nil {
		return err
	}
	w, err := p.take(fresh)
	if err != nil {
		return fmt.Errorf("start worker: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, deadline, ErrTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, w.kill)
	answer, err := w.do(ctx, request{kind, encoded})
	if errors.Is(err, errUnkillable) {
		go w.end() // reaped when the kernel lets go of it, if ever
		return context.Cause(ctx)
	}
	if !stop() { // the deadline or the caller has killed it
		w.end()
		if err != nil {
			return context.Cause(ctx)
		}
	}
	if err != nil {
		return w.crash()
	}
	if fresh || ctx.Err() != nil {
		w.end()
	} else {
		p.give(w)
	}
	if answer.Error != "" {
		return errors.New(answer.Error)
	}
	return json.Unmarshal(answer.Result, result)
}

// Close ends all workers; work under way is cut off.
func (p *Pool) Close() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	for _, w := range idle {
		w.end()
	}
}

func (p *Pool) take(fresh bool) (*process, error) {
	p.mu.Lock()
	if n := len(p.idle); n > 0 && !fresh {
		w := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return w, nil
	}
	p.mu.Unlock()
	p.started.Add(1)
	return start(p.scratch, p.as)
}

func (p *Pool) give(w *process) {
	p.mu.Lock()
	if !p.closed {
		p.idle = append(p.idle, w)
		w = nil
	}
	p.mu.Unlock()
	if w != nil {
		w.end()
	}
}

// process is one running worker.
type process struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	answer *json.Decoder
	output *head
	ended  sync.Once
	state  error
}

func start(scratch string, as *Credential) (*process, error) {
	cmd, err := command(as)
	if err != nil {
		return nil, err
	}
	cmd.Env = append(os.Environ(), marker+"="+scratch, "TMPDIR="+scratch, undisturbed())
	w := &process{cmd: cmd, output: &head{}}
	cmd.Stderr = w.output
	if w.stdin, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	w.answer = json.NewDecoder(bufio.NewReader(stdout))
	return w, cmd.Start()
}

// undisturbed is the environment of a worker in which Go's scheduler sends its
// threads no signals (SIGURG, to preempt goroutines): one that arrives in a call
// that waits would cut it short, and look like an answer of the kernel.
func undisturbed() string {
	settings := "asyncpreemptoff=1"
	if own := os.Getenv("GODEBUG"); own != "" {
		settings = own + "," + settings
	}
	return "GODEBUG=" + settings
}

// errUnkillable says that a worker was killed and is still there: it waits in
// the kernel where no signal reaches it, for a server of a filesystem that is
// gone (state D of proc_pid_stat(5)).
var errUnkillable = errors.New("the worker cannot be killed")

// dying is how long a worker may take to go when it was killed.
const dying = 2 * time.Second

// do sends a piece of work and waits for the answer, or the worker's end after
// that of ctx.
func (w *process) do(ctx context.Context, r request) (response, error) {
	var answer response
	if err := json.NewEncoder(w.stdin).Encode(r); err != nil {
		return answer, err
	}
	decoded := make(chan error, 1)
	go func() { decoded <- w.answer.Decode(&answer) }()
	select {
	case err := <-decoded:
		return answer, err
	case <-ctx.Done():
	}
	select {
	case err := <-decoded:
		return answer, err
	case <-time.After(dying):
		return response{}, errUnkillable
	}
}

func (w *process) kill() { w.cmd.Process.Kill() }

// end tells the worker to quit, if it still can, and reaps it.
func (w *process) end() {
	w.ended.Do(func() {
		json.NewEncoder(w.stdin).Encode(request{Kind: quit})
		w.stdin.Close()
		w.state = w.cmd.Wait()
	})
}

func (w *process) crash() error {
	w.end()
	how := "exit status 0"
	if w.state != nil {
		how = w.state.Error()
	}
	return &CrashError{How: how, Output: w.output.String()}
}

// head keeps the first bytes that are written to it: a crash says what is
// wrong in its first lines.
type head struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (h *head) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if room := 4096 - h.buf.Len(); room > 0 {
		h.buf.Write(p[:min(len(p), room)])
	}
	return len(p), nil
}

func (h *head) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.TrimSpace(h.buf.String())
}
