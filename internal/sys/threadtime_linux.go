package sys

import (
	"time"

	"golang.org/x/sys/unix"
)

// TimeOfThread is how long a thread of this process has run so far. It answers
// where there is no /proc (clock_getcpuclockid(3) builds such clocks for
// processes; these are the kernel's of a thread).
func TimeOfThread(tid int) (time.Duration, Errno) {
	const perThread, scheduled = 4, 2
	var at unix.Timespec
	err := unix.ClockGettime(int32(^tid<<3|perThread|scheduled), &at)
	return time.Duration(at.Nano()), errnoOf(err)
}
