# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# bench-net.sh - formats, and what HTTP and gRPC take; part of bench.sh

codecs() {
	head_line 'Formats, messages of 512 spans, CPU, M spans/s'
	span-gen --seed 1 --spans 50000 | codec-bench | sed 's/^/  /'
}

# requests_of FILE: what wrk or h2load counted, requests a second.
requests_of() {
	sed -nE -e 's/^Requests\/sec: *([0-9.]+).*/\1/p' \
		-e 's/^finished in .*, ([0-9.]+) req\/s.*/\1/p' "$1"
}

# How many of them were no success.
failures_of() {
	sed -nE -e 's/^ *Non-2xx or 3xx responses: ([0-9]+)/\1/p' \
		-e 's/^requests: .* ([0-9]+) failed.*/\1/p' "$1" | tail -n 1
}

# The port that span-capture says it listens on for a protocol.
port_of() {
	local i port=
	for ((i = 0; i < 1000 && ${#port} == 0; i++)); do
		sleep 0.01
		port=$(sed -nE "s/.*listening on $1 .*:([0-9]+)$/\1/p" \
			"$dir/capture.log" 2>/dev/null)
	done
	echo "$port"
}

# capture PROTOCOL: start it; $pid, $port
capture() {
	rm -f "$dir/capture.log" "$dir/m"
	measure "$dir/m" span-capture -v --listen "$1:127.0.0.1:0" \
		2>"$dir/capture.log" > >(cat >/dev/null) &
	pid=$!
	port=$(port_of "$1")
}

# load NAME SPANS COMMAND...: what it does to span-capture, and what it costs
load() {
	local name=$1 each=$2 per_second failed
	shift 2
	"$@" >"$dir/load" 2>&1 || :
	kill -TERM "$pid"
	wait "$pid" || :
	per_second=$(requests_of "$dir/load")
	failed=$(failures_of "$dir/load")
	row "$name" "${per_second:-0}" 'requests/s'
	row "  spans, $each a request" \
		"$(calc %.0f "${per_second:-0} * $each / 1000")" 'K spans/s'
	row '  requests that failed' "${failed:-0}" requests '<=' 0
	row '  peak anonymous memory' \
		"$(calc %.1f "$(took span-capture 6 "$dir/m") / 1024")" MiB
}

# A script for wrk: the body of a file, of a content type.
wrk_script() {
	cat <<-EOF
		local f = io.open("$1", "rb")
		wrk.method = "POST"
		wrk.body = f:read("*all")
		wrk.headers["Content-Type"] = "$2"
	EOF
}

# http PROTOCOL PATH TYPE FORMAT CONNECTIONS
http() {
	span-encode --to "$4" "$dir/hundred" >"$dir/body"
	wrk_script "$dir/body" "$3" >"$dir/post.lua"
	capture "$1"
	load "$4 over HTTP, $5 connections" 100 wrk -t 1 -c "$5" \
		-d "$seconds" --timeout 10 -s "$dir/post.lua" \
		"http://127.0.0.1:$port$2"
}

grpc() {
	local head
	span-encode --to otlp-proto "$dir/hundred" >"$dir/message"
	# the head of a gRPC message: not compressed, its length
	head=$(printf '%08x' "$(stat -c %s "$dir/message")" |
		sed 's/../\\x&/g')
	{
		printf '\0%b' "$head"
		cat "$dir/message"
	} >"$dir/body"
	capture otlp-grpc
	load "otlp-proto over gRPC, $1 connections" 100 h2load -t 1 \
		-c "$1" -m 4 -D "$seconds" -d "$dir/body" \
		-H 'content-type: application/grpc' -H 'te: trailers' \
		"http://127.0.0.1:$port/opentelemetry.proto.collector.trace.v1.TraceService/Export"
}

servers() {
	head_line "Receiving, 100 spans a request, $seconds s each, load on the same cores"
	span-gen --seed 1 --spans 100 >"$dir/hundred"
	http otlp-http /v1/traces application/x-protobuf otlp-proto 32
	http otlp-http /v1/traces application/json otlp-json 32
	http zipkin /api/v2/spans application/json zipkin-json 32
	http otlp-http /v1/traces application/x-protobuf otlp-proto 1000
	grpc 32
	grpc 1000
}
