#!/usr/bin/env bash
# Tries action.sh as a runner would: with what it needs, with a feature that
# this host lacks, with inputs that are wrong.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export RUNNER_TEMP=$work GITHUB_OUTPUT=$work/output GITHUB_STEP_SUMMARY=$work/summary

# try STATUS [VARIABLE=VALUE…] runs it and compares the exit status.
try() {
	want=$1
	shift
	: >"$GITHUB_OUTPUT"
	: >"$GITHUB_STEP_SUMMARY"
	got=0
	env "$@" .github/scripts/action.sh >"$work/log" 2>&1 || got=$?
	if [ "$got" != "$want" ]; then
		cat "$work/log"
		echo "action-test.sh: $* ended with $got, not $want" >&2
		exit 1
	fi
}

# expect PATTERN FILE
expect() {
	grep -q -- "$1" "$2" && return
	echo "action-test.sh: no $1 in:" >&2
	cat "$2" >&2
	exit 1
}

try 0 ZCPROBE_REQUIRE=sendfile/file-tcp ZCPROBE_FILTER='any/library/*'
expect '^record=/' "$GITHUB_OUTPUT"
expect '^backend=sendfile+splice$' "$GITHUB_OUTPUT"
test -s "$(sed -n 's/^record=//p' "$GITHUB_OUTPUT")"
expect 'sendfile/file-tcp' "$GITHUB_STEP_SUMMARY"
expect 'conforms' "$GITHUB_STEP_SUMMARY"

try 0 ZCPROBE_CASES=false ZCPROBE_SUMMARY=false
test ! -s "$GITHUB_STEP_SUMMARY"

# A feature that this host lacks; the record and the table are there all the
# same.
missing=$(sed -n '/"id":/{s/.*: "\(.*\)",/\1/;h}; /"state": "\(absent\|denied\)"/{g;p;q}' \
	"$(sed -n 's/^record=//p' "$GITHUB_OUTPUT")")
if [ -n "$missing" ]; then
	try 1 ZCPROBE_REQUIRE="sendfile/file-tcp,$missing" ZCPROBE_CASES=false
	expect '^record=/' "$GITHUB_OUTPUT"
	expect '^::error' "$work/log"
	expect '➖' "$GITHUB_STEP_SUMMARY"
fi

try 2 ZCPROBE_REQUIRE=none/none ZCPROBE_CASES=false
test ! -s "$GITHUB_OUTPUT"
try 2 ZCPROBE_CASES=perhaps
try 2 ZCPROBE_FILTER=no/such/case
echo "action: ok"
