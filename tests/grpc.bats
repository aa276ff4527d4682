# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
load lib

serve=$BUILD/tests/unit/grpc-serve
client=$SRC/tests/interop/grpc-client.py
python=/usr/bin/python3
export=opentelemetry.proto.collector.trace.v1.TraceService/Export
post_spans=jaeger.api_v2.CollectorService/PostSpans

teardown() {
	[ -z "${pid-}" ] || kill -KILL "$pid" 2>/dev/null || true
}

# Start a server: $pid, $port; what it takes goes to the file "taken".
start() {
	"$serve" "$@" >taken 2>serve.err 3>&- &
	pid=$!
	wait_until test -s taken
	port=$(head -n 1 taken)
}

# End it in good order: its counts are in $counts.
stop() {
	kill -TERM "$pid"
	ends 0 "$pid"
	pid=
	counts=$(tail -n 1 taken)
}

# Make calls with gRPC's own client, one per line of standard input: see
# grpc-client.py.
calls() {
	"$python" "$client" "127.0.0.1:$port" "$@"
}

needs_grpcio() {
	"$python" -c 'import grpc' 2>/dev/null || skip "no python3-grpcio"
}

# A certificate for localhost of its own, in cert.pem, with key.pem.
make_certificate() {
	command -v openssl >/dev/null || skip "no openssl"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-subj /CN=localhost -addext subjectAltName=DNS:localhost \
		-days 2 -keyout key.pem -out cert.pem 2>/dev/null
}

@test "grpc: gRPC's own client is told what became of its call" {
	needs_grpcio
	start
	calls >got <<-END
		$export hello
		$export bad
		$export full
		$export stopping
		$export some
		$post_spans hello
		$post_spans full
		grpc.health.v1.Health/Check
		grpc.health.v1.Health/Watch
		opentelemetry.proto.collector.logs.v1.LogsService/Export x
	END
	diff -u - got <<-'END'
		OK
		INVALID_ARGUMENT field 7: 100% ä
		RESOURCE_EXHAUSTED the reader of spans is slow; retry
		UNAVAILABLE the server is stopping
		OK 0a1d0803121933207370616e732063616e6e6f74206265206465636f646564
		OK
		RESOURCE_EXHAUSTED the reader of spans is slow; retry
		OK 0801
		UNIMPLEMENTED unknown method Watch for service grpc.health.v1.Health
		UNIMPLEMENTED unknown service opentelemetry.proto.collector.logs.v1.LogsService
	END
	[ "$(grep -c ' right .* local$' taken)" = 7 ]
	grep -qF "jaeger-proto right /$post_spans application/grpc 5 3610a686" taken
	stop
	[[ $counts = "connections 1 open 0 requests 10 refused 6 "* ]]
}

@test "grpc: messages up to the limit pass, compressed too" {
	needs_grpcio
	start -m 3000000
	calls >got <<-END
		$export zeros:3000000
		$export zeros:3000001
		$export zeros:3000000 gzip
		$export zeros:3000001 gzip
		$export zeros:3000000 deflate
		$export zeros:0 gzip
	END
	diff -u - got <<-'END'
		OK
		RESOURCE_EXHAUSTED received message larger than max (3000001 vs. 3000000)
		OK
		RESOURCE_EXHAUSTED larger than 3000000 bytes when inflated
		OK
		OK
	END
	# The same bytes, however they came.
	[ "$(awk '$5 == 3000000 {print $6}' taken | sort | uniq -c | awk '{print $1}')" = 3 ]
}

@test "grpc: a client's deadline ends a call that does not" {
	needs_grpcio
	start
	calls >got <<<"$export never deadline:0.05"
	diff -u - got <<<"DEADLINE_EXCEEDED Deadline Exceeded"
	run -0 calls <<<"$export hello"
	[ "$output" = OK ]
}

@test "grpc: a thousand idle connections cost others nothing" {
	needs_grpcio
	start
	calls --idle 1000 >got <<-END
		$export hello
		$export zeros:100000
	END
	diff -u - got <<<$'OK\nOK'
	# In kB, without a sanitizer's own memory.
	if [ -z "${SANITIZERS-}" ] || [ "$SANITIZERS" = no ]; then
		[ "$(awk '/VmHWM/ {print $2}' "/proc/$pid/status")" -lt 24576 ]
	fi
	stop
	[[ $counts = "connections 1001 open 0 requests 2 refused 0 "* ]]
}

