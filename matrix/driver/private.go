package driver

import (
	"os"
	"path/filepath"
)

// privateDir makes a directory below parent ("" is that for temporary files)
// that is gone afterwards, also when this process is killed. remove removes it,
// with what others have mounted in it: gVisor leaves the mount of a network
// namespace when it is killed.
func privateDir(parent, pattern string) (dir string, remove func(), err error) {
	dir, err = os.MkdirTemp(parent, pattern)
	if err == nil {
		dir, err = filepath.Abs(dir)
	}
	if err != nil {
		return "", nil, err
	}
	g := newGuard(removal, dir)
	return dir, func() {
		g.act()
		os.RemoveAll(dir)
	}, nil
}

// removal removes $1. What is being killed may still make files there.
const removal = `
for try in 1 2 3; do
	while read -r device place rest; do
		case $place in "$1"/*) umount "$place" ;; esac
	done </proc/mounts
	rm -rf -- "$1" && exit
	sleep 1
done`
