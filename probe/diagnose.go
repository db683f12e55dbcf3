package probe

import (
	"fmt"
	"slices"
	"strings"
	"syscall"

	"github.com/zcprobe/zcprobe/internal/sys"
	"github.com/zcprobe/zcprobe/internal/worker"
)

// question is a call that was refused.
type question struct {
	call  string
	errno sys.Errno
	since string // the first release with what was asked for
	ends  Reason // what it means when the kernel does not take these two ends
	facts callFacts
}

// diagnosis is the part of a finding that says why.
type diagnosis struct {
	state    State
	reason   Reason
	evidence []string
	remedy   string
}

// diagnose fills in state, reason, evidence and remedy for a call that was
// refused with errno.
func diagnose(e *Env, call string, errno sys.Errno) {
	facts, _ := factsOf(call)
	q := question{call: call, errno: errno, since: e.feature.Since, ends: e.feature.Ends, facts: facts}
	d := q.diagnose(gather(facts, e.Kernel))
	e.finding.State, e.finding.Reason, e.finding.Remedy = d.state, d.reason, d.remedy
	e.finding.Evidence = append(e.finding.Evidence, d.evidence...)
}

// diagnose says why a call was refused, from evidence. Neither errno nor any
// one fact decides alone: EPERM and ENOSYS are what filters, tracers, settings
// and kernels all say. Where the facts leave two causes open, the answer is
// inconclusive: a wrong hint is worse than none.
func (q question) diagnose(ev evidence) diagnosis {
	for _, explain := range []func(question, evidence) (diagnosis, bool){
		question.outOfResources,
		question.newerThanKernel,
		question.emulated,
		question.unprivileged,
		question.intercepted,
		question.forbidden,
		question.missing,
		question.emulatedRefusal,
	} {
		if d, ok := explain(q, ev); ok {
			return d
		}
	}
	d := diagnosis{state: Inconclusive, evidence: q.about(ev)}
	d.note("nothing that was looked at tells why")
	return d
}

func (d *diagnosis) note(format string, arguments ...any) {
	d.evidence = append(d.evidence, fmt.Sprintf(format, arguments...))
}

// about is what a reader wants to know whatever the answer is.
func (q question) about(ev evidence) []string {
	var d diagnosis
	if ev.Version != "" {
		d.note("Linux %s", ev.Version)
	}
	switch {
	case ev.Process.Unknown && ev.Process.Seccomp < 0:
		d.note("/proc/self/status cannot be read: filters and tracers are unknown")
	case ev.Process.Unknown:
		d.note("/proc/self/status cannot be read: tracers are unknown; seccomp %s (prctl)", ev.Process.seccompWord())
	default:
		d.note("Seccomp: %d, CapEff: %016x (/proc/self/status)", ev.Process.Seccomp, ev.Process.Capabilities)
	}
	return d.evidence
}

// outOfResources: limits of this process or machine, which say nothing about
// the call.
func (q question) outOfResources(ev evidence) (diagnosis, bool) {
	remedies := map[sys.Errno]string{
		syscall.EMFILE:  "raise the limit of descriptors (ulimit -n)",
		syscall.ENFILE:  "raise fs.file-max",
		syscall.ENOMEM:  "raise the limit of locked memory (ulimit -l), or free memory",
		syscall.ENOBUFS: "raise net.core.optmem_max and the limit of locked memory (ulimit -l)",
		syscall.ENOSPC:  "free space on the filesystem of the scratch directory",
		syscall.EDQUOT:  "free space in this user's quota",
	}
	remedy, ok := remedies[q.errno]
	return diagnosis{state: Inconclusive, reason: ResourceLimit, remedy: remedy}, ok && !q.intercept(ev)
}

