package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	Serve(map[string]Handler{
		"echo":    func(_ string, argument json.RawMessage) (any, error) { return argument, nil },
		"pid":     func(string, json.RawMessage) (any, error) { return os.Getpid(), nil },
		"refuse":  func(string, json.RawMessage) (any, error) { return nil, errors.New("refused") },
		"hang":    func(string, json.RawMessage) (any, error) { select {} },
		"panic":   func(string, json.RawMessage) (any, error) { panic("at the disco") },
		"die":     func(string, json.RawMessage) (any, error) { return nil, syscall.Kill(os.Getpid(), syscall.SIGKILL) },
		"scratch": func(scratch string, _ json.RawMessage) (any, error) { return scratch, nil },
		"parent": func(string, json.RawMessage) (any, error) {
			// A parent that dies without a word: a worker of this worker.
			scratch, err := os.MkdirTemp("", "orphaned-")
			if err != nil {
				return nil, err
			}
			pool := NewPool(1, scratch, nil)
			var pid int
			if err := pool.Do(context.Background(), "pid", nil, &pid, time.Minute, false); err != nil {
				return nil, err
			}
			return map[string]any{"scratch": scratch, "pid": pid}, nil
		},
	})
	os.Setenv("GORACE", "atexit_sleep_ms=0") // else every worker takes a second to end under -race
	os.Exit(m.Run())
}

func pool(t *testing.T, size int) *Pool {
	p := NewPool(size, t.TempDir(), nil)
	t.Cleanup(p.Close)
	return p
}

func TestDoAnswers(t *testing.T) {
	t.Parallel()
	p := pool(t, 2)
	for _, word := range []string{"one", "two", "three"} {
		var got string
		require.NoError(t, p.Do(t.Context(), "echo", word, &got, time.Minute, false))
		assert.Equal(t, word, got)
	}
	assert.Equal(t, 1, p.Started(), "one worker serves one request after another")
	assert.EqualError(t, p.Do(t.Context(), "refuse", nil, nil, time.Minute, false), "refused")
}

func TestFreshWorkerIsNotUsedAgain(t *testing.T) {
	t.Parallel()
	p := pool(t, 1)
	pids := map[int]bool{}
	for range 3 {
		var pid int
		require.NoError(t, p.Do(t.Context(), "pid", nil, &pid, time.Minute, true))
		pids[pid] = true
		assert.DirExists(t, p.scratch, "the scratch directory belongs to the pool, not to a worker")
	}
	assert.Len(t, pids, 3)
}

func TestHangIsTimeout(t *testing.T) {
	t.Parallel()
	p := pool(t, 1)
	require.ErrorIs(t, p.Do(t.Context(), "hang", nil, nil, 50*time.Millisecond, false), ErrTimeout)
	var got string
	require.NoError(t, p.Do(t.Context(), "echo", "next", &got, time.Minute, false), "the worker was replaced")
	assert.Equal(t, 2, p.Started())
}

func TestDeathIsCrash(t *testing.T) {
	t.Parallel()
	p := pool(t, 1)
	var crash *CrashError
	require.ErrorAs(t, p.Do(t.Context(), "panic", nil, nil, time.Minute, false), &crash)
	assert.Contains(t, crash.Error(), "at the disco")
	require.ErrorAs(t, p.Do(t.Context(), "die", nil, nil, time.Minute, false), &crash)
	assert.Equal(t, "signal: killed", crash.How)
}

func TestCallerEndsWork(t *testing.T) {
	t.Parallel()
	p := pool(t, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, p.Do(ctx, "hang", nil, nil, time.Minute, false), context.Canceled)
}

// A parent that is killed cannot clean up: its workers do.
func TestWorkersEndWithTheirParent(t *testing.T) {
	t.Parallel()
	p := pool(t, 1)
	var orphan struct {
		Scratch string
		PID     int
	}
	require.NoError(t, p.Do(t.Context(), "parent", nil, &orphan, time.Minute, false))
	require.NoError(t, os.WriteFile(filepath.Join(orphan.Scratch, "left"), nil, 0o600))
	p.mu.Lock()
	parent := p.idle[0]
	p.mu.Unlock()
	require.NoError(t, parent.cmd.Process.Kill())
	assert.Eventually(t, func() bool {
		_, err := os.Stat(orphan.Scratch)
		return os.IsNotExist(err) && dead(orphan.PID)
	}, 10*time.Second, 5*time.Millisecond)
}

// dead tells whether a process is gone, or waits for nothing but its new parent
// to take notice.
func dead(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}
