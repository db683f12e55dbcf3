// Package worker runs pieces of work in child processes of this same program,
// so that one that hangs or dies becomes a result and not an accident.
//
// A worker reads requests from its standard input and answers on its standard
// output, one JSON line each. It exits when it is told to, or when its standard
// input just closes, whatever its work is doing: then the parent is dead, and
// the worker removes the scratch directory in its place. So nothing outlives
// the parent, not even one that was killed.
package worker

import (
	"bufio"
	"encoding/json"
	"os"
	"os/signal"
	"runtime"
)

// marker is the environment variable that makes this program a worker; its
// value is the scratch directory.
const marker = "ZCPROBE_WORKER"

// Through is the environment variable that names the program which this one
// runs under, where the kernel could not start it by itself.
const Through = "ZCPROBE_THROUGH"

// Handler does one kind of work: scratch is the private directory that all
// workers of a pool share, argument what the parent sent.
type Handler func(scratch string, argument json.RawMessage) (any, error)

// quit is the kind of request that ends a worker in good order.
const quit = "quit"

type request struct {
	Kind     string          `json:"kind"`
	Argument json.RawMessage `json:"argument"`
}

type response struct {
	Result json.RawMessage `json:"result,omitempty"`
	Error  string          `json:"error,omitempty"`
}

// Serve makes this process a worker when a pool has started it as one, and
// then does not return. Every program whose pools are to work, a test binary
// included, calls it first.
func Serve(handlers map[string]Handler) {
	scratch, asked := os.LookupEnv(marker)
	if !asked {
		return
	}
	os.Unsetenv(marker) // not for the children of a case
	// Ctrl-C reaches the whole foreground group; the parent decides.
	signal.Ignore(os.Interrupt)

	requests := make(chan request)
	go func() {
		in := json.NewDecoder(os.Stdin)
		for {
			var r request
			if in.Decode(&r) != nil {
				cleanUp()
				os.RemoveAll(scratch)
				os.Exit(0)
			}
			if r.Kind == quit {
				os.Exit(0)
			}
			requests <- r
		}
	}()
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	for r := range requests {
		encoder.Encode(inThread(func() response { return answer(handlers, scratch, r) }))
		if out.Flush() != nil {
			os.Exit(1)
		}
	}
}

// inThread does one piece of work in a thread of its own that ends with it. What
// a thread leaves behind for itself would disturb the next piece: an io_uring
// that was closed still interrupts the calls of the thread that used it, by task
// work (io_ring_exit_work in io_uring/io_uring.c, TWA_SIGNAL).
func inThread(work func() response) response {
	done := make(chan response)
	go func() {
		runtime.LockOSThread() // and never unlocked
		done <- work()
	}()
	return <-done
}

func answer(handlers map[string]Handler, scratch string, r request) response {
	handle, ok := handlers[r.Kind]
	if !ok {
		return response{Error: "no handler for " + r.Kind}
	}
	result, err := handle(scratch, r.Argument)
	if err != nil {
		return response{Error: err.Error()}
	}
	encoded, err := json.Marshal(result)
	if err != nil {
		return response{Error: err.Error()}
	}
	return response{Result: encoded}
}
