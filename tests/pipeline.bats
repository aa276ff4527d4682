#!/usr/bin/env bats
# The programs together, as DESIGN and README promise them.

load lib

# Run a script in a network of its own, where the ports of clients are free.
in_own_network() {
	if [ "$(id -u)" = 0 ]; then
		unshare -n bash -c 'ip link set lo up && exec "$@"' - "$@"
	else
		unshare -rn bash -c 'ip link set lo up && exec "$@"' - "$@"
	fi
}

# Start the pipeline of use 1 in a process group of its own; $group is then its
# number. The shell that waits outlives a signal to the group, as that of a
# terminal does. What it says is in *.log, its exit status in "status".
start_pipeline() {
	setsid bash -c '
		set -o pipefail
		trap : INT TERM
		span-capture "$@" -v 2>capture.log | span-decode -v 2>decode.log |
			span-store append -v spans 2>append.log
		echo $? >status
	' - "$@" >/dev/null 2>&1 3>&- &
	group=$!
	echo $group >group
	wait_until grep -q 'listening on' capture.log
	wait_until grep -q sync append.log
	wait_until drains span-decode
}

teardown() {
	[ -e status ] || [ ! -e group ] || kill -KILL -- "-$(cat group)" || true
}

# True when a program of the pipeline has its handler of SIGTERM.
drains() {
	local caught
	caught=$(sed -n 's/^SigCgt:\t//p' "/proc/$(pgrep -g "$group" -x "$1")/status")
	[ $((0x$caught & 0x4000)) != 0 ]
}

send() {
	"$BUILD/tests/bench/udp-send" "$@"
}

# How many of something a log ends with: `said 'spans acknowledged' append.log`.
said() {
	tail -n 1 "$2" | grep -oE "[0-9]+ $1" | grep -oE '^[0-9]+'
}

@test "pipeline: the four uses, as they are written" {
	in_own_network true || skip "no network of its own for a test"
	export -f start_pipeline drains send wait_until
	cat >uses.sh <<'END'
set -eu
start_pipeline --udp
span-gen --seed 7 -n 300 --start -9m --rate 1 |
	send --batch 25 --rate 20000 127.0.0.1 6831
kill -INT -- -$group
wait $group || true
[ "$(cat status)" = 0 ]
page-someone() { echo paged; }
span-query -s spans --since 1h --service payment --tag error=true -q &&
	page-someone
span-graph -s spans --since 24h | dot -Tsvg > services.svg
span-store expire --max-age 7d --max-bytes 5G spans
END
	run -0 in_own_network bash uses.sh
	[ "${lines[-1]}" = paged ]
	grep -q 'dropped 0,' capture.log
	sent=$(span-gen --seed 7 -n 300 --start -9m --rate 1 | span-query -c --spans)
	[ "$(said 'spans acknowledged' append.log)" = "$sent" ]
	grep -q '<svg' services.svg
	for service in gateway payment shipping; do
		grep -q ">$service<" services.svg
	done
}

# Load while the signal comes: whatever was received is in the store.
interrupted_by() {
	start_pipeline --listen udp:127.0.0.1:0
	port=$(sed -n 's/.*listening on.*:\([0-9]*\)$/\1/p' capture.log)
	span-gen --seed 3 -n 2000 >load.spans
	"$BUILD/tests/bench/udp-send" --rate 60000 --spans 10M 127.0.0.1 "$port" \
		<load.spans \
		>send.log 2>&1 3>&- &
	sender=$!
	wait_until has_spans
	kill "-$1" -- "-$group"
	wait_until test -s status
	kill $sender || true
	[ "$(cat status)" = 0 ]
	received=$(sed -n 's/.*: received \([0-9]*\) (.*written \([0-9]*\), dropped.*/\1 \2/p' \
		capture.log | tail -n 1)
	echo "$received"
	[ "${received% *}" = "${received#* }" ]
	[ "$(said 'messages in' decode.log)" = "${received#* }" ]
	[ "$(said 'spans out' decode.log)" = \
		"$(said 'spans acknowledged' append.log)" ]
	span-store stat -o json spans >stat.json
	[ "$(jq .spans stat.json)" = "$(said 'spans acknowledged' append.log)" ]
	[ "$(jq .spans stat.json)" -gt 0 ]
	span-store verify spans
}

has_spans() {
	[ "$(span-store stat -o json spans | jq .spans)" -gt 5000 ]
}

@test "pipeline: SIGINT to all of it under load loses nothing that was received" {
	interrupted_by INT
}

@test "pipeline: SIGTERM to all of it under load loses nothing that was received" {
	interrupted_by TERM
}

@test "pipeline: recorded datagrams pass unchanged through all of it" {
	start_pipeline --listen udp:127.0.0.1:0
	port=$(sed -n 's/.*listening on.*:\([0-9]*\)$/\1/p' capture.log)
	span-capture -q -f udp -r "$DATA/real-clients.pcap" | send --replay 127.0.0.1 "$port"
	kill -TERM -- "-$group"
	wait_until test -s status
	[ "$(cat status)" = 0 ]
	span-query -s spans -o jsonl --spans | sort >got
	span-capture -q -f udp -r "$DATA/real-clients.pcap" | span-decode |
		span-query -o jsonl --spans | sort >want
	[ "$(wc -l <want)" = 256 ]
	diff -u want got
}

@test "pipeline: streams join with cat, and a cut one is an error" {
	span-gen --seed 1 -n 30 >a
	span-gen --seed 2 -n 30 >b
	a=$(span-query -c --spans a)
	b=$(span-query -c --spans b)
	run -0 bash -c 'cat a b | span-query -c --spans'
	[ "$output" = $((a + b)) ]
	run -0 bash -c 'cat a b | gzip | span-sample -r 1 | span-query -c --spans'
	[ "$output" = $((a + b)) ]
	run --separate-stderr -65 bash -c \
		'set -o pipefail; head -c -1 a | span-query -c --spans'
	[[ $stderr = "span-query: "* ]]
	run --separate-stderr -65 bash -c \
		'head -c -1 a | span-store append spans'
	[[ $stderr = "span-store: "* ]]
}
