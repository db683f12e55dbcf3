//go:build unix

package sys

import "golang.org/x/sys/unix"

// SameMount tells whether two paths lie on one device (st_dev of stat(2)).
func SameMount(a, b string) bool {
	var x, y unix.Stat_t
	return unix.Stat(a, &x) == nil && unix.Stat(b, &y) == nil && x.Dev == y.Dev
}

// SameDevice tells whether two device nodes stand for one device (st_rdev).
func SameDevice(a, b string) bool {
	var x, y unix.Stat_t
	return unix.Stat(a, &x) == nil && unix.Stat(b, &y) == nil && x.Rdev == y.Rdev
}
