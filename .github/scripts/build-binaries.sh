#!/usr/bin/env bash
# Builds zcprobe and the library's tests, static, for each system that the list
# of targets names, into one directory: zcprobe-GOOS-GOARCH and
# zerocopy.test-GOOS-GOARCH. Others can be named:
#
#	.github/scripts/build-binaries.sh binaries
#	.github/scripts/build-binaries.sh binaries freebsd/arm64
set -euo pipefail

to=$(realpath -m "${1:?"usage: build-binaries.sh DIRECTORY [GOOS/GOARCH…]"}")
shift
cd "$(dirname "$0")/../.."
systems=("$@")
if [ ${#systems[@]} = 0 ]; then
	list=$(go run ./cmd/zcprobe matrix list --json | jq -r '.[] | select(.arch != "") | .system + "/" + .arch' | sort -u)
	mapfile -t systems <<<"$list"
fi

mkdir -p "$to"
export CGO_ENABLED=0
for system in "${systems[@]}"; do
	export GOOS=${system%/*} GOARCH=${system#*/}
	name=$GOOS-$GOARCH
	if [ "$GOOS" = windows ]; then name+=.exe; fi
	go build -trimpath -ldflags='-s -w' -o "$to/zcprobe-$name" ./cmd/zcprobe
	go test -c -trimpath -ldflags='-s -w' -o "$to/zerocopy.test-$name" ./zerocopy
	echo "$system"
done
