#!/usr/bin/env bash
# Checks the workflows with actionlint, and the scripts, those inside of
# workflows too, with shellcheck, which it installs where it is missing.
set -euo pipefail
cd "$(dirname "$0")/../.."

actionlint=v1.7.12

if ! command -v shellcheck >/dev/null; then
	root=(sudo)
	if [ "$(id -u)" = 0 ]; then root=(); fi
	"${root[@]}" apt-get -qq update
	"${root[@]}" apt-get -qq install --no-install-recommends shellcheck >/dev/null
fi
shellcheck .ci/run .github/scripts/*.sh
go run "github.com/rhysd/actionlint/cmd/actionlint@$actionlint"