// newerThanKernel: the kernel is older than what was asked for, and refuses as
// old kernels do.
func (q question) newerThanKernel(ev evidence) (diagnosis, bool) {
	since := q.since
	if q.lacksCall(ev) && q.facts.since != "" {
		since = q.facts.since
	}
	if ev.Emulator == "gvisor" || since == "" || !q.notThere() || !(Host{Version: ev.Version}).Before(since) {
		return diagnosis{}, false
	}
	d := diagnosis{state: Absent, reason: KernelTooOld, remedy: "Linux " + since + " or later"}
	d.note("Linux %s; it came with %s", ev.Version, since)
	return d, true
}

// notThere are the errnos with which a kernel says that it has no such thing.
func (q question) notThere() bool {
	return slices.Contains([]sys.Errno{syscall.ENOSYS, syscall.EINVAL, syscall.EOPNOTSUPP, enotsupp, syscall.ENOPROTOOPT,
		syscall.EPROTONOSUPPORT, syscall.EAFNOSUPPORT, syscall.ESOCKTNOSUPPORT, syscall.ENOENT, syscall.ENODEV,
		syscall.EADDRNOTAVAIL, syscall.ENOTTY, syscall.EXDEV, syscall.ESPIPE, syscall.ETXTBSY, syscall.ENXIO}, q.errno)
}

// enotsupp is ENOTSUPP of the kernel's own errnos, for which user space has no
// name. Some calls let it out: SO_ZEROCOPY until commit 869420a8be19.
const enotsupp sys.Errno = 524

// lacksCall tells whether the whole call seems to be missing.
func (q question) lacksCall(ev evidence) bool {
	return q.errno == syscall.ENOSYS && (ev.Canary == nil || *ev.Canary == syscall.ENOSYS)
}

// intercept tells whether the canary shows that something answers before the
// kernel looks at the arguments.
func (q question) intercept(ev evidence) bool {
	return ev.Canary != nil && !slices.Contains(q.facts.sane, *ev.Canary)
}

// emulated: it is not Linux that answers.
func (q question) emulated(ev evidence) (diagnosis, bool) {
	if !q.notThere() {
		return diagnosis{}, false
	}
	// QEMU hands calls on to the host's kernel. What it has not got itself it
	// refuses with these.
	translated := q.errno != syscall.ENOSYS && q.errno != syscall.ENOPROTOOPT && q.errno != syscall.ENOTTY &&
		(q.errno != syscall.EINVAL || q.name() != "setsockopt")
	if ev.Emulator == "qemu-user" && translated {
		return diagnosis{}, false
	}
	return q.emulatedRefusal(ev)
}

// emulatedRefusal: nothing else explains what an emulator says.
func (q question) emulatedRefusal(ev evidence) (diagnosis, bool) {
	name := map[string]string{"gvisor": "gVisor", "qemu-user": "QEMU's user-mode emulation"}[ev.Emulator]
	if name == "" {
		return diagnosis{}, false
	}
	d := diagnosis{state: Absent, reason: EmulatedKernel, remedy: "run it on the host's own kernel"}
	d.note("%s answers in place of Linux", name)
	return d, true
}

// unprivileged: the kernel asks for capabilities that are not here. This comes
// before the filters: with the filter gone, the kernel would still refuse.
func (q question) unprivileged(ev evidence) (diagnosis, bool) {
	refused := q.errno == syscall.EPERM || q.errno == syscall.EACCES
	if !refused || q.facts.sysctl == "kernel.io_uring_disabled" || q.facts.capabilities == nil || q.allowed(ev.Process) {
		return diagnosis{}, false
	}
	var alternatives []string
	for _, list := range q.facts.capabilities {
		alternatives = append(alternatives, strings.Join(list, " with "))
	}
	needs := strings.Join(alternatives, " or ")
	d := diagnosis{state: Denied, reason: NeedsPrivilege, remedy: "run with " + needs}
	if ev.Process.Namespace {
		d.remedy += " in the first user namespace"
		d.note("a user namespace: its capabilities do not count here")
	}
	d.note("CapEff: %016x lacks %s", ev.Process.Capabilities, needs)
	if ev.Sysctl != "" {
		d.note("%s = %s", q.facts.sysctl, ev.Sysctl)
	}
	return d, true
}

