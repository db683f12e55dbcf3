#!/usr/bin/env bash
# What action.yml does. By hand it needs nothing set:
#
#	ZCPROBE_REQUIRE=splice/pipe-tcp .github/scripts/action.sh
set -euo pipefail

source=${ZCPROBE_SOURCE:-$(dirname "$0")/../..}
source=$(cd "$source" && pwd)
version=${ZCPROBE_VERSION:-source}
output=${GITHUB_OUTPUT:-/dev/null}
summary=${GITHUB_STEP_SUMMARY:-/dev/stdout}

work=$(mktemp -d "${RUNNER_TEMP:-${TMPDIR:-/tmp}}/zcprobe-XXXXXX")
zcprobe=$work/zcprobe
if [ "${RUNNER_OS:-}" = Windows ]; then zcprobe+=.exe; fi
record=$work/record.json

fail() {
	echo "::error title=zcprobe::$1"
	exit 2
}

command -v go >/dev/null || fail "Go is not here: put actions/setup-go before this step"
# A Go of this runner that is too old fetches the one that go.mod asks for.
export CGO_ENABLED=0 GOTOOLCHAIN=${GOTOOLCHAIN:-auto}
if [ "$version" = source ]; then
	(cd "$source" && go build -trimpath -ldflags='-s -w' -o "$zcprobe" ./cmd/zcprobe)
else
	GOBIN=$work go install -trimpath -ldflags='-s -w' "github.com/zcprobe/zcprobe/cmd/zcprobe@$version"
fi

arguments=(--json="$record")
if [ -n "${ZCPROBE_REQUIRE:-}" ]; then arguments+=(--require="$ZCPROBE_REQUIRE"); fi
case ${ZCPROBE_CASES:-true} in
true) command=run ;;
false) command=probe ;;
*) fail "cases: true or false, not $ZCPROBE_CASES" ;;
esac
if [ "$command" = run ]; then
	while read -r pattern; do
		if [ -n "$pattern" ]; then arguments+=(--filter="$pattern"); fi
	done <<<"${ZCPROBE_FILTER:-}"
fi

status=0
"$zcprobe" "$command" "${arguments[@]}" || status=$?

if [ -s "$record" ]; then
	# zcprobe writes its records with two spaces before a key of the top level.
	backend=$(sed -n 's/^  "backend": "\([^"]*\)".*/\1/p' "$record")
	{
		echo "record=$record"
		echo "backend=$backend"
	} >>"$output"
	if [ "${ZCPROBE_SUMMARY:-true}" = true ]; then
		# Its status repeats what the run's own says.
		"$zcprobe" matrix summary "$record" >>"$summary" || true
	fi
fi
case $status in
0) ;;
1) echo "::error title=zcprobe::a required feature is not available, or a case deviates: see the log" ;;
3) echo "::error title=zcprobe::a required feature is inconclusive, or a case is broken: see the log" ;;
*) echo "::error title=zcprobe::zcprobe ended with status $status" ;;
esac
exit "$status"
