package driver

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/zcprobe/zcprobe/internal/guest"
	"github.com/zcprobe/zcprobe/matrix"
)

// machine is how QEMU runs one architecture.
type machine struct {
	program string
	install string // Debian's package
	board   []string
	console string   // the kernel's name for the serial line
	serial  []string // how the line is attached to the chardev c0
	disk    string   // the device of a disk
	words   string   // for the kernel's command line
	restart bool     // QEMU ends when the guest restarts; not every board can power off
	slow    int      // how much slower than amd64 it is, at most
}

var overSerial = []string{"-serial", "chardev:c0"}

// machines are the boards that came up in every run; microvm did not.
var machines = map[string]machine{
	"amd64": {
		program: "qemu-system-x86_64", install: "qemu-system-x86",
		// Linux copies by "rep movsb" where a processor says that this is
		// fast, and Go by AVX: QEMU emulates the one byte by byte and the
		// other by calls of helpers. Without them a guest takes a third less.
		board:   []string{"-M", "pc", "-cpu", "max,-erms,-fsrm,-avx,-avx2"},
		console: "ttyS0", serial: overSerial, disk: "virtio-blk-pci",
		words: "reboot=t random.trust_cpu=on", restart: true, slow: 1,
	},
	"arm64": {
		program: "qemu-system-aarch64", install: "qemu-system-arm",
		// -cpu max emulates pointer authentication, and is three times slower.
		board:   []string{"-M", "virt", "-cpu", "cortex-a57"},
		console: "ttyAMA0", serial: overSerial, disk: "virtio-blk-pci", slow: 2,
	},
	"s390x": {
		program: "qemu-system-s390x", install: "qemu-system-misc",
		board:   []string{"-M", "s390-ccw-virtio"},
		console: "ttysclp0", serial: []string{"-device", "sclpconsole,chardev=c0"}, disk: "virtio-blk-ccw", slow: 2,
	},
	"riscv64": {
		program: "qemu-system-riscv64", install: "qemu-system-misc",
		board:   []string{"-M", "virt", "-cpu", "rv64"},
		console: "ttyS0", serial: overSerial, disk: "virtio-blk-pci", slow: 2,
	},
}

// emulator is the machine for an architecture, where QEMU is here.
func emulator(arch string) (machine, error) {
	m, ok := machines[arch]
	if !ok {
		return m, missing("no machine of QEMU is known for %s", arch)
	}
	if _, err := exec.LookPath(m.program); err != nil {
		return m, missing("%s is not here: install %s", m.program, m.install)
	}
	return m, nil
}

// qemu boots a target's kernel with zcprobe as its first process.
func (l *Lab) qemu(ctx context.Context, t *matrix.Target, stage func(string)) *matrix.Outcome {
	m, err := emulator(t.Arch)
	if err != nil {
		return failed(err)
	}
	k, err := l.kernel(ctx, t)
	if err != nil {
		return failed(err)
	}
	accelerator := l.Accelerator
	if accelerator == "" {
		accelerator = "tcg" // /dev/kvm can be there and yet boot nothing
	}
	k.way.Machine = fmt.Sprintf("%s %s, %s", m.program, qemuVersion(ctx, m.program), strings.Join(m.board, " "))
	k.way.Accelerator = accelerator
	if accelerator == "tcg" {
		accelerator = "tcg,thread=multi"
	}
	return l.boot(ctx, t, boot{
		kernel: k, program: m.program, restart: m.restart,
		up: time.Duration(m.slow) * time.Minute, limit: time.Duration(3+m.slow) * time.Minute,
		arguments: func(initramfs, disk string) []string {
			var storage []string
			if disk != "" {
				storage = []string{"-drive", "if=none,id=d0,format=raw,cache=unsafe,file=" + disk, "-device", m.disk + ",drive=d0"}
			}
			return slices.Concat(m.board, storage, []string{
				"-accel", accelerator, "-m", strconv.Itoa(l.memory()), "-smp", strconv.Itoa(max(l.CPUs, 1)),
				"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
				"-chardev", "stdio,id=c0,signal=off",
				"-kernel", k.image, "-initrd", initramfs,
				"-append", words("console="+m.console, "panic=-1", "quiet", m.words, guest.Word+"=1", l.Append),
			}, m.serial)
		},
	}, stage)
}

func (l *Lab) memory() int {
	if l.Memory > 0 {
		return l.Memory
	}
	return 1024
}

func words(list ...string) string { return strings.Join(strings.Fields(strings.Join(list, " ")), " ") }

// qemuVersion is the number in the first line of qemu --version.
func qemuVersion(ctx context.Context, program string) string {
	out, _ := exec.CommandContext(ctx, program, "--version").Output()
	line, _, _ := strings.Cut(string(out), "\n")
	for field := range strings.FieldsSeq(line) {
		if field[0] >= '0' && field[0] <= '9' {
			return field
		}
	}
	return "of unknown version"
}
