package sys

import "golang.org/x/sys/unix"

// tlsGetRecordType is TLS_GET_RECORD_TYPE of include/uapi/linux/tls.h.
const tlsGetRecordType = 2

func attachULP(fd int, name string) Errno {
	return errnoOf(unix.SetsockoptString(fd, unix.SOL_TCP, unix.TCP_ULP, name))
}

func recvRecord(fd int, p []byte) (n, kind int, errno Errno) {
	oob := make([]byte, unix.CmsgSpace(1))
	n, oobn, _, _, err := unix.Recvmsg(fd, p, oob, 0)
	if err != nil {
		return -1, -1, errnoOf(err)
	}
	messages, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil {
		return n, -1, errnoOf(err)
	}
	for _, m := range messages {
		if m.Header.Level == unix.SOL_TLS && m.Header.Type == tlsGetRecordType && len(m.Data) > 0 {
			return n, int(m.Data[0]), 0
		}
	}
	return n, -1, 0
}
