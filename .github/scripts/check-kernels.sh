#!/usr/bin/env bash
# The main job of the matrix in short: boots an old and a new Linux under QEMU,
# both by the script of a leg, and checks what they reported. On Debian, as root,
# QEMU is installed where it is missing.
#
#	.github/scripts/check-kernels.sh linux-5.10-amd64 linux-7.3-amd64
set -euo pipefail
cd "$(dirname "$0")/../.."

targets=("$@")
if [ ${#targets[@]} = 0 ]; then targets=(linux-5.10-amd64 linux-7.3-amd64); fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export BINARIES=$work/binaries RECORDS=$work/records
.github/scripts/build-binaries.sh "$BINARIES" "linux/$(go env GOARCH)"

planned=()
for target in "${targets[@]}"; do
	.github/scripts/leg-lab.sh "$target"
	planned+=(--target "$target")
done
# Exit status 1 when one did not report, deviates, or shows less than the list
# of targets expects of it, the library's tests included.
"$BINARIES/zcprobe-linux-$(go env GOARCH)" matrix summary "${planned[@]}" "$RECORDS"
