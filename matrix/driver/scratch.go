package driver

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/zcprobe/zcprobe/internal/worker"
)

// room is how much space fixtures take at a time, generously.
const room = 16 << 20

// scratch makes the private directory of a run: in the first place that has
// room, of TMPDIR (or the system's own), /var/tmp, /dev/shm and the working
// directory.
func scratch(as *worker.Credential) (string, error) {
	var tried error
	places := slices.Compact([]string{os.TempDir(), "/var/tmp", "/dev/shm", "."})
	for _, place := range places {
		dir, err := os.MkdirTemp(place, "zcprobe-")
		if err == nil {
			if err = hasRoom(dir); err == nil && as != nil {
				err = os.Chown(dir, int(as.UID), int(as.GID))
			}
			if err == nil {
				return dir, nil
			}
			os.RemoveAll(dir)
		}
		tried = errors.Join(tried, err)
	}
	return "", fmt.Errorf("no directory for fixtures, set TMPDIR to one with %d MiB of room: %w", room>>20, oneLine(tried))
}

func hasRoom(dir string) error {
	file, err := os.CreateTemp(dir, "room-")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	chunk := make([]byte, 1<<20)
	for range room / len(chunk) {
		if _, err := file.Write(chunk); err != nil {
			return err
		}
	}
	return nil
}

// oneLine joins what errors.Join would put on several lines.
func oneLine(err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return err
	}
	text := ""
	for _, e := range joined.Unwrap() {
		if text != "" {
			text += "; "
		}
		text += e.Error()
	}
	return errors.New(text)
}
