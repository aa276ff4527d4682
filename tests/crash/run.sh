#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# run.sh - kill and cut off span-store for as long as it takes
#
# usage: run.sh BUILD-TREE CYCLES
#
# The simulated disk in many more states than make check tries; CYCLES of
# kill -9; and where this is root and the kernel can, a tenth as many power
# cuts on each file system that there is a mkfs for, in an image file.
set -u
cd "$1" || exit 1
cycles=$2
status=0
PATH=$1/bin:$PATH

run() {
	echo "==== $*"
	"$@" | tee crash.out
	[ "${PIPESTATUS[0]}" = 0 ] && ! grep -q '^not ok' crash.out || status=1
	rm -f crash.out
}

power_cuts() {
	local name=$1 size=$2
	shift 2
	if ! command -v "$1" >/dev/null; then
		echo "==== no $1: no power cuts on $name"
		return
	fi
	rm -f "crash-$name.img"
	truncate -s "$size" "crash-$name.img"
	"$@" "crash-$name.img" >/dev/null || return
	run tests/crash/kill9 $((cycles / 10 + 1)) "crash-$name.img"
	rm -rf "crash-$name.img" "crash-$name.img.mnt"
}

CRASH_SCALE=20 run tests/unit/t-store-crash
CRASH_SCALE=20 run tests/unit/t-store-harm
CRASH_SCALE=20 run tests/unit/t-seal-crash
run tests/crash/kill9 "$cycles"
run tests/crash/together $((cycles / 10 + 2))
if [ "$(id -u)" = 0 ]; then
	PATH=$PATH:/usr/sbin:/sbin
	power_cuts ext4 64M mkfs.ext4 -q -F
	power_cuts xfs 300M mkfs.xfs -q -f
else
	echo "==== not root: no power cuts"
fi
exit $status
