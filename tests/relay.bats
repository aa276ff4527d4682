# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
#
# span-capture, span-decode and span-send instead of an agent: what clients
# send to it arrives at a collector, here another span-capture.
load lib

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	span-gen --seed 11 -n 100 >in.spans
	n=$(span-query -c --spans in.spans)
}

teardown() {
	[ -e status ] || [ ! -e group ] || kill -KILL -- "-$(<group)" || true
	[ ! -e collector ] || kill -KILL "$(<collector)" 2>/dev/null || true
}

listens_at() {
	sed -n 's/.*listening on.*:\([0-9]*\)$/\1/p' "$1" | head -n 1
}

# A collector that writes to $1: $port, that of before when there was one.
start_collector() {
	span-capture -l "${2:-otlp-http}:127.0.0.1:${port:-0}" \
		>"$1" 2>"$1.log" 3>&- &
	collector=$!
	echo "$collector" >collector
	wait_until grep -q 'listening on' "$1.log"
	port=$(listens_at "$1.log")
}

stop_collector() {
	kill -TERM "$collector"
	ends 0 "$collector"
	rm collector
}

# The relay, in a process group of its own: $group, $agent is its port. The
# payloads that it received are in "raw".
start_relay() {
	rm -f capture.log send.log
	setsid bash -c '
		trap : INT TERM
		set -o pipefail
		span-capture -v -l udp:127.0.0.1:0 2>capture.log | tee -i raw |
			span-decode | span-send -v --retry-min 5ms \
			--retry-max 50ms "$@" 2>send.log
		echo $? >status
	' - "$@" >/dev/null 2>&1 3>&- &
	group=$!
	echo "$group" >group
	wait_until grep -q 'listening on' capture.log
	agent=$(listens_at capture.log)
}

# The source stops, and the others come to their end.
stop_relay() {
	kill -TERM "$(pgrep -g "$group" -x span-capture)"
	wait_until test -s status
	[ "$(<status)" = 0 ]
}

# The account has so many spans, all of them accepted.
took() {
	grep -q ": $1 spans read $1 accepted 0 rejected 0 dropped; " \
		<(tr -d , <send.log)
}

# Spans as both ends have them, each once, in any order.
spans_in() {
	span-decode --strict "$@" | span-query --spans -o csv |
		cut -d, -f 1-9 | sort -u
}

received() {
	[ "$(span-decode -q raw | span-query -c --spans)" = "$1" ]
}

@test "pipeline: a relay hands on what comes by UDP, over HTTP and gRPC" {
	for how in otlp+http:otlp-http otlp+grpc:otlp-grpc zipkin+http:zipkin; do
		port=
		start_collector "got-$how" "${how#*:}"
		start_relay "${how%:*}://127.0.0.1:$port"
		span-send --rate 20000 "jaeger+udp://127.0.0.1:$agent" in.spans
		wait_until received "$n"
		stop_relay
		stop_collector
		took "$n"
		spans_in raw >want
		[ "$(wc -l <want)" = $((n + 1)) ]
		spans_in "got-$how" | diff want -
		rm status
	done
}

@test "pipeline: a relay with a spool loses nothing when its collector goes" {
	port=
	start_collector first
	start_relay --spool sp --batch 50 "otlp+http://127.0.0.1:$port"
	span-send --rate 20000 "jaeger+udp://127.0.0.1:$agent" in.spans
	wait_until test -s first
	kill -KILL "$collector"
	wait "$collector" || true
	span-gen --seed 12 -n 100 >more.spans
	span-send --rate 20000 "jaeger+udp://127.0.0.1:$agent" more.spans
	all=$((n + $(span-query -c --spans more.spans)))
	wait_until received "$all"
	wait_until grep -q 'trying again' send.log
	start_collector second
	stop_relay
	stop_collector
	took "$all"
	spans_in raw >want
	# Of what was killed the last payload may be cut.
	span-decode -q first >before || [ $? = 65 ]
	{ cat before; span-decode --strict second; } | span-query --spans -o csv |
		cut -d, -f 1-9 | sort -u | diff want -
}
