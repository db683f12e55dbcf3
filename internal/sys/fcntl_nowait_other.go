//go:build !linux

package sys

// NoWait: Kernel.Send and Kernel.Recv are not to be had on this system yet.
const NoWait = 0
