package probe

import (
	"os"
	"strconv"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// source is something other than a plain file that bytes come from.
type source struct {
	name   string // in the ids
	what   string // in the titles
	since  string // the first release from which splice(2) and sendfile(2) read it
	origin string
	open   func(*Env) (fd *fixture.FD, content []byte)
}

// Linux 5.10 took splicing from every file that does not bring a method of its
// own (commit 36e2c7421f02); it came back source by source, to the stable
// releases of 5.10 too. since is the release of the main line.
var sources = []source{
	{
		name:   "memfd",
		what:   "memory of memfd_create(2)",
		since:  "3.17",
		origin: "memfd_create(2)",
		open: func(e *Env) (*fixture.FD, []byte) {
			content := fixture.Pattern(1, pageful)
			return memoryFile(e, content, 0), content
		},
	},
	{
		name:   "memfd-sealed",
		what:   "a memfd that is sealed against every change",
		since:  "3.17",
		origin: "fcntl(2), File Sealing",
		open: func(e *Env) (*fixture.FD, []byte) {
			content := fixture.Pattern(1, pageful)
			return memoryFile(e, content, sys.SealWrite|sys.SealGrow|sys.SealShrink), content
		},
	},
	{
		name:   "tmpfs",
		what:   "a file on tmpfs",
		since:  "2.6.33",
		origin: "tmpfs(5)",
		open: func(e *Env) (*fixture.FD, []byte) {
			content := fixture.Pattern(1, pageful)
			dir := placeOn(e, "tmpfs")
			f, err := os.CreateTemp(dir, "zcprobe-")
			if err != nil {
				e.Fatalf("make file on tmpfs: %w", err)
			}
			defer f.Close()
			os.Remove(f.Name()) // nothing is left behind, even after a crash
			if _, err := f.WriteAt(content, 0); err != nil {
				e.Fatalf("write file on tmpfs: %w", err)
			}
			fd, errno := sys.Dup(int(f.Fd()))
			e.Must("dup", errno)
			return fixture.Adopt(e, fd), content
		},
	},
	{
		name:   "procfs",
		what:   "a file of /proc that the kernel writes on the spot",
		since:  "5.10",
		origin: "commit fe33850ff798 (proc: wire up generic_file_splice_read for iter ops)",
		open:   func(e *Env) (*fixture.FD, []byte) { return kernelFile(e, "/proc/version") },
	},
	{
		name:   "sysfs",
		what:   "a file of /sys",
		since:  "5.11",
		origin: "commit f2d6c2708bd8 (kernfs: wire up ->splice_read and ->splice_write)",
		open: func(e *Env) (*fixture.FD, []byte) {
			return kernelFile(e, "/sys/devices/system/cpu/online")
		},
	},
	{
		name:   "devzero",
		what:   "/dev/zero",
		since:  "6.7",
		origin: "commit 1b057bd800c3 (drivers/char/mem: implement splice() for /dev/zero, /dev/full)",
		open: func(e *Env) (*fixture.FD, []byte) {
			return fixture.Open(e, "/dev/zero", os.O_RDONLY), make([]byte, pageful)
		},
	},
}

// memoryFile is a memfd with this content and these seals.
func memoryFile(e *Env, content []byte, seals int) *fixture.FD {
	fd, errno := sys.MemfdCreate("zcprobe", sys.MemfdAllowSealing)
	e.Must("memfd_create", errno)
	file := fixture.Adopt(e, fd)
	fixture.WriteAll(e, file, content)
	fixture.SetPosition(e, file, 0)
	if seals != 0 {
		e.Must("fcntl F_ADD_SEALS", sys.AddSeals(fd, seals))
	}
	return file
}

// kernelFile is a file whose content the kernel makes, as read(2) shows it.
func kernelFile(e *Env, path string) (*fixture.FD, []byte) {
	content, err := os.ReadFile(path)
	if err != nil {
		e.Fatalf("read "+path+": %w", err)
	}
	return fixture.Open(e, path, os.O_RDONLY), content
}

// placeOn finds a directory on a filesystem of this name that can be written.
func placeOn(e *Env, filesystem string) string {
	for _, dir := range []string{e.TempDir(), "/dev/shm", "/tmp", "/var/tmp", "/run", "/run/user/" + strconv.Itoa(os.Getuid())} {
		if sys.FilesystemName(dir) != filesystem {
			continue
		}
		if f, err := os.CreateTemp(dir, "zcprobe-"); err == nil {
			f.Close()
			os.Remove(f.Name())
			return dir
		}
	}
	e.Is(NotApplicable, Filesystem, "no directory on "+filesystem+" can be written", "mount "+filesystem+" on /dev/shm")
	return ""
}

var sourceFeatures = func() (list []*Feature) {
	for _, s := range sources {
		list = append(list, &Feature{
			ID:       "sendfile/" + s.name + "-tcp",
			Facility: "sendfile",
			Title:    "sendfile(2) from " + s.what + " to a TCP socket",
			Since:    s.since,
			Source:   s.origin,
			Systems:  linuxOnly,
			Ends:     Filesystem,
			Try: func(e *Env) {
				file, content := s.open(e)
				a, b := fixture.TCP(e)
				sendfile(e, a, file, content)
				e.Arrives(b, content)
			},
		}, &Feature{
			ID:       "splice/" + s.name + "-pipe",
			Facility: "splice",
			Title:    "splice(2) from " + s.what + " to a pipe",
			Since:    s.since,
			Source:   s.origin,
			Systems:  linuxOnly,
			Ends:     Filesystem,
			Try: func(e *Env) {
				file, content := s.open(e)
				r, w := fixture.Pipe(e)
				splice(e, file, w, content)
				e.Arrives(r, content)
			},
		})
	}
	return list
}()
