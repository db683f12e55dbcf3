package probe

import (
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zcprobe/zcprobe/internal/sys"
)

// tampered tries a feature on a kernel that lies.
func tampered(t *testing.T, id string, tamper func(lie, truth *sys.Kernel)) Finding {
	t.Helper()
	f, ok := byID(id)
	require.True(t, ok, id)
	lie := sys.Native()
	tamper(lie, sys.Native())
	return try(f, lie, t.TempDir())
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	refuse := map[string]func(*sys.Kernel, sys.Errno){
		"sendfile/file-tcp": func(k *sys.Kernel, errno sys.Errno) {
			k.Sendfile = func(int, int, *int64, int) (int, sys.Errno) { return -1, errno }
		},
		"splice/tcp-tcp": func(k *sys.Kernel, errno sys.Errno) {
			k.Splice = func(int, *int64, int, *int64, int, int) (int, sys.Errno) { return -1, errno }
		},
		"tee/pipe-pipe": func(k *sys.Kernel, errno sys.Errno) {
			k.Tee = func(int, int, int, int) (int, sys.Errno) { return -1, errno }
		},
		"vmsplice/memory-pipe": func(k *sys.Kernel, errno sys.Errno) {
			k.Vmsplice = func(int, [][]byte, int) (int, sys.Errno) { return -1, errno }
		},
		"copy_file_range/memfd-memfd": func(k *sys.Kernel, errno sys.Errno) {
			k.CopyFileRange = func(int, *int64, int, *int64, int, int) (int, sys.Errno) { return -1, errno }
		},
		"pipe/size-1m": func(k *sys.Kernel, errno sys.Errno) {
			k.SetPipeSize = func(int, int) (int, sys.Errno) { return -1, errno }
		},
	}
	filtered := thisProcess().Seccomp == 2 || thisProcess().Traced
	for id, how := range refuse {
		t.Run(strings.ReplaceAll(id, "/", "."), func(t *testing.T) {
			t.Parallel()
			missing := tampered(t, id, func(lie, _ *sys.Kernel) { how(lie, syscall.ENOSYS) })
			assert.Equal(t, "ENOSYS", missing.Errno)
			forbidden := tampered(t, id, func(lie, _ *sys.Kernel) { how(lie, syscall.EPERM) })
			assert.Equal(t, "EPERM", forbidden.Errno)
			if filtered {
				return // something else stands before this kernel already
			}
			assert.Equal(t, Absent, missing.State)
			assert.Equal(t, OSLacksCall, missing.Reason)
			assert.Equal(t, Inconclusive, forbidden.State, "no filter, no tracer: nothing tells why")
			assert.Empty(t, forbidden.Remedy)
		})
	}
}

// A call that says that it moved the bytes, and did not, or moved others.
func TestWrongBytes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		id     string
		tamper func(lie, truth *sys.Kernel)
	}{
		"sendfile moves nothing": {"sendfile/file-devnull", func(lie, truth *sys.Kernel) {
			lie.Sendfile = func(int, int, *int64, int) (int, sys.Errno) { return 0, 0 }
		}},
		"sendfile says less than it did": {"sendfile/file-tcp", func(lie, truth *sys.Kernel) {
			lie.Sendfile = func(out, in int, offset *int64, count int) (int, sys.Errno) {
				n, errno := truth.Sendfile(out, in, offset, count)
				return max(n-1, 0), errno
			}
		}},
		"sendfile says more than it did": {"sendfile/file-unix", func(lie, truth *sys.Kernel) {
			lie.Sendfile = func(out, in int, offset *int64, count int) (int, sys.Errno) {
				n, errno := truth.Sendfile(out, in, offset, count)
				return n + 1, errno
			}
		}},
		"sendfile reads at the wrong place": {"sendfile/memfd-tcp", func(lie, truth *sys.Kernel) {
			lie.Sendfile = func(out, in int, _ *int64, count int) (int, sys.Errno) {
				p := make([]byte, count)
				return truth.Write(out, p)
			}
		}},
		"splice says less than it did": {"splice/pipe-tcp", func(lie, truth *sys.Kernel) {
			lie.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
				n, errno := truth.Splice(in, inOffset, out, outOffset, count, flags)
				return max(n-1, 0), errno
			}
		}},
		"splice swaps bytes": {"splice/pipe-udp", func(lie, truth *sys.Kernel) {
			lie.Splice = func(in int, _ *int64, out int, _ *int64, count, _ int) (int, sys.Errno) {
				p := make([]byte, min(count, pageful))
				n, errno := truth.Read(in, p)
				if errno != 0 || n == 0 {
					return n, errno
				}
				p[0], p[n-1] = p[n-1], p[0]
				return truth.Write(out, p[:n])
			}
		}},
		"tee takes the bytes away": {"tee/pipe-pipe", func(lie, truth *sys.Kernel) {
			lie.Tee = func(in, out, count, flags int) (int, sys.Errno) {
				return truth.Splice(in, nil, out, nil, count, flags)
			}
		}},
		"vmsplice writes other pages": {"vmsplice/gift-pipe", func(lie, truth *sys.Kernel) {
			lie.Vmsplice = func(fd int, buffers [][]byte, _ int) (int, sys.Errno) {
				return truth.Write(fd, make([]byte, len(buffers[0])))
			}
		}},
		"copy_file_range copies nothing and says so not": {"copy_file_range/same-filesystem", func(lie, truth *sys.Kernel) {
			lie.CopyFileRange = func(_ int, _ *int64, _ int, _ *int64, count, _ int) (int, sys.Errno) { return count, 0 }
		}},
		"a pipe is smaller than said": {"pipe/size-1m", func(lie, truth *sys.Kernel) {
			lie.SetPipeSize = func(_, size int) (int, sys.Errno) { return size, 0 }
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			finding := tampered(t, test.id, test.tamper)
			assert.Equal(t, Absent, finding.State)
			assert.Contains(t, []Reason{OSLacksCall, EmulatedKernel}, finding.Reason)
			assert.NotEmpty(t, finding.Evidence)
		})
	}
}

// A call that moves fewer bytes than it was asked for is right, as long as the
// rest follows.
func TestShortCountsAreNoFault(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"sendfile/file-tcp", "sendfile/procfs-tcp", "splice/tcp-tcp", "splice/pipe-unix"} {
		finding := tampered(t, id, func(lie, truth *sys.Kernel) {
			lie.Sendfile = func(out, in int, offset *int64, count int) (int, sys.Errno) {
				return truth.Sendfile(out, in, offset, min(count, 700))
			}
			lie.Splice = func(in int, inOffset *int64, out int, outOffset *int64, count, flags int) (int, sys.Errno) {
				return truth.Splice(in, inOffset, out, outOffset, min(count, 700), flags)
			}
		})
		assert.Equal(t, Available, finding.State, "%+v", finding)
	}
}

// What MSG_ZEROCOPY comes to is what the notification says.
func TestNotificationDecides(t *testing.T) {
	t.Parallel()
	for _, copied := range []bool{false, true} {
		finding := tampered(t, "msg_zerocopy/tcp", func(lie, truth *sys.Kernel) {
			lie.ZerocopyNotice = func(fd int) (sys.ZerocopyNotice, sys.Errno) {
				notice, errno := truth.ZerocopyNotice(fd)
				notice.Copied = copied
				return notice, errno
			}
		})
		if copied {
			assert.Equal(t, SilentlyCopied, finding.Reason)
			assert.True(t, finding.Works())
		} else {
			assert.Equal(t, Available, finding.State)
		}
	}
}
