package sys

import "golang.org/x/sys/unix"

// Host is what uname(2) says.
type Host struct{ Release, Version, Machine string }

// Uname is uname(2).
func Uname() Host {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return Host{}
	}
	return Host{
		Release: unix.ByteSliceToString(u.Release[:]),
		Version: unix.ByteSliceToString(u.Version[:]),
		Machine: unix.ByteSliceToString(u.Machine[:]),
	}
}
