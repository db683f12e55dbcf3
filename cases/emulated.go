package cases

// Where the sources lie of what answers in place of Linux, at the versions that
// the matrix runs (matrix/targets.yaml). An expectation for an emulator names the
// lines that it comes from, so that a new version can be checked against them.
const (
	gvisorSource = "https://github.com/google/gvisor/blob/160fafc42237/pkg/"
	qemuSource   = "https://gitlab.com/qemu-project/qemu/-/blob/v10.0.13/linux-user/"
)

// qemuProc is why files of /proc are regular files there.
const qemuProc = "its own maps, cmdline and auxv it writes into files in memory, which can be sent like any (do_guest_openat, open_self_maps)"

// What several answers of gVisor have in common.
const (
	gvisorAppends  = "splice asks its destination for DenySpliceIn, which files have not, and never for O_APPEND (Splice)"
	gvisorSilent   = "sendfile, splice and tee end in HandleIOError, which sends no SIGPIPE (gvisor.dev/issue/161)"
	gvisorCopies   = "sendfile reads into a buffer of the sentry and writes from there (Sendfile)"
	gvisorPipe     = "a pipe is a buffer of bytes that are copied in and out, not of pages (VFSPipeFD)"
	gvisorNegative = "counts are signed, and a negative one is refused before anything else is looked at"
	gvisorSeals    = "F_SEAL_FUTURE_WRITE is taken and never looked at: writes ask for F_SEAL_WRITE and F_SEAL_GROW"
	gvisorFullPipe = "a full pipe is a bad buffer to the network stack: its Read says EFAULT whatever the buffer said (pkg/syserr/netstack.go); the host's stack is read straight into the pipe, which says EAGAIN"
	gvisorCrosses  = "the sentry copies through a buffer of its own between any two filesystems (CopyFileRange), which copy_file_range(2) leaves open: Linux did so from 5.3 to 5.18"
)
