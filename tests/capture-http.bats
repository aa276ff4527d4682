# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2030,SC2031
#
# What span-capture answers by HTTP. A row of a table is a request and what
# jaeger.md 2.5 to 2.10 says about it: status, type, body.
load lib

dump=$BUILD/tests/unit/payload-dump
python=/usr/bin/python3
thrift='Content-Type: application/x-thrift'
json='Content-Type: application/json'
proto='Content-Type: application/x-protobuf'

teardown() {
	local pid
	for pid in "${started[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
	done
}

# Start span-capture in the background, writing to file $1, with a free port
# for each protocol of $2, and wait until it listens. What it says is in
# $1.err.
start() {
	local out=$1 p listen=()
	for p in $2; do
		listen+=(-l "$p:127.0.0.1:0")
	done
	shift 2
	span-capture "${listen[@]}" "$@" >"$out" 2>"$out.err" 3>&- &
	pid=$!
	started+=("$pid")
	wait_until grep -q "listening on $p " "$out.err"
	err=$out.err
}

stop() {
	kill -TERM "$1"
	ends 0 "$1"
}

# The port of a protocol, and a URL there.
port() {
	sed -nE "s/.*listening on $1 .*:([0-9]+)\$/\1/p" "$err"
}

url() {
	echo "http://127.0.0.1:$(port "$1")$2"
}

# One request: $status, $type, $headers and $output (the body).
ask() {
	local code=0
	curl -sS -m 20 -o body -D headers "$@" 2>curl.err || code=$?
	headers=$(tr -d '\r' <headers)
	status=$(sed -nE 's/^HTTP\/1.1 ([0-9]+).*/\1/p' <<<"$headers" | tail -n 1)
	type=$(sed -nE 's/^Content-Type: //p' <<<"$headers")
	output=$(cat body 2>/dev/null)
	rm -f body
	return "$code"
}

# One of many requests in a file for curl -K: URL, header and body. It prints
# the status and how many connections it took.
one() {
	printf 'next\nurl = "%s"\nheader = "%s"\ndata-binary = "%s"\n' "$@"
	printf 'silent\noutput = "body"\nwrite-out = "%%{http_code} %%{num_connects}\\n"\n'
}

# The last answer had this status, type and body.
answer() {
	[ "$status|$type|$output" = "$1|$2|$3" ] && return
	printf 'got  %s|%s|%s\nwant %s|%s|%s\n' "$status" "$type" "$output" \
		"$1" "$2" "$3" >&2
	return 1
}

plain='text/plain; charset=utf-8'

# The value of a metric of the admin port that begins with $1, summed.
metric() {
	curl -sS "$(url admin /metrics)" |
		awk -v name="$1" 'index($0, name) == 1 {n += $NF} END {print n + 0}'
}

metric_is() {
	[ "$(metric "$1")" = "$2" ]
}

@test "span-capture: jaeger-http takes binary and compact Thrift" {
	start out jaeger-http
	url=$(url jaeger-http /api/traces)
	ask --data-binary "@$DATA/jaeger-body.bin" -H "$thrift" "$url?format=jaeger.thrift"
	answer 202 '' ''
	grep -qx 'Content-Length: 0' <<<"$headers"
	ask --data-binary "@$DATA/jaeger-body.bin" \
		-H 'Content-Type: Application/vnd.apache.thrift.binary; charset="a;b"' "$url"
	answer 202 '' ''
	# The argument of a compact message is a compact batch.
	$python - "$DATA/jaeger-compact.payloads" <<-'END'
		import msgpack, sys
		data = next(iter(msgpack.Unpacker(open(sys.argv[1], "rb"))))[8]
		head = b"\x82\x81\x00\x09emitBatch\x1c"
		assert data.startswith(head)
		open("compact.bin", "wb").write(data[len(head):-1])
	END
	ask --data-binary @compact.bin -H "$thrift" "$url"
	answer 202 '' ''
	ask --data-binary @compact.bin \
		-H 'Content-Type: application/vnd.apache.thrift.compact' "$url"
	answer 202 '' ''
	stop "$pid"
	[ "$("$dump" <out | wc -l)" = 4 ]
	span-decode -v out 2>decoded >spans
	grep ' 0 bad; 8 spans out, 0 bad;' decoded
}

@test "span-capture: what a payload of HTTP says about itself" {
	start out jaeger-http
	ask --data-binary "@$DATA/jaeger-body.bin" -H "$thrift; x=1" \
		-H 'Content-Encoding: identity' "$(url jaeger-http /api/traces)"
	answer 202 '' ''
	port=$(port jaeger-http)
	stop "$pid"
	$python - "$port" "$DATA/jaeger-body.bin" <<-'END'
		import sys
		data = open("out", "rb").read()
		body = open(sys.argv[2], "rb").read()
		assert data[1:6] == b"\xa4PLD1", data[:10]
		# transport 2, the port, a peer, not truncated, type, path, body
		port = int(sys.argv[1])
		assert b"\x02\xcd" + port.to_bytes(2, "big") in data
		assert b"127.0.0.1:" in data
		assert b"application/x-thrift; x=1" in data
		assert b"\xab/api/traces" in data
		assert data.endswith(body)
	END
}

@test "span-capture: the errors of jaeger-http" {
	start out jaeger-http
	url=$(url jaeger-http /api/traces)
	send() { ask --data-binary "@$DATA/jaeger-body.bin" "$@" "$url"; }
	send -H 'Content-Type:'
	answer 400 "$plain" 'Cannot parse content type: mime: no media type'
	send -H 'Content-Type: thrift'
	answer 400 "$plain" \
		'Cannot parse content type: mime: expected slash after first token'
	send -H 'Content-Type: application/'
	answer 400 "$plain" \
		'Cannot parse content type: mime: expected token after slash'
	send -H 'Content-Type: application/x-thrift;='
	answer 400 "$plain" \
		'Cannot parse content type: mime: invalid media parameter'
	send -H 'Content-Type: Application/JSON; charset=utf-8'
	answer 400 "$plain" 'Unsupported content type: application/json'
	send -H "Content-Type: application/x'y"
	answer 400 "$plain" "Unsupported content type: application/x&#39;y"
	# The text ends with a newline, as Go has it.
	printf 'Unsupported content type: text/plain\n' >want
	curl -sS -d x -H 'Content-Type: text/plain' "$url" | cmp - want
	ask --data-binary $'\x0b' -H "$thrift" "$url"
	[[ $status = 400 && $output = 'Unable to process request body: '* ]]
	head -c 100 "$DATA/jaeger-body.bin" >cut
	ask --data-binary @cut -H "$thrift" "$url"
	answer 400 "$plain" \
		'Unable to process request body: the message is cut short at byte 100'
	ask --data-binary '' -H "$thrift" "$url"
	[[ $status = 400 && $output = 'Unable to process request body: '* ]]
	ask -X PUT -d x -H "$thrift" "$url"
	answer 405 "$plain" '405 method not allowed'
	grep -qx 'Allow: POST' <<<"$headers"
	ask "$url"
	answer 405 "$plain" '405 method not allowed'
	ask -d x "$(url jaeger-http /api/trace)"
	answer 404 "$plain" '404 page not found'
	ask -d x "$(url jaeger-http /api/v2/spans)"
	answer 404 "$plain" '404 page not found'
	stop "$pid"
	[ ! -s out ]
}

