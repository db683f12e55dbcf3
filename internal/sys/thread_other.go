//go:build !linux

package sys

import "syscall"

// The threads and signals of this system are not looked at so far.

func ThreadID() int                                        { return -1 }
func InterruptThread(int) Errno                            { return syscall.ENOSYS }
func CatchInterruption() (release func(), errno Errno)     { return nil, syscall.ENOSYS }
func Asleep(int) (asleep, known bool)                      { return false, false }
func SetFileSizeLimit(int64) (release func(), errno Errno) { return nil, syscall.ENOSYS }
