package sys

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// LoadMessageVerdict loads a program of type sk_msg that says the same of all
// messages. sockmap is where [RedirectMessage] finds the other socket, and
// bytes is how many [CorkMessage] waits for.
func LoadMessageVerdict(verdict Verdict, sockmap, bytes int) (int, Errno) {
	const (
		loadMapFD   = 0x18 // BPF_LD | BPF_DW | BPF_IMM
		moveImm     = 0xb7 // BPF_ALU64 | BPF_MOV | BPF_K
		call        = 0x85 // BPF_JMP | BPF_CALL
		exit        = 0x95 // BPF_JMP | BPF_EXIT
		pseudoMapFD = 1
		msgRedirect = 60 // bpf_msg_redirect_map
		msgCork     = 62 // bpf_msg_cork_bytes
		pass        = 1  // SK_PASS
	)
	var program bpfProgram
	switch verdict {
	case RedirectMessage: // r1 is the message; the answer of the helper is the verdict
		program.add(loadMapFD, 2, pseudoMapFD, int32(sockmap))
		program.add(0, 0, 0, 0) // second half of the one before
		program.add(moveImm, 3, 0, 0)
		program.add(moveImm, 4, 0, 0)
		program.add(call, 0, 0, msgRedirect)
	case CorkMessage:
		program.add(moveImm, 2, 0, int32(bytes))
		program.add(call, 0, 0, msgCork)
		program.add(moveImm, 0, 0, pass)
	default:
		program.add(moveImm, 0, 0, int32(verdict))
	}
	program.add(exit, 0, 0, 0)

	return program.load(unix.BPF_PROG_TYPE_SK_MSG)
}

// AttachMessageVerdict makes a program the judge of what is sent by the sockets
// that are put into a sockmap from now on (BPF_SK_MSG_VERDICT).
func AttachMessageVerdict(sockmap, program int) Errno {
	attr := struct{ target, program, kind, flags, replace uint32 }{uint32(sockmap), uint32(program), unix.BPF_SK_MSG_VERDICT, 0, 0}
	_, errno := bpf(unix.BPF_PROG_ATTACH, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	return errno
}
