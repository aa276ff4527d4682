#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# demo.sh - the pipeline at work, in a few seconds: "make demo"
#
# Starts the programs on a free port of the loopback, sends them what Jaeger
# and OpenTelemetry clients once sent, stops them, and asks the store.
# Everything is in a temporary directory. The exit status is that of the
# first thing that went wrong.
set -eu
cd "$(dirname "$0")/.."
data=${SRC:-$PWD}/tests/data
build=${BUILD:-$PWD}
PATH=$build/bin:$PATH

dir=$(mktemp -d)
store=$dir/spans
pipeline=
trap clean_up EXIT
trap 'exit 1' INT TERM
trap 'echo "demo: line $LINENO failed" >&2' ERR

bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then
	bold=$'\e[1m' plain=$'\e[0m'
fi

clean_up() {
	if [ -n "$pipeline" ] && kill -0 "$pipeline" 2>/dev/null; then
		kill -TERM "$(cat "$dir/pid")"
		wait "$pipeline"
	fi
	rm -rf "$dir"
}

say() {
	printf '\n%s# %s%s\n' "$bold" "$*" "$plain"
}

# Show a command as somebody would type it.
show() {
	printf '%s$ %s%s\n' "$bold" "$*" "$plain"
}

fail() {
	echo "demo: $*" >&2
	cat "$dir"/*.log >&2
	exit 1
}

# Show a command and run it.
run() {
	show "$*"
	bash -c "set -o pipefail; cd '$dir'; $*"
}

say "Receive what tracing clients send, decode it, keep it."
show "span-capture --listen udp:127.0.0.1:0 | span-decode | span-store append spans &"
(
	set -o pipefail
	sh -c 'echo $$ >"$1/pid"; exec span-capture --listen udp:127.0.0.1:0 -v' \
		- "$dir" 2>"$dir/capture.log" |
		span-decode -v 2>"$dir/decode.log" |
		span-store append -v "$store" >"$dir/append.log" 2>&1
) &
pipeline=$!
for ((i = 0; i < 500; i++)); do
	grep -q 'listening on' "$dir/capture.log" 2>/dev/null && break
	kill -0 "$pipeline" 2>/dev/null || fail "the pipeline did not start"
	sleep 0.02
done
cat "$dir/capture.log"
port=$(sed -n 's/.*listening on.*:\([0-9]*\)$/\1/p' "$dir/capture.log")
[ -n "$port" ] || fail "span-capture does not listen"

say "Send it the datagrams of two clients, as they were recorded."
show "span-capture -f udp -r real-clients.pcap | udp-send --replay 127.0.0.1 $port"
set -o pipefail
span-capture -q -f udp -r "$data/real-clients.pcap" |
	"$build/tests/bench/udp-send" --replay 127.0.0.1 "$port" ||
	fail "nothing was sent"

say "Stop it: what was received is decoded and stored first."
show "kill -TERM $(cat "$dir/pid")"
kill -TERM "$(cat "$dir/pid")"
wait "$pipeline" || fail "the pipeline ended with $?"
pipeline=
tail -q -n 1 "$dir/capture.log" "$dir/decode.log" "$dir/append.log"

say "The newest traces with an error."
run "span-query -s spans --error -o table --limit 5"

say "One of them, as a tree."
trace=$(span-query -s "$store" --service 'payment*' --error -o ids --limit 1)
run "span-query -s spans --trace-id $trace -o tree"

say "How many traces have an error in a payment, of how many?"
run "span-query -s spans --service 'payment*' --error -c"
run "span-query -s spans --service 'payment*' -c"

say "Who calls whom, how often, with how many errors. -o dot is a picture of it."
run "span-graph -s spans -o csv"

say "What the store holds."
run "span-store stat spans"
