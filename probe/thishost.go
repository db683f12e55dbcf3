package probe

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// ThisHost describes the machine that the program runs on; scratch is the
// directory whose filesystem is named. What a system does not tell stays empty.
func ThisHost(scratch string) Host {
	uname := sys.Uname()
	process := thisProcess()
	return Host{
		OS:           runtime.GOOS,
		Arch:         runtime.GOARCH,
		Kernel:       uname.Release,
		Version:      upstream(uname, text("/proc/version_signature")),
		Distribution: distribution(text("/etc/os-release") + "\n" + text("/usr/lib/os-release")),
		Filesystem:   sys.FilesystemName(scratch),
		Emulator:     emulator(uname),
		Container:    container(),
		Privileges:   process.privileges(),
		Seccomp:      process.seccompWord(),
		PageSize:     os.Getpagesize(),
	}
}

// text is the content of a small file, without the space around it; "" where
// it cannot be read.
func text(path string) string {
	p, _ := os.ReadFile(path)
	return strings.TrimSpace(string(p))
}

var debianVersion = regexp.MustCompile(`Debian ([0-9]+(?:\.[0-9]+)+)`)

// upstream is the release of kernel.org that a kernel is built from. Debian's
// uname -r names the ABI (6.1.0-37) and its uname -v the release ("… Debian
// 6.1.140-1"); Ubuntu says it in /proc/version_signature only ("Ubuntu
// 6.8.0-31.31-generic 6.8.1").
func upstream(uname sys.Host, signature string) string {
	if m := debianVersion.FindStringSubmatch(uname.Version); m != nil {
		return m[1]
	}
	if f := strings.Fields(signature); len(f) == 3 && f[0] == "Ubuntu" {
		return f[2]
	}
	end := strings.IndexFunc(uname.Release, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
	if end < 0 {
		end = len(uname.Release)
	}
	return strings.TrimRight(uname.Release[:end], ".")
}

// distribution is the name for people in os-release(5).
func distribution(release string) string {
	for line := range strings.Lines(release) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "PRETTY_NAME="); ok {
			return strings.Trim(name, `"'`)
		}
	}
	return ""
}

// emulator names what answers the calls in place of Linux, or a Linux that runs
// as a process; "" for a plain kernel.
func emulator(uname sys.Host) string {
	switch {
	// gVisor is 4.4.0 or 4.19.0-gvisor, always built in this second.
	case strings.Contains(uname.Release, "gvisor") || strings.Contains(uname.Version, "Sun Jan 10 15:06:54 PST 2016"):
		return "gvisor"
	case strings.Contains(text("/proc/cpuinfo"), "User Mode Linux"):
		return "uml"
	}
	// qemu-user shows its guest the guest's program as /proc/self/exe. It does
	// not know the name of the thread.
	if exe, err := os.Readlink("/proc/thread-self/exe"); err == nil && strings.HasPrefix(filepath.Base(exe), "qemu-") {
		return "qemu-user"
	}
	return ""
}

// container names the container by the marks that its engine leaves; "" where
// there is none to be seen.
func container() string {
	// A virtual machine made from an image of a container still bears its marks.
	// The first namespaces have fixed numbers (include/linux/proc_ns.h), and a
	// container has at least one of these for itself.
	if link("/proc/self/ns/pid") == "pid:[4026531836]" && link("/proc/self/ns/uts") == "uts:[4026531838]" &&
		link("/proc/self/ns/cgroup") == "cgroup:[4026531835]" {
		return ""
	}
	cgroup := text("/proc/1/cgroup") + "\n" + text("/proc/self/cgroup")
	switch {
	case os.Getenv("KUBERNETES_SERVICE_HOST") != "", strings.Contains(cgroup, "kubepods"):
		return "kubernetes"
	case exists("/.dockerenv"), strings.Contains(cgroup, "/docker"):
		return "docker"
	case exists("/run/.containerenv"), strings.Contains(cgroup, "libpod"):
		return "podman"
	case strings.Contains(cgroup, "/lxc"):
		return "lxc"
	}
	// The interface of systemd's containers (nspawn, lxc, and others).
	if name := text("/run/systemd/container"); name != "" {
		return name
	}
	for variable := range strings.SplitSeq(text("/proc/1/environ"), "\x00") {
		if name, ok := strings.CutPrefix(variable, "container="); ok && name != "" {
			return name
		}
	}
	return ""
}

func link(path string) string {
	to, _ := os.Readlink(path)
	return to
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
