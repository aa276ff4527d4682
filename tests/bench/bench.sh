#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# bench.sh - what `make bench` runs: every figure with how it was got
#
# BENCH_SECONDS   how long the sender sends (default 10)
# BENCH_SPANS     spans that the other measurements use (default 1,000,000)
# BENCH_STORE_SPANS  spans of the stores that are searched (default 10 times
#                 as many)
# BENCH_RATE      spans/s that the lossless run offers (default 300,000)
# BENCH_FLOORS    all, or steady: only sizes, memory and loss must hold, for a
#                 machine whose speed nobody knows (default all)
#
# tests/bench/README.md says how each is measured. Exit status 1 when a
# figure is worse than the floor that DESIGN sets; 0 means all held.

set -eu
BUILD=${BUILD:-$PWD}
export PATH=$BUILD/bin:$BUILD/tests/bench:$PATH LC_ALL=C
seconds=${BENCH_SECONDS:-10}
spans=${BENCH_SPANS:-1000000}
store_spans=${BENCH_STORE_SPANS:-$((spans * 10))}
rate=${BENCH_RATE:-300000}
floors=${BENCH_FLOORS:-all}
dir=$(mktemp -d "${TMPDIR:-/tmp}/span-bench.XXXXXX")
trap 'rm -rf "$dir"' EXIT
missed=0
# shellcheck source=tests/bench/bench-query.sh
. "$(dirname "$0")/bench-query.sh"
# shellcheck source=tests/bench/bench-net.sh
. "$(dirname "$0")/bench-net.sh"
# shellcheck source=tests/bench/bench-store.sh
. "$(dirname "$0")/bench-store.sh"
# shellcheck source=tests/bench/bench-sample.sh
. "$(dirname "$0")/bench-sample.sh"
# shellcheck source=tests/bench/bench-views.sh
. "$(dirname "$0")/bench-views.sh"
# shellcheck source=tests/bench/bench-serve.sh
. "$(dirname "$0")/bench-serve.sh"

head_line() {
	printf '\n%s\n' "$1"
}

# row NAME VALUE UNIT [COMPARISON FLOOR]
row() {
	local verdict=
	if [ $# -gt 3 ]; then
		if awk "BEGIN { exit !($2 $4 $5) }"; then
			verdict="(floor $4 $5)"
		else
			verdict="(MISSED: floor $4 $5)"
			[ "$floors $3" = 'steady M spans/s' ] ||
				[ "$floors $3" = 'steady ms' ] ||
				missed=1
		fi
	fi
	printf '  %-46s %12s %-12s %s\n' "$1" "$2" "$3" "$verdict"
}

calc() {
	awk "BEGIN { printf \"$1\", $2 }"
}

# Field N (see measure.c) of the line of PROGRAM in a file of measure.
took() {
	awk -v name="$1" -v n="$2" \
		'$1 ~ name "$" { print $n; exit }' "$3"
}

# CPU seconds of PROGRAM.
cpu() {
	awk -v name="$1" '$1 ~ name "$" { print $4 + $5; exit }' "$2"
}

machine() {
	head_line 'Machine'
	printf '  %s, %s cores, Linux %s\n' \
		"$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" \
		"$(nproc)" "$(uname -r)"
	printf '  %s, CFLAGS %s; load %s\n' "$($CC --version | head -n 1)" \
		"$CFLAGS" "$(cut -d ' ' -f 1-3 /proc/loadavg)"
}

data() {
	head_line "Data: span-gen --seed 1 --spans $spans"
	measure "$dir/gen" span-gen --seed 1 --spans "$spans" >"$dir/spans"
	n=$(span-query -c --spans "$dir/spans")
	size=$(stat -c %s "$dir/spans")
	row 'spans' "$n" spans
	row 'generating' \
		"$(calc %.2f "$n / $(cpu span-gen "$dir/gen") / 1e6")" 'M spans/s'
	row 'stream' "$(calc %.1f "$size / $n")" 'bytes/span' '<=' 140
	span-gen --seed 1 --spans 50000 |
		span-query --spans -o jsonl >"$dir/jsonl"
	measure "$dir/gzip" gzip -6 <"$dir/jsonl" >"$dir/gz"
	row 'JSON lines of 50,000 spans, gzip -6' "$(
		calc %.1f "$(stat -c %s "$dir/gz") / $(wc -l <"$dir/jsonl")"
	)" 'bytes/span' '>=' 70
	row '  its speed, to compare machines by' "$(
		calc %.1f "$(stat -c %s "$dir/jsonl") / $(cpu gzip "$dir/gzip") / 1e6"
	)" 'MB/s'
	rm -f "$dir/jsonl" "$dir/gz"
}

# filter NAME COMMAND...: CPU of a filter over the data, best of three
filter() {
	local name=$1 best=999 t i
	shift
	for i in 1 2 3; do
		rm -f "$dir/m"
		measure "$dir/m" "$@" <"$dir/spans" >/dev/null || :
		t=$(cpu "$1" "$dir/m")
		best=$(calc %.3f "$t < $best ? $t : $best")
	done
	row "$name" "$(calc %.2f "$n / $best / 1e6")" 'M spans/s' "${floor[@]}"
	row '  peak anonymous memory' \
		"$(calc %.1f "$(took "$1" 6 "$dir/m") / 1024")" MiB
}

