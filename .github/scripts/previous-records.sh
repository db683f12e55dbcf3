#!/usr/bin/env bash
# Fetches the records of the last run of this workflow on main into a
# directory, which stays empty where there is none: the first run, or one whose
# artifacts are gone. Needs gh with GH_TOKEN, and GITHUB_REPOSITORY.
set -euo pipefail

to=${1:?"usage: previous-records.sh DIRECTORY"}
mkdir -p "$to"
run=$(gh run list --repo "$GITHUB_REPOSITORY" --workflow matrix.yml --branch main --status completed \
	--limit 20 --json databaseId,event --jq \
	"[.[] | select(.event != \"pull_request\" and .databaseId != ${GITHUB_RUN_ID:-0})][0].databaseId // empty")
if [ -z "$run" ]; then
	echo "no run on main before this one"
	exit 0
fi
echo "records of run $run"
gh run download "$run" --repo "$GITHUB_REPOSITORY" --name records --dir "$to" || echo "its records are gone"
