package sys

import (
	"encoding/binary"
	"runtime"
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
	var program []byte
	instruction := func(code uint8, dst, src uint8, imm int32) {
		registers := src<<4 | dst
		if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 { // big endian: bit fields go the other way
			registers = dst<<4 | src
		}
		program = append(program, code, registers, 0, 0)
		program = binary.NativeEndian.AppendUint32(program, uint32(imm))
	}
	switch verdict {
	case RedirectMessage: // r1 is the message; the answer of the helper is the verdict
		instruction(loadMapFD, 2, pseudoMapFD, int32(sockmap))
		instruction(0, 0, 0, 0) // second half of the one before
		instruction(moveImm, 3, 0, 0)
		instruction(moveImm, 4, 0, 0)
		instruction(call, 0, 0, msgRedirect)
	case CorkMessage:
		instruction(moveImm, 2, 0, int32(bytes))
		instruction(call, 0, 0, msgCork)
		instruction(moveImm, 0, 0, pass)
	default:
		instruction(moveImm, 0, 0, int32(verdict))
	}
	instruction(exit, 0, 0, 0)

	license := []byte("GPL\x00")
	var pins runtime.Pinner
	defer pins.Unpin()
	pins.Pin(unsafe.SliceData(program))
	pins.Pin(unsafe.SliceData(license))
	attr := struct {
		kind, count              uint32
		program, license         uint64
		logLevel, logSize        uint32
		log                      uint64
		kernelVersion, loadFlags uint32
	}{
		kind:    unix.BPF_PROG_TYPE_SK_MSG,
		count:   uint32(len(program) / 8),
		program: address(unsafe.Pointer(unsafe.SliceData(program))),
		license: address(unsafe.Pointer(unsafe.SliceData(license))),
	}
	return bpf(unix.BPF_PROG_LOAD, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
}

// AttachMessageVerdict makes a program the judge of what is sent by the sockets
// that are put into a sockmap from now on (BPF_SK_MSG_VERDICT).
func AttachMessageVerdict(sockmap, program int) Errno {
	attr := struct{ target, program, kind, flags, replace uint32 }{uint32(sockmap), uint32(program), unix.BPF_SK_MSG_VERDICT, 0, 0}
	_, errno := bpf(unix.BPF_PROG_ATTACH, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	return errno
}
