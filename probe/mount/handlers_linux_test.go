package mount

import (
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/zcprobe/zcprobe/internal/sys"
	"github.com/zcprobe/zcprobe/internal/worker"
)

// testHandlers are the handlers of a worker whose kernel lies as a file in its
// scratch directory says: the call of that name never returns, or dies.
func testHandlers() map[string]worker.Handler {
	return map[string]worker.Handler{kind: func(scratch string, argument json.RawMessage) (any, error) {
		lie, _ := os.ReadFile(filepath.Join(scratch, "lie"))
		restore := nativeKernel
		nativeKernel = func() *sys.Kernel { return told(string(lie)) }
		defer func() { nativeKernel = restore }()
		return handle(scratch, argument)
	}}
}

func told(lie string) *sys.Kernel {
	k := sys.Native()
	hang := func() (int, sys.Errno) { select {} }
	switch lie {
	case "sendfile hangs":
		k.Sendfile = func(int, int, *int64, int) (int, sys.Errno) { return hang() }
	case "splice dies":
		k.Splice = func(int, *int64, int, *int64, int, int) (int, sys.Errno) { os.Exit(7); return 0, 0 }
	case "read hangs":
		k.Pread = func(int, []byte, int64) (int, sys.Errno) { return hang() }
	}
	return k
}
