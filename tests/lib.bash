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

# Those that share an input have it from make_input in their setup_file().
setup() {
	cd "$BATS_TEST_TMPDIR" || return
	if [ -e "$BATS_FILE_TMPDIR/in.spans" ]; then
		# shellcheck disable=SC2034
		in=$BATS_FILE_TMPDIR/in.spans
	fi
}

# What the tests of a file have as $in: `make_input --seed 9 -n 3000`.
make_input() {
	span-gen "$@" --output "$BATS_FILE_TMPDIR/in.spans"
}

# A variable of the Makefile, for instance an automatic list of objects.
make_variable() {
	make -s -C "$BUILD" --eval="show-it: ; @echo \$($1)" show-it
}

# The names of all programs: in the environment of make check; else asked for.
programs() {
	local p
	for p in ${PROGRAMS:=$(make_variable bin_PROGRAMS)}; do
		echo "${p#bin/}"
	done
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

# Wrong usage is exit 2, says so and writes nothing:
# `refuses "--top goes with *" span-graph ...`, a pattern.
refuses() {
	local said=$1
	shift
	run --separate-stderr -2 "$@"
	[ -z "$output" ] || return
	# shellcheck disable=SC2154
	[[ ${stderr_lines[0]} = "$1: "$said ]] || {
		echo "${stderr_lines[0]}" >&2
		return 1
	}
}

# A stream that is cut is an error with its place, and read to there with
# --skip-bad: `tells_torn span-graph`.
tells_torn() {
	span-gen --topology "$SRC/examples/topology.json" --seed 1 -n 200 |
		head -c 30000 >torn
	run --separate-stderr -65 "$@" torn
	[ -z "$output" ] || return
	[[ $stderr =~ ^"$1: torn: bad frame at byte "[1-9][0-9]*": the input ends inside it"$ ]] || return
	run --separate-stderr -0 "$@" --skip-bad torn
	[[ $stderr = *"damaged bytes"* && -n $output ]]
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

# As diff, but of what two commands write, which failed when that is nothing:
# `alike <(span-graph in) <(span-graph -s s)`.
alike() {
	local one=$BATS_TEST_TMPDIR/.alike.$BASHPID other
	other=$one.other
	cat "$1" >"$one" || return
	cat "$2" >"$other" || return
	diff -u "$one" "$other" || return
	[ -s "$one" ] || {
		echo "both are empty" >&2
		return 1
	}
}