@test "grpc: without a descriptor to spare it waits, and goes on" {
	needs_grpcio
	start -n 16
	run -0 timeout 20 "$python" - "$port" "$pid" <<-'END'
		import os, socket, sys, time
		port, pid = int(sys.argv[1]), sys.argv[2]
		hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
		def ticks():
		    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
		    return int(fields[11]) + int(fields[12])
		held = [socket.create_connection(("127.0.0.1", port)) for _ in range(40)]
		for s in held:
		    s.sendall(hello)
		held[0].recv(1)
		held[-1].settimeout(0.5)
		before = ticks()
		try:
		    held[-1].recv(1)
		    print("answered")
		except TimeoutError:
		    print("waits")
		print("busy" if ticks() - before > 0.25 * os.sysconf("SC_CLK_TCK") else "calm")
		for s in held[:-1]:
		    s.close()
		held[-1].settimeout(10)
		print("then answered" if held[-1].recv(1) else "then closed")
	END
	[ "$output" = $'waits\ncalm\nthen answered' ]
	run -0 calls <<<"$export hello"
	[ "$output" = OK ]
}

@test "grpc: TLS with gRPC's own client, and no client without it" {
	needs_grpcio
	make_certificate
	start -x cert.pem -y key.pem
	calls --tls cert.pem >got <<-END
		$export hello
		$export zeros:3000000
		$export zeros:3000000 gzip
		$export full
	END
	diff -u - got <<-'END'
		OK
		OK
		OK
		RESOURCE_EXHAUSTED the reader of spans is slow; retry
	END
	run -0 calls <<<"$export hello"
	[[ $output = "UNAVAILABLE "* ]]
	stop
	[[ $counts = *" requests 4 refused 1 "* ]]
}

@test "grpc: TLS speaks h2 and nothing older than TLS 1.2" {
	make_certificate
	start -x cert.pem -y key.pem
	run openssl s_client -connect "127.0.0.1:$port" -alpn h2 </dev/null
	[[ $output = *"ALPN protocol: h2"* ]]
	run ! openssl s_client -connect "127.0.0.1:$port" -alpn http/1.1 </dev/null
	[[ $output = *"no application protocol"* ]]
	run ! openssl s_client -connect "127.0.0.1:$port" -tls1_1 \
		-cipher 'ALL:@SECLEVEL=0' </dev/null
	run -0 openssl s_client -connect "127.0.0.1:$port" -tls1_2 </dev/null
}

@test "grpc: a certificate that cannot be used is told" {
	make_certificate
	openssl ecparam -name prime256v1 -genkey -noout -out other.pem
	run -1 "$serve" -x cert.pem -y other.pem
	[[ $output = *"cannot use certificate cert.pem with key other.pem: "* ]]
	run -1 "$serve" -x missing.pem -y key.pem
	[[ $output = *"cannot use certificate missing.pem "* ]]
}

@test "grpc: who speaks HTTP/1.1 is told so" {
	command -v curl >/dev/null || skip "no curl"
	start
	run -0 curl -s -m 10 -d x -w '%{http_code}' "http://127.0.0.1:$port/v1/traces"
	[ "$output" = $'this port speaks gRPC, over HTTP/2\n505' ]
}

@test "grpc: other HTTP/2 clients get HTTP's answers" {
	command -v nghttp >/dev/null || skip "no nghttp"
	start
	printf '\0\0\0\0\5hello' >body
	run -0 nghttp -v -d body -H 'content-type: application/grpc' \
		"http://127.0.0.1:$port/$export"
	[[ $output = *":status: 200"*"grpc-status: 0"* ]]
	run -0 nghttp -v -d body -H 'content-type: text/plain' \
		"http://127.0.0.1:$port/$export"
	[[ $output = *":status: 415"*"grpc-status: 3"* ]]
	run -0 nghttp -v "http://127.0.0.1:$port/"
	[[ $output = *":status: 405"* ]]
}

@test "grpc: under load every call is answered once" {
	command -v h2load >/dev/null || skip "no h2load"
	start
	printf '\0\0\0\0\5hello' >body
	run -0 h2load -n 5000 -c 10 -m 50 -d body -T 20 \
		-H 'content-type: application/grpc' "http://127.0.0.1:$port/$export"
	[[ $output = *"5000 succeeded, 0 failed, 0 errored, 0 timeout"* ]]
	[ "$(grep -c 5-hello- <(sed 's/ 5 3610a686 /5-hello-/' taken))" = 5000 ]
	stop
	[[ $counts = "connections 10 open 0 requests 5000 refused 0 "* ]]
}

@test "grpc: a stop lets a running call end, and a client go elsewhere" {
	needs_grpcio
	start
	calls --stop "$pid" >got <<<"$export hello"
	diff -u - got <<<$'OK\nOK\nUNAVAILABLE'
	ends 0 "$pid"
	pid=
	[[ $(tail -n 1 taken) = *" requests 2 refused 0 "* ]]
}
