package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/zcprobe/zcprobe/internal/screen"
	"github.com/zcprobe/zcprobe/matrix"
	"github.com/zcprobe/zcprobe/matrix/driver"
)

type matrixRun struct {
	labFlags
	Target   []string `arg:"" optional:"" help:"Ids, or globs on them; all for every one; ssh:HOST for any machine that ssh reaches."`
	LocalLab bool     `help:"All targets that need nothing but this machine."`
	Results  string   `help:"Write the records here; matrix/results by default, inside a checkout." type:"path" placeholder:"DIR"`
	Jobs     count    `help:"Targets at a time; chosen from processors and memory by default." placeholder:"N"`
	Filter   []string `help:"Only cases with these ids. Such records are not kept unless --results says where." placeholder:"PATTERN" sep:"none"`
	Timeout  duration `help:"How long one case may take (10s)." placeholder:"D"`
	Limit    duration `help:"How long one target may take, boot included." placeholder:"D"`
	JSON     output   `name:"json" help:"Write the outcomes as JSON." placeholder:"FILE"`

	SSHConfig string `name:"ssh-config" help:"Configuration for ssh in place of the user's own." type:"existingfile" placeholder:"FILE"`

	Kernel  string `help:"Boot this kernel (bzImage, Image, vmlinuz) under QEMU." type:"existingfile" placeholder:"FILE" group:"A kernel of your own:"`
	Modules string `help:"Where its modules are (lib/modules/VERSION)." type:"existingdir" placeholder:"DIR" group:"A kernel of your own:"`
	Arch    string `help:"Its architecture, where the file does not tell: amd64, arm64, riscv64, s390x." placeholder:"GOARCH" group:"A kernel of your own:"`
	Append  string `help:"More words for the guest's command line." placeholder:"WORDS" group:"A kernel of your own:"`
	As      string `help:"The target of the list that this run stands for." placeholder:"TARGET" group:"A kernel of your own:"`
	Memory  int    `help:"Memory of a guest in MiB (1024)." placeholder:"MIB" group:"A kernel of your own:"`
	CPUs    int    `name:"cpus" help:"Processors of a guest (1)." placeholder:"N" group:"A kernel of your own:"`
	Accel   string `help:"QEMU's accelerator (tcg)." placeholder:"NAME" group:"A kernel of your own:"`
}

// Run runs targets, shows what came of them and keeps their records.
func (c *matrixRun) Run(ctx context.Context, s streams) error {
	list, err := c.targets()
	if err != nil {
		return err
	}
	lab, err := c.lab()
	if err != nil {
		return err
	}
	defer lab.Close()
	results, err := c.results()
	if err != nil {
		return usage(err)
	}
	jobs := int(c.Jobs)
	if jobs == 0 {
		jobs = lab.Jobs()
	}

	names := make([]string, len(list))
	for i, t := range list {
		names[i] = t.ID
	}
	begun := time.Now()
	lines := screen.NewLines(s.err, names)
	outcomes := lab.All(ctx, list, jobs, lines.Stage, func(i int, o *matrix.Outcome) {
		lines.Done(i, o.State == matrix.Reported && !o.Fails(), string(o.State))
	})
	lines.Stop()

	var errs []error
	for _, o := range outcomes {
		if o.Record != nil && results != "" {
			errs = append(errs, matrix.WriteJSON(filepath.Join(results, o.Target+".json"), o.Record))
		}
	}
	if c.JSON != "" {
		errs = append(errs, matrix.WriteJSON(string(c.JSON), outcomes))
	}
	if c.JSON != "-" {
		errs = append(errs, screen.Outcomes(s.out, outcomes, time.Since(begun)))
	}
	if err := errors.Join(errs...); err != nil {
		return usage(err)
	}
	return worst(outcomes)
}

