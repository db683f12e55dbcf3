package mount

import (
	"os"
	"testing"

	"github.com/zcprobe/zcprobe/internal/worker"
)

func TestMain(m *testing.M) {
	worker.Serve(testHandlers())
	os.Setenv("GORACE", "atexit_sleep_ms=0") // else every worker takes a second to end under -race
	os.Exit(m.Run())
}
