//go:build unix

package zerocopy

import (
	"os"
	"time"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// trialTime bounds a trial, for sandboxes that let a call hang.
const trialTime = 2 * time.Second

func (e *Engine) mechanisms() []Mechanism {
	return []Mechanism{
		e.tryFile(PathSendfile, bySendfile),
		e.tryFile(PathSplice, bySplice),
		e.tryRelay(),
	}
}

// tryFile sends a page of a file.
func (e *Engine) tryFile(path Path, from rung) Mechanism {
	res, err := func() (Result, error) {
		dst, peer, err := trialPair()
		if err != nil {
			return Result{}, err
		}
		defer dst.Close()
		defer peer.Close()
		src, err := trialFile()
		if err != nil {
			return Result{}, err
		}
		defer src.Close()
		var offset int64
		return e.fileToSocket(dst, src, &offset, trialSize, from, nil)
	}()
	return tried(path, "file", res, err)
}

// tryRelay relays a page.
func (e *Engine) tryRelay() Mechanism {
	res, err := func() (Result, error) {
		dst, dstPeer, err := trialPair()
		if err != nil {
			return Result{}, err
		}
		defer dst.Close()
		defer dstPeer.Close()
		src, srcPeer, err := trialPair()
		if err != nil {
			return Result{}, err
		}
		defer src.Close()
		defer srcPeer.Close()
		if _, err := srcPeer.Write(make([]byte, trialSize)); err != nil {
			return Result{}, err
		}
		return e.NewRelay(dst, src).run(trialSize)
	}()
	return tried(PathSplice, "socket", res, err)
}

// trialPair is a connected pair of stream sockets that needs no network.
func trialPair() (a, b *os.File, err error) {
	x, y, errno := sys.UnixPair(sys.Stream)
	if errno != 0 {
		return nil, nil, callError("socketpair", errno)
	}
	a, b = trialSocket(x), trialSocket(y)
	return a, b, nil
}

func trialSocket(fd int) *os.File {
	_ = sys.SetNonblock(fd, true) // os.NewFile polls what is nonblocking
	f := os.NewFile(uintptr(fd), "socket")
	_ = f.SetDeadline(time.Now().Add(trialTime))
	return f
}

// trialFile is a file with a page in it: in memory, else in the directory for
// temporary files, else the program itself.
func trialFile() (*os.File, error) {
	if fd, errno := sys.Memfd("zerocopy"); errno == 0 {
		f := os.NewFile(uintptr(fd), "memfd")
		if _, err := f.Write(make([]byte, trialSize)); err == nil {
			return f, nil
		}
		_ = f.Close()
	}
	if f, err := os.CreateTemp("", "zerocopy-*"); err == nil {
		_ = os.Remove(f.Name())
		if _, err := f.Write(make([]byte, trialSize)); err == nil {
			return f, nil
		}
		_ = f.Close()
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return os.Open(program)
}
