package guest

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz"
)

// object is a kernel module as far as its .modinfo goes, in either byte order.
func object(t *testing.T, order binary.ByteOrder, depends string) []byte {
	t.Helper()
	info := []byte("license=GPL\x00depends=" + depends + "\x00name=x\x00")
	names := []byte("\x00.modinfo\x00.shstrtab\x00")
	data := elf.ELFDATA2LSB
	if order == binary.BigEndian {
		data = elf.ELFDATA2MSB
	}
	header := elf.Header64{
		Ident: [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(data), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_REL), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT),
		Ehsize: 64, Shentsize: 64, Shnum: 3, Shstrndx: 2, Shoff: 64,
	}
	var b bytes.Buffer
	at := uint64(64 + 3*64)
	for _, part := range []any{
		header, elf.Section64{},
		elf.Section64{Name: 1, Type: uint32(elf.SHT_PROGBITS), Off: at, Size: uint64(len(info))},
		elf.Section64{Name: 10, Type: uint32(elf.SHT_STRTAB), Off: at + uint64(len(info)), Size: uint64(len(names))},
		info, names,
	} {
		require.NoError(t, binary.Write(&b, order, part))
	}
	return b.Bytes()
}

func TestModulesInOrder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pack := func(name string, content []byte, packer func(io.Writer) (io.WriteCloser, error)) {
		file, err := os.Create(filepath.Join(dir, name))
		require.NoError(t, err)
		defer file.Close()
		w, err := packer(file)
		require.NoError(t, err)
		_, err = w.Write(content)
		require.NoError(t, err)
		require.NoError(t, w.Close())
	}
	base, middle, top := object(t, binary.LittleEndian, ""), object(t, binary.BigEndian, "base-one"), object(t, binary.LittleEndian, "middle,base-one,built_in")
	pack("base-one.ko.xz", base, func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) })
	pack("middle.ko.zst", middle, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) })
	pack("top.ko.gz", top, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })
	require.NoError(t, os.WriteFile(filepath.Join(dir, "alone.ko"), base, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "modules.dep"), []byte("nonsense"), 0o600))

	list, err := Modules(dir, []string{"not-there", "top", "middle", "alone"})
	require.NoError(t, err)
	assert.Equal(t, []Module{{"base_one", base}, {"middle", middle}, {"top", top}, {"alone", base}}, list)
}

func TestModulesThatAreNone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "tls.ko"), []byte("not an ELF file"), 0o600))
	_, err := Modules(dir, []string{"tls"})
	require.ErrorContains(t, err, "tls.ko")
	_, err = Modules(filepath.Join(dir, "none"), []string{"tls"})
	assert.ErrorIs(t, err, os.ErrNotExist)
}
