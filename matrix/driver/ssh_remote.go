package driver

import (
	"context"
	"regexp"
	"slices"
	"strings"
)

// remote is what runs on a host.
type remote struct {
	system, arch string // values of GOOS and GOARCH
	name         string // of the system and its release, for an id: "freebsd-15.1-release"
	words        string // for people
}

var notInID = regexp.MustCompile(`[^a-z0-9]+`)

// id names a target after what it is, never after the host.
func (r remote) id() string {
	clean := func(text string) string {
		var parts []string
		for part := range strings.SplitSeq(strings.ToLower(text), ".") {
			if part = strings.Trim(notInID.ReplaceAllString(part, "-"), "-"); part != "" {
				parts = append(parts, part)
			}
		}
		text = strings.Join(parts, ".")
		return strings.Trim(text[:min(len(text), 48)], ".-")
	}
	return clean(r.name) + "-" + r.arch
}

// identify asks a host what it is: a shell's uname, and where there is none,
// Windows' command interpreter.
func (h *host) identify(ctx context.Context) (remote, error) {
	got, err := h.say(ctx, posix("echo zcprobe-uname; uname -s; uname -r; uname -m; uname -p 2>/dev/null || echo -; "+
		"sw_vers -productVersion 2>/dev/null || uname -o 2>/dev/null"), nil)
	if err != nil && unusable(err) {
		return remote{}, err
	}
	if lines := after(got.out, "zcprobe-uname"); len(lines) >= 3 && !onWindows(lines[0]) {
		return parseUname(lines)
	}
	got, err = h.say(ctx, windows("echo zcprobe-ver & ver & echo %PROCESSOR_ARCHITECTURE%"), nil)
	if err != nil && unusable(err) {
		return remote{}, err
	}
	if lines := after(got.out, "zcprobe-ver"); len(lines) >= 2 {
		return parseVer(lines)
	}
	return remote{}, missing("unsupported system: it answers neither uname nor ver")
}

// unusable tells whether an error is about reaching the host, not about what a
// command on it said.
func unusable(err error) bool {
	_, exited := exitStatus(err)
	return !exited
}

// onWindows: the shells of Cygwin, MSYS and Git answer uname there.
func onWindows(name string) bool {
	return slices.ContainsFunc([]string{"MINGW", "MSYS", "CYGWIN", "Windows"}, func(p string) bool { return strings.HasPrefix(name, p) })
}

// after is the lines after one that is a mark: what a host's shell prints when
// it starts comes before.
func after(output []byte, mark string) []string {
	var lines []string
	for line := range strings.Lines(string(output)) {
		lines = append(lines, strings.TrimSpace(line))
	}
	lines = slices.DeleteFunc(lines[slices.Index(lines, mark)+1:], func(l string) bool { return l == "" })
	if !slices.Contains(strings.Fields(string(output)), mark) {
		return nil
	}
	return lines
}

var unames = map[string]string{
	"Linux": "linux", "Darwin": "darwin", "FreeBSD": "freebsd", "OpenBSD": "openbsd", "NetBSD": "netbsd",
	"DragonFly": "dragonfly", "AIX": "aix",
}

// machineNames are what systems call the architectures. What uname -m says
// comes first; where that is a family of boards, as on NetBSD and FreeBSD,
// uname -p names the processor.
var machineNames = map[string]string{
	"x86_64": "amd64", "amd64": "amd64", "i86pc": "amd64", "i386": "386", "i486": "386", "i586": "386", "i686": "386",
	"aarch64": "arm64", "arm64": "arm64", "armv6l": "arm", "armv7l": "arm", "armv8l": "arm", "armv6": "arm", "armv7": "arm",
	"earmv6hf": "arm", "earmv7hf": "arm",
	"riscv64": "riscv64", "s390x": "s390x", "ppc64": "ppc64", "ppc64le": "ppc64le", "powerpc64": "ppc64", "powerpc64le": "ppc64le",
	"loongarch64": "loong64", "mips64": "mips64", "mips64le": "mips64le", "mips64el": "mips64le",
}

// parseUname reads uname's system, release, machine and processor, and the
// version of macOS or the name of the operating system.
func parseUname(lines []string) (remote, error) {
	lines = append(lines, "", "", "")
	system, release, machine, processor, more := lines[0], lines[1], lines[2], lines[3], lines[4]
	r := remote{system: unames[system], name: system + "-" + release, words: system + " " + release + ", " + machine}
	switch system {
	case "SunOS":
		if r.system = "solaris"; more == "illumos" {
			r.system, r.name = "illumos", "illumos-"+release
		}
	case "Darwin":
		if more != "" {
			r.name, r.words = "macos-"+more, "macOS "+more+", "+machine
		}
	case "AIX":
		machine = "ppc64" // uname -m is the number of the machine
	}
	if r.system == "" {
		return r, missing("unsupported system: %.60q", system)
	}
	for _, name := range []string{processor, machine} {
		if arch := machineNames[name]; arch != "" {
			r.arch = arch
		}
	}
	if r.arch == "" {
		return r, missing("unsupported architecture: %.60q", machine)
	}
	return r, nil
}

var windowsVersion = regexp.MustCompile(`\[\D*([0-9]+(?:\.[0-9]+)+)\]`)

// parseVer reads what ver says ("Microsoft Windows [Version 10.0.20348.2340]",
// the word being a translated one) and the processor.
func parseVer(lines []string) (remote, error) {
	r := remote{system: "windows"}
	version := windowsVersion.FindStringSubmatch(strings.Join(lines, " "))
	if version == nil {
		return r, missing("unsupported system: %.60q", lines[0])
	}
	processor := lines[len(lines)-1]
	r.name, r.words = "windows-"+version[1], "Windows "+version[1]+", "+processor
	r.arch = map[string]string{"AMD64": "amd64", "ARM64": "arm64", "x86": "386"}[processor]
	if r.arch == "" {
		return r, missing("unsupported architecture: %.60q", processor)
	}
	return r, nil
}