@test "span-capture: zipkin takes Thrift" {
	start out zipkin
	# The argument of a message is the list that a client posts.
	$python - "$DATA/zipkin.payloads" <<-'END'
		import msgpack, sys
		for p in msgpack.Unpacker(open(sys.argv[1], "rb")):
		    for name, head in (("compact", b"\x82\x81\x00\x0femitZipkinBatch\x19"),
		                       ("binary", b"\x00\x00\x00\x0femitZipkinBatch"
		                                  b"\x04\x00\x00\x00\x00\x0f\x00\x01")):
		        if p[8].startswith(head):
		            open(name, "wb").write(p[8][len(head):-1])
	END
	url=$(url zipkin /api/v1/spans)
	ask --data-binary @compact -H "$thrift" "$url"
	answer 202 '' ''
	ask --data-binary @binary -H "$thrift" "$url"
	answer 202 '' ''
	# No span: acknowledged, and not written.
	printf '\x0c\0\0\0\0' >none
	ask --data-binary @none -H "$thrift" "$url"
	answer 202 '' ''
	stop "$pid"
	[ "$("$dump" <out | wc -l)" = 2 ]
	# The same spans as from datagrams.
	span-decode out | span-query -o jsonl | sort >got
	span-decode "$DATA/zipkin.payloads" | span-query -o jsonl | sort | diff - got
}

@test "span-capture: the errors of zipkin" {
	start out zipkin
	for path in /api/v1/spans /api/v2/spans; do
		url=$(url zipkin "$path")
		ask -d '[{' -H "$json" "$url"
		[[ $status = 400 && $type = "$plain" ]]
		[[ $output = 'Unable to process request body: '* ]]
		ask -d '[{' -H 'Content-Type: json' "$url"
		answer 400 "$plain" \
			'Cannot parse Content-Type: mime: expected slash after first token'
		ask -d '[{' -H 'Content-Type: application/xml' "$url"
		answer 400 "$plain" 'Unsupported Content-Type'
		ask "$url"
		answer 405 "$plain" '405 method not allowed'
	done
	ask -d x -H "$proto" "$(url zipkin /api/v1/spans)"
	answer 400 "$plain" 'Unsupported Content-Type'
	ask -d x -H "$thrift" "$(url zipkin /api/v2/spans)"
	answer 400 "$plain" 'Unsupported Content-Type'
	ask "$(url zipkin /zipkin/)"
	answer 404 "$plain" '404 page not found'
	stop "$pid"
}

@test "span-capture: the errors of otlp-http" {
	start out otlp-http
	url=$(url otlp-http /v1/traces)
	ask "$url"
	answer 405 text/plain '405 method not allowed, supported: [POST]'
	grep -qx 'Allow: POST' <<<"$headers"
	for header in 'Content-Type:' 'Content-Type: text/plain' 'Content-Type: json'; do
		ask -d '{}' -H "$header" "$url"
		answer 415 text/plain '415 unsupported media type, supported: [application/json, application/x-protobuf]'
	done
	# google.rpc.Status in the type of the request.
	ask -d '{"resourceSpans":[' -H "$json; charset=utf-8" "$url"
	[[ $status = 400 && $type = application/json ]]
	$python -c 'import json, sys; s = json.load(sys.stdin); sys.exit(
		not (s["code"] == 3 and s["message"] and len(s) == 2))' <<<"$output"
	curl -sS -o status -w '%{http_code} %{content_type}' --data-binary $'\xff' \
		-H "$proto" "$url" >got
	[ "$(cat got)" = '400 application/x-protobuf' ]
	[ "$(head -c 3 status | od -An -tx1 | tr -d ' ')" = 080312 ]
	ask -d '{}' -H "$json" "$(url otlp-http /v1/metrics)"
	answer 404 "$plain" '404 page not found'
	stop "$pid"
}

@test "span-capture: otlp-http takes JSON and protobuf" {
	start out 'otlp-http admin'
	url=$(url otlp-http /v1/traces)
	cat >good.json <<-'END'
		{"resourceSpans": [{"resource": {"attributes": [
		   {"key": "service.name", "value": {"stringValue": "shop"}}]},
		  "scopeSpans": [{"spans": [
		   {"traceId": "5b8efff798038103d269b633813fc60c",
		    "spanId": "eee19b7ec3c1b174", "name": "buy", "kind": 2,
		    "startTimeUnixNano": "1544712660000000000",
		    "endTimeUnixNano": "1544712661000000000"}]}]}]}
	END
	ask --data-binary @good.json -H "$json" "$url"
	answer 200 application/json '{"partialSuccess":{}}'
	ask -d '{}' -H "$json" "$url"
	answer 200 application/json '{"partialSuccess":{}}'
	# The same as protobuf, by hand: service.name, one span.
	$python - <<-'END'
		def field(n, data):
		    return bytes([n << 3 | 2, len(data)]) + data
		def fixed(n, v):
		    return bytes([n << 3 | 1]) + v.to_bytes(8, "little")
		span = (field(1, bytes(range(16))) + field(2, bytes(range(8))) +
		        field(5, b"buy") + fixed(7, 1544712660 * 10**9) +
		        fixed(8, 1544712661 * 10**9))
		key = field(1, b"service.name") + field(2, field(1, b"shop"))
		spans = field(1, field(1, key)) + field(2, field(2, span))
		open("good.pb", "wb").write(field(1, spans))
	END
	ask --data-binary @good.pb -H "$proto" "$url"
	answer 200 application/x-protobuf ''
	ask --data-binary '' -H "$proto" "$url"
	answer 200 application/x-protobuf ''
	gzip good.pb
	ask --data-binary @good.pb.gz -H "$proto" -H 'Content-Encoding: gzip' "$url"
	answer 200 application/x-protobuf ''
	metric_is span_capture_spans_total 3
	metric_is span_capture_empty_total 2
	metric_is span_capture_written_total 3
	stop "$pid"
	# They are written as they came, but inflated.
	[ "$("$dump" <out | wc -l)" = 3 ]
	gunzip good.pb.gz
	[ "$(tail -c "$(wc -c <good.pb)" out | cmp - good.pb && echo same)" = same ]
}

