package cases

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/zcprobe/zcprobe/internal/fixture"
)

var libraryConnHTTPCases = []*Case{
	{
		ID:       "any/library/http-serves-by-sendfile",
		Title:    "On connections of the library net/http serves files and ranges by sendfile, with the header once before them",
		Facility: "library",
		Level:    Must,
		Sources:  []string{"package zerocopy, NewListener", "golang/go#61530", "net/http, response.ReadFrom"},
		Covers:   []string{"bug/G07-servefile-2x-slower"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "Give http.Server.Serve a listener of NewListener.",
		Expect: []Expectation{{Facts: Want{
			"whole.way": "sendfile 99488", "whole": "200, right", "range.way": "sendfile 29488", "range": "206, right",
		}}},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 100_000)
			file := fixture.OSFile(e, content)
			z := engine(e)
			address := serveHTTP(e, z, nil, func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file.Name()) })
			for name, x := range map[string]struct {
				header string
				want   []byte
			}{"whole": {"", content}, "range": {"Range: bytes=20000-49999\r\n", content[20_000:50_000]}} {
				e.Fact(name+".way", way(z, func() {
					status, body := getHTTP(e, address, x.header)
					e.Fact(name, fmt.Sprintf("%d, %s", status, fixture.Compare(body, x.want)))
				}))
			}
		},
	},
	{
		ID:       "any/library/http-sniffs-512-bytes",
		Title:    "Of a response net/http writes the first 512 bytes itself: bodies up to there never use sendfile, longer ones from there on",
		Facility: "library",
		Level:    Should,
		Sources:  []string{"net/http, sniffLen", "caddyserver/caddy#5022"},
		Covers:   []string{"bug/G09-512-byte-sniff"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "Expect the size less 512 in the counters; measure with larger files.",
		Expect: []Expectation{{Facts: Want{
			"ways": "512: ; 513: sendfile 1; 5000: sendfile 4488", "body": "right, right, right",
		}}},
		Body: func(e *Env) {
			content := fixture.Pattern(1, 5000)
			z := engine(e)
			sizes := []int{512, 513, 5000}
			files := map[string]*os.File{}
			for _, size := range sizes {
				files[strconv.Itoa(size)] = fixture.OSFile(e, content[:size])
			}
			address := serveHTTP(e, z, nil, func(w http.ResponseWriter, r *http.Request) {
				http.ServeContent(w, r, "file", never, files[r.Header.Get("Size")])
			})
			var ways, bodies []string
			for _, size := range sizes {
				ways = append(ways, fmt.Sprintf("%d: %s", size, way(z, func() {
					_, body := getHTTP(e, address, fmt.Sprintf("Size: %d\r\n", size))
					bodies = append(bodies, fixture.Compare(body, content[:size]))
				})))
			}
			e.Fact("ways", strings.Join(ways, "; "))
			e.Fact("body", strings.Join(bodies, ", "))
		},
	},
	{
		ID:       "any/library/http-write-timeout",
		Title:    "A write timeout during sendfile is a deadline error for the handler and a short body for the client, exact to the byte; a reader in time never meets it",
		Facility: "library",
		Level:    Must,
		Sources:  []string{connSource, "golang/go#43822"},
		Covers:   []string{"bug/G15-serve-timeout"},
		Needs:    []string{"sendfile/file-tcp"},
		Systems:  linuxOnly,
		Caller:   "Ask the error with errors.Is(err, os.ErrDeadlineExceeded), and move the deadline as long as the client reads (http.ResponseController).",
		Expect: []Expectation{{Facts: Want{
			"late.error": "deadline", "late.timeout": true, "late.cut": true, "late.as-counted": true, "late.body": true,
			"in-time.error": "", "in-time.way": "sendfile 2096640", "in-time.body": fixture.Right,
		}}},
		Body: httpWriteTimeout,
	},
}

// past2MiB is more than the narrow connections of serveHTTP hold.
const past2MiB = 2 << 20

func httpWriteTimeout(e *Env) {
	content := fixture.Pattern(1, past2MiB)
	file := fixture.OSFile(e, content)
	z := engine(e)
	failed := make(chan error, 2)
	full := make(chan struct{})
	address := serveHTTP(e, z, func(conn net.Conn) { conn.(interface{ SetWriteBuffer(int) error }).SetWriteBuffer(32 << 10) },
		func(w http.ResponseWriter, r *http.Request) {
			own, err := os.Open(file.Name())
			if err != nil {
				failed <- err
				return
			}
			defer own.Close()
			control := http.NewResponseController(w)
			control.SetWriteDeadline(never)
			if r.Header.Get("Late") != "" {
				go func() { // as a server's WriteTimeout would, but when nothing moves any more
					<-full
					control.SetWriteDeadline(past)
				}()
			}
			w.Header().Set("Content-Length", strconv.Itoa(len(content)))
			_, err = io.Copy(w, own)
			failed <- err
		})

	e.Fact("in-time.way", way(z, func() {
		_, body := getHTTP(e, address, "")
		e.Fact("in-time.body", fixture.Compare(body, content))
		e.Fact("in-time.error", errorWord(<-failed))
	}))

	before := z.Counters()
	conn := askHTTP(e, address, "Late: 1\r\n")
	conn.(*net.TCPConn).SetReadBuffer(32 << 10)
	rests(z, before)
	close(full)
	err := <-failed
	var timeout net.Error
	ok := errors.As(err, &timeout)
	e.Fact("late.error", errorWord(err))
	e.Fact("late.timeout", ok && timeout.Timeout())
	_, body := readHTTP(e, conn)
	e.Fact("late.cut", len(body) < len(content))
	e.Fact("late.as-counted", int64(len(body)) == z.Counters().Bytes()-before.Bytes()+512)
	e.Fact("late.body", fixture.Compare(body, content[:min(len(body), len(content))]) == fixture.Right)
}