filters() {
	head_line 'Filter stages, CPU of one process'
	floor=('>=' 3)
	filter 'span-sample --ratio 0.5' span-sample --ratio 0.5
	filter 'span-sample --ratio 0.01' span-sample --ratio 0.01
	filter 'span-query --spans --service' \
		span-query --spans -o spans --service frontend
	floor=()
	filter 'span-query --spans --tag' \
		span-query --spans -o spans --tag http.status_code=500
	filter 'span-query -c (whole traces)' span-query -c --error
	floor=('>=' 1)
	filter 'span-redact, default rules' span-redact
	floor=()
	filter '  a rule that finds nothing' \
		span-redact --no-default-rules -r 'mask zzz'
	filter '  default rules, spans one by one' \
		span-redact -r 'drop retry.count'
}

decoding() {
	head_line 'Decoding, CPU of span-decode'
	local protocol
	for protocol in compact binary; do
		udp-send --protocol "$protocol" --payloads <"$dir/spans" \
			>"$dir/payloads"
		row "wire size, $protocol" \
			"$(calc %.0f "$(stat -c %s "$dir/payloads") / $n")" \
			'bytes/span'
		rm -f "$dir/m"
		measure "$dir/m" span-decode "$dir/payloads" >/dev/null
		row "Jaeger Thrift $protocol to frames" "$(
			calc %.2f "$n / $(cpu span-decode "$dir/m") / 1e6"
		)" 'M spans/s' '>=' 1
		row '  peak anonymous memory' "$(
			calc %.1f "$(took span-decode 6 "$dir/m") / 1024"
		)" MiB '<=' 32
	done
	rm -f "$dir/payloads"
}

stored() {
	span-store stat "$dir/store" -o json | jq .spans
}

# Wait until span-capture has said which port it got.
wait_port() {
	local i port=
	for ((i = 0; i < 1000 && ${#port} == 0; i++)); do
		sleep 0.01
		port=$(sed -nE 's/.*127\.0\.0\.1:([0-9]+).*/\1/p' \
			"$dir/capture.log" 2>/dev/null | head -n 1)
	done
	echo "$port"
}

# ingest RATE PROTOCOL LOST: the whole way, sender included
ingest() {
	local offered=$1 protocol=$2 out sent got p
	# A log of the run before would name the port of that one.
	rm -rf "$dir/store" "$dir/m" "$dir/capture.log"
	measure "$dir/m" span-capture -v --listen udp:127.0.0.1:0 \
		2>"$dir/capture.log" |
		measure "$dir/m" span-decode 2>"$dir/decode.log" |
		measure "$dir/m" span-store append "$dir/store" \
			2>"$dir/store.log" &
	out=$(udp-send --protocol "$protocol" --rate "$offered" \
		--spans $((offered * seconds)) 127.0.0.1 "$(wait_port)" \
		<"$dir/spans")
	# the first of the job's processes, which passes the signal on
	kill -TERM "$(jobs -p | tail -n 1)"
	wait
	sent=$(sed -nE 's/.* ([0-9]+) spans.*/\1/p' <<<"$out")
	got=$(stored)
	head_line "UDP ($protocol) to durable store, $offered spans/s offered, $seconds s"
	printf '  %s\n' "$out"
	row 'stored' "$got" spans
	row 'lost' "$((sent - got))" spans '<=' "$3"
	for p in span-capture span-decode span-store; do
		row "$p: CPU" \
			"$(calc %.2f "$(cpu "$p" "$dir/m") / $sent * 1e6")" \
			'us/span'
		row '  peak anonymous memory' \
			"$(calc %.1f "$(took "$p" 6 "$dir/m") / 1024")" MiB \
			'<=' 32
	done
	row 'in segments already' "$(span-store stat "$dir/store" -o json |
		jq .sealedSpans)" spans
}

starting() {
	head_line 'Start of a process, 500 runs'
	local start end i
	start=$(date +%s%N)
	for ((i = 0; i < 500; i++)); do
		span-query --version >/dev/null
	done
	end=$(date +%s%N)
	local all=$((end - start))
	start=$(date +%s%N)
	for ((i = 0; i < 500; i++)); do
		/bin/true >/dev/null
	done
	end=$(date +%s%N)
	row 'span-query --version' "$(calc %.2f "$all / 500 / 1e6")" ms
	row '/bin/true, for comparison' \
		"$(calc %.2f "($end - $start) / 500 / 1e6")" ms
	row 'the difference' \
		"$(calc %.2f "($all - ($end - $start)) / 500 / 1e6")" ms '<=' 1
}

machine
data
filters
samplings
decoding
codecs
servers
ingest "$rate" compact 0
ingest "$rate" binary 0
rm -rf "$dir/store"
stores
views
starting
[ "$missed" = 0 ] || printf '\nFloors were missed.\n'
exit "$missed"
