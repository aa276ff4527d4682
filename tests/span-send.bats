#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2030,SC2031

load lib

python=/usr/bin/python3

setup_file() {
	span-gen --seed 7 -n 40 --output "$BATS_FILE_TMPDIR/in.spans"
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	in=$BATS_FILE_TMPDIR/in.spans
	n=$(span-query -c --spans "$in")
	started=()
}

teardown() {
	local pid
	for pid in "${started[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
	done
}

# Start a collector that leaves what it gets in ./DIR and answers as told:
# `collector DIR [OPTION...] [ANSWER...]`. $port, $pid.
collector() {
	local dir=$1
	"$python" "$SRC/tests/collector.py" "$@" 3>&- 2>"$dir.err" &
	pid=$!
	disown
	started+=("$pid")
	wait_until test -s "$dir/port"
	port=$(<"$dir/port")
}

# Does a process catch SIGTERM by now?
catches_term() {
	local mask
	mask=$(sed -n 's/^SigCgt:[[:space:]]*//p' "/proc/$1/status")
	((0x$mask & 0x4000))
}

# The ids of all spans in the bodies of a format in a directory, sorted.
ids_in() {
	local file
	for file in "$2"/*.body; do
		span-decode -q --from "$1" "$file"
	done | ids
}

ids() {
	span-query --spans -o jsonl |
		sed -E 's/^\{"trace_id":"([0-9a-f]+)","span_id":"([0-9a-f]+)".*/\1 \2/' |
		sort
}

# A number of the account in $stderr: `account accepted`.
account() {
	grep -oE "[0-9,]+ $1" <<<"$stderr" | tail -n 1 | cut -d' ' -f1 | tr -d ,
}

# Send $in, as quickly again as can be, with the account.
send() {
	span-send -v --retry-min 1ms --retry-max 4ms "$@" "$in"
}

requests() {
	find "$1" -name '*.body' | wc -l
}

# ---- Jaeger ----

@test "span-send: Jaeger over HTTP gets the bare batches of each process" {
	collector log
	run --separate-stderr -0 send "jaeger+http://127.0.0.1:$port"
	[ "$(account accepted)" = "$n" ]
	[ "$(account "spans read")" = "$n" ]
	alike <(ids <"$in") <(ids_in jaeger-binary log)
	[ "$(head -n 1 log/1.head)" = "POST /api/traces HTTP/1.1" ]
	grep -qi '^content-type: application/x-thrift' log/1.head
	# Not the message emitBatch: field 1 of a struct comes first.
	[ "$(head -c 3 log/1.body | od -An -tx1 | tr -d ' ')" = 0c0001 ]
}

@test "span-send: Jaeger over UDP gets datagrams below the limit" {
	span-capture --listen udp:127.0.0.1:0 --output got 2>err 3>&- &
	pid=$!
	started+=("$pid")
	wait_until grep -q 'listening on' err
	port=$(sed -nE 's/.*:([0-9]+)$/\1/p' err)
	run --separate-stderr -0 send --max-packet 9000 "jaeger+udp://127.0.0.1:$port"
	[ "$(account accepted)" = "$n" ]
	run --separate-stderr -0 send "jaeger+udp://127.0.0.1:$port?protocol=binary"
	kill -TERM "$pid"
	ends 0 "$pid"
	span-decode -q got >all
	[ "$(span-query -c --spans all)" = "$((2 * n))" ]
	alike <(ids <"$in" | sed p) <(ids <all)
}

@test "span-send: a span that no datagram holds is dropped, the others go" {
	span-capture --listen udp:127.0.0.1:0 --output got 2>err 3>&- &
	pid=$!
	started+=("$pid")
	wait_until grep -q 'listening on' err
	port=$(sed -nE 's/.*:([0-9]+)$/\1/p' err)
	run --separate-stderr -69 send --max-packet 1100 "jaeger+udp://127.0.0.1:$port"
	kill -TERM "$pid"
	ends 0 "$pid"
	lost=$(account "too large")
	[ "$lost" -gt 0 ]
	[ "$(account accepted)" = "$((n - lost))" ]
	[ "$(span-decode -q got | span-query -c --spans)" = "$((n - lost))" ]
	[ "$(grep -c 'larger than --max-packet' <<<"$stderr")" = 1 ]
}

