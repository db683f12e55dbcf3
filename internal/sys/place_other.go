//go:build !unix

package sys

// SameMount is not known on this system.
func SameMount(string, string) bool { return true }

// SameDevice is not known on this system.
func SameDevice(string, string) bool { return false }
