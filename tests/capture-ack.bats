# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2030,SC2031
#
# When span-capture says that spans are taken: clients that note what they were
# told (ack-client.py), a reader that does not read, and a comparison of both.
load lib

python=/usr/bin/python3
clients=$SRC/tests/ack-client.py
late='not written in time, but maybe later'

setup() {
	$python -c 'import grpc, msgpack' 2>/dev/null || skip 'no python3-grpcio'
	cd "$BATS_TEST_TMPDIR" || return 1
	mkfifo pipe
}

teardown() {
	local pid
	for pid in "${started[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
	done
}

# Start span-capture with a pipe that nobody reads. Descriptor 9 is its end to
# read, and there is no other one but where $reader holds it.
start() {
	exec 8<>pipe 9<pipe
	span-capture -l zipkin:127.0.0.1:0 -l otlp-grpc:127.0.0.1:0 \
		-l admin:127.0.0.1:0 -v "$@" >pipe 2>err 3>&- 8>&- 9<&- &
	pid=$!
	started+=("$pid")
	wait_until grep -q 'listening on otlp-grpc ' err
	exec 8>&-
}

port() {
	sed -nE "s/.*listening on $1 .*:([0-9]+)\$/\1/p" err
}

# Run the clients; what they were told is in the file answers.
clients() {
	$python "$clients" "$@" "$(port zipkin)" "$(port otlp-grpc)" \
		>answers 9<&-
}

# How many answers begin so, after their number?
told() {
	grep -cE "^[0-9]+ $1" answers || true
}

# Read the pipe to its end, in the background; $missing waits for what it says.
read_pipe() {
	$python "$clients" --read answers <&9 >missing &
	reader=$!
	started+=("$reader")
	exec 9<&-
}

# The value of a metric of the admin port.
metric() {
	curl -sS "http://127.0.0.1:$(port admin)/metrics" | sed -n "s/^$1 //p"
}

# Is the pipe full, and all of the clients wait?
waits() {
	local before now
	before=$(metric span_capture_queue_bytes)
	now=$(metric span_capture_queue_bytes)
	[ "$now" -gt 400000 ] && [ "$now" = "$before" ]
}

# The status of one more request.
ask() {
	curl -sS -m 20 -o body -w '%{http_code}' -H 'Content-Type: application/json' \
		-d '[{"traceId":"5b8efff798038103","id":"eee19b7ec3c1b174","name":"id-0."}]' \
		"http://127.0.0.1:$(port zipkin)/api/v2/spans" 9<&-
}

@test "span-capture: what was acknowledged is in the pipe, whatever happens" {
	start
	clients
	waits
	kill -KILL "$pid"
	read_pipe
	ends 0 "$reader"
	[ "$(told 'http 202 ')" -gt 20 ]
	[ "$(told 'grpc OK ')" -gt 10 ]
	[ "$(told '')" = $(($(told 'http 202 ') + $(told 'grpc OK '))) ]
	[ "$(cat missing)" = 'missing: 0 acknowledged, 0 late; twice: 0' ]
}

@test "span-capture: --ack queued acknowledges what a kill takes away" {
	start --ack queued
	clients
	waits
	kill -KILL "$pid"
	read_pipe
	ends 0 "$reader"
	grep -qE '^missing: [1-9][0-9]* acknowledged, 0 late; twice: 0$' missing
}

@test "span-capture: who waits for too long is told to come again" {
	start
	clients --patient
	# Some waited; the others were told at once that nothing is taken.
	[ "$(told "http 503 Cannot submit Zipkin batch: $late\$")" -gt 0 ]
	[ "$(told "grpc UNAVAILABLE\+ $late\$")" -gt 0 ]
	[ "$(told 'http 503 Cannot submit Zipkin batch: the queue is full$')" -gt 0 ]
	[ "$(metric span_capture_late_total)" = "$(told ".*$late")" ]
	[ "$(ask)" = 503 ]
	grep -qx 'Cannot submit Zipkin batch: the queue is full' body
	# All of it is written when it is read, and then there is room.
	read_pipe
	taken() {
		[ "$(ask)" = 202 ]
	}
	wait_until taken
	kill -TERM "$pid"
	ends 0 "$pid"
	ends 0 "$reader"
	[ "$(cat missing)" = 'missing: 0 acknowledged, 0 late; twice: 0' ]
	grep -qE ": $(told ".*$late") of those written were late, " err
}

@test "span-capture: SIGTERM answers those who wait when they are written" {
	start
	clients --patient 9<&- &
	sender=$!
	wait_until waits
	kill -TERM "$pid"
	gone() {
		! curl -sS "http://127.0.0.1:$(port admin)/"
	}
	wait_until gone
	read_pipe
	ends 0 "$pid"
	ends 0 "$sender"
	ends 0 "$reader"
	[ "$(told ".*$late")" = 0 ]
	[ "$(told 'http 202 ')" -gt 20 ]
	[ "$(told 'grpc OK ')" -gt 10 ]
	[ "$(cat missing)" = 'missing: 0 acknowledged, 0 late; twice: 0' ]
}

@test "span-capture: when the output fails those who wait are told" {
	start
	clients --patient 9<&- &
	sender=$!
	wait_until waits
	exec 9<&-
	ends 141 "$pid"
	ends 0 "$sender"
	[ "$(told 'http 202 ')" -gt 20 ]
	[ "$(told 'http 503 Cannot submit Zipkin batch: the server is stopping$')" -gt 0 ]
	[ "$(told 'grpc UNAVAILABLE')" -gt 0 ]
	[ "$(told ".*$late")" = 0 ]
	grep -qE 'warning: [0-9]+ payloads that were taken were not written$' err
}

@test "span-capture: who hangs up while it waits harms nobody" {
	start
	clients --rude
	read_pipe
	idle() {
		[ "$(metric span_capture_connections)" = 1 ]
	}
	wait_until idle
	[ "$(ask)" = 202 ]
	kill -TERM "$pid"
	ends 0 "$pid"
	ends 0 "$reader"
	[ "$(cat missing)" = 'missing: 0 acknowledged, 0 late; twice: 0' ]
}
