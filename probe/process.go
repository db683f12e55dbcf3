package probe

import (
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// process is what the kernel says of this process.
type process struct {
	Unknown      bool   // /proc/self/status cannot be read
	Root         bool   // the effective user is 0
	Seccomp      int    // 0 none, 2 a filter, -1 unknown
	Traced       bool   // a tracer is attached
	NoNewPrivs   bool   //
	Capabilities uint64 // effective
	Namespace    bool   // in a user namespace, whose capabilities often do not count
}

func thisProcess() process {
	status := text("/proc/self/status")
	p := parseStatus(status)
	p.Root = os.Geteuid() == 0
	if p.Unknown {
		if mode, errno := sys.SeccompMode(); errno == 0 {
			p.Seccomp = mode
		}
		p.Capabilities, _ = sys.Capabilities()
	}
	m := strings.Fields(text("/proc/self/uid_map"))
	p.Namespace = len(m) > 0 && !slices.Equal(m, []string{"0", "0", "4294967295"})
	return p
}

// parseStatus reads /proc/self/status (proc(5)).
func parseStatus(status string) process {
	p := process{Seccomp: -1, Unknown: status == ""}
	for line := range strings.Lines(status) {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch name {
		case "Seccomp":
			p.Seccomp = number(value, -1)
		case "TracerPid":
			p.Traced = value != "0"
		case "NoNewPrivs":
			p.NoNewPrivs = value == "1"
		case "CapEff":
			p.Capabilities, _ = strconv.ParseUint(value, 16, 64)
		}
	}
	return p
}

// number is a whole number, or what it is when it is none.
func number(text string, otherwise int) int {
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	return otherwise
}

func (p process) seccompWord() string {
	switch p.Seccomp {
	case 0:
		return "none"
	case 1:
		return "strict"
	case 2:
		return "filter"
	default:
		return ""
	}
}

// The capabilities that decide about features here, by name.
var capabilities = []struct {
	name string
	bit  int
}{
	{"CAP_SYS_ADMIN", sys.CapSysAdmin},
	{"CAP_NET_ADMIN", sys.CapNetAdmin},
	{"CAP_SYS_RESOURCE", sys.CapSysResource},
	{"CAP_BPF", sys.CapBPF},
	{"CAP_IPC_LOCK", sys.CapIPCLock},
}

func (p process) has(name string) bool {
	for _, c := range capabilities {
		if c.name == name {
			return p.Capabilities&(1<<c.bit) != 0
		}
	}
	return false
}

// privileges says "root" or "user", and what is missing or added.
func (p process) privileges() string {
	who, with := "user", " with "
	if p.Root {
		who, with = "root", " without "
	}
	if p.Namespace {
		who += " in a user namespace"
	}
	// A kernel older than a capability does not miss it.
	last := number(text("/proc/sys/kernel/cap_last_cap"), 63)
	var list []string
	for _, c := range capabilities {
		if c.bit <= last && p.has(c.name) != p.Root {
			list = append(list, c.name)
		}
	}
	if len(list) == 0 {
		return who
	}
	return who + with + strings.Join(list, ", ")
}