@test "span-capture: sampling answers in both dialects" {
	cat >s.json <<-'END'
		{"default_strategy": {"type": "probabilistic", "param": 0.5,
		   "operation_strategies": [
		     {"operation": "/health", "type": "probabilistic", "param": 0}]},
		 "service_strategies": [
		   {"service": "foo", "type": "probabilistic", "param": 0.8,
		    "operation_strategies": [
		      {"operation": "op1", "type": "probabilistic", "param": 0.2}]},
		   {"service": "bar", "type": "ratelimiting", "param": 42}],
		 "baggage_restrictions": [{"baggageKey": "k", "maxValueLength": 10}]}
	END
	start out 'jaeger-http sampling' --strategies s.json
	bar='"rateLimitingSampling":{"maxTracesPerSecond":42},"operationSampling":{"defaultSamplingProbability":0.5,"defaultLowerBoundTracesPerSecond":0,"perOperationStrategies":[{"operation":"/health","probabilisticSampling":{"samplingRate":0}}],"defaultUpperBoundTracesPerSecond":0}}'
	for where in "$(url sampling /sampling)" "$(url sampling /api/sampling)" \
		"$(url jaeger-http /api/sampling)"; do
		ask "$where?service=bar"
		answer 200 application/json '{"strategyType":"RATE_LIMITING",'"$bar"
	done
	ask "$(url sampling '/?service=bar')"
	answer 200 application/json '{"strategyType":1,'"$bar"
	ask "$(url sampling '/?service=f%6fo')"
	answer 200 application/json '{"strategyType":0,"probabilisticSampling":{"samplingRate":0.8},"operationSampling":{"defaultSamplingProbability":0.8,"defaultLowerBoundTracesPerSecond":0,"perOperationStrategies":[{"operation":"op1","probabilisticSampling":{"samplingRate":0.2}},{"operation":"/health","probabilisticSampling":{"samplingRate":0}}],"defaultUpperBoundTracesPerSecond":0}}'
	for path in '/sampling' '/sampling?service=a&service=b' '/?x=1' \
		'/baggageRestrictions'; do
		ask "$(url sampling "$path")"
		answer 400 "$plain" "'service' parameter must be provided once"
	done
	ask "$(url sampling '/baggageRestrictions?service=x')"
	answer 200 application/json '[{"baggageKey":"k","maxValueLength":10}]'
	ask "$(url jaeger-http '/api/baggageRestrictions?service=x')"
	answer 200 application/json '[{"baggageKey":"k","maxValueLength":10}]'
	ask -d x "$(url sampling '/sampling?service=x')"
	answer 405 "$plain" '405 method not allowed'
	grep -qx 'Allow: GET, HEAD' <<<"$headers"
	ask "$(url sampling '/other?service=x')"
	answer 404 "$plain" '404 page not found'
	stop "$pid"
}

@test "span-capture: sampling without a file is that of Jaeger" {
	start out 'sampling'
	ask "$(url sampling '/sampling?service=x')"
	answer 200 application/json '{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.001}}'
	ask "$(url sampling '/baggageRestrictions?service=x')"
	answer 500 "$plain" 'collector error: baggage not implemented'
	stop "$pid"
}

@test "span-capture: SIGHUP reads the strategies again, but not a bad file" {
	rate() {
		curl -sS "$(url sampling '/sampling?service=x')" |
			sed -nE 's/.*samplingRate":([0-9.]+).*/\1/p'
	}
	rate_is() { [ "$(rate)" = "$1" ]; }
	echo '{"default_strategy":{"type":"probabilistic","param":0.25}}' >s.json
	start out sampling --strategies s.json
	rate_is 0.25
	echo '{"default_strategy":{"type":"probabilistic","param":0.75}}' >s.json
	kill -HUP "$pid"
	wait_until rate_is 0.75
	echo '{"default_strategy":{"type":"probabilistic","param":7}}' >s.json
	kill -HUP "$pid"
	wait_until grep -q warning out.err
	grep -x 'span-capture: warning: s.json: line 1: default_strategy: a probability is 0 to 1; the strategies stay as they were' out.err
	rate_is 0.75
	rm s.json
	kill -HUP "$pid"
	wait_until grep -q 'cannot open s.json: No such file or directory; the strategies stay' out.err
	rate_is 0.75
	stop "$pid"
}

@test "span-capture: a bad strategies file at the start is an error" {
	echo '{"default_strategy": nothing}' >s.json
	run --separate-stderr -65 span-capture --strategies s.json \
		-l sampling:127.0.0.1:0
	[ "$stderr" = "span-capture: s.json: no JSON at line 1, column 22" ]
	run --separate-stderr -74 span-capture --strategies missing \
		-l sampling:127.0.0.1:0
	[ "$stderr" = "span-capture: cannot open missing: No such file or directory" ]
}