@test "span-send: nobody listening on a datagram's port is noticed" {
	port=$("$python" -c 'import socket
s = socket.socket(type=socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
	run --separate-stderr -69 send --no-retry "jaeger+udp://127.0.0.1:$port"
	[[ $stderr = *"Connection refused"* ]]
	[ "$(account accepted)" = 0 ]
	[ "$(account "given up")" = "$n" ]
	run --separate-stderr -69 send --retry-max-time 50ms \
		"jaeger+udp://127.0.0.1:$port"
	[ "$(account "sent again")" -gt 0 ]
	[ "$(account accepted)" = 0 ]
}

# ---- Answers ----

@test "span-send: each status that means later is tried again, the same bytes" {
	for code in 429 500 502 503 504; do
		collector "log$code" "$code" 202
		run --separate-stderr -0 send --concurrency 1 --batch 5 \
			"jaeger+http://127.0.0.1:$port"
		[ "$(account accepted)" = "$n" ]
		[ "$(account failed)" = 1 ]
		cmp "log$code/1.body" "log$code/2.body"
		[[ $stderr = *": HTTP $code; trying again"* ]]
	done
}

@test "span-send: what a collector calls bad is rejected, and told once" {
	for code in 400 422; do
		collector "log$code" "$code,text=because" 200
		run --separate-stderr -69 send --concurrency 1 --batch 5 \
			"jaeger+http://127.0.0.1:$port"
		lost=$(account rejected)
		[ "$lost" -gt 0 ]
		[ "$(account accepted)" = "$((n - lost))" ]
		[ "$(account "sent again")" = 0 ]
		[[ $stderr = *": HTTP $code: because; "* ]]
	done
	collector all 400
	run --separate-stderr -69 send "jaeger+http://127.0.0.1:$port"
	[ "$(account rejected)" = "$n" ]
	[ "$(grep -c "HTTP 400" <<<"$stderr")" = 1 ]
}

@test "span-send: what it refuses for another reason is given up at once" {
	for code in 301 401 403 404 405 415 501; do
		collector "log$code" "$code,text=because" 200
		run --separate-stderr -69 send --concurrency 1 --batch 5 \
			"jaeger+http://127.0.0.1:$port"
		lost=$(account "given up")
		[ "$lost" -gt 0 ]
		[ "$(account accepted)" = "$((n - lost))" ]
		[ "$(account rejected)" = 0 ]
		[ "$(account "sent again")" = 0 ]
		[[ $stderr = *": HTTP $code: because; "* ]]
	done
}

@test "span-send: a collector that never says the same is heard so often" {
	answers=()
	for i in {1..30}; do
		answers+=("400,text=reason $i")
	done
	collector log "${answers[@]}" 200
	run --separate-stderr -69 send --batch 5 --concurrency 1 \
		"jaeger+http://127.0.0.1:$port"
	[ "$(grep -c 'HTTP 400: reason' <<<"$stderr")" = 16 ]
	[[ $stderr = *": and 14 more failures, for other reasons"* ]]
}

@test "span-send: what a collector says does nothing to a terminal" {
	collector log $'400,text=x\e[31mred\e]0;title\a'
	run --separate-stderr -69 send "jaeger+http://127.0.0.1:$port"
	[[ $stderr = *'HTTP 400: x\x1b[31mred\x1b]0;title'* ]]
	run -1 grep -q $'\e' <<<"$stderr"
}

@test "span-send: too large a message is halved until it fits" {
	collector log max=4000
	run --separate-stderr -0 send "jaeger+http://127.0.0.1:$port"
	[ "$(account accepted)" = "$n" ]
	for body in log/*.body; do
		[ "$(wc -c <"$body")" -gt 4000 ] || cp "$body" .
	done
	[ "$(find . -maxdepth 1 -name '*.body' | wc -l)" -lt "$(requests log)" ]
	alike <(ids <"$in") <(ids_in jaeger-binary .)
}

@test "span-send: a span that is too large by itself is dropped" {
	collector log 413
	run --separate-stderr -69 send "jaeger+http://127.0.0.1:$port"
	[ "$(account "too large")" = "$n" ]
	[ "$(account accepted)" = 0 ]
	[ "$(grep -c ": HTTP 413" <<<"$stderr")" = 1 ]
}

@test "span-send: --batch-bytes is the limit of a message with several spans" {
	collector log
	run --separate-stderr -0 send --batch-bytes 3000 \
		"jaeger+http://127.0.0.1:$port"
	[ "$(find log -name '*.body' -size +2999c | wc -l)" = 0 ]
	alike <(ids <"$in") <(ids_in jaeger-binary log)
}

@test "span-send: connections that end without an answer are tried again" {
	collector log close close 200
	run --separate-stderr -0 send "jaeger+http://127.0.0.1:$port"
	[ "$(account accepted)" = "$n" ]
	[ "$(account failed)" = 2 ]
}

@test "span-send: an answer that does not come in time is given up" {
	collector log 200,sleep=30
	run --separate-stderr -69 send --timeout 20ms --no-retry --concurrency 64 \
		"jaeger+http://127.0.0.1:$port"
	[ "$(account "given up")" = "$n" ]
	[[ $stderr = *": no answer in time; "* ]]
}

@test "span-send: a pause that is asked for is kept" {
	collector log 503,retry-after=1 200
	start=$(date +%s%N)
	run --separate-stderr -0 send --concurrency 1 "jaeger+http://127.0.0.1:$port"
	took=$((($(date +%s%N) - start) / 1000000))
	[ "$took" -ge 1000 ]
	[ "$(account accepted)" = "$n" ]
	# One that is longer than all attempts may take ends them.
	collector long 503,retry-after=3600
	run --separate-stderr -69 send --retry-max-time 1m --concurrency 64 \
		"jaeger+http://127.0.0.1:$port"
	[ "$(account "given up")" = "$n" ]
	# What is not tried again does not hold up the others.
	collector once 503,retry-after=3600 200
	run --separate-stderr -69 timeout 10 span-send -v --no-retry --batch 20 \
		--concurrency 1 "otlp+http://127.0.0.1:$port" "$in"
	[ "$(account "given up")" = 20 ]
	[ "$(account accepted)" = "$((n - 20))" ]
}

@test "span-send: nobody there is tried until --retry-max-time" {
	port=$("$python" -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
	run --separate-stderr -69 send --retry-max-time 60ms \
		"jaeger+http://127.0.0.1:$port"
	[ "$(account "given up")" = "$n" ]
	[ "$(account "sent again")" -gt 0 ]
	[[ $stderr = *": cannot connect: Connection refused; trying again"* ]]
	run --separate-stderr -69 send --no-retry "jaeger+http://127.0.0.1:$port"
	[ "$(account "given up")" = "$n" ]
	[ "$(account "sent again")" = 0 ]
}

@test "span-send: a collector that comes back gets everything" {
	port=$("$python" -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
	span-send -v --retry-min 1ms --retry-max 4ms \
		"jaeger+http://127.0.0.1:$port" "$in" 2>err 3>&- &
	sender=$!
	started+=("$sender")
	wait_until grep -q 'trying again' err
	collector log --port "$port"
	ends 0 "$sender"
	alike <(ids <"$in") <(ids_in jaeger-binary log)
}

@test "span-send: many messages are under way at a time, not more" {
	collector log 200,sleep=0.3
	run --separate-stderr -0 send --batch 5 --concurrency 32 \
		"jaeger+http://127.0.0.1:$port"
	[ "$(account messages)" -gt 64 ]
	[ "$(<log/most)" -gt 8 ]
	[ "$(<log/most)" -le 32 ]
	collector one 200,sleep=0.01
	run --separate-stderr -0 send --concurrency 1 "jaeger+http://127.0.0.1:$port"
	[ "$(<one/most)" = 1 ]
}

# ---- OTLP, Zipkin ----

@test "span-send: OTLP over HTTP, in protobuf and in JSON" {
	collector proto
	run --separate-stderr -0 send "otlp+http://127.0.0.1:$port"
	[ "$(account accepted)" = "$n" ]
	[ "$(head -n 1 proto/1.head)" = "POST /v1/traces HTTP/1.1" ]
	grep -qx 'Content-Type: application/x-protobuf' proto/1.head
	alike <(ids <"$in") <(ids_in otlp-proto proto)
	collector json
	run --separate-stderr -0 send --json --gzip "otlp+http://127.0.0.1:$port"
	grep -qx 'Content-Type: application/json' json/1.head
	grep -qx 'Content-Encoding: gzip' json/1.head
	alike <(ids <"$in") <(ids_in otlp-json json)
}

@test "span-send: Zipkin over HTTP, tried again at 500, too" {
	collector log 500 202
	run --separate-stderr -0 send "zipkin+http://127.0.0.1:$port"
	[ "$(account accepted)" = "$n" ]
	[ "$(account failed)" = 1 ]
	[ "$(head -n 1 log/1.head)" = "POST /api/v2/spans HTTP/1.1" ]
	grep -qx 'Content-Type: application/json' log/1.head
	alike <(ids <"$in") <(ids_in zipkin-json log | uniq)
}

@test "span-send: Jaeger over gRPC gets a batch of each process" {
	collector log --grpc
	run --separate-stderr -0 send "jaeger+grpc://127.0.0.1:$port"
	[ "$(account accepted)" = "$n" ]
	method=jaeger.api_v2.CollectorService/PostSpans
	[ "$(head -n 1 log/1.head)" = "/$method" ]
	alike <(ids <"$in") <(ids_in jaeger-proto log)
}

@test "span-send: OTLP over HTTP tries again as its specification says" {
	for code in 429 502 503 504; do
		collector "log$code" "$code" 200
		run --separate-stderr -0 send "otlp+http://127.0.0.1:$port"
		[ "$(account accepted)" = "$n" ]
		[ "$(account failed)" = 1 ]
	done
	for code in 400 404 408 500 501; do
		collector "log$code" "$code"
		run --separate-stderr -69 send "otlp+http://127.0.0.1:$port"
		fate="given up"
		[ "$code" != 400 ] || fate=rejected
		[ "$(account "$fate")" = "$n" ]
		[ "$(account "sent again")" = 0 ]
	done
}

@test "span-send: a partial success is counted and told" {
	for json in "" --json; do
		collector "log$json" partial=3,text=odd partial=0,text=hint 200
		# shellcheck disable=SC2086
		run --separate-stderr -69 send $json --batch 100 \
			"otlp+http://127.0.0.1:$port"
		[ "$(account rejected)" = 3 ]
		[ "$(account accepted)" = "$((n - 3))" ]
		[[ $stderr = *": partial success: odd; 3 spans are rejected"* ]]
		[[ $stderr = *": warning: hint; all spans are accepted"* ]]
	done
}

@test "span-send: OTLP over gRPC, with and without gzip" {
	collector log --grpc
	run --separate-stderr -0 send --batch 50 "otlp+grpc://127.0.0.1:$port"
	[ "$(account accepted)" = "$n" ]
	[ "$(account messages)" -gt 5 ]
	method=opentelemetry.proto.collector.trace.v1.TraceService/Export
	[ "$(head -n 1 log/1.head)" = "/$method" ]
	alike <(ids <"$in") <(ids_in otlp-proto log)
	collector packed --grpc
	run --separate-stderr -0 send --gzip "otlp+grpc://127.0.0.1:$port"
	alike <(ids <"$in") <(ids_in otlp-proto packed)
}

@test "span-send: gRPC statuses are tried again, or not" {
	collector log --grpc CANCELLED DEADLINE_EXCEEDED ABORTED OUT_OF_RANGE \
		UNAVAILABLE DATA_LOSS RESOURCE_EXHAUSTED,retry=0.01 OK
	run --separate-stderr -0 send --concurrency 1 "otlp+grpc://127.0.0.1:$port"
	[ "$(account accepted)" = "$n" ]
	[ "$(account failed)" = 7 ]
	collector no --grpc INVALID_ARGUMENT,text=no%41 UNKNOWN NOT_FOUND INTERNAL \
		PERMISSION_DENIED UNIMPLEMENTED UNAUTHENTICATED RESOURCE_EXHAUSTED OK
	run --separate-stderr -69 send --concurrency 1 --batch 10 \
		"otlp+grpc://127.0.0.1:$port"
	[ "$(account rejected)" = 10 ]
	[ "$(account "given up")" = 70 ]
	[ "$(account accepted)" = "$((n - 80))" ]
	[ "$(account failed)" = 8 ]
	[[ $stderr = *": gRPC INVALID_ARGUMENT: no%41; 10 spans are rejected"* ]]
}

@test "span-send: Jaeger over gRPC tries again when a queue is full" {
	collector log --grpc RESOURCE_EXHAUSTED OK
	run --separate-stderr -0 send --concurrency 1 "jaeger+grpc://127.0.0.1:$port"
	[ "$(account accepted)" = "$n" ]
	[ "$(account failed)" = 1 ]
}

@test "span-send: a pause that RetryInfo asks for is kept" {
	collector log --grpc UNAVAILABLE,retry=0.5 OK
	start=$(date +%s%N)
	run --separate-stderr -0 send "otlp+grpc://127.0.0.1:$port"
	[ "$((($(date +%s%N) - start) / 1000000))" -ge 500 ]
}

@test "span-send: too large a message of gRPC is halved, partial success counts" {
	collector log --grpc max=30000
	run --separate-stderr -0 send "otlp+grpc://127.0.0.1:$port"
	[ "$(account accepted)" = "$n" ]
	[ "$(account failed)" -gt 1 ]
	collector part --grpc partial=7
	run --separate-stderr -69 send --batch 65536 "otlp+grpc://127.0.0.1:$port"
	[ "$(account rejected)" = 7 ]
}

@test "span-send: TLS, when the certificate is trusted" {
	command -v openssl >/dev/null || skip "no openssl"
	openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem \
		-days 2 -subj /CN=localhost -addext \
		'subjectAltName=DNS:localhost,IP:127.0.0.1' 2>/dev/null
	collector http --tls cert.pem key.pem
	http=$port
	run --separate-stderr -0 send --cacert cert.pem "otlp+https://127.0.0.1:$http"
	[ "$(account accepted)" = "$n" ]
	run --separate-stderr -0 send --insecure "otlp+https://127.0.0.1:$http"
	run --separate-stderr -69 send "otlp+https://127.0.0.1:$http"
	[ "$(account "given up")" = "$n" ]
	[[ $stderr = *certificate* ]]
	collector grpc --grpc --tls cert.pem key.pem
	run --separate-stderr -0 send --batch 50 --cacert cert.pem \
		"otlp+grpcs://127.0.0.1:$port"
	[ "$(account accepted)" = "$n" ]
	alike <(ids <"$in") <(ids_in otlp-proto grpc)
}

@test "span-send: files of certificates that are none are wrong usage, with the name" {
	command -v openssl >/dev/null || skip "no openssl"
	for name in one two; do
		openssl req -x509 -newkey rsa:2048 -nodes -keyout $name.key -out $name \
			-days 2 -subj /CN=localhost 2>/dev/null
	done
	echo junk >junk
	for files in "--cacert nothere" "--cacert junk" "--cert junk --key one.key" \
		"--cert one --key junk" "--cert one" "--cert one --key two.key"; do
		# shellcheck disable=SC2086
		run --separate-stderr -2 span-send $files \
			otlp+https://127.0.0.1:9 "$in"
		[[ $stderr = *"${files##* }"* ]]
	done
}

# ---- Headers and secrets ----

@test "span-send: headers, of arguments and of a file" {
	collector log
	printf '# comment\n\nX-Scope-OrgID: tenant\r\nCookie: a=b\n' >headers
	chmod 600 headers
	run --separate-stderr -0 send --header 'X-One: 1' --header 'X-Two: 2' \
		--header-file headers "jaeger+http://127.0.0.1:$port/there?a=b"
	[ "$(head -n 1 log/1.head)" = "POST /there?a=b HTTP/1.1" ]
	for line in 'X-One: 1' 'X-Two: 2' 'X-Scope-OrgID: tenant' 'Cookie: a=b'; do
		grep -qx "$line" log/1.head
	done
}

@test "span-send: headers of the environment, secrets too" {
	collector log
	KEYS=$'X-API-Key: s3cret\nX-Other: 1' run --separate-stderr -0 send \
		--header-env KEYS "jaeger+http://127.0.0.1:$port"
	grep -qx 'X-API-Key: s3cret' log/1.head
	grep -qx 'X-Other: 1' log/1.head
	KEYS='s3cret without a name' run --separate-stderr -2 send --header-env KEYS \
		"jaeger+http://127.0.0.1:$port"
	[[ $stderr != *s3cret* ]]
	run --separate-stderr -2 send --header-env NONE "jaeger+http://127.0.0.1:$port"
	[[ $stderr = *"there is no variable NONE"* ]]
}

@test "span-send: a user, or a token, out of a file that is nobody else's" {
	collector log
	echo 'me:secret' >user
	echo 'tok3n' >token
	chmod 644 user token
	for option in --user-file=user --token-file=token --header-file=user; do
		run --separate-stderr -2 send "$option" \
			"jaeger+http://127.0.0.1:$port"
		[[ $stderr = *"is not for you alone: chmod 600"* ]]
	done
	[ "$(requests log)" = 0 ]
	chmod 600 user token
	run --separate-stderr -0 send --user-file user "jaeger+http://127.0.0.1:$port"
	grep -qx 'Authorization: Basic bWU6c2VjcmV0' log/1.head
	rm log/*.head
	run --separate-stderr -0 send --token-file token "jaeger+http://127.0.0.1:$port"
	cat log/*.head | grep -qx 'Authorization: Bearer tok3n'
}

@test "span-send: headers that cannot be sent are wrong usage" {
	for header in 'Authorization: x' 'cookie:x' 'X-API-Key: x' 'api-key: x' \
		'X-Token-Count: 3' \
		'lightstep-access-token: x' 'X-Secret: x' 'Content-Type: x' 'TE: x' \
		'no colon' ': x' $'X: a\nY: b' 'X Y: z'; do
		run --separate-stderr -2 span-send --header "$header" \
			otlp+http://127.0.0.1:9 </dev/null
		[ -n "$stderr" ]
	done
}

# ---- Input, output, life ----

@test "span-send: gzip is what the body is packed with, where it can be read" {
	collector log
	run --separate-stderr -0 send --gzip "zipkin+http://127.0.0.1:$port"
	grep -qx 'Content-Encoding: gzip' log/1.head
	alike <(ids <"$in") <(ids_in zipkin-json log | uniq)
	run --separate-stderr -2 send --gzip "jaeger+http://127.0.0.1:$port"
	[[ $stderr = *"Jaeger's collector takes no gzip over HTTP"* ]]
}

@test "span-send: a lone span of an open pipe goes out by itself" {
	collector log
	mkfifo pipe
	span-send -q --flush-interval 20ms "jaeger+http://127.0.0.1:$port" \
		<pipe 3>&- &
	sender=$!
	started+=("$sender")
	exec 8>pipe
	span-gen --seed 1 -n 1 >&8
	wait_until test -s log/1.body
	exec 8>&-
	ends 0 "$sender"
}

@test "span-send: a pipe is read to its end after a signal" {
	collector log
	mkfifo pipe
	span-send "jaeger+http://127.0.0.1:$port" <pipe 2>err 3>&- &
	sender=$!
	started+=("$sender")
	exec 8>pipe
	wait_until catches_term "$sender"
	kill -TERM "$sender"
	cat "$in" >&8
	exec 8>&-
	ends 0 "$sender"
	alike <(ids <"$in") <(ids_in jaeger-binary log)
}

@test "span-send: after a signal all is given up in --stop-timeout" {
	collector log 503
	span-send -v --retry-min 1ms --stop-timeout 50ms \
		"jaeger+http://127.0.0.1:$port" "$in" 2>err 3>&- &
	sender=$!
	started+=("$sender")
	wait_until test -s log/1.body
	kill -TERM "$sender"
	ends 69 "$sender"
	stderr=$(<err)
	[ "$(account "when stopped")" = "$(account "spans read")" ]
}

@test "span-send: --stop-timeout ends it behind a pipe that stays open" {
	collector log
	mkfifo pipe
	span-send -v --stop-timeout 50ms "jaeger+http://127.0.0.1:$port" <pipe \
		2>err 3>&- &
	sender=$!
	started+=("$sender")
	exec 8>pipe
	cat "$in" >&8
	wait_until test -s log/1.body
	kill -TERM "$sender"
	ends 0 "$sender"
	exec 8>&-
	stderr=$(<err)
	[ "$(account accepted)" = "$(account "spans read")" ]
}

@test "span-send: a collector that is slow slows the source" {
	collector log 200,sleep=30
	mkfifo pipe
	span-send -q --batch 10 --concurrency 1 --stop-timeout 1ms \
		"jaeger+http://127.0.0.1:$port" <pipe 3>&- &
	sender=$!
	started+=("$sender")
	# What does not fit into the pipe and the program is never taken.
	span-gen --seed 1 -n 100000 >pipe 2>/dev/null 3>&- &
	source=$!
	started+=("$source")
	wait_until test -s log/1.body
	before=$(awk '/VmRSS/ { print $2 }' "/proc/$sender/status")
	kill -0 "$source"
	[ "$before" -lt 65536 ]
}

@test "span-send: --rate holds spans back" {
	collector log
	span-query --spans --limit 30 -o spans "$in" >few
	[ "$(span-query -c --spans few)" -ge 20 ]
	run --separate-stderr -0 span-send -v --rate 200 \
		"jaeger+http://127.0.0.1:$port" few
	took=$(grep -oE '[0-9.]+ s$' <<<"$stderr" | cut -d' ' -f1)
	awk -v t="$took" -v n="$(account accepted)" 'BEGIN { exit !(t >= (n - 1) / 200 - .05) }'
}

@test "span-send: a store is a source, and a selection holds" {
	collector log
	span-store append -q store "$in"
	run --separate-stderr -0 span-send -v -s store --service cart \
		"jaeger+http://127.0.0.1:$port"
	want=$(span-query -c --spans --service cart "$in")
	[ "$want" -gt 0 ]
	[ "$(account accepted)" = "$want" ]
	alike <(span-query --spans -o spans --service cart "$in" | ids) \
		<(ids_in jaeger-binary log)
}

@test "span-send: counts are metrics that Prometheus takes" {
	collector log 503 400 200
	run --separate-stderr -69 send --concurrency 1 --metrics-file m \
		"jaeger+http://127.0.0.1:$port"
	lost=$(account rejected)
	grep -qx "span_send_spans_total{result=\"accepted\"} $((n - lost))" m
	grep -qx "span_send_spans_total{result=\"rejected\"} $lost" m
	grep -qx "span_send_read_spans_total $n" m
	grep -qx "span_send_failed_messages_total 2" m
	if command -v promtool >/dev/null; then
		promtool check metrics <m
	fi
}

@test "span-send: nothing to send is nothing wrong" {
	run --separate-stderr -0 span-send -v jaeger+http://127.0.0.1:9 </dev/null
	[[ $stderr = "span-send: 0 spans read, 0 accepted, "* ]]
}

@test "span-send: damaged input is 65, and what came before is sent" {
	collector log
	head -c -7 "$in" >torn
	run --separate-stderr -65 span-send -v "jaeger+http://127.0.0.1:$port" torn
	[ "$(account accepted)" -gt 0 ]
	[ "$(account accepted)" = "$(account "spans read")" ]
	run --separate-stderr -65 span-send jaeger+http://127.0.0.1:9 <<<'no span'
}

@test "span-send: a URL that is none is wrong usage, and why" {
	run --separate-stderr -2 span-send </dev/null
	[[ $stderr = *"A URL is needed"* ]]
	for url in http://x localhost:4317 otlp+http:// foo+http://x \
		otlp+http://a:b@c otlp+grpc://x/y jaeger+udp://x:0; do
		run --separate-stderr -2 span-send "$url" </dev/null
		[[ $stderr = "span-send: '$url': "* ]]
	done
	run --separate-stderr -2 span-send --gzip jaeger+udp://x </dev/null
	run --separate-stderr -2 span-send --cacert f otlp+http://x </dev/null
	run --separate-stderr -2 span-send --json jaeger+http://x </dev/null
	run --separate-stderr -2 span-send --batch 0 otlp+http://x </dev/null
	run --separate-stderr -2 span-send --max-bytes 2M otlp+http://x </dev/null
	run --separate-stderr -69 span-send jaeger+udp://no-such-host.invalid </dev/null
}

@test "span-send: --help and the man page have the same schemes of URLs" {
	run -0 span-send --help
	schemes='[a-z]+\+[a-z]+'
	grep -oE "^  $schemes(://|,)|$schemes(,| and|:)" <<<"$output" |
		grep -oE "$schemes" | sort -u >help
	grep -oE "^\.(It )?Cm $schemes" "$SRC/man/span-send.1" |
		grep -oE "$schemes" | sort -u >page
	[ "$(wc -l <help)" = 11 ]
	diff -u help page
	[[ $output = *"  otlp+http://HOST[:4318][/v1/traces]"* ]]
}

# ---- Spool ----

# A port where nobody listens.
free_port() {
	port=$("$python" -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
}

# How to send with a spool, for a short time. An array: what a function runs in
# the background is not the process that can be killed.
spool=(span-send -v --spool sp --retry-min 1ms --retry-max 4ms
	--retry-max-time 10s)

# A number of the account, 0 where it is not mentioned.
number() {
	local v
	v=$(account "$1")
	echo "${v:-0}"
}

# What came in is what became of it.
adds_up() {
	local sum
	sum=$(($(number accepted) + $(number rejected) + $(number dropped) + $(
		number "waiting in the spool")))
	[ $(($(number "spans read") + $(number "found in the spool"))) = "$sum" ]
}

@test "span-send: a spool keeps spans while the collector is away" {
	free_port
	url=otlp+http://127.0.0.1:$port
	run --separate-stderr -69 "${spool[@]}" --retry-max-time 50ms "$url" "$in"
	[ "$(account "waiting in the spool")" = "$n" ]
	[ "$(account dropped)" = 0 ]
	alike <(ids <"$in") <(span-query --spans -s sp/spans -o spans | ids)
	collector log --port "$port"
	run --separate-stderr -0 "${spool[@]}" "$url" </dev/null
	[[ ${stderr_lines[0]} = "span-send: sp: $n spans are waiting" ]]
	[ "$(account accepted)" = "$n" ]
	alike <(ids <"$in") <(ids_in otlp-proto log)
	# Once is enough.
	before=$(requests log)
	run --separate-stderr -0 "${spool[@]}" "$url" </dev/null
	[ "$(requests log)" = "$before" ]
	run --separate-stderr -0 "${spool[@]}" "$url" "$in"
	alike <(ids <"$in" | sed p) <(ids_in otlp-proto log)
}

@test "span-send: a spool keeps what is refused for another reason than the spans" {
	collector log
	for code in 301 401 403 404 405 408 415 500 501; do
		echo "$code,text=because" >log/answer
		run --separate-stderr -69 "${spool[@]}" "otlp+http://127.0.0.1:$port" \
			"$in"
		[ "$(account "waiting in the spool")" = "$n" ]
		[ "$(account dropped)" = 0 ]
		[[ $stderr = *": HTTP $code: because; trying again"* ]]
		adds_up
		rm log/answer
		run --separate-stderr -0 "${spool[@]}" "otlp+http://127.0.0.1:$port" \
			</dev/null
		[ "$(account accepted)" = "$n" ]
		[ "$(account "found in the spool")" = "$n" ]
		adds_up
	done
	collector calls --grpc
	for status in UNKNOWN NOT_FOUND INTERNAL PERMISSION_DENIED UNIMPLEMENTED \
		UNAUTHENTICATED RESOURCE_EXHAUSTED; do
		echo "$status" >calls/answer
		run --separate-stderr -69 "${spool[@]}" "otlp+grpc://127.0.0.1:$port" \
			"$in"
		[ "$(account accepted)" = 0 ]
		[ "$(account rejected)" = 0 ]
		[ "$(account dropped)" = 0 ]
		rm -r sp
	done
}

@test "span-send: a spool keeps what a wrong certificate keeps from being sent" {
	command -v openssl >/dev/null || skip "no openssl"
	for name in its other; do
		openssl req -x509 -newkey rsa:2048 -nodes -keyout $name.key -out $name \
			-days 2 -subj /CN=localhost -addext \
			'subjectAltName=DNS:localhost,IP:127.0.0.1' 2>/dev/null
	done
	collector log --tls its its.key
	run --separate-stderr -69 "${spool[@]}" --cacert other \
		"otlp+https://127.0.0.1:$port" "$in"
	[ "$(account "waiting in the spool")" = "$n" ]
	[ "$(account dropped)" = 0 ]
	run --separate-stderr -0 "${spool[@]}" --cacert its \
		"otlp+https://127.0.0.1:$port" </dev/null
	alike <(ids <"$in") <(ids_in otlp-proto log)
}

@test "span-send: a spool gives up what is bad in itself" {
	collector log 400 200
	run --separate-stderr -69 "${spool[@]}" --batch 10 --concurrency 1 \
		"otlp+http://127.0.0.1:$port" "$in"
	[ "$(account accepted)" = "$((n - $(account rejected)))" ]
	[ "$(account rejected)" -gt 0 ]
	adds_up
	run --separate-stderr -0 "${spool[@]}" "otlp+http://127.0.0.1:$port" </dev/null
	[ "$(account accepted)" = 0 ]
}

@test "span-send: of a batch in several messages only those that failed come again" {
	collector log 200 200 503
	run --separate-stderr -69 "${spool[@]}" --retry-max-time 100ms \
		--concurrency 1 "jaeger+http://127.0.0.1:$port" "$in"
	accepted=$(account accepted)
	[ "$accepted" -gt 0 ]
	[ "$(account "waiting in the spool")" = $((n - accepted)) ]
	adds_up
	grep -q '^part ' sp/sent
	collector later
	run --separate-stderr -0 "${spool[@]}" "jaeger+http://127.0.0.1:$port" </dev/null
	[ "$(account accepted)" = $((n - accepted)) ]
	[ "$(account "found in the spool")" = $((n - accepted)) ]
	mkdir all
	cp log/1.body all/1.body
	cp log/2.body all/2.body
	for body in later/*.body; do
		cp "$body" "all/later${body##*/}"
	done
	alike <(ids <"$in") <(ids_in jaeger-binary all)
}

@test "span-send: the metrics of a spool add up, too" {
	free_port
	run --separate-stderr -69 "${spool[@]}" --retry-max-time 50ms \
		"otlp+http://127.0.0.1:$port" "$in"
	collector log --port "$port" 503
	span-send -v --spool sp --stop-timeout 20ms --metrics-file m \
		"otlp+http://127.0.0.1:$port" "$in" 2>err 3>&- &
	sender=$!
	started+=("$sender")
	wait_until grep -q 'trying again' err
	kill -TERM "$sender"
	ends 69 "$sender"
	stderr=$(<err)
	adds_up
	grep -qx "span_send_found_spans_total $n" m
	grep -qx "span_send_waiting_spans $(account "waiting in the spool")" m
	grep -qx 'span_send_spans_total{result="stopped"} 0' m
	awk '/^span_send_(read|found)_spans_total/ { came += $2 }
		/^span_send_(spans_total\{|waiting_spans)/ { went += $2 }
		END { exit came != went || !came }' m
}

@test "span-send: a spool that has room is filled and emptied at once" {
	collector log 503 200
	run --separate-stderr -0 "${spool[@]}" --batch 7 "jaeger+http://127.0.0.1:$port" "$in"
	[ "$(account accepted)" = "$n" ]
	alike <(ids <"$in") <(ids_in jaeger-binary log | uniq)
}

@test "span-send: kill -9 loses nothing of a spool, and repeats little" {
	free_port
	url=otlp+http://127.0.0.1:$port
	run --separate-stderr -69 "${spool[@]}" --retry-max-time 1ms --batch 8 "$url" "$in"
	collector log --port "$port" 200,sleep=0.005
	for kills in 1 2 3 4 5 6 7 8; do
		want=$(($(requests log) + RANDOM % 9))
		"${spool[@]}" -q --batch 8 --concurrency 2 "$url" </dev/null 2>err 3>&- &
		sender=$!
		while [ "$(requests log)" -lt "$want" ] && kill -0 "$sender"; do
			:
		done
		kill -KILL "$sender" 2>/dev/null || true
		wait "$sender" || true
	done
	run --separate-stderr -0 "${spool[@]}" --batch 8 "$url" </dev/null
	alike <(ids <"$in" | uniq) <(ids_in otlp-proto log | uniq)
	sent=$(ids_in otlp-proto log | wc -l)
	# Two messages of eight spans may be under way.
	[ "$sent" -le $((n + kills * 2 * 8)) ]
}

@test "span-send: kill -9 while it reads loses nothing that was in the spool" {
	free_port
	url=otlp+http://127.0.0.1:$port
	mkfifo pipe
	"${spool[@]}" "$url" <pipe 2>err 3>&- &
	sender=$!
	started+=("$sender")
	exec 8>pipe
	cat "$in" >&8
	full() {
		[ "$(span-query -c --spans -s sp/spans)" = "$n" ]
	}
	wait_until full
	kill -KILL "$sender"
	exec 8>&-
	wait "$sender" || true
	collector log --port "$port"
	run --separate-stderr -0 "${spool[@]}" "$url" </dev/null
	alike <(ids <"$in") <(ids_in otlp-proto log)
}

@test "span-send: a spool drops its oldest spans of a pipe above --max-bytes" {
	free_port
	span-gen --seed 3 -n 1500 >many
	total=$(span-query -c --spans many)
	run --separate-stderr -69 bash -c 'cat many | "$@"' - "${spool[@]}" \
		--max-bytes 1M --retry-max-time 1500ms "otlp+http://127.0.0.1:$port"
	lost=$(account "spool full")
	waiting=$(account "waiting in the spool")
	[ "$lost" -gt 0 ]
	[ $((lost + waiting)) = "$total" ]
	[ "$(du -sb sp/spans | cut -f1)" -le $((1200 << 10)) ]
	collector log --port "$port"
	run --separate-stderr -0 "${spool[@]}" "otlp+http://127.0.0.1:$port" </dev/null
	[ "$(account accepted)" = "$waiting" ]
	# The newest are there.
	alike <(ids_in otlp-proto log) <(span-query --spans -o jsonl many |
		tail -n "$waiting" | sed -E \
		's/^\{"trace_id":"([0-9a-f]+)","span_id":"([0-9a-f]+)".*/\1 \2/' | sort)
}

@test "span-send: a file waits for room in the spool" {
	collector log 200,sleep=0.05
	span-gen --seed 3 -n 1500 >many
	run --separate-stderr -0 "${spool[@]}" --max-bytes 1M \
		"otlp+http://127.0.0.1:$port" many
	[ "$(account dropped)" = 0 ]
	[ "$(account accepted)" = "$(span-query -c --spans many)" ]
	alike <(ids <many) <(ids_in otlp-proto log)
	# But not for ever: then it says how far it came.
	free_port
	rm -r sp
	run --separate-stderr -69 "${spool[@]}" --max-bytes 1M \
		--retry-max-time 100ms "otlp+http://127.0.0.1:$port" many
	[[ $stderr = *"sp is full, and nothing goes out: the rest of the input is not read"* ]]
	[ "$(number "spool full")" = 0 ]
	adds_up
	[ "$(account "waiting in the spool")" -gt 1000 ]
}

@test "span-send: a live run goes on when 401 has become 200" {
	collector log 401 401 200
	mkfifo pipe
	"${spool[@]}" "otlp+http://127.0.0.1:$port" <pipe 2>err 3>&- &
	sender=$!
	started+=("$sender")
	exec 8>pipe
	cat "$in" >&8
	wait_until grep -q 'HTTP 401.*trying again' err
	wait_until test -s log/3.body
	span-gen --seed 8 -n 10 >more
	cat more >&8
	exec 8>&-
	ends 0 "$sender"
	stderr=$(<err)
	cat "$in" more >both
	[ "$(account accepted)" = "$(span-query -c --spans both)" ]
	adds_up
	alike <(ids <both) <(ids_in otlp-proto log | uniq)
}

@test "span-send: a spool takes what is selected, whatever frames it comes in" {
	collector log
	{
		for seed in 1 2 3; do
			span-gen --seed $seed -n 1
		done
		cat "$in"
		span-gen --seed 4 -n 1
	} >mixed
	run --separate-stderr -0 "${spool[@]}" "otlp+http://127.0.0.1:$port" mixed
	[ "$(account "spans read")" = "$(span-query -c --spans mixed)" ]
	adds_up
	alike <(ids <mixed) <(ids_in otlp-proto log)
	span-query --spans --error -o spans mixed >errors
	[ -s errors ]
	collector selected
	run --separate-stderr -0 "${spool[@]}" --error "otlp+http://127.0.0.1:$port" \
		mixed
	alike <(ids <errors) <(ids_in otlp-proto selected)
	# Messages of fewer spans than the frames have, and one by one.
	for how in '--batch 100' '--rate 1000000'; do
		collector "log$how"
		# shellcheck disable=SC2086
		run --separate-stderr -0 "${spool[@]}" $how \
			"otlp+http://127.0.0.1:$port" mixed
		alike <(ids <mixed) <(ids_in otlp-proto "log$how")
	done
}

@test "span-send: what a spool was sent of is one record in the end" {
	collector log
	run --separate-stderr -0 "${spool[@]}" --batch 10 --concurrency 1 \
		"otlp+http://127.0.0.1:$port" "$in"
	[ "$(grep -c '^span-send spool' sp/sent)" = 1 ]
	# Killed, it has several, and goes on behind the last whole one.
	rm -r sp
	collector slow 200,sleep=0.01
	"${spool[@]}" --batch 10 --concurrency 1 "otlp+http://127.0.0.1:$port" \
		"$in" 2>err 3>&- &
	sender=$!
	started+=("$sender")
	several() {
		[ "$(grep -c '^end ' sp/sent)" -gt 3 ]
	}
	wait_until several
	kill -KILL "$sender"
	wait "$sender" || true
	printf 'span-send spool 1\nstore' >>sp/sent
	run --separate-stderr "${spool[@]}" "otlp+http://127.0.0.1:$port" </dev/null
	[ "$status" = 0 ]
	[ "$(grep -c '^span-send spool' sp/sent)" = 1 ]
	alike <(ids <"$in") <(ids_in otlp-proto slow | uniq)
}

@test "span-send: a spool has one user at a time" {
	collector log
	mkfifo pipe
	"${spool[@]}" "otlp+http://127.0.0.1:$port" <pipe 2>err 3>&- &
	sender=$!
	started+=("$sender")
	exec 8>pipe
	cat "$in" >&8
	wait_until test -s log/1.body
	run --separate-stderr -75 "${spool[@]}" "otlp+http://127.0.0.1:$port" "$in"
	exec 8>&-
	ends 0 "$sender"
}

@test "span-send: a signal leaves what is not sent in the spool" {
	free_port
	span-send -v --spool sp --stop-timeout 20ms "otlp+http://127.0.0.1:$port" \
		"$in" 2>err 3>&- &
	sender=$!
	started+=("$sender")
	wait_until grep -q 'trying again' err
	kill -TERM "$sender"
	ends 69 "$sender"
	stderr=$(<err)
	[ "$(account "waiting in the spool")" = "$n" ]
	[ "$(account dropped)" = 0 ]
}

@test "span-send: what a spool was sent of is not believed blindly" {
	collector log
	run --separate-stderr -0 "${spool[@]}" "otlp+http://127.0.0.1:$port" "$in"
	cp sp/sent good
	for text in '' junk "$(head -n 2 good)" "$(sed 's/^seq .*/seq x/' good)" \
		"$(sed 's/^end/done 9 8\nend/' good)" \
		"$(sed 's/^seq .*/seq 99999999999999999999999/' good)" \
		"$(sed 's/^seq .*/seq 1/' good)"; do
		echo "$text" >sp/sent
		run --separate-stderr -0 "${spool[@]}" "otlp+http://127.0.0.1:$port" </dev/null
		[[ $stderr = *"sp/sent is damaged: all that the spool holds is sent again"* ]]
		[ "$(account accepted)" -gt 0 ]
	done
	# Of another store, and of frames that a power cut took.
	sed 's/^store .*/store aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/; s/^end .*/end/' \
		good >sp/sent
	run --separate-stderr -0 "${spool[@]}" "otlp+http://127.0.0.1:$port" </dev/null
	[ "$(account accepted)" -gt 0 ]
	sed 's/^seq .*/seq 1000000/; s/^end .*/end/' good >sp/sent
	run --separate-stderr -0 "${spool[@]}" "otlp+http://127.0.0.1:$port" "$in"
	[ "$(account accepted)" = "$n" ]
}

@test "span-send: what was sent of frames that a power cut took is forgotten" {
	collector log
	run --separate-stderr -0 "${spool[@]}" "otlp+http://127.0.0.1:$port" "$in"
	part=ffffffffffffffffffffffffff
	for ahead in 'seq N|done M 900' 'seq N|done 1 900' "seq N|part M 100 $part" \
		'seq 900'; do
		last=$(sed -n 's/^seq //p' sp/sent)
		sed "s/^seq .*/$ahead/; s/N/$last/; s/M/$((last + 1))/; s/^end .*/end/" sp/sent |
			tr '|' '\n' >doctored
		# Before anything is appended it is cut for good.
		cp doctored sp/sent
		run --separate-stderr -0 "${spool[@]}" "otlp+http://127.0.0.1:$port" </dev/null
		run -1 grep -E '900|^part' sp/sent
		cp doctored sp/sent
		run --separate-stderr -0 "${spool[@]}" "otlp+http://127.0.0.1:$port" "$in"
		[ "$(account accepted)" = "$n" ]
	done
}
