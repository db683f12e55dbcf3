package probe

// State is what a probe found out about a feature.
type State string

// The states. Only available and degraded mean that the call does its work.
const (
	Available     State = "available"
	Degraded      State = "degraded" // it works, but not as one would hope: Reason says how
	Absent        State = "absent"
	Denied        State = "denied"
	Inconclusive  State = "inconclusive" // the probe could not find out
	NotApplicable State = "not-applicable"
)

// Reason says why a feature is not plainly available.
type Reason string

// The closed set of reasons.
const (
	OSLacksCall      Reason = "os-lacks-call"
	KernelTooOld     Reason = "kernel-too-old"
	BlockedBySeccomp Reason = "blocked-by-seccomp"
	DisabledBySysctl Reason = "disabled-by-sysctl"
	NeedsPrivilege   Reason = "needs-privilege"
	NotBuilt         Reason = "not-built"
	ModuleMissing    Reason = "module-missing"
	BlockedByLSM     Reason = "blocked-by-lsm"
	EmulatedKernel   Reason = "emulated-kernel"
	Filesystem       Reason = "filesystem"
	SocketType       Reason = "socket-type"
	Flag             Reason = "flag"
	SilentlyCopied   Reason = "silently-copied"
	ResourceLimit    Reason = "resource-limit"
	Timeout          Reason = "timeout"
	Crashed          Reason = "crashed"
)

// States and Reasons are the closed sets, for schemas and checks.
var (
	States  = []State{Available, Degraded, Absent, Denied, Inconclusive, NotApplicable}
	Reasons = []Reason{OSLacksCall, KernelTooOld, BlockedBySeccomp, DisabledBySysctl, NeedsPrivilege, NotBuilt,
		ModuleMissing, BlockedByLSM, EmulatedKernel, Filesystem, SocketType, Flag, SilentlyCopied, ResourceLimit, Timeout, Crashed}
)

// Finding is what is known about one feature of this host after it was tried.
// Evidence is the same in two runs on one kernel: no process ids, no times.
type Finding struct {
	ID       string   `json:"id"`
	State    State    `json:"state"`
	Reason   Reason   `json:"reason,omitempty"`
	Call     string   `json:"call,omitempty"`     // the call that answered, with its arguments where they matter
	Errno    string   `json:"errno,omitempty"`    // its symbol
	Evidence []string `json:"evidence,omitempty"` // what else was looked at, a fact each
	Remedy   string   `json:"remedy,omitempty"`   // one line
}

// Works tells whether the call does its work.
func (f Finding) Works() bool { return f.State == Available || f.State == Degraded }
