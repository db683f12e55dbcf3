#!/bin/sh
# What this machine is, for whoever reads the log of a leg later. Nothing here
# may fail: each system has only some of these.
set -u

say() {
	name=$1
	shift
	# A program that a system lacks is silence and no error.
	if text=$("$@" 2>/dev/null) && [ -n "$text" ]; then
		printf '%s: %s\n' "$name" "$text" | sed '2,$s/^/    /'
	fi
}

say 'system' uname -a
say 'user' id
say 'processors' getconf _NPROCESSORS_ONLN
# shellcheck disable=SC2016 # for the inner shell
say 'distribution' sh -c '. /etc/os-release && echo "$PRETTY_NAME"'
say 'memory' sh -c 'grep -E "^Mem(Total|Available)" /proc/meminfo'
say 'disk' df -h .
say 'kvm' ls -l /dev/kvm
say 'seccomp' grep -E '^(Seccomp|CapEff)' /proc/self/status
say 'macOS' sw_vers
say 'Windows' cmd.exe //c ver
say 'FreeBSD' freebsd-version -ku
say 'sysctl' sysctl kern.version hw.model hw.physmem
say 'illumos' cat /etc/release
say 'Go' go version
exit 0
