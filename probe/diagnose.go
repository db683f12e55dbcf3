package probe

import (
	"github.com/zcprobe/zcprobe/internal/sys"
	"github.com/zcprobe/zcprobe/internal/worker"
)

// diagnose fills in state, reason, evidence and remedy for a call that was
// refused with errno.
func diagnose(e *Env, errno sys.Errno) {
	e.finding.State = Inconclusive
}

// diagnoseCrash says what it means that a probe killed its worker.
func diagnoseCrash(f *Feature, crash *worker.CrashError) Finding {
	return Finding{ID: f.ID, State: Inconclusive, Reason: Crashed, Evidence: []string{crash.Error()}}
}
