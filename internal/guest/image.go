package guest

import (
	"encoding/json"
	"io"
	"os"
	"path"

	"github.com/cavaliergopher/cpio"
)

// Image is an initramfs: this program as init, the library's tests, modules,
// and the job.
type Image struct {
	Program string   // a static build of zcprobe for the guest
	Tests   string   // a static build of the library's tests; "" is none
	Modules []Module // in the order to load them
	Job     Job
}

// WriteTo writes the initramfs as a cpio archive, uncompressed: an emulated
// processor takes longer to unpack it than this one takes to read it.
func (i *Image) WriteTo(to io.Writer) (int64, error) {
	counted := &counter{to: to}
	a := &archive{w: cpio.NewWriter(counted)}
	for _, dir := range []string{"dev", "proc", "sys", "run", "root", "etc", modulesDir} {
		a.add(dir, cpio.TypeDir|0o755, nil)
	}
	a.add("tmp", cpio.TypeDir|cpio.ModeSticky|0o777, nil)
	// What the resolver and os/user look things up in.
	a.add("etc/hosts", cpio.TypeReg|0o644, []byte("127.0.0.1 localhost\n::1 localhost\n"))
	a.add("etc/passwd", cpio.TypeReg|0o644, []byte("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/tmp:/bin/sh\n"))
	a.add("etc/group", cpio.TypeReg|0o644, []byte("root:x:0:\nnogroup:x:65534:\n"))

	a.program(initFile, i.Program)
	if i.Tests != "" {
		a.program(testsFile, i.Tests)
	}
	job := i.Job
	for _, m := range i.Modules {
		a.add(path.Join(modulesDir, m.Name+".ko"), cpio.TypeReg|0o644, m.Content)
		job.Modules = append(job.Modules, m.Name+".ko")
	}
	text, err := json.Marshal(job)
	a.fail(err)
	a.add(jobFile, cpio.TypeReg|0o644, text)
	a.fail(a.w.Close())
	return counted.n, a.err
}

// archive remembers the first error.
type archive struct {
	w     *cpio.Writer
	inode int64
	err   error
}

func (a *archive) fail(err error) {
	if a.err == nil {
		a.err = err
	}
}

func (a *archive) add(name string, mode cpio.FileMode, content []byte) {
	if a.err != nil {
		return
	}
	a.inode++
	a.fail(a.w.WriteHeader(&cpio.Header{Name: name, Mode: mode, Size: int64(len(content)), Links: 1, Inode: a.inode}))
	if a.err == nil && len(content) > 0 {
		_, err := a.w.Write(content)
		a.fail(err)
	}
}

func (a *archive) program(name, from string) {
	content, err := os.ReadFile(from)
	a.fail(err)
	a.add(name, cpio.TypeReg|0o755, content)
}

type counter struct {
	to io.Writer
	n  int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.n += int64(n)
	return n, err
}
