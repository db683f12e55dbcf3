package zerocopy

import (
	"context"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Bytes of a stream and of a file go to a connection of Wrap in random order, by
// every method there is, on a kernel that misbehaves. At every moment what was
// sent, what the limits say and what the sources still have fit together.
func TestModelWrap(t *testing.T) {
	t.Parallel()
	seeds(t, func(t *testing.T, rng *rand.Rand) {
		fromStream, fromFile := pattern(1+rng.IntN(sized(2<<20, 500_000)), rng.Uint64()), pattern(1+rng.IntN(sized(2<<20, 500_000)), rng.Uint64())
		e := New(Config{Kernel: newChaos(rng).kernel(), MaxPipes: 1 + rng.IntN(3)})
		defer e.CloseIdlePipes()
		src, origin := wrapped(t, e, randomFamily(rng))
		dst, sink := wrapped(t, e, randomFamily(rng))
		if rng.IntN(2) == 0 {
			small(t, dst, sink)
		}
		feed(origin, fromStream)
		file := fileWith(t, fromFile)
		got := slowSink(sink, rng)

		var want []byte
		var at, position, moved, written int
		send := func(n int, from []byte, place *int) {
			want = append(want, from[*place:*place+n]...)
			*place += n
		}
		for round := 0; at < len(fromStream) || position < len(fromFile); round++ {
			require.Less(t, round, 100_000, "no progress")
			maybeDeadlines(rng, dst)
			count := int64(rng.IntN(1 << 20))
			switch method := rng.IntN(6); method {
			case 0, 1: // the stream, limited
				l := &io.LimitedReader{R: src, N: count}
				n, err := dst.ReadFrom(l)
				require.Equal(t, count-n, l.N, "%v", err)
				send(int(n), fromStream, &at)
				moved += int(n)
			case 2: // the file, limited
				l := &io.LimitedReader{R: file, N: count}
				n, err := dst.ReadFrom(l)
				require.Equal(t, count-n, l.N, "%v", err)
				send(int(n), fromFile, &position)
				moved += int(n)
			case 3: // the file, by a section and a counter
				s := io.NewSectionReader(file, int64(position), count)
				c := &counter{Reader: s}
				n, _ := dst.ReadFrom(c)
				require.Equal(t, n, c.read)
				send(int(n), fromFile, &position)
				_, err := file.Seek(int64(position), io.SeekStart)
				require.NoError(t, err)
				moved += int(n)
			case 4: // the stream, by hand
				p := make([]byte, 1+rng.IntN(1000))
				n, err := src.Read(p)
				if err != nil {
					require.Equal(t, io.EOF, err)
					require.Equal(t, len(fromStream), at)
				}
				require.NoError(t, dst.SetWriteDeadline(time.Time{}))
				_, err = dst.Write(p[:n])
				require.NoError(t, err)
				send(n, fromStream, &at)
				written += n
			case 5: // the stream, to its end
				n, _ := src.WriteTo(dst)
				send(int(n), fromStream, &at)
				moved += int(n)
			}
			agree(t, e, int64(moved))
			require.Equal(t, int64(written), e.Counters().Written.Bytes)
			require.Zero(t, e.pipes.out)
		}
		require.NoError(t, dst.CloseWrite())
		sameBytes(t, want, get(t, got).data)
	})
}

// A conversation through a Proxy on a kernel that misbehaves, with or without
// failures: each side gets all of the other's words, or the beginning of them,
// and the counts say which.
func TestModelProxy(t *testing.T) {
	t.Parallel()
	seeds(t, func(t *testing.T, rng *rand.Rand) {
		c := newChaos(rng)
		if rng.IntN(2) == 0 {
			c.fail = 0
		}
		e := New(Config{Kernel: c.kernel(), MaxPipes: 1 + rng.IntN(3)})
		defer e.CloseIdlePipes()
		said := [2][]byte{pattern(rng.IntN(sized(2<<20, 500_000)), rng.Uint64()), pattern(rng.IntN(sized(2<<20, 500_000)), rng.Uint64())}
		client, a := pair(t, randomFamily(rng))
		b, server := pair(t, randomFamily(rng))
		if rng.IntN(2) == 0 {
			small(t, a, b)
		}
		heard := [2]<-chan received{slowSink(server, rng), slowSink(client, rng)}
		for i, conn := range []stream{client, server} {
			pieces := rand.New(rand.NewPCG(rng.Uint64(), 5))
			go func() {
				for rest := said[i]; len(rest) > 0; {
					n := 1 + pieces.IntN(min(len(rest), 1<<uint(1+pieces.IntN(20))))
					if _, err := conn.Write(rest[:n]); err != nil {
						return
					}
					rest = rest[n:]
				}
				_ = conn.CloseWrite()
			}()
		}
		var progress Progress
		ends := [2]stream{a, b}
		if rng.IntN(2) == 0 {
			ends[0] = e.Wrap(a).(stream)
		}
		res, err := e.Proxy(context.Background(), ends[0], ends[1], WithProgress(&progress), WithIdleTimeout(patience))
		if c.fail == 0 {
			require.NoError(t, err)
		}
		agree(t, e, res.AToB.N+res.BToA.N)
		require.Equal(t, res.AToB.N, progress.AToB.Load())
		require.Equal(t, res.BToA.N, progress.BToA.Load())
		for i, d := range []Direction{res.AToB, res.BToA} {
			got := get(t, heard[i])
			if d.Err == nil {
				require.Equal(t, int64(len(said[i])), d.N)
				require.Empty(t, d.InFlight)
			}
			if err == nil {
				sameBytes(t, said[i], got.data)
				continue
			}
			require.LessOrEqual(t, int64(len(got.data)), d.N)
			sameBytes(t, said[i][:len(got.data)], got.data)
			sameBytes(t, said[i][d.N:][:len(d.InFlight)], d.InFlight)
		}
		require.Zero(t, e.pipes.out)
	})
}