// targets is what the command line chooses.
func (c *matrixRun) targets() ([]*matrix.Target, error) {
	var list []*matrix.Target
	var err error
	switch {
	case c.Kernel != "":
		if len(c.Target) > 0 || c.LocalLab {
			return nil, usage(errors.New("--kernel takes the place of targets: leave them out"))
		}
		var t *matrix.Target
		if t, err = driver.KernelTarget(c.Kernel, c.Arch); err != nil {
			return nil, usage(err)
		}
		list = []*matrix.Target{t}
	case c.LocalLab:
		if len(c.Target) > 0 {
			return nil, usage(errors.New("--local-lab takes the place of targets: leave them out"))
		}
		list, err = labTargets()
	case len(c.Target) == 0:
		return nil, usage(errors.New("name targets, all, --local-lab or --kernel; zcprobe matrix list shows the targets"))
	default:
		list, err = namedTargets(c.Target)
	}
	if err != nil || c.As == "" {
		return list, err
	}
	return c.as(list)
}

// as gives the only target of a run another one's id.
func (c *matrixRun) as(list []*matrix.Target) ([]*matrix.Target, error) {
	named, err := targets([]string{c.As})
	if err != nil {
		return nil, err
	}
	if len(list) != 1 || len(named) != 1 {
		return nil, usage(errors.New("--as: one target stands for one other"))
	}
	t := *list[0]
	t.ID, t.Expect, t.System = named[0].ID, named[0].Expect, named[0].System
	return []*matrix.Target{&t}, nil
}

func (c *matrixRun) lab() (*driver.Lab, error) {
	lab, err := c.labFlags.lab()
	if err != nil {
		return nil, err
	}
	if _, err := patterns(c.Filter); err != nil {
		return nil, err
	}
	lab.Run = []string{"run"}
	for _, f := range c.Filter {
		lab.Run = append(lab.Run, "--filter="+f)
	}
	if c.Timeout > 0 {
		lab.Run = append(lab.Run, "--timeout="+time.Duration(c.Timeout).String())
	}
	lab.Command = strings.Join(append([]string{"zcprobe matrix run"}, c.words()...), " ")
	lab.Limit, lab.Append, lab.Memory, lab.CPUs, lab.Accelerator = time.Duration(c.Limit), c.Append, c.Memory, c.CPUs, c.Accel
	lab.Kernel, lab.Modules, lab.SSHConfig = c.Kernel, c.Modules, c.SSHConfig
	return lab, nil
}

// words is the command as a record bears it: what was asked, without the paths
// of this machine.
func (c *matrixRun) words() []string {
	switch {
	case c.Kernel != "":
		return []string{"--kernel", filepath.Base(c.Kernel)}
	case c.LocalLab:
		return []string{"--local-lab"}
	}
	words := slices.Clone(c.Target)
	for i, word := range words {
		if strings.HasPrefix(word, "ssh:") {
			words[i] = "ssh:HOST" // records are shown around
		}
	}
	return words
}

// results is the directory for records; "" is none.
func (c *matrixRun) results() (string, error) {
	if c.Results != "" {
		return c.Results, os.MkdirAll(c.Results, 0o755)
	}
	if c.Kernel != "" && c.As == "" || len(c.Filter) > 0 {
		return "", nil
	}
	const inRepository = "matrix/results"
	if _, err := os.Stat("matrix/targets.yaml"); err != nil {
		return "", nil
	}
	return inRepository, os.MkdirAll(inRepository, 0o755)
}

// worst is the exit status that outcomes deserve.
func worst(outcomes []*matrix.Outcome) error {
	fails, broken := 0, 0
	for _, o := range outcomes {
		switch {
		case o.State == matrix.Interrupted:
			return &statusError{exitInterrupted, "interrupted: these are the results so far"}
		case o.Fails():
			fails++
		case o.State == matrix.Broken || o.Record != nil && o.Record.Count("broken") > 0:
			broken++
		}
	}
	switch {
	case fails > 0:
		return &statusError{exitDeviates, fmt.Sprintf("%d of %d targets deviate, died or were cut off", fails, len(outcomes))}
	case broken > 0:
		return &statusError{status: exitBroken}
	}
	return nil
}
