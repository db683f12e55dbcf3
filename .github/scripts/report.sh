#!/usr/bin/env bash
# Makes a site out of records: the records themselves, and a table of what was
# to report (every leg of the workflow, or only the targets named) with what
# changed since an earlier run. The exit status is 1 when a target did not
# report, deviates or falls short; the site is there all the same.
#
#	.github/scripts/report.sh records before site
#	.github/scripts/report.sh records /nowhere site 'linux-*'
set -euo pipefail

records=${1:?"usage: report.sh RECORDS BEFORE SITE [TARGET…]"}
before=${2:?"usage: report.sh RECORDS BEFORE SITE [TARGET…]"}
site=${3:?"usage: report.sh RECORDS BEFORE SITE [TARGET…]"}
shift 3
cd "$(dirname "$0")/../.."
zcprobe=${BINARIES:-binaries}/zcprobe-linux-amd64
chmod +x "$zcprobe"

arguments=(--github)
for target in "$@"; do arguments+=(--target "$target"); done
if [ -d "$before" ]; then arguments+=(--before "$before"); fi

mkdir -p "$records" "$site/records"
find "$records" -name '*.json' -exec cp {} "$site/records/" \;
status=0
"$zcprobe" matrix summary "${arguments[@]}" "$site/records" >"$site/summary.md" || status=$?

# A page to begin with; the report takes its place.
{
	echo '<!doctype html><meta charset="utf-8"><title>zcprobe</title><h1>zcprobe</h1><pre>'
	sed 's/&/\&amp;/g; s/</\&lt;/g' "$site/summary.md"
	echo '</pre><h2>Records</h2><ul>'
	for file in "$site"/records/*.json; do
		[ -e "$file" ] || continue
		name=$(basename "$file")
		echo "<li><a href=\"records/$name\">$name</a></li>"
	done
	echo '</ul>'
} >"$site/index.html"
exit "$status"
