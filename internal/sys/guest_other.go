//go:build !linux

package sys

import "syscall"

// The calls that the first process of a machine makes are known for Linux only.

// Mount is not known on this system.
func Mount(string, string, string, string) error { return syscall.ENOSYS }

// LoadModule is not known on this system.
func LoadModule(uintptr, string) error { return syscall.ENOSYS }

// InterfaceUp is not known on this system.
func InterfaceUp(string) error { return syscall.ENOSYS }

// Raw is not known on this system.
func Raw(uintptr) error { return syscall.ENOSYS }

// Drain is not known on this system.
func Drain(uintptr) error { return syscall.ENOSYS }

// KernelLog is not known on this system.
func KernelLog() (string, error) { return "", syscall.ENOSYS }

// ConsoleLevel is not known on this system.
func ConsoleLevel(int) error { return syscall.ENOSYS }

// PowerOff is not known on this system.
func PowerOff(bool) error { return syscall.ENOSYS }
