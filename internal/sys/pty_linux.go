package sys

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// OpenPTY is a new pseudo-terminal in raw mode: what is written to one end
// comes out of the other, byte for byte (pts(4)). call names what failed.
func OpenPTY() (master, slave int, call string, errno Errno) {
	master, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, -1, "open /dev/ptmx", errnoOf(err)
	}
	slave, call, err = openSlave(master)
	if err != nil {
		unix.Close(master)
		return -1, -1, call, errnoOf(err)
	}
	return master, slave, "", 0
}

func openSlave(master int) (int, string, error) {
	if err := unix.IoctlSetPointerInt(master, unix.TIOCSPTLCK, 0); err != nil {
		return -1, "ioctl TIOCSPTLCK", err
	}
	n, err := unix.IoctlGetUint32(master, unix.TIOCGPTN) // an int of C
	if err != nil {
		return -1, "ioctl TIOCGPTN", err
	}
	slave, err := unix.Open("/dev/pts/"+strconv.Itoa(int(n)), unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, "open /dev/pts/N", err
	}
	// cfmakeraw(3)
	t, err := unix.IoctlGetTermios(slave, unix.TCGETS)
	if err == nil {
		t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
		t.Oflag &^= unix.OPOST
		t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
		t.Cflag = t.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
		err = unix.IoctlSetTermios(slave, unix.TCSETS, t)
	}
	if err != nil {
		unix.Close(slave)
		return -1, "ioctl TCSETS", err
	}
	return slave, "", nil
}
