package sys

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// RouteSocket is a netlink socket that answers questions about the network
// (rtnetlink(7)).
func RouteSocket() (int, Errno) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	return fd, errnoOf(err)
}

// AskLinks sends a netlink socket the question for all network interfaces
// (RTM_GETLINK, rtnetlink(7)).
func AskLinks(fd int) Errno {
	question := struct {
		unix.NlMsghdr
		unix.IfInfomsg
	}{
		NlMsghdr: unix.NlMsghdr{
			Type:  unix.RTM_GETLINK,
			Flags: unix.NLM_F_REQUEST | unix.NLM_F_DUMP,
		},
	}
	question.Len = uint32(unsafe.Sizeof(question))
	p := unsafe.Slice((*byte)(unsafe.Pointer(&question)), question.Len)
	return errnoOf(unix.Sendto(fd, p, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}))
}

// LinkMessages counts the descriptions of network interfaces in p (RTM_NEWLINK),
// -1 where p is no sequence of whole netlink messages.
func LinkMessages(p []byte) int {
	links := 0
	for len(p) > 0 {
		if len(p) < unix.SizeofNlMsghdr {
			return -1
		}
		head := (*unix.NlMsghdr)(unsafe.Pointer(unsafe.SliceData(p)))
		if head.Len < unix.SizeofNlMsghdr || int(head.Len) > len(p) {
			return -1
		}
		if head.Type == unix.RTM_NEWLINK {
			links++
		}
		p = p[min(len(p), int(head.Len+unix.NLMSG_ALIGNTO-1)&^(unix.NLMSG_ALIGNTO-1)):]
	}
	return links
}

// Cliff maps a readable page followed by one that nobody may touch, and
// returns both: a call that reads on into the second meets EFAULT.
func Cliff() ([]byte, Errno) {
	page := unix.Getpagesize()
	p, err := unix.Mmap(-1, 0, 2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, errnoOf(err)
	}
	return p, errnoOf(unix.Mprotect(p[page:], unix.PROT_NONE))
}

// SetUDPCork sets or clears UDP_CORK (udp(7)).
func SetUDPCork(fd int, on bool) Errno {
	value := 0
	if on {
		value = 1
	}
	return errnoOf(unix.SetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_CORK, value))
}

// InFlight is how many bytes of a TCP socket were sent and are not yet
// acknowledged: those in the send queue without those not yet sent (tcp(7),
// SIOCOUTQ; SIOCOUTQNSD).
func InFlight(fd int) (int, Errno) {
	queued, err := unix.IoctlGetUint32(fd, unix.SIOCOUTQ) // an int of C, see Queued
	if err != nil {
		return 0, errnoOf(err)
	}
	unsent, err := unix.IoctlGetUint32(fd, unix.SIOCOUTQNSD)
	return max(int(queued)-int(unsent), 0), errnoOf(err)
}
