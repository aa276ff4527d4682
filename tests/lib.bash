# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# lib.bash - what the bats files share: "load lib" at the top of each.
#
# $SRC is the source tree, $BUILD the build tree, $DATA the fixtures. Every
# test starts in an empty directory of its own. By hand: bats tests/x.bats in
# a tree that was built in place.

bats_require_minimum_version 1.5.0

SRC=${SRC:-$(cd "$BATS_TEST_DIRNAME/.." && pwd)}
BUILD=${BUILD:-$SRC}
DATA=$SRC/tests/data
case :$PATH: in
*:"$BUILD/bin":*) ;;
*) PATH=$BUILD/bin:$SRC/bin:$PATH ;;
esac
export SRC BUILD DATA PATH
export LC_ALL=C.UTF-8 TZ=UTC
unset SPAN_STORE NO_COLOR COLUMNS

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

# Run a command whose standard output is a pipe that nobody reads, from the
# start: `run --separate-stderr -141 closed_pipe span-query ...`.
closed_pipe() {
	local fifo=$BATS_TEST_TMPDIR/closed.$BASHPID
	mkfifo "$fifo" || return
	(
		# shellcheck disable=SC2094
		exec 7<>"$fifo" 8>"$fifo" 7<&-
		exec "$@" >&8
	)
}

# Run a command whose standard output is always full.
full_disk() {
	"$@" >/dev/full
}

# Wait, ten seconds at most, until a command succeeds:
# `wait_until test -s file`.
wait_until() {
	local i
	for ((i = 0; i < 1000; i++)); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.01
	done
	echo "never came true: $*" >&2
	return 1
}

# The exit status of a background job: `ends 0 $pid`.
ends() {
	local want=$1 status=0
	wait "$2" || status=$?
	[ "$status" = "$want" ] || echo "status $status, want $want" >&2
	[ "$status" = "$want" ]
}

# Compare $output, or standard input with "-", with an expected file:
# `same three.want` looks in tests/data. An absolute path is taken as it is.
same() {
	local want=$1
	[[ $want = /* ]] || want=$DATA/$want
	if [ "${2-}" = - ]; then
		diff -u "$want" -
	else
		diff -u "$want" - <<<"$output"
	fi
}
