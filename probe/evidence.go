package probe

import (
	"compress/gzip"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// evidence is all that a diagnosis may look at, gathered beforehand, so that
// the diagnosis itself is a function of it.
type evidence struct {
	Version  string // the upstream release; "" where unknown
	Emulator string
	Process  process
	Canary   *sys.Errno // what the canary got; nil where there is none
	Option   string     // the call's option in the kernel's configuration: y, m, n, or "" where that is not to be had
	Module   string     // the call's module: loaded, built in, not loaded, missing, or "" where that is not to be had
	Sysctl   string     // the call's setting; "" where there is none
	LSM      []string   // the security modules that are active
}

// host caches what does not change while this process lives.
var host = sync.OnceValue(func() Host { return ThisHost(os.TempDir()) })

func gather(facts callFacts, kernel *sys.Kernel) evidence {
	ev := evidence{
		Version:  host().Version,
		Emulator: host().Emulator,
		Process:  thisProcess(),
		LSM:      strings.FieldsFunc(text("/sys/kernel/security/lsm"), func(r rune) bool { return r == ',' }),
	}
	if facts.canary != nil {
		errno := facts.canary(kernel)
		ev.Canary = &errno
	}
	if facts.option != "" {
		ev.Option = option(facts.option)
	}
	if facts.module != "" {
		ev.Module = module(facts.module)
	}
	if facts.sysctl != "" {
		ev.Sysctl = text("/proc/sys/" + strings.ReplaceAll(facts.sysctl, ".", "/"))
	}
	return ev
}

// configuration is the text of the running kernel's configuration, from the
// places where kernels and distributions leave it; "" where there is none.
var configuration = sync.OnceValue(func() string {
	if f, err := os.Open("/proc/config.gz"); err == nil {
		defer f.Close()
		if z, err := gzip.NewReader(f); err == nil {
			if p, err := io.ReadAll(z); err == nil {
				return string(p)
			}
		}
	}
	release := sys.Uname().Release
	if config := text("/boot/config-" + release); config != "" {
		return config
	}
	return text("/lib/modules/" + release + "/config")
})

// option is the value of an option in a configuration: an option that is not
// in it has not been built.
func option(name string) string {
	config := configuration()
	if config == "" {
		return ""
	}
	if _, after, ok := strings.Cut(config, "\n"+name+"="); ok {
		value, _, _ := strings.Cut(after, "\n")
		return value
	}
	return "n"
}

// module tells how a module stands. Its names in the lists are written with
// either kind of dash.
func module(name string) string {
	same := func(other string) bool { return strings.ReplaceAll(other, "-", "_") == name }
	for line := range strings.Lines(text("/proc/modules")) {
		if first, _, _ := strings.Cut(line, " "); same(first) {
			return "loaded"
		}
	}
	listed := func(list string) bool {
		for line := range strings.Lines(list) {
			path, _, _ := strings.Cut(strings.TrimSpace(line), ":")
			file, _, _ := strings.Cut(path[strings.LastIndexByte(path, '/')+1:], ".ko")
			if same(file) {
				return true
			}
		}
		return false
	}
	dir := "/lib/modules/" + sys.Uname().Release
	if listed(text(dir + "/modules.builtin")) {
		return "built in"
	}
	loadable := text(dir + "/modules.dep")
	switch {
	case loadable == "":
		return ""
	case listed(loadable):
		return "not loaded"
	default:
		return "missing"
	}
}
