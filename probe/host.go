package probe

import (
	"strconv"
	"strings"
)

// Host is what is known about the machine under test. The fields of a run
// record's target.
type Host struct {
	OS           string `json:"os"`
	Arch         string `json:"arch"`
	Kernel       string `json:"kernel"`  // uname -r
	Version      string `json:"version"` // the upstream release that Kernel is built from
	Distribution string `json:"distribution,omitempty"`
	Filesystem   string `json:"filesystem,omitempty"` // of the scratch directory
	Emulator     string `json:"emulator,omitempty"`   // gvisor, wine, qemu-user, uml
	Container    string `json:"container,omitempty"`
	Privileges   string `json:"privileges"` // "root", "user", with what is missing or added
	Seccomp      string `json:"seccomp,omitempty"`
	PageSize     int    `json:"page_size"`
}

// Before tells whether the kernel is older than a release such as "5.12". An
// emulator's version is what it claims, and is compared as such; an unknown
// version is before none.
func (h Host) Before(release string) bool {
	have, want := numbers(h.Version), numbers(release)
	if len(have) == 0 {
		return false
	}
	for i, w := range want {
		n := 0
		if i < len(have) {
			n = have[i]
		}
		if n != w {
			return n < w
		}
	}
	return false
}

// numbers are the leading numbers of a version: "6.1.192-1" is 6, 1, 192.
func numbers(version string) []int {
	var list []int
	for part := range strings.SplitSeq(version, ".") {
		end := strings.IndexFunc(part, func(r rune) bool { return r < '0' || r > '9' })
		if end < 0 {
			end = len(part)
		}
		n, err := strconv.Atoi(part[:end])
		if err != nil {
			break
		}
		list = append(list, n)
		if end < len(part) {
			break
		}
	}
	return list
}
