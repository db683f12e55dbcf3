#!/usr/bin/env bash
# Boots the kernel of a container image (boot/vmlinuz, lib/modules) under QEMU
# and leaves records/TARGET.json. With KERNEL set to a file it needs neither
# Docker nor an image:
#
#	.github/scripts/leg-kernel.sh linux-6.6-amd64 ghcr.io/cilium/ci-kernels:6.6
#	KERNEL=arch/x86/boot/bzImage .github/scripts/leg-kernel.sh linux-6.6-amd64
set -euo pipefail

target=${1:?"usage: leg-kernel.sh TARGET IMAGE"}
image=${2:-}
cd "$(dirname "$0")/../.."
binaries=${BINARIES:-binaries}
records=${RECORDS:-records}
zcprobe=$binaries/zcprobe-linux-amd64

if ! command -v qemu-system-x86_64 >/dev/null; then
	root=(sudo)
	[ "$(id -u)" = 0 ] && root=()
	"${root[@]}" apt-get -qq update
	"${root[@]}" apt-get -qq install --no-install-recommends qemu-system-x86 >/dev/null
fi

sh .github/scripts/show-host.sh
mkdir -p "$records"
chmod +x "$zcprobe"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
arguments=()
if [ -z "${KERNEL:-}" ]; then
	: "${image:?"usage: leg-kernel.sh TARGET IMAGE"}"
	docker pull --quiet --platform linux/amd64 "$image"
	# Which image a tag stood for that day.
	docker image inspect --format '{{join .RepoDigests "\n"}}' "$image"
	# The image holds no program, so the container's command never runs.
	container=$(docker create --platform linux/amd64 "$image" none)
	docker export "$container" | tar -x -C "$work"
	docker rm "$container" >/dev/null
	KERNEL=$work/boot/vmlinuz
	[ -d "$work/lib/modules" ] && arguments+=(--modules "$work/lib/modules")
fi

# A busy machine that emulates each instruction needs more than the usual limit.
status=0
"$zcprobe" matrix run --kernel "$KERNEL" "${arguments[@]}" --arch amd64 --as "$target" --limit 10m \
	--binaries "$binaries" --results "$records" || status=$?
# A leg is there to bring its record home. What the record says is judged for
# all of them in one place.
[ -s "$records/$target.json" ] && exit 0
echo "leg-kernel.sh: $target left no record (status $status)" >&2
exit 1
