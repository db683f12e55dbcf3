package probe

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// End is what an argument of Explain turned out to be.
type End struct {
	Given      string `json:"given"`
	Kind       string `json:"kind"`
	Title      string `json:"title"`
	Path       string `json:"path,omitempty"`
	Filesystem string `json:"filesystem,omitempty"`
	Address    string `json:"address,omitempty"`

	// Local says whether an address is one of this host, "yes", "no" or
	// "unknown"; "" where there is none.
	Local string `json:"local,omitempty"`
}

// foundEnd is an End with what is needed to try it.
type foundEnd struct {
	End
	kind     *Kind
	file     string   // a file of the user's, to read
	dir      string   // where private files can stand in for it
	unshared string   // why no witness can be had
	untried  string   // why it cannot be tried at all
	notes    []string // what the reader should know of it
}

// findEnd tells what an argument means: a kind, an address with a scheme, a
// path, an address without one, in this order.
func findEnd(given string, source bool) (*foundEnd, error) {
	role, is := "destination", func(k *Kind) bool { return k.Sink != nil }
	if source {
		role, is = "source", func(k *Kind) bool { return k.Source != nil }
	}
	wrong := func(what string) error {
		return fmt.Errorf("%s %q: %s; kinds of %s: %s", role, given, what, role, kindNames(source))
	}
	e, err := findAny(given, source)
	switch {
	case err != nil:
		return nil, wrong(err.Error())
	case !is(e.kind) && e.untried == "":
		return nil, wrong(e.kind.Title + " cannot be a " + role)
	}
	e.Given, e.Kind = given, e.kind.Name
	if e.Title == "" {
		e.Title = e.kind.Title
	}
	return e, nil
}

func findAny(given string, source bool) (*foundEnd, error) {
	if given == "" {
		return nil, errors.New("nothing is given")
	}
	if k := kind(given); k != nil {
		return &foundEnd{kind: k}, nil
	}
	for _, scheme := range []string{"tcp", "udp"} {
		if rest, ok := strings.CutPrefix(given, scheme+":"); ok {
			return findAddress(scheme, strings.TrimPrefix(rest, "//"))
		}
	}
	if rest, ok := strings.CutPrefix(given, "unix:"); ok {
		return findUnix(strings.TrimPrefix(rest, "//"))
	}
	if _, err := os.Stat(given); err == nil {
		return findPath(given, source)
	} else if strings.ContainsAny(given, `/\`) {
		return nil, errors.Unwrap(err) // "no such file or directory", "permission denied"
	}
	if strings.Contains(given, ":") {
		return findAddress("tcp", given)
	}
	return nil, errors.New("no such kind, no such path, and not HOST:PORT")
}

// findPath looks at a path, without opening what could notice it.
func findPath(path string, source bool) (*foundEnd, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	e := &foundEnd{End: End{Path: path}}
	switch mode := st.Mode(); {
	case mode.IsDir():
		return nil, errors.New("it is a directory")
	case mode&os.ModeNamedPipe != 0:
		e.kind = kind("pipe")
		e.notes = append(e.notes, path+" is a FIFO: it was not opened, a pipe stood in for it.")
	case mode&os.ModeSocket != 0:
		return findUnix(path)
	case mode&os.ModeDevice != 0:
		findDevice(e, path)
	case sys.PseudoFilesystem(path):
		e.kind = kind("proc")
		e.notes = append(e.notes, path+" is made up by the kernel as it is read, and reading may do something: it was not read, /proc/version stood in for it.")
	default:
		findFile(e, path, source)
	}
	return e, nil
}

// findDevice knows the devices that can be opened without a consequence.
func findDevice(e *foundEnd, path string) {
	for name, device := range map[string]string{
		"zero": "/dev/zero", "null": "/dev/null", "full": "/dev/full", "random": "/dev/random", "urandom": "/dev/urandom",
	} {
		if sameFile(path, device) {
			e.kind = kind(name)
			return
		}
	}
	e.kind = unknownDevice
	e.untried = path + " is a device, and opening one can have consequences"
}

// unknownDevice is a kind that is never opened.
var unknownDevice = &Kind{Name: "device", Title: "a device", Nature: IsDevice}

func sameFile(a, b string) bool {
	x, err1 := os.Stat(a)
	y, err2 := os.Stat(b)
	// A device node can have several names, and a container its own copy.
	return err1 == nil && err2 == nil && (os.SameFile(x, y) || x.Mode() == y.Mode() && sys.SameDevice(a, b))
}
