package cases

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
	"github.com/zcprobe/zcprobe/internal/worker"
)

// orphan is what a parent that is killed leaves to look at.
type orphan struct {
	Scratch     string
	PID         int
	Namespace   string   // of the thread that has the places
	Loops, Uses []string // devices, and what tells this use of them from the next
	Missing     string   // why there is nothing to look at
}

func init() {
	// A worker whose body has every kind of place, and waits in a call to one.
	trialHandlers["stay"] = func(scratch string, _ json.RawMessage) (any, error) {
		told := make(chan orphan, 1)
		go fixture.Run(scratch, func(s *fixture.Scope) { stay(s, scratch, told) })
		return <-told, nil
	}
	// A parent that dies without a word: a worker with a worker of its own.
	trialHandlers["stay-in-worker"] = func(string, json.RawMessage) (any, error) {
		scratch, err := os.MkdirTemp("", "orphaned-")
		if err != nil {
			return nil, err
		}
		var o orphan
		err = worker.NewPool(1, scratch, nil).Do(context.Background(), "stay", nil, &o, time.Minute, false)
		return o, err
	}
}

func stay(s *fixture.Scope, scratch string, told chan<- orphan) {
	o := orphan{Scratch: scratch, PID: os.Getpid()}
	for _, fstype := range []string{"ext4", "xfs", "btrfs", "tmpfs", "overlay"} {
		p, err := fixture.Mount(s, fstype, "")
		if errors.Is(err, fixture.ErrNoPrivilege) {
			o.Missing = err.Error()
			told <- o
			return
		} else if err == nil {
			fixture.File(p, fixture.Pattern(1, 100_000), os.O_RDWR)
		}
	}
	f, err := fixture.ServeFUSE(s, fixture.FUSEOptions{})
	if err != nil {
		o.Missing = err.Error()
		told <- o
		return
	}
	path := f.Put("never", &fixture.FUSEFile{Content: make([]byte, 4096), Direct: true, Read: func(int64, int) ([]byte, sys.Errno) {
		told <- o
		select {}
	}})
	o.Namespace, _ = os.Readlink("/proc/thread-self/ns/mnt")
	mounts, _ := os.ReadFile("/proc/thread-self/mountinfo")
	for _, word := range strings.Fields(string(mounts)) {
		if name, ok := strings.CutPrefix(word, "/dev/loop"); ok {
			o.Loops = append(o.Loops, "loop"+name)
			o.Uses = append(o.Uses, useOf("loop"+name))
		}
	}
	file := fixture.Open(s, path, os.O_RDONLY)
	sys.Native().Read(file.Int(), make([]byte, 4096)) // no signal but a fatal one ends this, and the server must end first
}

// A parent that is killed while cases have mounts leaves none of them, no loop
// device, no server and no file.
func TestNothingOfAPlaceOutlivesTheParent(t *testing.T) {
	t.Parallel()
	pool := worker.NewPool(1, t.TempDir(), nil)
	t.Cleanup(pool.Close)
	var o orphan
	require.NoError(t, pool.Do(t.Context(), "stay-in-worker", nil, &o, time.Minute, false))
	if o.Missing != "" {
		os.RemoveAll(o.Scratch)
		t.Skip(o.Missing)
	}
	mine, err := os.Readlink("/proc/self/ns/mnt")
	require.NoError(t, err)
	assert.NotEqual(t, mine, o.Namespace)
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(t, err)
	assert.NotContains(t, string(mounts), o.Scratch, "nobody else sees them")
	t.Logf("to be left behind: %v", o.Loops)

	parent, err := os.FindProcess(parentOf(t, o.PID))
	require.NoError(t, err)
	require.NoError(t, parent.Kill())
	assert.Eventually(t, func() bool {
		_, err := os.Stat(o.Scratch)
		for i, name := range o.Loops {
			if use := useOf(name); use != "" && use == o.Uses[i] {
				return false
			}
		}
		return os.IsNotExist(err) && gone(o.PID)
	}, 20*time.Second, 10*time.Millisecond)
}

// parentOf is the process that has started another.
func parentOf(t *testing.T, pid int) (parent int) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(text), ") ")
	var state string
	_, err = fmt.Sscan(rest, &state, &parent)
	require.NoError(t, err)
	require.NotEqual(t, os.Getpid(), parent)
	return parent
}

// useOf tells one use of a loop device from another; "" where it has none.
func useOf(loop string) string {
	if _, err := os.Stat("/sys/block/" + loop + "/loop/backing_file"); err != nil {
		return ""
	}
	number, _ := os.ReadFile("/sys/block/" + loop + "/diskseq")
	return "in use " + string(number)
}

// gone tells whether a process is no more, or waits for nothing but its new
// parent to take notice: with no thread left in a call.
func gone(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	threads, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	return err != nil || strings.Contains(string(stat), ") Z ") && len(threads) == 1
}
