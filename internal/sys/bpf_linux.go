package sys

import (
	"encoding/binary"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// bpf is bpf(2). attr points to the structure of the command, whose size it is
// told; whatever the structure points to is pinned by the caller.
func bpf(command int, attr unsafe.Pointer, size uintptr) (int, Errno) {
	n, _, errno := unix.Syscall(unix.SYS_BPF, uintptr(command), uintptr(attr), size)
	return int(n), errno
}

// NewSockmap is a BPF_MAP_TYPE_SOCKMAP with room for this many sockets.
func NewSockmap(size int) (int, Errno) {
	attr := struct{ kind, keySize, valueSize, entries, flags uint32 }{unix.BPF_MAP_TYPE_SOCKMAP, 4, 4, uint32(size), 0}
	return bpf(unix.BPF_MAP_CREATE, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
}

// SetSockmap puts a socket into a slot of a sockmap.
func SetSockmap(sockmap, slot, socket int) Errno {
	key, value := uint32(slot), uint32(socket)
	var pins runtime.Pinner
	defer pins.Unpin()
	pins.Pin(&key)
	pins.Pin(&value)
	attr := struct {
		mapFD, _          uint32
		key, value, flags uint64
	}{mapFD: uint32(sockmap), key: address(unsafe.Pointer(&key)), value: address(unsafe.Pointer(&value))}
	_, errno := bpf(unix.BPF_MAP_UPDATE_ELEM, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	return errno
}

// LoadRedirect loads a program of type sk_skb that sends all that arrives to
// the socket in slot 0 of a sockmap (bpf-helpers(7), bpf_sk_redirect_map).
func LoadRedirect(sockmap int) (int, Errno) {
	const (
		loadMapFD   = 0x18 // BPF_LD | BPF_DW | BPF_IMM
		moveImm     = 0xb7 // BPF_ALU64 | BPF_MOV | BPF_K
		call        = 0x85 // BPF_JMP | BPF_CALL
		exit        = 0x95 // BPF_JMP | BPF_EXIT
		pseudoMapFD = 1
		skRedirect  = 52 // bpf_sk_redirect_map
	)
	var program bpfProgram
	program.add(loadMapFD, 2, pseudoMapFD, int32(sockmap)) // r2 = the map; r1 is the packet
	program.add(0, 0, 0, 0)                                // second half of the one before
	program.add(moveImm, 3, 0, 0)                          // r3 = slot 0
	program.add(moveImm, 4, 0, 0)                          // r4 = no flags: to the sending side
	program.add(call, 0, 0, skRedirect)
	program.add(exit, 0, 0, 0)

	return program.load(unix.BPF_PROG_TYPE_SK_SKB)
}

// AttachVerdict makes a program the judge of what arrives at the sockets that
// are put into a sockmap from now on (BPF_SK_SKB_STREAM_VERDICT).
func AttachVerdict(sockmap, program int) Errno {
	attr := struct{ target, program, kind, flags, replace uint32 }{uint32(sockmap), uint32(program), unix.BPF_SK_SKB_STREAM_VERDICT, 0, 0}
	_, errno := bpf(unix.BPF_PROG_ATTACH, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	return errno
}

// BPFNoCommand is bpf(2) with a command that does not exist.
func BPFNoCommand() Errno {
	var attr [16]byte
	_, errno := bpf(1<<30, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	return errno
}

func address(p unsafe.Pointer) uint64 { return uint64(uintptr(p)) }

// bpfProgram is the instructions of a program, eight bytes each.
type bpfProgram []byte

// add appends an instruction without an offset.
func (p *bpfProgram) add(code, dst, src uint8, imm int32) {
	registers := src<<4 | dst
	if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 { // big endian: bit fields go the other way
		registers = dst<<4 | src
	}
	*p = append(*p, code, registers, 0, 0)
	*p = binary.NativeEndian.AppendUint32(*p, uint32(imm))
}

// load hands the program to the kernel.
func (p bpfProgram) load(kind uint32) (int, Errno) {
	license := []byte("GPL\x00")
	var pins runtime.Pinner
	defer pins.Unpin()
	pins.Pin(unsafe.SliceData(p))
	pins.Pin(unsafe.SliceData(license))
	attr := struct {
		kind, count              uint32
		program, license         uint64
		logLevel, logSize        uint32
		log                      uint64
		kernelVersion, loadFlags uint32
	}{
		kind:    kind,
		count:   uint32(len(p) / 8),
		program: address(unsafe.Pointer(unsafe.SliceData(p))),
		license: address(unsafe.Pointer(unsafe.SliceData(license))),
	}
	return bpf(unix.BPF_PROG_LOAD, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
}
