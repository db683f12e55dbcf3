package driver

import (
	_ "embed"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// sandboxes are the ways to confine, by the name that targets bear.
var sandboxes = map[string]sandbox{
	"user": {words: "an ordinary user, uid 65534", enter: becomeNobody},
	"seccomp-docker": {words: "a seccomp filter shaped like Docker's default profile",
		enter: func() error {
			list, err := dockerFilter(runtime.GOARCH)
			if err != nil {
				return err
			}
			return sys.AllowCalls(list)
		}},
	"seccomp-no-splice": {words: "a seccomp filter that refuses splice with EPERM", takes: true,
		enter: func() error { return sys.DenyCalls(syscall.EPERM, "splice") }},
	"seccomp-kill": {words: "a seccomp filter that kills what calls splice", takes: true,
		enter: func() error { return sys.KillCalls("splice") }},
	"no-proc": {words: "a mount namespace without /proc and /sys",
		enter: func() error { return sys.HideDirectories("/proc", "/sys") }},
}

// becomeNobody gives the process to the user that owns nothing, with the run's
// private directory, which is the working directory.
func becomeNobody() error {
	if !Privileged() {
		return nil // this user is an ordinary one
	}
	if dir, err := os.Getwd(); err == nil && dir == os.TempDir() {
		if err := os.Chown(".", int(Nobody.UID), int(Nobody.GID)); err != nil {
			return err
		}
	}
	return sys.BecomeUser(int(Nobody.UID), int(Nobody.GID))
}

// openProgram is a program that can still be started by who may not walk to it.
type openProgram struct {
	file *os.File
	path string
}

func opened(path string) (*openProgram, error) {
	file, err := os.Open(path)
	return &openProgram{file, path}, err
}

// become turns this process into the program: through the descriptor, and by
// its path where there is no /proc.
func (p *openProgram) become(words []string) error {
	link := "/proc/self/fd/" + strconv.Itoa(int(p.file.Fd()))
	if _, err := os.Stat(link); err != nil {
		link = p.path
	}
	return sys.Become(link, words, os.Environ())
}

//go:embed sandbox_docker.txt
var dockerCalls string

// Numbers of the calls that Docker's profile judges by their arguments, in the
// columns of the list.
var judged = map[string][2]uint32{
	"socket": {41, 198}, "personality": {135, 92}, "clone": {56, 220}, "clone3": {435, 435},
}

// dockerFilter is a filter like the one that a container gets from Docker with
// the capabilities that Docker gives. What the profile does not name gets EPERM,
// but ENOSYS when it is newer than all that the profile names, which is runc's
// doing: a C library must be able to go back to an older call.
func dockerFilter(goarch string) (sys.AllowList, error) {
	column, ok := map[string]int{"amd64": 0, "arm64": 1, "loong64": 1, "riscv64": 1}[goarch]
	if !ok {
		return sys.AllowList{}, fmt.Errorf("the numbers of the calls on %s are not listed", goarch)
	}
	list := sys.AllowList{Errno: syscall.EPERM, Lacking: []uint32{judged["clone3"][column]}}
	for line := range strings.Lines(dockerCalls) {
		fields := strings.Fields(line)
		if strings.HasPrefix(line, "#") || len(fields) != 3 || fields[1+column] == "-" {
			continue
		}
		n, err := strconv.ParseUint(fields[1+column], 10, 32)
		if err != nil {
			return sys.AllowList{}, fmt.Errorf("sandbox_docker.txt: %q: %w", fields[0], err)
		}
		list.Rules = append(list.Rules, sys.CallRule{Call: uint32(n)})
		list.Newest = max(list.Newest, uint32(n))
	}
	// Left out are, of what matters here, AF_ALG (38) and AF_VSOCK (40), which
	// reaches past the container to the hypervisor.
	families := []uint32{13, 14, 15, 16, 17, 18, 21, 22, 24, 26, 27, 28, 29, 30, 31, 32, 33, 35, 36, 39, 41, 42, 43, 44, 45}
	const namespaces = 0x7e020000 // the bits CLONE_NEW…
	list.Rules = append(list.Rules,
		sys.CallRule{Call: judged["socket"][column], Fits: []sys.CallArgument{{Index: 0, Below: 12, OneOf: families}}},
		sys.CallRule{Call: judged["personality"][column], Fits: []sys.CallArgument{{Index: 0, OneOf: []uint32{0, 8, 0x20000, 0x20008, 0xffffffff}}}},
		sys.CallRule{Call: judged["clone"][column], Fits: []sys.CallArgument{{Index: 0, Without: namespaces}}},
	)
	return list, nil
}
