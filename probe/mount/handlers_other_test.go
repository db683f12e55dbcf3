//go:build !linux

package mount

import "github.com/zcprobe/zcprobe/internal/worker"

func testHandlers() map[string]worker.Handler { return Handlers() }
