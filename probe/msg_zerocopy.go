package probe

import (
	"syscall"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/internal/sys"
)

var msgZerocopyFeatures = []*Feature{
	{
		ID:       "msg_zerocopy/tcp",
		Facility: "msg_zerocopy",
		Title:    "send(2) with MSG_ZEROCOPY on a TCP socket, with its notification",
		Since:    "4.14",
		Source:   "Documentation/networking/msg_zerocopy.rst",
		Systems:  linuxOnly,
		Ends:     SocketType,
		Try: func(e *Env) {
			a, b := fixture.TCP(e)
			zerocopySend(e, a, b, 20_000)
		},
	},
	{
		ID:       "msg_zerocopy/udp",
		Facility: "msg_zerocopy",
		Title:    "send(2) with MSG_ZEROCOPY on a UDP socket, with its notification",
		Since:    "5.0",
		Source:   "commit b5947e5d1e71 (udp: msg_zerocopy)",
		Systems:  linuxOnly,
		Ends:     SocketType,
		Try: func(e *Env) {
			a, b := fixture.UDP(e)
			zerocopySend(e, a, b, 1000)
		},
	},
	{
		ID:       "msg_zerocopy/unix",
		Facility: "msg_zerocopy",
		Title:    "send(2) with MSG_ZEROCOPY on a UNIX stream socket",
		Source:   "Documentation/networking/msg_zerocopy.rst: TCP, UDP and VSOCK only",
		Systems:  linuxOnly,
		Ends:     SocketType,
		Try: func(e *Env) {
			a, b := fixture.Unix(e, sys.Stream)
			zerocopySend(e, a, b, pageful)
		},
	},
	{
		ID:       "msg_zerocopy/vsock",
		Facility: "msg_zerocopy",
		Title:    "send(2) with MSG_ZEROCOPY on a VSOCK socket, with its notification",
		Since:    "6.7",
		Source:   "Documentation/networking/msg_zerocopy.rst; commit 581512a6dc93",
		Systems:  linuxOnly,
		Ends:     SocketType,
		Try: func(e *Env) {
			a, b := familyPair(e, sys.VSock)
			zerocopySend(e, a, b, 20_000)
		},
	},
}

// zerocopySend sends from memory with MSG_ZEROCOPY, checks what arrives, and
// asks the notification whether the kernel copied after all.
func zerocopySend(e *Env, a, b *fixture.FD, size int) {
	want := fixture.Pattern(1, size)
	memory := fixture.Memory(e, size)
	copy(memory, want)
	e.Must("setsockopt SO_ZEROCOPY", sys.SetZerocopy(a.Int()))
	n, errno := e.Kernel.Send(a.Int(), memory, sys.MsgZerocopy)
	e.Moved("send MSG_ZEROCOPY", n, errno, size)
	e.Arrives(b, want)
	notice := zerocopyNotice(e, a)
	if notice.Copied {
		e.Calls("send MSG_ZEROCOPY")
		e.Is(Degraded, SilentlyCopied, "the notification says SO_EE_CODE_ZEROCOPY_COPIED", loopbackCopies)
	}
}

// loopbackCopies: what is sent there may wait in a receiver's queue for as long
// as that likes, so the kernel takes a copy (skb_orphan_frags_rx).
const loopbackCopies = "none on loopback, where Linux always copies; over a network card ask again"

// zerocopyNotice waits for the notification of one send.
func zerocopyNotice(e *Env, fd *fixture.FD) sys.ZerocopyNotice {
	for range 100 {
		notice, errno := e.Kernel.ZerocopyNotice(fd.Int())
		if errno == 0 {
			return notice
		}
		if errno != syscall.EAGAIN {
			e.Must("recvmsg MSG_ERRQUEUE", errno)
		}
		ready, errno := sys.WaitError(fd.Int(), 1000)
		e.Must("poll", errno)
		if !ready {
			break
		}
	}
	e.Calls("recvmsg MSG_ERRQUEUE")
	e.Is(Inconclusive, Timeout, "no notification within a second", "")
	panic("unreachable")
}
