# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2030,SC2031
#
# Each wrong request at each endpoint; what is special about one of them is in
# capture-http.bats, and gRPC's calls are in t-grpc-server.

load lib

python=/usr/bin/python3
dump=$BUILD/tests/unit/payload-dump

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	started=()
}

teardown() {
	local pid
	for pid in "${started[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
	done
}

# span-capture with a free port for each protocol: $pid, and $ports as
# "PROTOCOL=PORT ...".
start() {
	local p listen=()
	for p in $1; do
		listen+=(-l "$p:127.0.0.1:0")
	done
	shift
	span-capture "${listen[@]}" "$@" >out 2>err 3>&- &
	pid=$!
	started+=("$pid")
	wait_until grep -q "listening on $p " err
	ports=$(sed -nE 's/.*listening on ([^ ]+) .*:([0-9]+)$/\1=\2/p' err)
}

port() {
	sed -n "s/^$1=//p" <<<"$ports"
}

# A good body of each type that an endpoint takes.
make_bodies() {
	span-gen --seed 5 -n 3 >some
	cp "$DATA/jaeger-body.bin" jaeger.thrift
	span-encode --to zipkin-json some >zipkin-v2.json
	span-encode --to zipkin-proto some >zipkin-v2.proto
	span-encode --to otlp-json some >otlp.json
	span-encode --to otlp-proto some >otlp.proto
	cat >zipkin-v1.json <<-'END'
		[{"traceId":"1","id":"2","name":"g","annotations":[
		  {"timestamp":10,"value":"cs","endpoint":{"serviceName":"a"}}]}]
	END
	$python - <<-'END'
		# a list of one struct: trace_id, name, id, no annotations, timestamp
		span = (b"\x0a\0\1" + bytes(7) + b"\1" + b"\x0b\0\3\0\0\0\1g" +
		        b"\x0a\0\4" + bytes(7) + b"\2" + b"\x0f\0\6\x0c\0\0\0\0" +
		        b"\x0f\0\10\x0c\0\0\0\0" + b"\x0a\0\12" + bytes(7) + b"\x0a\0")
		open("zipkin-v1.thrift", "wb").write(b"\x0c\0\0\0\1" + span)
	END
}

@test "span-capture: each thing that can be wrong with a request, at each endpoint" {
	make_bodies
	start 'jaeger-http zipkin otlp-http admin' --max-body 100K
	run -0 $python "$SRC/tests/endpoints.py" "${ports//$'\n'/ }" . 102400
	good=$(sed -n 's/^# \([0-9]*\) good$/\1/p' <<<"$output")
	[ "$good" -gt 150 ]
	curl -sS "http://127.0.0.1:$(port admin)/metrics" >metrics
	# Seven endpoints, five bodies each that are too large.
	grep -qx 'span_capture_requests_too_large_total 35' metrics
	kill -TERM "$pid"
	ends 0 "$pid"
	# What is good is there, and nothing else.
	[ "$("$dump" <out | wc -l)" = "$good" ]
	span-decode -v out 2>decoded >spans
	grep -q ' 0 bad; .* spans out, 0 bad[,;]' decoded
}

@test "span-capture: endpoints that are asked take no body, and no other path" {
	start 'sampling jaeger-http admin'
	# Protocol, path, and what a GET gets.
	while read -r protocol path status; do
		url="http://127.0.0.1:$(port "$protocol")"
		ask() {
			curl -sS -m 20 -o body -D headers -w '%{http_code}' "$@"
		}
		[ "$(ask "$url$path")" = "$status" ]
		cp body got
		[ "$(ask -I "$url$path")" = "$status" ]
		for method in POST PUT DELETE; do
			[ "$(ask -X "$method" -d x "$url$path")" = 405 ]
			grep -q '^Allow: GET, HEAD' headers
			[ "$(<body)" = '405 method not allowed' ]
		done
		[ "$(ask "$url/x${path#/}")" = 404 ]
		[ "$(<body)" = '404 page not found' ]
		[ -s got ]
	done <<-'END'
		sampling /?service=s 200
		sampling /sampling?service=s 200
		sampling /sampling 400
		sampling /api/sampling?service=s 200
		sampling /baggageRestrictions?service=s 500
		jaeger-http /api/sampling?service=s 200
		jaeger-http /api/baggageRestrictions 400
		admin / 200
		admin /metrics 200
	END
	kill -TERM "$pid"
	ends 0 "$pid"
	[ ! -s out ]
}
