//go:build !linux

package sys

// PseudoFilesystem is not known on this system.
func PseudoFilesystem(string) bool { return false }
