package probe

import (
	"os"

	"github.com/zcprobe/zcprobe/internal/fixture"
)

// temporary is an empty file in a directory of the user's, open for reading and
// writing, whose name is gone at once: nothing is left, whatever ends us.
func temporary(t fixture.T, dir string) *fixture.FD {
	t.Helper()
	file, err := os.CreateTemp(dir, ".zcprobe-")
	if err != nil {
		t.Fatalf("make a temporary file: %w", err)
	}
	defer file.Close()
	defer os.Remove(file.Name())
	return fixture.Open(t, file.Name(), os.O_RDWR)
}
