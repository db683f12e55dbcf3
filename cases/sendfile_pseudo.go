package cases

import (
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

// Files of /proc and /sys, whose size says 0.
var sendfilePseudo = []*Case{
	{
		ID:       "linux/sendfile/proc-seqfile-ok",
		Title:    "Files of /proc and /sys that have the operation are sent like files, with the bytes that read gives",
		Facility: "sendfile",
		Level:    Should,
		Sources:  []string{"Linux commit 36e2c7421f02 and those that gave files their splice_read back", "kernel selftest splice/short_splice_read.sh", "LTP splice06", "Go os TestProcCopy"},
		Covers:   []string{"linux/sendfile/proc-seqfile-ok"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "Their size says 0 and tells nothing: send until 0, and fall back on EINVAL.",
		Expect: []Expectation{
			{Emulator: "gvisor", Why: "the list of filesystems is in another order at each reading, that of a Go map (pkg/sentry/vfs/filesystem_type.go, GenerateProcFilesystems); the order has no meaning",
				Facts: Want{
					"version": fixture.Right, "version.end": 0, "ostype": fixture.Right, "ostype.end": 0,
					"cpuinfo": true, "filesystems": "changes", "filesystems.end": 0, "sysfs": refused(fixture.Right), "sysfs.end": refused(0),
				}},
			{Facts: Want{
				"version": fixture.Right, "version.end": 0, "ostype": fixture.Right, "ostype.end": 0,
				"cpuinfo": true, "filesystems": fixture.Right, "filesystems.end": 0, "sysfs": refused(fixture.Right), "sysfs.end": refused(0),
			}},
		},
		Body: func(e *Env) {
			a, b := fixture.TCP(e)
			for name, path := range map[string]string{
				"version": "/proc/version", "ostype": "/proc/sys/kernel/ostype", "filesystems": "/proc/filesystems",
				"cpuinfo": "/proc/cpuinfo", "sysfs": "/sys/devices/system/cpu/possible",
			} {
				in, ok := fixture.Existing(e, path, os.O_RDONLY)
				if !ok && name == "sysfs" { // containers and chroots may go without
					e.Fact(name, notHere)
					e.Fact(name+".end", notHere)
					continue
				}
				if !ok {
					e.Skip(SkipPlace)
				}
				n, errno := e.Kernel.Sendfile(a.Int(), in.Int(), nil, 16<<10)
				arrived := fixture.ReadN(e, b, max(n, 0))
				if name == "cpuinfo" { // clock rates change from read to read
					e.Fact(name, n > 0 && errno == 0 && len(arrived) == n)
					continue
				}
				plain, _ := fixture.Existing(e, path, os.O_RDONLY)
				e.Fact(name, fixture.Compare(arrived, fixture.ReadReady(e, plain, 16<<10)))
				if name == "filesystems" && !steady(e, path) {
					e.Fact(name, "changes")
				}
				n, _ = e.Kernel.Sendfile(a.Int(), in.Int(), nil, 16<<10)
				e.Fact(name+".end", n)
			}
		},
	},
	{
		ID:       "linux/sendfile/proc-pid-files-einval",
		Title:    "cmdline, environ, maps, mem and auxv of a process and /proc/kmsg are refused with EINVAL, and read still works",
		Facility: "sendfile",
		Level:    Info,
		Sources:  []string{"Linux commit 36e2c7421f02: no splice without an operation for it", "Go os TestProcCopy", "topjohnwu/libsu#206"},
		Covers:   []string{"linux/sendfile/proc-pid-files-einval"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "Fall back on EINVAL; nothing was sent.",
		Expect: []Expectation{
			{Emulator: "qemu-user", Why: qemuProc, Known: qemuSource + "syscall.c", Facts: Want{
				"cmdline": "", "environ": "EINVAL", "maps": "", "mem": "EINVAL", "auxv": "", "kmsg": refused("EINVAL"),
			}},
			{Since: "5.10", Why: noFallback, Facts: Want{
				"cmdline": "EINVAL", "environ": "EINVAL", "maps": "EINVAL", "mem": "EINVAL", "auxv": "EINVAL", "kmsg": refused("EINVAL"),
				"cmdline.read": true, "maps.read": true, "auxv.read": true, "queued": 0,
			}},
		},
		Body: func(e *Env) {
			a, b := fixture.TCP(e)
			for name, path := range map[string]string{
				"cmdline": "/proc/self/cmdline", "environ": "/proc/self/environ", "maps": "/proc/self/maps",
				"mem": "/proc/self/mem", "auxv": "/proc/self/auxv", "kmsg": "/proc/kmsg",
			} {
				in, ok := fixture.Existing(e, path, os.O_RDONLY)
				if !ok && name == "kmsg" { // root only
					e.Fact(name, notHere)
					continue
				}
				if !ok {
					e.Skip(SkipPlace)
				}
				_, errno := e.Kernel.Sendfile(a.Int(), in.Int(), nil, 100)
				e.Fact(name, sys.ErrnoName(errno))
				if name == "cmdline" || name == "maps" || name == "auxv" {
					n, errno := e.Kernel.Read(in.Int(), make([]byte, 100))
					e.Fact(name+".read", n > 0 && errno == 0)
				}
			}
			e.Fact("queued", fixture.Queued(e, b))
		},
	},
}
