package mount

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// Mount is where a path lies, as /proc/self/mountinfo has it
// (proc_pid_mountinfo(5)).
type Mount struct {
	Type    string `json:"type"`              // "ext4", "nfs4", "fuse.sshfs"; "" where it is unknown
	Source  string `json:"source,omitempty"`  // the device, or what is shared
	Point   string `json:"point,omitempty"`   // where it is mounted
	Options string `json:"options,omitempty"` // of the mount and of the filesystem
}

// mountOf finds the mount of a path.
func mountOf(path string) Mount {
	m := Mount{Type: sys.FilesystemName(path)}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return m
	}
	if text, err := os.ReadFile("/proc/self/mountinfo"); err == nil {
		if found, ok := findMount(string(text), path); ok {
			return found
		}
	}
	return m
}

// findMount is the last mount whose point is the longest one above path: a later
// one hides those below it.
func findMount(mountinfo, path string) (best Mount, ok bool) {
	for line := range strings.Lines(mountinfo) {
		before, after, found := strings.Cut(strings.TrimSpace(line), " - ")
		own, fields := strings.Fields(before), strings.Fields(after)
		if !found || len(own) < 6 || len(fields) < 3 {
			continue
		}
		m := Mount{
			Type: unescape(fields[0]), Source: unescape(fields[1]), Point: unescape(own[4]),
			Options: join(own[5], fields[2]),
		}
		if under(path, m.Point) && len(m.Point) >= len(best.Point) {
			best, ok = m, true
		}
	}
	return best, ok
}

func under(path, point string) bool {
	return point == "/" || path == point || strings.HasPrefix(path, point+"/")
}

// unescape takes back the octal escapes of white space and backslashes.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// join appends those options that are not there yet.
func join(options, more string) string {
	have := map[string]bool{}
	for o := range strings.SplitSeq(options, ",") {
		have[o] = true
	}
	for o := range strings.SplitSeq(more, ",") {
		if !have[o] {
			options += "," + o
		}
	}
	return options
}
