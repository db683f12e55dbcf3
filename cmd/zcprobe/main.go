// Command zcprobe tells what zero-copy I/O really does on this host.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/zcprobe/zcprobe/internal/guest"
	"github.com/zcprobe/zcprobe/internal/worker"
	"github.com/zcprobe/zcprobe/matrix/driver"
)

// The exit statuses.
const (
	exitOK          = 0
	exitDeviates    = 1 // a case deviates, timed out or crashed, or a required feature is not available
	exitUsage       = 2
	exitBroken      = 3 // nothing deviates, but a case is broken or a required feature inconclusive
	exitInterrupted = 130
)

// commands is the command line; kong reads it.
type commands struct {
	Run     runCommand     `cmd:"" default:"withargs" help:"Probe this host and run every case that applies (the main job)."`
	Probe   probeCommand   `cmd:"" help:"Try the features only."`
	Cases   casesCommand   `cmd:"" help:"List, show and run conformance cases."`
	FS      fsCommand      `cmd:"" name:"fs" help:"Is zero copy right on a mount: sendfile, splice, copy_file_range and mmap against plain read."`
	Explain explainCommand `cmd:"" help:"Which way bytes take from one kind or path to another here, and why not better."`
	Diff    diffCommand    `cmd:"" help:"What changed between two run records."`
	Matrix  matrixCommand  `cmd:"" help:"Run the suite on many kernels."`
}

func main() {
	driver.EnterSandbox()
	worker.Serve(driver.Handlers())
	guest.Serve()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// streams are where a command writes: results, and everything else.
type streams struct{ out, err io.Writer }

// statusError ends a command with an exit status. Its message, if any, is
// printed as one line.
type statusError struct {
	status  int
	message string
}

func (e *statusError) Error() string { return e.message }

// usage is the error of a wrong argument.
func usage(err error) error { return &statusError{exitUsage, err.Error()} }

// run is the whole command, for tests too.
func run(ctx context.Context, arguments []string, out, err io.Writer) int {
	parser, parseErr := kong.New(&commands{},
		kong.Name("zcprobe"),
		kong.Description("What zero-copy I/O (sendfile, splice and their kin) really does on this host: "+
			"which calls work, what they do at the edges, whether bytes are right, and whether they were really moved without a copy."),
		kong.UsageOnError(),
		kong.Writers(out, err),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(streams{out, err}),
		kong.Exit(func(status int) { panic(helpShown(status)) }),
	)
	if parseErr != nil {
		panic(parseErr) // a mistake in the tags above
	}
	return status(parser, arguments, err)
}

// helpShown is what kong's wish to exit, after --help, is turned into.
type helpShown int

func status(parser *kong.Kong, arguments []string, stderr io.Writer) (status int) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case helpShown:
			status = int(p)
		default:
			panic(p)
		}
	}()
	parsed, err := parser.Parse(arguments)
	if err != nil {
		return say(stderr, &statusError{exitUsage, err.Error() + "; see zcprobe --help"})
	}
	return say(stderr, parsed.Run())
}

// say prints an error as one line and returns the exit status.
func say(stderr io.Writer, err error) int {
	var with *statusError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &with):
	case errors.Is(err, context.Canceled):
		with = &statusError{exitInterrupted, "interrupted"}
	default:
		with = &statusError{exitBroken, err.Error()}
	}
	if with.message != "" {
		fmt.Fprintln(stderr, "zcprobe: "+strings.Join(strings.Fields(with.message), " "))
	}
	return with.status
}