@test "span-capture: bodies come in chunks, and compressed" {
	start out 'jaeger-http admin'
	url=$(url jaeger-http /api/traces)
	body=$DATA/jaeger-body.bin
	gzip -c "$body" >gzip
	{ head -c 100 "$body" | gzip; tail -c +101 "$body" | gzip; } >members
	$python - "$body" <<-'END'
		import sys, zlib
		body = open(sys.argv[1], "rb").read()
		open("zlib", "wb").write(zlib.compress(body))
		raw = zlib.compressobj(wbits=-15)
		open("raw", "wb").write(raw.compress(body) + raw.flush())
	END
	n=0
	while read -r coding file; do
		ask --data-binary "@$file" -H "$thrift" -H "Content-Encoding: $coding" \
			-H 'Transfer-Encoding: chunked' "$url"
		answer 202 '' ''
		n=$((n + 1))
	done <<-END
		identity $body
		gzip gzip
		GZIP gzip
		x-gzip gzip
		gzip members
		deflate zlib
		deflate raw
	END
	if command -v zstd >/dev/null; then
		zstd -q -c "$body" >zstd
		ask --data-binary @zstd -H "$thrift" -H 'Content-Encoding: zstd' "$url"
		answer 202 '' ''
		n=$((n + 1))
	fi
	ask --data-binary @gzip -H "$thrift" -H 'Content-Encoding: br' "$url"
	answer 415 "$plain" 'Unsupported Content-Encoding: br'
	grep -q '^Accept-Encoding: gzip, deflate' <<<"$headers"
	head -c 50 gzip >cut
	ask --data-binary @cut -H "$thrift" -H 'Content-Encoding: gzip' "$url"
	answer 400 "$plain" 'Unable to process request body: compressed data is cut'
	metric_is span_capture_spans_total $((2 * n))
	metric_is span_capture_written_total "$n"
	stop "$pid"
	# They are stored inflated.
	[ "$("$dump" <out | sed 's/.* \([0-9]* bytes: .*\)/\1/' | sort -u | wc -l)" = 1 ]
}

@test "span-capture: what is too large is 413, in whatever way" {
	start out 'jaeger-http otlp-http admin' --max-body 100K
	jaeger=$(url jaeger-http /api/traces)
	otlp=$(url otlp-http /v1/traces)
	head -c 102401 /dev/zero >large
	head -c 102400 /dev/zero >fits
	text='Unable to process request body: request body larger than 102400 bytes'
	ask --data-binary @large -H "$thrift" "$jaeger"
	answer 413 "$plain" "$text"
	ask --data-binary @large -H "$thrift" -H 'Transfer-Encoding: chunked' "$jaeger"
	answer 413 "$plain" "$text"
	ask --data-binary @large -H "$thrift" -H 'Expect: 100-continue' "$jaeger"
	answer 413 "$plain" "$text"
	ask --data-binary @fits -H "$thrift" "$jaeger"
	[ "$status" = 400 ]
	# A bomb of gzip: 1 KiB is 1 MiB.
	head -c 1M /dev/zero | gzip >bomb
	ask --data-binary @bomb -H "$thrift" -H 'Content-Encoding: gzip' "$jaeger"
	answer 413 "$plain" "$text"
	ask --data-binary @large -H "$json" "$otlp"
	answer 413 application/json \
		'{"code":3,"message":"request body larger than 102400 bytes"}'
	metric_is span_capture_requests_too_large_total 5
	# Much too large to read to the end: told at once.
	ask -H 'Content-Length: 1000000000' --data-binary @fits -H "$thrift" "$jaeger"
	answer 413 "$plain" "$text"
	stop "$pid"
	[ ! -s out ]
}

@test "span-capture: a connection is used again, after errors too" {
	start out 'jaeger-http admin'
	url=$(url jaeger-http /api/traces)
	for i in {1..20}; do
		one "$url" "$thrift" "@$DATA/jaeger-body.bin"
		one "$url" "Content-Type: text/xml" x
	done | sed 1d >config
	curl -sS -K config >got
	[ "$(grep -c '^202' got)" = 20 ]
	[ "$(grep -c '^400' got)" = 20 ]
	[ "$(awk '{n += $2} END {print n}' got)" = 1 ]
	stop "$pid"
}

@test "span-capture: CORS, for those that may" {
	start out 'zipkin otlp-http jaeger-http' --cors-origin https://shop.example \
		--cors-origin 'https://*.shop.example'
	preflight() {
		ask -X OPTIONS -H "Origin: $1" -H 'Access-Control-Request-Method: POST' \
			-H 'Access-Control-Request-Headers: content-type,x-b3' "$2"
	}
	for url in "$(url otlp-http /v1/traces)" "$(url zipkin /api/v2/spans)"; do
		preflight https://shop.example "$url"
		[ "$status" = 204 ]
		grep -qx 'Access-Control-Allow-Origin: https://shop.example' <<<"$headers"
		grep -qx 'Access-Control-Allow-Methods: POST' <<<"$headers"
		grep -qx 'Access-Control-Allow-Headers: content-type,x-b3' <<<"$headers"
		grep -q '^Vary: Origin' <<<"$headers"
		preflight https://a.shop.example "$url"
		grep -qx 'Access-Control-Allow-Origin: https://a.shop.example' <<<"$headers"
		preflight https://shop.example.evil.example "$url"
		run -1 grep Access-Control-Allow <<<"$headers"
		# The request itself, good or bad.
		ask -d '{' -H "$json" -H 'Origin: https://shop.example' "$url"
		[ "$status" = 400 ]
		grep -qx 'Access-Control-Allow-Origin: https://shop.example' <<<"$headers"
		ask -d '{' -H "$json" -H 'Origin: https://other.example' "$url"
		run -1 grep Access-Control-Allow <<<"$headers"
		grep -qx 'Vary: Origin' <<<"$headers"
	done
	preflight https://shop.example "$(url jaeger-http /api/traces)"
	[ "$status" = 405 ]
	stop "$pid"
	start any otlp-http --cors-origin '*'
	preflight https://anything.example "$(url otlp-http /v1/traces)"
	grep -qx 'Access-Control-Allow-Origin: \*' <<<"$headers"
	stop "$pid"
	start none otlp-http
	preflight https://shop.example "$(url otlp-http /v1/traces)"
	[ "$status" = 405 ]
	stop "$pid"
}

