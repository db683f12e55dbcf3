#!/usr/bin/env bash
# Runs the suite in a Docker container, with Docker's own seccomp profile or
# with none, and leaves records/TARGET.json:
#
#	.github/scripts/leg-docker.sh docker-seccomp-amd64 default
#	.github/scripts/leg-docker.sh docker-unconfined-amd64 unconfined
set -euo pipefail

target=${1:?"usage: leg-docker.sh TARGET default|unconfined"}
profile=${2:?"usage: leg-docker.sh TARGET default|unconfined"}
cd "$(dirname "$0")/../.."
binaries=${BINARIES:-binaries}
records=${RECORDS:-records}

options=()
case $profile in
default) ;;
unconfined) options+=(--security-opt seccomp=unconfined) ;;
*)
	echo "leg-docker.sh: no profile $profile" >&2
	exit 2
	;;
esac

sh .github/scripts/show-host.sh
docker info --format '{{.ServerVersion}}, {{.SecurityOptions}}'
mkdir -p "$records"

# The programs are static, so an image of nothing else will do: there is no
# registry to ask and nothing that could differ between two runs.
image=zcprobe-leg
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{bin,etc,records,tmp}
chmod 1777 "$root/tmp"
printf 'root:x:0:0:root:/tmp:/bin/sh\nnobody:x:65534:65534:nobody:/tmp:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
cp "$binaries"/{zcprobe,zerocopy.test}-linux-amd64 "$root/bin/"
chmod +x "$root"/bin/*
tar -C "$root" --owner=0 --group=0 -c . | docker import - "$image" >/dev/null

status=0
docker run --rm --network=none "${options[@]}" \
	--env HOME=/tmp --volume "$(realpath "$records"):/records" "$image" \
	/bin/zcprobe-linux-amd64 matrix run local --as "$target" --binaries /bin --results /records || status=$?
# A leg is there to bring its record home. What the record says is judged for
# all of them in one place.
[ -s "$records/$target.json" ] && exit 0
echo "leg-docker.sh: $target left no record (status $status)" >&2
exit 1
