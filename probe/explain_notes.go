package probe

import (
	"fmt"

	"github.com/zcprobe/zcprobe/internal/fixture"
)

// userSpace begins every sentence that says that io.Copy copies.
const userSpace = "through user space"

// goCopy is what io.Copy does with a pair when both ends are what package os
// and package net return: read in Go 1.26's net/tcpsock_posix.go,
// net/splice_linux.go, net/sendfile.go and os/zero_copy_linux.go.
func goCopy(src, dst *Kind) string {
	isFile := src.Nature == IsFile || src.Nature == IsDevice // each an *os.File
	stream := isTCP(src) || src.Name == "unix"
	switch {
	case src.Nature == IsMemory:
		return userSpace + ": memory is written with write(2)"
	case dst.Name == "append":
		return userSpace + ": a file opened with O_APPEND takes neither splice(2) nor copy_file_range(2)"
	case isFile && isTCP(dst):
		return "sendfile(2), where the reader is an *os.File or an io.LimitedReader around one; " + userSpace + ", without a word, where sendfile(2) is refused"
	case isFile && dst.Name == "unix":
		return "sendfile(2), where the reader is an *os.File itself; " + userSpace + " under an io.LimitedReader"
	case isFile && dst.Nature == IsFile:
		return "copy_file_range(2); " + userSpace + " where that is refused"
	case stream && isTCP(dst):
		return "splice(2) through a pipe of 1 MiB that is held as long as the copy lasts"
	case isTCP(src) && dst.Name == "unix":
		return "splice(2) through a pipe; " + userSpace + " under an io.LimitedReader"
	case stream && dst.Nature != IsSocket:
		return "splice(2), through a pipe of its own"
	case src.Nature == IsPipe:
		return userSpace + ": sendfile(2) and copy_file_range(2) refuse a pipe, and splice(2) is not tried from one"
	default:
		return userSpace
	}
}

// isTCP tells whether package net has a *net.TCPConn of a kind.
func isTCP(k *Kind) bool { return k.Name == "tcp" || k.Name == "mptcp" || k.Name == "ktls" }

// hazard is what a caller has to mind when bytes are shared.
func hazard(src, dst *Kind) string {
	switch {
	case src.Nature == IsFile && dst.Nature == IsFile:
		return "The files share their blocks on disk until one of them is written to (reflink)."
	case src.Nature == IsFile:
		return "What is written over the file before the receiver has read it arrives in place of the old bytes: replace files by rename, do not write into them."
	case src.Nature == IsMemory:
		return "What is stored in the memory before the receiver has read it arrives in place of the old bytes, and nothing tells when that is: only MSG_ZEROCOPY and io_uring say when pages are free again."
	}
	return ""
}

// notes are the caveats of an answer.
func notes(x *Explanation, src, dst *foundEnd) []string {
	list := append([]string{}, src.notes...)
	list = append(list, dst.notes...)
	list = append(list, "io.Copy gives no sign when it leaves these paths: any wrapper around either end (bufio, io.SectionReader, a logging or TLS net.Conn) takes the bytes through user space.")
	for _, w := range x.Ways {
		if w.Facility == "msg_zerocopy" && w.Witness == fixture.Copied {
			list = append(list, "MSG_ZEROCOPY is always copied over loopback, when the packet is delivered (skb_orphan_frags_rx); towards a network card it shares pages.")
		}
		if w.Tried && w.Works && !w.BytesRight {
			list = append(list, fmt.Sprintf("%s takes the bytes, and what arrives is wrong.", w.Call))
		}
	}
	if dst.kind.Name == "udp" {
		list = append(list, "Towards UDP the kernel decides where a datagram ends, and it may sum shared pages when it takes them (before Linux 6.5 always, since then with MSG_MORE): a datagram whose bytes are overwritten in flight is then dropped by the receiver, without an error.")
		if x.way("splice").Witness == fixture.Copied && src.kind.Name != "udp" {
			list = append(list, "Linux 6.1 copies into UDP sockets since 6.1.72, which took udp_sendpage's conversion to MSG_SPLICE_PAGES (7ac7c987850c) without the support for it (7da0dde68486).")
		}
	}
	return list
}