@test "span-capture: TLS with a certificate and its key" {
	command -v openssl >/dev/null || skip "no openssl"
	openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem \
		-days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 \
		2>/dev/null
	openssl genrsa -out other.pem 2048 2>/dev/null
	start out 'jaeger-http admin' --tls-cert cert.pem --tls-key key.pem
	url=$(url jaeger-http /api/traces)
	ask --cacert cert.pem --data-binary "@$DATA/jaeger-body.bin" -H "$thrift" \
		"${url/http/https}"
	answer 202 '' ''
	run ! curl -sS -m 5 "$url"
	# The port goes on after something that is no TLS.
	url=$(url admin /metrics)
	ask --cacert cert.pem "${url/http/https}"
	[ "$status" = 200 ]
	stop "$pid"
	[ "$("$dump" <out | wc -l)" = 1 ]
	run --separate-stderr -2 span-capture -l otlp-http:127.0.0.1:0 \
		--tls-cert cert.pem --tls-key other.pem
	[[ $stderr = "span-capture: cannot use the TLS certificate and key: "* ]]
	run --separate-stderr -2 span-capture -l otlp-http:127.0.0.1:0 \
		--tls-cert cert.pem
	[ "${stderr_lines[0]}" = "span-capture: --tls-cert and --tls-key go together" ]
}

@test "span-capture: 1,000 idle connections harm nobody" {
	[ "$(ulimit -Hn)" -gt 2500 ] || skip "too few open files"
	ulimit -Sn "$(ulimit -Hn)"
	start out 'udp jaeger-http admin'
	udp=$(sed -nE 's/.*listening on udp .*:([0-9]+)$/\1/p' out.err)
	$python - "$(port jaeger-http)" "$udp" "$DATA/jaeger-body.bin" <<-'END'
		import http.client, socket, sys
		port, udp = int(sys.argv[1]), int(sys.argv[2])
		body = open(sys.argv[3], "rb").read()
		idle = [socket.create_connection(("127.0.0.1", port))
		        for i in range(1000)]
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.sendto(b"hello", ("127.0.0.1", udp))
		def post(c):
		    c.request("POST", "/api/traces", body,
		              {"Content-Type": "application/x-thrift"})
		    r = c.getresponse()
		    assert r.status == 202 and not r.read()
		post(http.client.HTTPConnection("127.0.0.1", port))
		# They are still good.
		for i in 0, 500, 999:
		    c = http.client.HTTPConnection("127.0.0.1", port)
		    c.sock = idle[i]
		    post(c)
	END
	[ "$(ps -o rss= -p "$pid")" -lt 200000 ] || [ "$SANITIZERS" = yes ]
	stop "$pid"
	[ "$("$dump" <out | wc -l)" = 5 ]
}

@test "span-capture: more connections than --max-connections are told so" {
	start out 'jaeger-http admin' --max-connections 5 -v
	$python - "$(port jaeger-http)" <<-'END'
		import socket, sys
		where = ("127.0.0.1", int(sys.argv[1]))
		open_ = [socket.create_connection(where) for i in range(5)]
		late = socket.create_connection(where)
		late.settimeout(10)
		answer = b""
		while True:
		    piece = late.recv(4096)
		    if not piece:
		        break
		    answer += piece
		assert answer.startswith(b"HTTP/1.1 503 "), answer
		assert b"Retry-After: 1\r\n" in answer
		# Room again.
		open_.pop().close()
		for i in range(1000):
		    s = socket.create_connection(where)
		    s.settimeout(10)
		    s.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		    if s.recv(4096).startswith(b"HTTP/1.1 404 "):
		        break
		else:
		    sys.exit("no room")
	END
	stop "$pid"
	grep -E 'too many [1-9]' out.err
}

@test "span-capture: a body without a good span is refused, and counted" {
	start out 'zipkin jaeger-http otlp-http admin' -v
	good='{"traceId":"5b8efff798038103","id":"eee19b7ec3c1b174","name":"buy"}'
	bad='{"traceId":"xyz","id":"eee19b7ec3c1b174","name":"buy"}'
	url=$(url zipkin /api/v2/spans)
	ask -d "[$bad,$bad]" -H "$json" "$url"
	[[ $status = 400 && $type = "$plain" ]]
	[[ $output = 'Unable to process request body: '*' at byte '* ]]
	metric_is span_capture_bad_spans_total 2
	metric_is 'span_capture_refused_total{port="'"$(port zipkin)"'",cause="bad"}' 1
	# One good span is enough.
	ask -d "[$bad,$good]" -H "$json" "$url"
	answer 202 '' ''
	metric_is span_capture_bad_spans_total 3
	ask -d '[]' -H "$json" "$url"
	answer 202 '' ''
	metric_is span_capture_empty_total 1
	# OTLP says so in a good answer, as the request itself was.
	ask -H "$json" "$(url otlp-http /v1/traces)" -d '{"resourceSpans":[{"scopeSpans":[
		{"spans":[{"traceId":"0123","spanId":"eee19b7ec3c1b174","name":"x"}]}]}]}'
	[[ $status = 200 && $output = '{"partialSuccess":{"rejectedSpans":"1",'* ]]
	metric_is span_capture_bad_spans_total 4
	metric_is span_capture_empty_total 1
	metric_is span_capture_refused_total 2
	metric_is jaeger_collector_spans_rejected_total 4
	stop "$pid"
	[ "$("$dump" <out | wc -l)" = 1 ]
	grep -q "received 4 .*written 1, dropped 0, refused 2 (2 bad), empty 1, bad spans 4," out.err
}

@test "span-capture: what was acknowledged and cannot be written is told of" {
	span-capture -l zipkin:127.0.0.1:0 --ack queued --metrics-file metrics \
		>/dev/full 2>out.err 3>&- &
	pid=$!
	started+=("$pid")
	err=out.err
	wait_until grep -q listening "$err"
	ask -d '[{"traceId":"5b8efff798038103","id":"eee19b7ec3c1b174"}]' \
		-H "$json" "$(url zipkin /api/v2/spans)"
	answer 202 '' ''
	ends 74 "$pid"
	grep -qx 'span-capture: warning: 1 payloads that were taken, and acknowledged when they came by HTTP or gRPC, were not written' "$err"
	grep -q 'cannot write: No space left' "$err"
	grep -qx 'span_capture_unwritten_total 1' metrics
}

@test "span-capture: SIGHUP without strategies is of no concern" {
	start out zipkin
	kill -HUP "$pid"
	ask -d '[{"traceId":"5b8efff798038103","id":"eee19b7ec3c1b174"}]' \
		-H "$json" "$(url zipkin /api/v2/spans)"
	answer 202 '' ''
	stop "$pid"
	[ "$("$dump" <out | wc -l)" = 1 ]
}

