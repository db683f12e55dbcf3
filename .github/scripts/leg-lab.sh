#!/usr/bin/env bash
# Runs a target that zcprobe itself brings up (a kernel under QEMU, User-mode
# Linux, gVisor) and leaves records/TARGET.json. On Debian, as root, it installs
# what the target needs first; elsewhere with that in place:
#
#	.github/scripts/build-binaries.sh binaries linux/amd64
#	.github/scripts/leg-lab.sh linux-6.12-amd64
set -euo pipefail

target=${1:?"usage: leg-lab.sh TARGET (zcprobe matrix list shows them)"}
cd "$(dirname "$0")/../.."
binaries=${BINARIES:-binaries}
records=${RECORDS:-records}
zcprobe=$binaries/zcprobe-linux-$(dpkg --print-architecture)

packages=(debian-archive-keyring)
case $target in
gvisor-*) packages=() ;;
uml-*) ;;
*-amd64) packages+=(qemu-system-x86) ;;
*-arm64) packages+=(qemu-system-arm) ;;
*) packages+=(qemu-system-misc) ;;
esac
if [ "$(id -u)" = 0 ] && [ ${#packages[@]} -gt 0 ] && ! dpkg -s "${packages[@]}" >/dev/null 2>&1; then
	export DEBIAN_FRONTEND=noninteractive
	apt-get -qq update
	apt-get -qq install --no-install-recommends "${packages[@]}" >/dev/null
fi

sh .github/scripts/show-host.sh
mkdir -p "$records"
chmod +x "$zcprobe"

"$zcprobe" matrix prepare "$target" --binaries "$binaries"
# A busy machine that emulates each instruction needs more than the usual limit.
status=0
"$zcprobe" matrix run "$target" --limit 10m --binaries "$binaries" --results "$records" || status=$?
# A leg is there to bring its record home. What the record says is judged for
# all of them in one place.
[ -s "$records/$target.json" ] && exit 0
echo "leg-lab.sh: $target left no record (status $status)" >&2
exit 1
