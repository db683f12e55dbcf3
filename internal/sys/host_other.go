//go:build !linux

package sys

// Host is what uname(2) says.
type Host struct{ Release, Version, Machine string }

// Uname is known on Linux only, so far.
func Uname() Host { return Host{} }
