#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# run.sh - build the fuzz targets with libFuzzer and run each for a while
#
# usage: run.sh BUILD-TREE SECONDS TARGET...
#
# Starts from tests/fuzz/corpus, keeps what it finds in build-fuzz/found, and
# prints the number of executions. What crashes, hangs, leaks or takes more
# memory than 512 MiB fails and is left in build-fuzz as a file to replay.
set -eu
tree=$1
seconds=$2
shift 2

"$(dirname "$0")/../variant.sh" "$tree" "$tree/build-fuzz" CC=clang \
	CFLAGS='-O1 -g' --enable-fuzzers
cd "$tree/build-fuzz"
src=$(sed -n 's/^abs_top_srcdir = //p' Makefile)
make -s -j"$(nproc)" "$@"
status=0
for target in "$@"; do
	name=${target##*/fuzz-}
	mkdir -p "found/$name"
	dictionary=$src/tests/fuzz/$name.dict
	set -- -max_total_time="$seconds" -timeout=10 -rss_limit_mb=512 \
		-print_final_stats=1 -artifact_prefix="$name-"
	[ ! -e "$dictionary" ] || set -- "$@" -dict="$dictionary"
	start=$SECONDS
	if ./"$target" "$@" "found/$name" "$src/tests/fuzz/corpus/$name" \
		>"$name.log" 2>&1; then
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$name.log")
		echo "fuzz-$name: $runs executions in $((SECONDS - start)) s"
	else
		tail -n 30 "$name.log"
		echo "fuzz-$name: FAILED; see $PWD/$name.log"
		status=1
	fi
done
exit $status
