package driver

import (
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/zcprobe/zcprobe/matrix"
)

// KernelTarget is a target for a kernel that somebody has just built. Its
// architecture is read from the file unless it is named.
func KernelTarget(path, arch string) (*matrix.Target, error) {
	told, err := imageArch(path)
	switch {
	case err != nil:
		return nil, err
	case arch == "" && told == "":
		return nil, fmt.Errorf("%s does not tell its architecture: name it with --arch", path)
	case arch != "" && told != "" && arch != told:
		return nil, fmt.Errorf("%s is a kernel for %s, not for %s", path, told, arch)
	case arch == "":
		arch = told
	}
	return &matrix.Target{ID: "kernel-" + arch, System: "linux", Version: filepath.Base(path), Arch: arch, Driver: matrix.ByQEMU}, nil
}

// imageArch is the architecture of a kernel image by the marks of the boot
// protocols (Documentation/arch/*/boot); "" where it has none.
func imageArch(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	head := make([]byte, 0x210)
	if _, err := io.ReadFull(file, head); err != nil {
		return "", fmt.Errorf("%s is no kernel: %w", path, err)
	}
	switch {
	case bytes.Equal(head[0x202:0x206], []byte("HdrS")):
		return "amd64", nil
	case bytes.Equal(head[0x38:0x3c], []byte("ARM\x64")):
		return "arm64", nil
	case bytes.Equal(head[0x38:0x3c], []byte("RSC\x05")):
		return "riscv64", nil
	case bytes.HasPrefix(head, []byte(elf.ELFMAG)):
		return elfArch(file)
	}
	return "", nil
}

func elfArch(file *os.File) (string, error) {
	image, err := elf.NewFile(file)
	if err != nil {
		return "", fmt.Errorf("%s is no kernel: %w", file.Name(), err)
	}
	return map[elf.Machine]string{elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64", elf.EM_RISCV: "riscv64", elf.EM_S390: "s390x"}[image.Machine], nil
}
