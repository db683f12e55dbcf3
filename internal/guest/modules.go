package guest

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// Module is a kernel module, uncompressed: not every kernel can unpack one, and
// an emulated processor would take long.
type Module struct {
	Name    string // with underscores, as in /proc/modules
	Content []byte
}

// Wanted is the modules that features and cases need, where a kernel has them
// as modules. What they depend on comes along.
var Wanted = []string{
	"tls", "gcm", "ghash_generic", "aesni_intel", "ghash_clmulni_intel", "aes_s390", "ghash_s390", "aes_ce_ccm", "ghash_ce",
	"ccm", "chacha20poly1305", // kTLS and its ciphers, which it asks modprobe for
	"vsock", "vsock_loopback", "vsock_diag",
	"overlay", "fuse", "loop", "crc32c_generic", "libcrc32c", "ext4", "xfs", "btrfs", // places that cases mount
	"sch_netem", "sch_tbf", "veth", "dummy",
	"af_alg", "algif_hash", "algif_skcipher", "tcp_diag", "unix_diag",
}

// ForDisk is the modules that reading a disk takes; the filesystem's own name
// comes with them. Its checksums are asked from modprobe at the mount.
func ForDisk(fstype string) []string {
	return []string{"virtio_mmio", "virtio_pci", "virtio_blk", "crc32c_generic", "crc32c_intel", "libcrc32c", "xxhash_generic", "blake2b_generic", "sha256_generic", fstype}
}

// Modules finds modules by name below a directory such as lib/modules/6.12.1,
// with what they depend on, in an order in which they can be loaded. Names that
// are not there are left out: built in, or not built. The order is taken from
// the modules themselves, since packages come without modules.dep.
func Modules(dir string, names []string) ([]Module, error) {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, fmt.Errorf("look for modules: %w", err)
	}
	files := map[string]string{}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if base, _, isModule := strings.Cut(d.Name(), ".ko"); isModule && d.Type().IsRegular() {
			files[moduleName(base)] = path
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for modules: %w", err)
	}
	var list []Module
	seen := map[string]bool{}
	var add func(name string) error
	add = func(name string) error {
		path, there := files[name]
		if seen[name] || !there {
			return nil
		}
		seen[name] = true
		content, err := readModule(path)
		if err != nil {
			return fmt.Errorf("read module %s: %w", path, err)
		}
		needs, err := depends(content)
		if err != nil {
			return fmt.Errorf("read module %s: %w", path, err)
		}
		for _, need := range needs {
			if err := add(need); err != nil {
				return err
			}
		}
		list = append(list, Module{name, content})
		return nil
	}
	for _, name := range names {
		if err := add(moduleName(name)); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func moduleName(base string) string { return strings.ReplaceAll(base, "-", "_") }

// depends is the field of that name in the section .modinfo.
func depends(module []byte) ([]string, error) {
	file, err := elf.NewFile(bytes.NewReader(module))
	if err != nil {
		return nil, err
	}
	section := file.Section(".modinfo")
	if section == nil {
		return nil, fmt.Errorf("no section .modinfo")
	}
	info, err := section.Data()
	if err != nil {
		return nil, err
	}
	for field := range strings.SplitSeq(string(info), "\x00") {
		if list, ok := strings.CutPrefix(field, "depends="); ok && list != "" {
			names := strings.Split(list, ",")
			for i, name := range names {
				names[i] = moduleName(name)
			}
			return slices.Compact(names), nil
		}
	}
	return nil, nil
}

// readModule reads a module, whatever its kernel's builder packed it with.
func readModule(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var from io.Reader = file
	switch filepath.Ext(path) {
	case ".xz":
		from, err = xz.NewReader(file)
	case ".gz":
		from, err = gzip.NewReader(file)
	case ".zst":
		var z *zstd.Decoder
		if z, err = zstd.NewReader(file, zstd.WithDecoderConcurrency(1)); err == nil {
			defer z.Close()
			from = z
		}
	}
	if err != nil {
		return nil, err
	}
	return io.ReadAll(from)
}
