#!/bin/sh
# Runs a program of this directory: sh run.sh PROGRAM ARGUMENT…
#
# Standard input is the connection. When it ends before the program does, who
# asked is gone: the program is told to end, and the directory removed.
cd "$(dirname "$0")" || exit 1
place=$PWD
TMPDIR=$place
export TMPDIR
program=$1
shift
exec 3<&0
"./$program" "$@" </dev/null 3<&- &
running=$!
# What watches must not hold the connection's output.
{
	read -r _ <&3
	: >"$place/cut"
	kill "$running"
} >/dev/null 2>&1 &
watch=$!
wait "$running"
status=$?
kill "$watch" 2>/dev/null
if [ -e "$place/cut" ]; then
	cd / && rm -rf "$place"
fi
exit "$status"
