//go:build !linux

package driver

import "errors"

// sandboxes are made on Linux only.
var sandboxes map[string]sandbox

type openProgram struct{}

func opened(string) (*openProgram, error) { return nil, errors.ErrUnsupported }

func (*openProgram) become([]string) error { return errors.ErrUnsupported }
