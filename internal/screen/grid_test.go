package screen

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/zcprobe/zcprobe/internal/fixture"
	"github.com/zcprobe/zcprobe/probe"
)

// gridSample is a record with a grid in which every mark occurs.
func gridSample() []probe.PathResult {
	worked := func(facility, from, to string, w fixture.Witness) probe.PathResult {
		return probe.PathResult{Facility: facility, Source: from, Destination: to, Works: true, BytesRight: true, Witness: w}
	}
	refused := func(facility, from, to, errno string) probe.PathResult {
		return probe.PathResult{Facility: facility, Source: from, Destination: to, Errno: errno, Witness: fixture.NotWitnessed}
	}
	wrong := worked("sendfile", "udp", "unix", fixture.NotWitnessed)
	wrong.BytesRight = false
	unknown := refused("sendfile", "vsock", "tcp", probe.PathSetUp)
	unknown.Reason = "socket AF_VSOCK: no such thing"
	alike := refused("splice", "file", "append", "EINVAL")
	ring := alike
	ring.Facility = "io_uring"
	return []probe.PathResult{
		ring,
		worked("sendfile", "file", "tcp", fixture.ByReference),
		refused("sendfile", "file", "append", "EINVAL"),
		worked("sendfile", "file", "pty", fixture.Copied),
		worked("sendfile", "file", "unix", fixture.Mixed),
		worked("sendfile", "file", "null", fixture.KernelOnly),
		worked("sendfile", "zero", "tcp", fixture.NotWitnessed),
		refused("sendfile", "zero", "append", "EBADF"),
		refused("sendfile", "zero", "null", "ENOTTY"),
		refused("sendfile", "udp", "append", probe.PathTimeout),
		refused("sendfile", "udp", "tcp", probe.PathCrashed),
		refused("sendfile", "udp", "null", ""),
		wrong,
		unknown,
		alike,
	}
}

func TestGridAtAGlance(t *testing.T) {
	t.Parallel()
	p := &page{width: 100}
	r := sample()
	r.Paths = gridSample()
	p.grid(r)
	assert.Equal(t, `
Grid: 15 pairs, 5 work, 1 wrong bytes, 6 refused, 1 never return, 1 crash, 1 not tried
  down: where bytes come from; across: where they go

  sendfile(2)
        a
        p
        p n   u
        e u t n p
        n l c i t
        d l p x y
  file  . k = ~ c
  zero  B G +
  udp   H < # !

  splice(2), through a pipe where no end is one
        a
        p
        p n   u
        e u t n p
        n l c i t
        d l p x y
  file  .
  zero
  udp

  io_uring IORING_OP_SPLICE, through a pipe where no end is one: all as by splice(2)

  =  works, by reference: not a byte was copied
  ~  works, in part by reference
  c  works, copied
  k  works inside the kernel, where sharing cannot be seen
  +  works; whether by reference was not seen
  !  takes the bytes, and WRONG ones arrive
  <  moved nothing, or not all, and gave no error
  B  EBADF: an end is not open for that
  .  EINVAL: the call does not serve this pair
  G  ENOTTY
  #  took its process with it
  H  never returns
     not tried, see below

Not tried: 1 of 15 pairs
      1  vsock: socket AF_VSOCK: no such thing
`, p.String())
}

func TestGridFitsAnyWidth(t *testing.T) {
	t.Parallel()
	r := sample()
	r.Paths = nil
	sources, destinations := probe.GridEnds()
	for _, path := range probe.Grid("linux") {
		r.Paths = append(r.Paths, probe.PathResult{
			Facility: path.Facility, Source: path.Source, Destination: path.Destination, Errno: "EINVAL",
		})
	}
	for _, width := range []int{25, 40, 80, 100, 300} {
		p := &page{width: width}
		p.gridTable(newGrid(r.Paths), "sendfile")
		marks := 0
		for line := range strings.Lines(p.String()) {
			assert.LessOrEqual(t, len(strings.TrimRight(line, "\n")), width)
			marks += strings.Count(line, ".")
		}
		assert.Equal(t, len(sources)*len(destinations), marks, "every pair once")
	}
}

func TestAPlainRunShowsNoGrid(t *testing.T) {
	t.Parallel()
	p := &page{width: 100}
	p.grid(sample())
	assert.Empty(t, p.String())
	assert.Len(t, plainPaths(sample().Paths), len(sample().Paths))
	// With a grid the table of paths stays what it is without one.
	assert.Equal(t, sample().Paths, plainPaths(probe.Merge(sample().Paths, gridSample()[5:])))
}

func TestMarksOfErrnosAreDifferent(t *testing.T) {
	t.Parallel()
	marks := letters([]string{"EINVAL", "ENOTTY", "EFAULT", "EPERM", "ENOMEM", probe.PathTimeout})
	seen := map[string]bool{}
	for errno, mark := range marks {
		assert.False(t, seen[mark], "%s is shown as another one", errno)
		seen[mark] = true
		assert.Len(t, mark, 1)
	}
}
