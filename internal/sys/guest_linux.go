package sys

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The calls below are what the first process of a machine makes; nothing else
// in this module changes the system that it runs on.

// Mount is mount(2) without flags.
func Mount(source, target, fstype, data string) error {
	return unix.Mount(source, target, fstype, 0, data)
}

// LoadModule is finit_module(2). A module that is already there is no error.
func LoadModule(fd uintptr, parameters string) error {
	if err := unix.FinitModule(int(fd), parameters, 0); err != unix.EEXIST {
		return err
	}
	return nil
}

// InterfaceUp sets IFF_UP on a network interface (netdevice(7)).
func InterfaceUp(name string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, request); err != nil {
		return err
	}
	request.SetUint16(request.Uint16() | unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request)
}

// Raw takes the line discipline's changes off a terminal: bytes go out as they
// are written, and nothing is echoed.
func Raw(fd uintptr) error {
	t, err := unix.IoctlGetTermios(int(fd), unix.TCGETS)
	if err != nil {
		return err
	}
	t.Oflag &^= unix.OPOST
	t.Lflag &^= unix.ECHO | unix.ICANON | unix.ISIG
	return unix.IoctlSetTermios(int(fd), unix.TCSETS, t)
}

// Drain waits until a terminal has sent all that was written to it (tcdrain(3)).
func Drain(fd uintptr) error { return unix.IoctlSetInt(int(fd), unix.TCSBRK, 1) }

// KernelLog is all that the kernel's log holds: SYSLOG_ACTION_READ_ALL of
// syslog(2).
func KernelLog() (string, error) {
	const sizeBuffer, readAll = 10, 3
	size, err := unix.Klogctl(sizeBuffer, nil)
	if err != nil {
		return "", err
	}
	log := make([]byte, size)
	n, err := unix.Klogctl(readAll, log)
	return string(log[:max(n, 0)]), err
}

// ConsoleLevel lets nothing onto the console that is not more urgent than level:
// SYSLOG_ACTION_CONSOLE_LEVEL of syslog(2), which takes the level as a length.
func ConsoleLevel(level int) error {
	const consoleLevel = 8
	var none byte
	_, _, errno := unix.Syscall(unix.SYS_SYSLOG, consoleLevel, uintptr(unsafe.Pointer(&none)), uintptr(level))
	if errno != 0 {
		return errno
	}
	return nil
}

// PowerOff ends the machine; it does not return when it works. A PC without
// ACPI cannot be powered off, so the emulator is told to end when it restarts.
func PowerOff(restart bool) error {
	how := unix.LINUX_REBOOT_CMD_POWER_OFF
	if restart {
		how = unix.LINUX_REBOOT_CMD_RESTART
	}
	syscall.Sync()
	return unix.Reboot(how)
}
