#!/bin/sh
# Runs the suite and the library's tests on this very machine and leaves
# records/TARGET.json. It is what the legs on runners and in virtual machines
# do; by hand, on any system:
#
#	.github/scripts/build-binaries.sh binaries freebsd/amd64
#	.github/scripts/leg-host.sh freebsd-15.1-amd64
#
# Plain sh, since not every system comes with bash. BINARIES and RECORDS name
# other directories.
set -eu

target=${1:?"usage: leg-host.sh TARGET (zcprobe matrix list shows them)"}
cd "$(dirname "$0")/../.."
binaries=${BINARIES:-binaries}
records=${RECORDS:-records}

arch=$(uname -m)
case $(uname -s) in
Linux) system=linux ;;
Darwin) system=darwin ;;
FreeBSD) system=freebsd ;;
OpenBSD) system=openbsd ;;
NetBSD) system=netbsd ;;
DragonFly) system=dragonfly ;;
SunOS)
	system=solaris
	if [ "$(uname -o 2>/dev/null)" = illumos ]; then system=illumos; fi
	arch=$(isainfo -k) # uname -m says i86pc
	;;
MINGW* | MSYS* | CYGWIN*)
	system=windows
	# uname is an emulated x86-64 program on Windows for arm64.
	arch=${RUNNER_ARCH:-${PROCESSOR_ARCHITEW6432:-$PROCESSOR_ARCHITECTURE}}
	;;
*)
	echo "leg-host.sh: no build for $(uname -s)" >&2
	exit 2
	;;
esac
case $arch in
x86_64 | amd64 | AMD64 | X64) arch=amd64 ;;
aarch64 | arm64 | ARM64) arch=arm64 ;;
esac
suffix=
if [ "$system" = windows ]; then suffix=.exe; fi
zcprobe=$binaries/zcprobe-$system-$arch$suffix

sh .github/scripts/show-host.sh
mkdir -p "$records"
# Artifacts do not keep the bits that let a file run.
chmod +x "$zcprobe" "$binaries/zerocopy.test-$system-$arch$suffix"

status=0
"$zcprobe" matrix run local --as "$target" --binaries "$binaries" --results "$records" || status=$?
# A leg is there to bring its record home. What the record says is judged for
# all of them in one place.
if [ -s "$records/$target.json" ]; then exit 0; fi
echo "leg-host.sh: $target left no record (status $status)" >&2
exit 1
