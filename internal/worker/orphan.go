package worker

import (
	"sync"
	"time"
)

var orphan struct {
	sync.Mutex
	clean func()
}

// WhenOrphaned has clean run when the parent of this worker has died, for what
// lies outside of the scratch directory; nil takes it back. It has some seconds:
// a place that does not answer must not keep the worker.
func WhenOrphaned(clean func()) {
	orphan.Lock()
	defer orphan.Unlock()
	orphan.clean = clean
}

// cleanUp does what [WhenOrphaned] was told.
func cleanUp() {
	orphan.Lock()
	defer orphan.Unlock()
	if orphan.clean == nil {
		return
	}
	done := make(chan struct{})
	go func() {
		orphan.clean()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
	}
}
