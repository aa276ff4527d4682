#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# capture.sh - how many packets span-capture receives without a loss
#
# usage: capture.sh [SECONDS]
#
# Sends datagrams over the loopback at several rates, for SECONDS (5) each,
# sender and span-capture on the same machine, the output read by cat(1), and
# prints a line for each: what was sent and lost, CPU per second, peak
# anonymous memory. SPAN_SOCKET_BUFFER is passed as --socket-buffer.
set -eu
seconds=${1:-5}
build=${BUILD:-$PWD}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
options=(--listen udp:127.0.0.1:0)
[ -z "${SPAN_SOCKET_BUFFER-}" ] ||
	options+=(--socket-buffer "$SPAN_SOCKET_BUFFER")

# One rate: bytes of a datagram, datagrams a second.
measure() {
	local size=$1 rate=$2 pid port=
	rm -f "$dir"/*
	"$build/tests/bench/measure" "$dir/took" "$build/bin/span-capture" \
		"${options[@]}" --metrics-file "$dir/metrics" 2>"$dir/err" \
		> >(cat >/dev/null) &
	pid=$!
	until [ -n "$port" ]; do
		kill -0 $pid
		sleep 0.02
		port=$(sed -n 's/.*listening on udp .*:\([0-9]*\)$/\1/p' \
			"$dir/err")
	done
	"$build/tests/bench/udp-blast" 127.0.0.1 "$port" $((rate * seconds)) \
		"$size" "$rate" >"$dir/sent"
	kill $pid
	wait $pid
	awk -v size="$size" '
		FILENAME ~ /sent$/ {sent = $2; split($0, a, ", "); rate = a[2]}
		/cause="queue_full"/ {queue += $NF}
		/cause="kernel"/ {kernel += $NF}
		/^span_capture_written_total/ {written += $NF}
		FILENAME ~ /took$/ {cpu = $4 + $5; wall = $3; kib = $6}
		END {
			printf "%7d %9d %10d %10d %10d %7.0f%% %8.1f\n", size,
				rate, sent, queue, kernel, 100 * cpu / wall,
				kib / 1024
			if (sent != written + queue + kernel) {
				print "the counts do not add up"
				exit 1
			}
		}' "$dir/sent" "$dir/metrics" "$dir/took"
}

# What the system gives, in this process's circumstances.
note() {
	"$build/bin/span-capture" "${options[@]}" --duration 1ms 2>&1 \
		>/dev/null | grep warning || true
}

note
printf '%7s %9s %10s %10s %10s %8s %8s\n' bytes rate sent 'queue full' \
	kernel CPU MiB
measure 300 50000
measure 1400 50000
measure 1400 100000
measure 11000 20000
measure 11000 40000
measure 65000 10000
