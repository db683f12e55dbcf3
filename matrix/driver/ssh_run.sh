# Runs a program of this directory: sh run.sh PROGRAM ARGUMENT…
#
# Standard input is the connection. When it ends before the program does, who
# asked is gone: the program is told to end, and the directory removed.
place=$(dirname "$0")
cd "$place" || exit 1
TMPDIR=$PWD
export TMPDIR
program=$1
shift
exec 3<&0
"./$program" "$@" </dev/null 3<&- &
running=$!
# What watches must not hold the connection's output.
{
	read -r line <&3
	: >cut
	kill "$running"
} >/dev/null 2>&1 &
watch=$!
wait "$running"
status=$?
kill "$watch" 2>/dev/null
if [ -e cut ]; then
	cd / && rm -rf "$place"
fi
exit "$status"