@test "span-capture: two protocols at one port are wrong usage" {
	in_namespace true 2>/dev/null || skip "no network namespaces here"
	run --separate-stderr -2 in_namespace timeout 10 span-capture \
		-l zipkin:127.0.0.1:4318 -l otlp-http:127.0.0.1:4318
	[ "${stderr_lines[0]}" = "span-capture: 127.0.0.1:4318 cannot speak zipkin (--listen zipkin:127.0.0.1:4318) and otlp-http (--listen otlp-http:127.0.0.1:4318)" ]
	run --separate-stderr -2 in_namespace timeout 10 span-capture \
		--otlp=127.0.0.1 -l zipkin:127.0.0.1:4317
	[ "${stderr_lines[0]}" = "span-capture: 127.0.0.1:4317 cannot speak otlp-grpc (--otlp=127.0.0.1) and zipkin (--listen zipkin:127.0.0.1:4317)" ]
	# The same twice is fine.
	run --separate-stderr -0 in_namespace timeout 10 span-capture --duration 10ms \
		--otlp=127.0.0.1 -l otlp-grpc:127.0.0.1:4317
}

@test "span-capture: one limit holds for all servers, and one for each host" {
	start out 'zipkin otlp-grpc jaeger-grpc admin' --max-connections 4 -v
	cat >many.py <<-'END'
		import select, socket, sys
		ports, n = sys.argv[1:-1], int(sys.argv[-1])
		all_ = [socket.create_connection(("127.0.0.1", int(port)))
		        for i in range(3) for port in ports]
		left = set(all_)
		while len(left) > n:
		    ready, _, _ = select.select(left, [], [], 10)
		    assert ready, len(left)
		    for s in ready:
		        try:
		            if not s.recv(4096):
		                left.remove(s)
		        except ConnectionResetError:
		            left.remove(s)
		assert not select.select(left, [], [], 0.2)[0]
	END
	$python many.py "$(port zipkin)" "$(port otlp-grpc)" "$(port jaeger-grpc)" 4
	stop "$pid"
	grep -q 'connections 4, .* too many 5$' out.err
	start out 'zipkin otlp-grpc jaeger-grpc' --max-connections 40 \
		--max-connections-per-peer 2 -v
	$python many.py "$(port zipkin)" "$(port otlp-grpc)" "$(port jaeger-grpc)" 2
	stop "$pid"
	grep -q 'connections 2, .* too many 7$' out.err
	run --separate-stderr -2 span-capture --zipkin --max-connections 4 \
		--max-connections-per-peer 5
	[[ $stderr = *'--max-connections-per-peer is more than --max-connections'* ]]
}

@test "span-capture: too few descriptors are said" {
	run --separate-stderr -0 bash -c 'ulimit -n 300; exec span-capture \
		-l zipkin:127.0.0.1:0 --duration 10ms'
	[[ $stderr = *'the system allows 300 open files, too few for 1024 connections'* ]]
	# The soft limit is raised.
	run --separate-stderr -0 bash -c 'ulimit -Sn 300; exec span-capture \
		-l zipkin:127.0.0.1:0 --duration 10ms'
	[[ $stderr != *'open files'* ]]
}

@test "span-capture: a body without an end is told that it is too large" {
	start out 'jaeger-http admin' --max-body 1K
	$python - "$(port jaeger-http)" <<-'END'
		import socket, sys
		s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
		s.settimeout(20)
		s.sendall(b"POST /api/traces HTTP/1.1\r\nHost: x\r\n"
		          b"Content-Type: application/x-thrift\r\n"
		          b"Transfer-Encoding: chunked\r\n\r\n")
		chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
		for i in range(66):
		    s.sendall(chunk)
		answer = b""
		while piece := s.recv(4096):
		    answer += piece
		assert answer.startswith(b"HTTP/1.1 413 "), answer
		assert b"Connection: close" in answer
	END
	metric_is span_capture_requests_too_large_total 1
	metric_is span_capture_requests_refused_total 1
	stop "$pid"
}

@test "span-capture: the time of a head begins with its first byte" {
	start out 'jaeger-http admin'
	# Nobody has sent a line; ten seconds and the pace of looking are enough.
	$python - "$(port jaeger-http)" <<-'END'
		import socket, sys, time
		s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
		start = time.monotonic()
		s.settimeout(1)
		while time.monotonic() - start < 20:
		    try:
		        s.send(b"G")
		        if not s.recv(1):
		            break
		    except socket.timeout:
		        continue
		    except ConnectionError:
		        break
		assert 9 < time.monotonic() - start < 15
	END
	metric_is span_capture_connection_timeouts_total 1
	stop "$pid"
}

@test "span-capture: SIGTERM ends it under full load, too" {
	# On one processor, behind the senders: there is always something to read.
	one=(taskset -c "$(sed -nE 's/^Cpus_allowed_list:\t([0-9]+).*/\1/p' /proc/self/status)")
	nice -n 10 "${one[@]}" span-capture -l udp:127.0.0.1:0 \
		>/dev/null 2>out.err 3>&- &
	pid=$!
	started+=("$pid")
	err=out.err
	wait_until grep -q listening "$err"
	for _ in 1 2 3; do
		"${one[@]}" "$BUILD/tests/bench/udp-blast" 127.0.0.1 \
			"$(port udp)" 100000000 60 3>&- &
		started+=("$!")
	done
	dropped() {
		awk -v port="$(printf %04X "$(port udp)")" \
			'$2 ~ port && $NF > 1000 {n++} END {exit !n}' /proc/net/udp
	}
	wait_until dropped
	kill -TERM "$pid"
	ends 0 "$pid"
}

