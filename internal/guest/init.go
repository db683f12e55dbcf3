package guest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// Serve makes this process the first of a guest when it has been booted as
// that, and then does not return. To be process 1 is not enough, a container's
// program is that too.
func Serve() {
	if os.Getenv(Word) == "" || os.Getpid() != 1 {
		return
	}
	os.Unsetenv(Word) // not for the suite
	os.Chdir("/")
	restart := true
	if err := serve(&restart); err != nil {
		fmt.Fprintln(os.Stderr, "zcprobe: guest:", err)
	}
	// The end of process 1 is a panic, which ends the machine as well.
	fmt.Fprintln(os.Stderr, "zcprobe: guest: cannot end the machine:", errors.Join(sys.PowerOff(restart), sys.PowerOff(!restart)))
	os.Exit(1)
}

// Levels of the console (include/linux/kern_levels.h): what is below is shown.
const (
	onlyEmergencies = 1
	errorsToo       = 4 // as the word quiet has it
)

// serve sets the machine up, has the job done and sends home what came of it.
func serve(restart *bool) error {
	notes := setUp()
	if line, err := os.ReadFile("/proc/cmdline"); err == nil && !bytes.Contains(line, []byte(Word)) {
		return errors.New("this machine was not booted for zcprobe")
	}
	var job Job
	text, err := os.ReadFile("/" + jobFile)
	if err == nil {
		err = json.Unmarshal(text, &job)
	}
	if err != nil {
		return err
	}
	*restart = job.Restart

	console, err := os.OpenFile("/dev/console", os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer sys.Drain(console.Fd())
	sys.Raw(console.Fd())
	home := &Sender{To: console}
	home.Stage("modules")
	notes = append(notes, load(job.Modules)...)
	notes = append(notes, disk(job.Disk)...)

	home.Stage("suite")
	record, said := suite(job.Run)
	notes = append(notes, said...)
	if record != nil {
		// The kernel keeps still meanwhile: its words would tear these lines.
		sys.ConsoleLevel(onlyEmergencies)
		home.Record(record)
		sys.ConsoleLevel(errorsToo)
	}
	if _, err := os.Stat("/" + testsFile); err == nil {
		home.Stage(stageTests)
		home.Tests(libraryTests(job.Tests))
	}
	notes = append(notes, complaints()...)
	sys.ConsoleLevel(onlyEmergencies)
	for _, n := range notes {
		home.Note(n)
	}
	return home.End()
}

// setUp mounts what a Linux system has and brings loopback up. It returns what
// did not work.
func setUp() (notes []string) {
	for _, m := range []struct{ place, fstype, data string }{
		{"/proc", "proc", ""},
		{"/sys", "sysfs", ""},
		{"/dev", "devtmpfs", ""},
		{"/dev/pts", "devpts", "ptmxmode=666"},
		{"/dev/shm", "tmpfs", "mode=1777"},
		{"/tmp", "tmpfs", "mode=1777"},
		{"/run", "tmpfs", "mode=755"},
		{"/sys/fs/cgroup", "cgroup2", ""},
	} {
		os.MkdirAll(m.place, 0o755)
		// devtmpfs may have been mounted by the kernel itself.
		if err := sys.Mount(m.fstype, m.place, m.fstype, m.data); err != nil && m.place != "/dev" {
			notes = append(notes, fmt.Sprintf("mount %s: %v", m.place, err))
		}
	}
	for name, target := range map[string]string{"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"} {
		os.Symlink(target, "/dev/"+name)
	}
	if err := sys.InterfaceUp("lo"); err != nil {
		notes = append(notes, fmt.Sprintf("bring up lo: %v", err))
	}
	for name, value := range map[string]string{"PATH": "/bin:/sbin:/usr/bin:/usr/sbin", "HOME": "/root", "TMPDIR": "/tmp", "TERM": "dumb"} {
		os.Setenv(name, value)
	}
	return notes
}

// load loads modules in their order and returns what did not work. One that
// is missing shows in the features that need it.
func load(modules []string) (notes []string) {
	for _, name := range modules {
		file, err := os.Open(filepath.Join("/", modulesDir, name))
		if err == nil {
			err = sys.LoadModule(file.Fd(), "")
			file.Close()
		}
		if err != nil {
			notes = append(notes, fmt.Sprintf("load module %s: %v", name, err))
		}
	}
	return notes
}

// disk mounts the first disk and has fixtures made there.
func disk(fstype string) (notes []string) {
	if fstype == "" {
		return nil
	}
	const place, device = "/disk", "/dev/vda"
	os.Mkdir(place, 0o755)
	var err error
	for range 100 { // its node may take a moment to appear
		if _, err = os.Stat(device); err == nil {
			err = sys.Mount(device, place, fstype, "")
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil {
		return []string{fmt.Sprintf("mount disk as %s: %v", fstype, err)}
	}
	os.Chmod(place, 0o777|os.ModeSticky)
	os.Setenv("TMPDIR", place)
	return nil
}

// suite runs zcprobe as any person would, and reads its record. Where there is
// none, the notes say what it said instead.
func suite(arguments []string) (record []byte, notes []string) {
	const file = "/run/record.json"
	cmd := exec.Command("/"+initFile, append(arguments, "--json="+file)...)
	said, err := cmd.CombinedOutput()
	record, missing := os.ReadFile(file)
	if missing != nil {
		record = nil
		notes = append(notes, fmt.Sprintf("zcprobe left no record (%v): %s", cmd.ProcessState, lastLines(said, 5)))
	} else if status := cmd.ProcessState.ExitCode(); err != nil && status != 1 && status != 3 {
		notes = append(notes, fmt.Sprintf("zcprobe ended with %v: %s", cmd.ProcessState, lastLines(said, 5)))
	}
	return record, notes
}

// libraryTests runs the library's own tests. How they ended is the last line.
func libraryTests(arguments []string) []byte {
	cmd := exec.Command("/"+testsFile, arguments...)
	cmd.Dir = os.Getenv("TMPDIR")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		fmt.Fprintf(&said, "\nended with %v\n", err)
	}
	return said.Bytes()
}

// complaints are the lines of the kernel's log that tell of something wrong
// with the kernel, the first few.
func complaints() (notes []string) {
	log, err := sys.KernelLog()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil
	}
	for line := range strings.Lines(log) {
		if complaint.MatchString(line) && len(notes) < 8 {
			notes = append(notes, "kernel: "+strings.TrimSpace(line))
		}
	}
	return notes
}

func lastLines(text []byte, n int) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], " | ")
}
