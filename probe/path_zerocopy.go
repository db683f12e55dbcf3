package probe

import (
	"syscall"
	"time"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// moveZerocopy sends memory with MSG_ZEROCOPY and waits until the kernel says
// that it needs the pages no more: over loopback the receiving side copies them
// (skb_orphan_frags_rx), and under load that may come later than the call
// returns. What the notice says about copying is not asked: the memory tells.
func moveZerocopy(m *move) (int, sys.Errno) {
	fd := m.sink.FD.Int()
	if errno := sys.SetZerocopy(fd); errno != 0 {
		return -1, errno
	}
	calls := uint32(0)
	n, errno := m.all(func(rest int) (int, sys.Errno) {
		k, errno := m.kernel.Send(fd, m.source.Memory[m.n-rest:m.n], sys.MsgZerocopy)
		if errno == 0 {
			calls++
		}
		return k, errno
	})
	m.awaitNotices(calls)
	return n, errno
}

// awaitNotices waits for the completion of so many calls, which the kernel
// numbers from 0 (Documentation/networking/msg_zerocopy.rst). A kernel that
// shares pages up to a receiver who does not read never completes: the wait
// ends then, and the witness sees the memory.
func (m *move) awaitNotices(calls uint32) {
	end := time.Now().Add(time.Second)
	for done := uint32(0); done < calls; {
		left := time.Until(end)
		if left <= 0 {
			return
		}
		if ready, _ := sys.Poll(m.sink.FD.Int(), false, int(left.Milliseconds())+1); !ready {
			return
		}
		notice, errno := m.kernel.ZerocopyNotice(m.sink.FD.Int())
		switch errno {
		case 0:
			done += notice.Last - notice.First + 1
		case syscall.EAGAIN, syscall.EINTR:
			time.Sleep(time.Millisecond) // something else made the socket ready
		default:
			return
		}
	}
}