// allowed tells whether a process has what the call takes.
func (q question) allowed(p process) bool {
	if p.Namespace {
		return false
	}
	return slices.ContainsFunc(q.facts.capabilities, func(list []string) bool {
		return !slices.ContainsFunc(list, func(name string) bool { return !p.has(name) })
	})
}

// intercepted: the call does not reach the kernel, or the kernel has none.
func (q question) intercepted(ev evidence) (diagnosis, bool) {
	if !q.intercept(ev) {
		return diagnosis{}, false
	}
	var d diagnosis
	d.note("with %s: %s, where Linux says %s", q.facts.asks, said(*ev.Canary), sys.ErrnoName(q.facts.sane[0]))
	switch {
	case *ev.Canary == syscall.ENOSYS && ev.Option == "n":
		d.state, d.reason = Absent, NotBuilt
		d.note("%s is not set", q.facts.option)
		d.remedy = "a kernel with " + q.facts.option
	case ev.Process.Traced:
		d.state, d.reason = Denied, EmulatedKernel
		d.note("a tracer is attached and answers in place of the kernel (TracerPid in /proc/self/status)")
		d.remedy = "run without the tracer"
	case ev.Process.Seccomp == 2:
		d.state, d.reason = Denied, BlockedBySeccomp
		d.note("Seccomp: 2: a filter is active")
		d.remedy = "allow " + q.name() + " in the seccomp profile"
	case *ev.Canary == syscall.ENOSYS && ev.Process.Seccomp == 0:
		d.state, d.reason = Absent, OSLacksCall
		d.note("Linux %s should have it since %s, and no filter is active", ev.Version, q.facts.since)
		d.remedy = "a kernel with this call"
	default:
		d.state = Inconclusive
		d.evidence = append(d.evidence, q.about(ev)...)
	}
	return d, true
}

// said is what a call said, in words.
func said(errno sys.Errno) string {
	if errno == 0 {
		return "success"
	}
	return sys.ErrnoName(errno)
}

// name is the call without its arguments.
func (q question) name() string {
	name, _, _ := strings.Cut(q.call, " ")
	return name
}

// forbidden: the kernel has the call and says no.
func (q question) forbidden(ev evidence) (diagnosis, bool) {
	// Filters say ENOSYS too, and may look at arguments.
	if q.errno != syscall.EPERM && q.errno != syscall.EACCES && q.errno != syscall.ENOSYS {
		return diagnosis{}, false
	}
	d := diagnosis{state: Denied}
	if ev.Canary != nil {
		d.note("with %s: %s, as Linux says: the kernel has the call", q.facts.asks, said(*ev.Canary))
	}
	labelled := slices.ContainsFunc(ev.LSM, func(name string) bool {
		return slices.Contains([]string{"selinux", "apparmor", "smack", "tomoyo"}, name)
	})
	switch {
	case q.facts.sysctl == "kernel.io_uring_disabled" && (ev.Sysctl == "2" || ev.Sysctl == "1" && !q.allowed(ev.Process)):
		d.reason = DisabledBySysctl
		d.note("kernel.io_uring_disabled = %s", ev.Sysctl)
		d.remedy = "sysctl kernel.io_uring_disabled=0, or 1 and a group in kernel.io_uring_group"
	// Until then maps counted as locked memory, and too many were EPERM.
	case q.name() == "bpf" && q.errno == syscall.EPERM && (Host{Version: ev.Version}).Before("5.11"):
		d.state, d.reason = Inconclusive, ResourceLimit
		d.note("Linux %s: before 5.11 the kernel says the same when locked memory runs out", ev.Version)
		d.remedy = "raise the limit of locked memory (ulimit -l)"
	case q.errno == syscall.EACCES && labelled:
		d.reason = BlockedByLSM
		d.note("security modules: %s", strings.Join(ev.LSM, ", "))
		d.remedy = "look for the denial in the audit log, and allow it in the policy"
	// No kernel that has a call answers it so.
	case q.errno == syscall.ENOSYS && ev.Process.Traced:
		d.reason = EmulatedKernel
		d.note("a tracer is attached and answers in place of the kernel (TracerPid in /proc/self/status)")
		d.remedy = "run without the tracer"
	// The setting (or, before 6.6, nothing but a policy) is all that makes a
	// kernel say no to io_uring_setup.
	case q.facts.sysctl == "kernel.io_uring_disabled" && ev.Process.Seccomp == 2 && !labelled &&
		(ev.Sysctl == "0" || ev.Sysctl == "" && (Host{Version: ev.Version}).Before("6.6")):
		d.reason = BlockedBySeccomp
		d.note("Seccomp: 2: a filter is active, and no setting forbids it")
		d.remedy = "allow " + q.name() + " in the seccomp profile"
	case (q.errno == syscall.ENOSYS || ev.Canary == nil) && ev.Process.Seccomp == 2:
		d.reason = BlockedBySeccomp
		d.note("Seccomp: 2: a filter is active, and may look at arguments")
		d.remedy = "allow " + q.call + " in the seccomp profile"
	default:
		return diagnosis{}, false
	}
	return d, true
}