@test "span-capture: a request with two lengths is refused" {
	start out jaeger-http
	$python - "$(port jaeger-http)" <<-'END'
		import socket, sys
		def ask(head):
		    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
		    s.settimeout(10)
		    s.sendall(b"POST /api/traces HTTP/1.1\r\nHost: x\r\n" + head +
		              b"\r\n0\r\n\r\n")
		    answer = b""
		    while True:
		        try:
		            piece = s.recv(4096)
		        except ConnectionResetError:
		            break
		        if not piece:
		            break
		        answer += piece
		    return answer
		for head in (b"Content-Length: 5\r\nContent-Length: 6\r\n",
		             b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"):
		    a = ask(head)
		    assert a.startswith(b"HTTP/1.1 400 "), (head, a)
	END
	stop "$pid"
}

@test "span-capture: a head without an end, and what is no HTTP" {
	start out 'jaeger-http admin'
	$python - "$(port jaeger-http)" <<-'END'
		import socket, sys
		def ask(data):
		    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
		    s.settimeout(10)
		    answer = b""
		    try:
		        s.sendall(data)
		        while True:
		            piece = s.recv(4096)
		            if not piece:
		                break
		            answer += piece
		    except (ConnectionResetError, BrokenPipeError):
		        pass
		    return answer
		a = ask(b"GET / HTTP/1.1\r\nHost: x\r\n" +
		        b"".join(b"X-%d: %s\r\n" % (i, b"a" * 1000) for i in range(200)))
		assert not a or b" 431 " in a or b" 413 " in a or b" 400 " in a, a
		ask(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 10 + b"\r\n\r\n")
		ask(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
		ask(b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: x\r\n\r\n")
	END
	ask "$(url admin /)"
	[ "$status" = 200 ]
	stop "$pid"
}

@test "span-capture: SIGTERM answers what has begun, and loses nothing" {
	start out 'jaeger-http' -v
	$python - "$(port jaeger-http)" "$pid" "$DATA/jaeger-body.bin" <<-'END'
		import os, signal, socket, sys, time
		where = ("127.0.0.1", int(sys.argv[1]))
		body = open(sys.argv[3], "rb").read()
		head = (b"POST /api/traces HTTP/1.1\r\nHost: x\r\n"
		        b"Content-Type: application/x-thrift\r\n"
		        b"Content-Length: %d\r\n\r\n" % len(body))
		idle = socket.create_connection(where)
		used = socket.create_connection(where)
		used.sendall(head + body)
		assert used.recv(4096).startswith(b"HTTP/1.1 202 ")
		half = socket.create_connection(where)
		half.settimeout(10)
		half.sendall(head + body[:100])
		# It has begun when the capture waits for the rest of the body.
		used.sendall(head + body)
		assert used.recv(4096).startswith(b"HTTP/1.1 202 ")
		os.kill(int(sys.argv[2]), signal.SIGTERM)
		for s in idle, used:
		    s.settimeout(10)
		    assert s.recv(4096) == b""
		half.sendall(body[100:])
		answer = half.recv(4096)
		assert answer.startswith(b"HTTP/1.1 202 "), answer
		assert b"Connection: close\r\n" in answer
		assert half.recv(4096) == b""
		try:
		    socket.create_connection(where)
		    sys.exit("still listens")
		except ConnectionRefusedError:
		    pass
	END
	ends 0 "$pid"
	[ "$("$dump" <out | wc -l)" = 3 ]
}

@test "span-capture: a full queue is 503, and health says that it stalls" {
	mkfifo pipe
	exec 8<>pipe
	{ span-capture -l jaeger-http:127.0.0.1:0 -l otlp-http:127.0.0.1:0 \
		-l admin:127.0.0.1:0 --queue 256K --ack queued -v >&8 2>out.err 8>&- 3>&- & }
	pid=$!
	started+=("$pid")
	err=out.err
	wait_until grep -q 'listening on admin' out.err
	ask "$(url admin /)"
	[[ $status = 200 && $output = '{"status":"Server available","upSince":"2'*'Z","uptime":"'*'s"}' ]]
	url=$(url jaeger-http /api/traces)
	for ((i = 0; i < 4000; i++)); do
		one "$url" "$thrift" "@$DATA/jaeger-body.bin"
	done | sed 1d >config
	curl -sS -K config >got
	taken=$(grep -c '^202' got)
	[ "$taken" -gt 0 ]
	[ "$(grep -c '^503' got)" = $((4000 - taken)) ]
	[ "$taken" -lt 4000 ]
	ask --data-binary "@$DATA/jaeger-body.bin" -H "$thrift" "$url"
	answer 503 "$plain" 'Cannot submit Jaeger batch: the queue is full'
	grep -qx 'Retry-After: 1' <<<"$headers"
	unhealthy() {
		ask "$(url admin /)"
		[[ $status = 503 && $output = '{"status":"Server not available",'* ]]
	}
	wait_until unhealthy
	metric_is 'span_capture_refused_total{port="'"$(port jaeger-http)"'",cause="full"}' \
		$((4001 - taken))
	# It is read again: healthy, and every acknowledged body is there.
	cat pipe >read 8<&- 3>&- &
	reader=$!
	exec 8>&-
	healthy() {
		ask "$(url admin /)"
		[ "$status" = 200 ]
	}
	wait_until healthy
	stop "$pid"
	wait "$reader"
	[ "$("$dump" <read | wc -l)" = "$taken" ]
}

@test "span-capture: metrics are good for Prometheus, and have Jaeger's names" {
	start out 'udp jaeger-http zipkin otlp-http admin' --metrics-file m
	ask --data-binary "@$DATA/jaeger-body.bin" -H "$thrift" \
		"$(url jaeger-http /api/traces)"
	ask -d x -H "$thrift" "$(url jaeger-http /api/traces)"
	ask "$(url admin /metrics)"
	[[ $status = 200 && $type = 'text/plain; version=0.0.4; charset=utf-8' ]]
	echo "$output" >metrics
	if command -v promtool >/dev/null; then
		promtool check metrics <metrics
	fi
	p=$(port jaeger-http)
	grep -x "span_capture_received_total{port=\"$p\"} 2" metrics
	grep -x "span_capture_written_total{port=\"$p\"} 1" metrics
	grep -x "span_capture_refused_total{port=\"$p\",cause=\"bad\"} 1" metrics
	grep -x "span_capture_spans_total{port=\"$p\"} 2" metrics
	grep -x "span_capture_spans_total{port=\"$(port zipkin)\"} 0" metrics
	grep -x 'jaeger_collector_spans_received_total{format="jaeger",transport="http"} 2' metrics
	grep -x 'jaeger_collector_queue_capacity 33554432' metrics
	# Each name has its help and type once, before its values.
	[ -z "$(grep '^# TYPE' metrics | sort | uniq -d)" ]
	# The man page lists all of them.
	sed -nE 's/^([a-z_]+)[ {].*/\1/p' metrics | sort -u | while read -r name; do
		echo "$name"
		grep -qw "$name" "$SRC/man/span-capture.1"
	done
	wait_until grep -q "span_capture_spans_total{port=\"$p\"} 2" m
	ask -I "$(url admin /)"
	[ "$status" = 200 ]
	ask -X DELETE "$(url admin /)"
	answer 405 "$plain" '405 method not allowed'
	stop "$pid"
}

@test "span-capture: --count ends it after so many bodies" {
	start out jaeger-http -c 2
	url=$(url jaeger-http /api/traces)
	ask --data-binary "@$DATA/jaeger-body.bin" -H "$thrift" "$url"
	ask --data-binary "@$DATA/jaeger-body.bin" -H "$thrift" "$url"
	answer 202 '' ''
	ends 0 "$pid"
	[ "$("$dump" <out | wc -l)" = 2 ]
}

@test "span-capture: what --listen and its friends refuse" {
	run --separate-stderr -2 span-capture -l http:127.0.0.1:0
	[ "$stderr" = "span-capture: 'http' is no protocol: try udp, jaeger-http, jaeger-grpc, zipkin, otlp-http, otlp-grpc, sampling or admin" ]
	run --separate-stderr -2 span-capture -l zipkin:::1:9411
	[ "$stderr" = "span-capture: 'zipkin:::1:9411': an IPv6 address goes in brackets: zipkin:[::1]:6831" ]
	run --separate-stderr -2 span-capture -l 9411
	[ "$stderr" = "span-capture: '9411' is not PROTO:ADDRESS:PORT" ]
	run --separate-stderr -2 span-capture --udp --max-body 1M
	[ "${stderr_lines[0]}" = "span-capture: --tls-cert, --strategies, --cors-origin, --max-body, --max-connections-per-peer and --ack go with a TCP port, as of --all" ]
	echo '{}' >s.json
	run --separate-stderr -2 span-capture -l otlp-http:127.0.0.1:0 \
		--strategies s.json
	[ "$stderr" = "span-capture: --strategies goes with a port for jaeger-http or sampling" ]
	run --separate-stderr -2 span-capture -l admin:127.0.0.1:0 --cors-origin '*'
	[ "$stderr" = "span-capture: --cors-origin goes with a port for zipkin or otlp-http" ]
	run --separate-stderr -2 span-capture --zipkin --max-body 1
	[[ $stderr = "span-capture: --max-body is 1K at least"* ]]
	run --separate-stderr -2 span-capture --zipkin --max-body 2M --queue 1M
	[[ $stderr = "span-capture: --max-body is more than --queue can hold"* ]]
	run --separate-stderr -2 span-capture --zipkin --max-connections 0
	[[ $stderr = "span-capture: --max-connections is 1 at least"* ]]
	start out zipkin
	run --separate-stderr -74 span-capture -l "zipkin:127.0.0.1:$(port zipkin)"
	[ "$stderr" = "span-capture: cannot listen on tcp 127.0.0.1:$(port zipkin) (to see who does: ss -tlpn 'sport = :$(port zipkin)'): Address already in use" ]
	stop "$pid"
}

# Run a command in a network namespace of its own, where no port is taken.
in_namespace() {
	if [ "$(id -u)" = 0 ]; then
		unshare -n -- sh -c 'ip link set lo up && exec "$@"' - "$@"
	else
		unshare -rn -- sh -c 'ip link set lo up && exec "$@"' - "$@"
	fi
}

@test "span-capture: --all and its parts are the ports that everybody uses" {
	in_namespace true 2>/dev/null || skip "no network namespaces here"
	cat >one <<-'END'
		rm -f err
		span-capture "$@" --duration 10s 2>err >out 3>&- &
		i=0
		until grep -q "listening on $LAST" err || [ $i = 500 ]; do
			sleep 0.01
			i=$((i + 1))
		done
		kill $!
		wait $!
	END
	LAST=otlp-grpc in_namespace sh one --all=127.0.0.1
	grep -v warning err >got
	diff - got <<-'END'
		span-capture: listening on udp 127.0.0.1:5775 127.0.0.1:6831 127.0.0.1:6832
		span-capture: listening on jaeger-http 127.0.0.1:14268
		span-capture: listening on zipkin 127.0.0.1:9411
		span-capture: listening on otlp-http 127.0.0.1:4318
		span-capture: listening on sampling 127.0.0.1:5778
		span-capture: listening on admin 127.0.0.1:14269
		span-capture: listening on jaeger-grpc 127.0.0.1:14250
		span-capture: listening on otlp-grpc 127.0.0.1:4317
	END
	LAST=otlp-grpc in_namespace sh one --otlp --zipkin=127.0.0.1 \
		-l zipkin:127.0.0.1:9411
	grep -q 'listening on zipkin 127.0.0.1:9411$' err
	grep -q 'listening on otlp-http 127.0.0.1:4318' err
	run -1 grep -E '5775|14268|5778|14269' err
	LAST=jaeger-grpc in_namespace sh one --jaeger
	grep -q 'listening on sampling 127.0.0.1:5778' err
	run -1 grep -E '9411|4317|14269' err
}

@test "span-capture: a stream socket of systemd is served as its name says" {
	cat >systemd.py <<-'END'
		import http.client, os, signal, socket, subprocess, sys
		s = socket.create_server(("127.0.0.1", 0))
		names = sys.argv[1]
		child = subprocess.Popen(
		    ["sh", "-c", 'export LISTEN_PID=$$; exec span-capture 3<&$FD'],
		    pass_fds=[s.fileno()], stdout=open("out", "wb"),
		    env={**os.environ, "LISTEN_FDS": "1", "LISTEN_FDNAMES": names,
		         "FD": str(s.fileno())})
		if len(sys.argv) > 2:
		    sys.exit(child.wait())
		# The connection waits until somebody accepts it.
		c = http.client.HTTPConnection(*s.getsockname(), timeout=20)
		c.request("GET", "/sampling?service=x")
		assert c.getresponse().status == 200
		child.send_signal(signal.SIGTERM)
		sys.exit(child.wait())
	END
	$python systemd.py sampling 3>&-
	run --separate-stderr -2 $python systemd.py span-capture.socket fails 3>&-
	[[ $stderr = "span-capture: descriptor 3 is a stream socket, but its name 'span-capture.socket' is no protocol for one"* ]]
}
