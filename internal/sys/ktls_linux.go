package sys

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// Numbers of include/uapi/linux/tls.h that x/sys does not have.
const (
	tlsTX              = 1
	tlsRX              = 2
	tls12              = 0x0303
	tlsCipherAESGCM128 = 51
)

// TLSKey is what one direction of a kTLS connection is set up with: TLS 1.2,
// AES-128-GCM (struct tls12_crypto_info_aes_gcm_128).
type TLSKey struct {
	IV       [8]byte // the explicit part of the nonce
	Key      [16]byte
	Salt     [4]byte
	Sequence [8]byte
}

// AttachTLS is setsockopt(TCP_ULP, "tls"), the first step of kTLS.
func AttachTLS(fd int) Errno {
	return errnoOf(unix.SetsockoptString(fd, unix.SOL_TCP, unix.TCP_ULP, "tls"))
}

// ULP is getsockopt(TCP_ULP): the name of the protocol that is attached.
func ULP(fd int) (string, Errno) {
	name, err := unix.GetsockoptString(fd, unix.SOL_TCP, unix.TCP_ULP)
	return name, errnoOf(err)
}

// SetTLSSend and SetTLSReceive set up one direction, with setsockopt(TLS_TX)
// and setsockopt(TLS_RX).
func SetTLSSend(fd int, key TLSKey) Errno { return setTLS(fd, tlsTX, key) }

// SetTLSReceive is SetTLSSend for the other direction.
func SetTLSReceive(fd int, key TLSKey) Errno { return setTLS(fd, tlsRX, key) }

func setTLS(fd, option int, key TLSKey) Errno {
	p := binary.NativeEndian.AppendUint16(nil, tls12)
	p = binary.NativeEndian.AppendUint16(p, tlsCipherAESGCM128)
	p = append(p, key.IV[:]...)
	p = append(p, key.Key[:]...)
	p = append(p, key.Salt[:]...)
	p = append(p, key.Sequence[:]...)
	// The string carries the bytes of the structure; its length is optlen.
	return errnoOf(unix.SetsockoptString(fd, unix.SOL_TLS, option, string(p)))
}