// missing: the kernel has the call, but not for this.
func (q question) missing(ev evidence) (diagnosis, bool) {
	if q.facts.sysctl == "net.mptcp.enabled" && ev.Sysctl == "0" && q.notThere() {
		return diagnosis{Denied, DisabledBySysctl, []string{"net.mptcp.enabled = 0"}, "sysctl net.mptcp.enabled=1"}, true
	}
	if !q.notThere() {
		return diagnosis{}, false
	}
	d := diagnosis{state: Absent}
	switch {
	case q.facts.option != "" && ev.Option == "n":
		d.reason, d.remedy = NotBuilt, "a kernel with "+q.facts.option
		d.note("%s is not set", q.facts.option)
	case q.facts.module != "" && ev.Module == "not loaded":
		d.reason, d.remedy = ModuleMissing, "modprobe "+q.facts.module
		d.note("module %s: there, and not loaded", q.facts.module)
	case q.facts.module != "" && (ev.Module == "missing" || ev.Module == "" && ev.Option != "y"):
		d.reason, d.remedy = ModuleMissing, "the module "+q.facts.module+" of this kernel, or one with "+q.facts.option
		d.note("module %s: %s", q.facts.module, map[string]string{"missing": "not among those of this kernel", "": "no list of modules to be had"}[ev.Module])
		if ev.Option != "" {
			d.note("%s=%s", q.facts.option, ev.Option)
		}
	// The kernel names the protocol, and no pair of ends is in question yet.
	case ev.Option == "" && q.facts.option != "" && (q.errno == syscall.EPROTONOSUPPORT || q.errno == syscall.EAFNOSUPPORT):
		d.reason, d.remedy = NotBuilt, "a kernel with "+q.facts.option
		d.note("the kernel does not know the protocol; its configuration is not to be had")
	case q.ends != "":
		d.reason = q.ends
		d.remedy = map[Reason]string{
			Filesystem: "copy through user space from or to this file",
			SocketType: "copy through user space for this type of socket",
			Flag:       "leave this flag out",
		}[q.ends]
		if ev.Version != "" {
			d.note("Linux %s", ev.Version)
		}
	default:
		return diagnosis{}, false
	}
	return d, true
}

// diagnoseCrash says what it means that a probe killed its worker.
func diagnoseCrash(f *Feature, crash *worker.CrashError) Finding {
	finding := Finding{ID: f.ID, State: Inconclusive, Reason: Crashed, Evidence: []string{crash.Error()}}
	if crash.Filtered() {
		finding.State, finding.Reason = Denied, BlockedBySeccomp
		finding.Remedy = "allow the call in the seccomp profile"
		if p := thisProcess(); p.Seccomp == 2 {
			finding.Evidence = append(finding.Evidence, "Seccomp: 2: a filter is active")
		}
	}
	return finding
}
