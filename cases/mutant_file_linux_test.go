package cases

import (
	"errors"
	"os"
	"strconv"
	"strings"

	"github.com/zcprobe/zcprobe/internal/sys"
)

var fileMutants = []mutant{
	{"pwrite: it writes at the position", func(k *sys.Kernel) {
		k.Pwrite = func(fd int, p []byte, _ int64) (int, sys.Errno) { return honest.Write(fd, p) }
	}},
}

// fileFlags are the flags that a descriptor was opened with (proc(5), fdinfo).
func fileFlags(fd int) (int, error) {
	text, err := os.ReadFile("/proc/self/fdinfo/" + strconv.Itoa(fd))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "flags:"); ok {
			flags, err := strconv.ParseInt(strings.TrimSpace(value), 8, 64)
			return int(flags), err
		}
	}
	return 0, errors.New("no flags")
}
