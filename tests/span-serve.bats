# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2030,SC2031
#
# The server around answers: where it listens, whom it lets in, what it does
# with those who mean no good, and how it goes along with a store that changes.
load lib

python=/usr/bin/python3

teardown() {
	local pid
	for pid in "${started[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
	done
}

spans() {
	span-gen --topology "$SRC/examples/topology.json" --seed 1 -n "${1:-10}"
}

# Serve st at a free port; what it says is in err. $url has a slash at its end.
start() {
	rm -f err
	span-serve -s st -l 127.0.0.1:0 "$@" 2>err 3>&- &
	pid=$!
	started+=("$pid")
	wait_until grep -q '^span-serve: http' err
	url=$(sed -nE 's/^span-serve: (http.*)/\1/p' err)
	port=$(sed -nE 's,^span-serve: https?://127.0.0.1:([0-9]+)/.*,\1,p' err)
}

stop() {
	kill -TERM "$pid"
	ends 0 "$pid"
}

# One request: $status, $headers and $output (the body).
ask() {
	local code=0
	curl -sS -m 20 -o body -D headers "$@" 2>curl.err || code=$?
	headers=$(tr -d '\r' <headers)
	status=$(sed -nE 's/^HTTP\/1.1 ([0-9]+).*/\1/p' <<<"$headers" | tail -n 1)
	output=$(cat body 2>/dev/null || true)
	rm -f body
	return "$code"
}

# Send standard input to the port as it is: $status of the answer.
send() {
	local answer
	answer=$($python -c 'import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=20)
try:
    s.sendall(sys.stdin.buffer.read())
    print(s.recv(65536)[:12].decode())
except (ConnectionResetError, BrokenPipeError):
    print("HTTP/1.1 cut")' "$port")
	status=${answer#HTTP/1.1 }
}

@test "span-serve: it says where it listens, answers, and stops when told" {
	spans | span-store append st
	start
	[[ $url =~ ^http://127.0.0.1:[1-9][0-9]*/$ ]]
	ask "${url}healthz"
	[ "$status" = 200 ]
	[[ $output = '{"status":"ok","spans":'* ]]
	grep -qx 'Content-Type: application/json' <<<"$headers"
	grep -qx 'X-Content-Type-Options: nosniff' <<<"$headers"
	grep -qx 'Cache-Control: no-store' <<<"$headers"
	ask "${url}nothing"
	[ "$status" = 404 ]
	ask -X POST "${url}healthz"
	[ "$status" = 405 ]
	grep -qx 'Allow: GET, HEAD' <<<"$headers"
	ask -I "${url}healthz"
	[ "$status" = 200 ]
	run ! grep status <<<"$output"
	stop
}

@test "span-serve: it listens at several addresses, and not twice at one" {
	spans | span-store append st
	start -l 127.0.0.1:0 -l localhost:0
	[ "$(wc -l <err)" -ge 3 ]
	for each in $url; do
		ask "${each}healthz"
		[ "$status" = 200 ]
	done
	port=${url%%/$'\n'*}
	run --separate-stderr -74 span-serve -s st -l "${port#http://}"
	[[ $stderr = "span-serve: cannot listen on tcp 127.0.0.1:"* ]]
	stop
}

@test "span-serve: wrong usage is told" {
	spans | span-store append st
	refuses 'which store? -s STORE' span-serve
	refuses "unexpected argument: 'st'*" span-serve st
	refuses 'a store in memory has nothing to serve*' span-serve -s memory:64M
	refuses 'a store in memory has nothing to serve*' span-serve -s st --archive memory:64M
	refuses '--tls-cert and --tls-key go together' span-serve -s st --tls-key k
	refuses '--base-path begins with a slash*' span-serve -s st --base-path x
	refuses '--threads is 1 at least*' span-serve -s st --threads 0
	refuses '--max-queue is 1 at least*' span-serve -s st --max-queue 0
	refuses '--max-body is 1K at least*' span-serve -s st --max-body 1023
	refuses '--timeout is more than 0' span-serve -s st --timeout 0
	refuses '--max-connections is 1 at least*' span-serve -s st \
		--max-connections 0
	refuses '--max-connections-per-peer is more*' span-serve -s st \
		--max-connections 2 --max-connections-per-peer 3
	refuses '--max-traces and --max-spans are 1*' span-serve -s st --max-traces 0
	refuses '--listen 16686 is not ADDRESS:PORT*' span-serve -s st -l 16686
	refuses '--listen 127.0.0.1:70000 is not ADDRESS:PORT*' span-serve -s st -l 127.0.0.1:70000
}

@test "span-serve: a store that is not there yet can be waited for" {
	run --separate-stderr -74 span-serve -s st -l 127.0.0.1:0
	[ "$stderr" = "span-serve: st: no such store" ]
	span-serve -s st -l 127.0.0.1:0 --wait 1m 2>err 3>&- &
	pid=$!
	started+=("$pid")
	spans | span-store append st
	wait_until grep -q '^span-serve: http' err
	stop
	rm err
	SPAN_STORE=st span-serve -l 127.0.0.1:0 2>err 3>&- &
	pid=$!
	started+=("$pid")
	wait_until grep -q '^span-serve: http' err
	stop
}

@test "span-serve: who waits for a store can be told to stop" {
	span-serve -s st -l 127.0.0.1:0 --wait 1m 2>err 3>&- &
	pid=$!
	started+=("$pid")
	wait_until grep -q 'SigCgt:.*[4-7c-f]...$' "/proc/$pid/status"
	stop
	[ ! -s err ]
}

@test "span-serve: an archive that is not there is told of, one that is none refused" {
	spans | span-store append st
	start --archive ar
	grep -qx 'span-serve: warning: --archive: ar: no such store' err
	spans 1 | span-store append ar
	ask "${url}api/archive/1"
	[ "$status" = 404 ]
	stop
	mkdir other
	touch other/file
	run --separate-stderr -74 timeout 20 span-serve -s other -l 127.0.0.1:0
	[ "$stderr" = 'span-serve: other: it is no store' ]
	touch none
	run --separate-stderr -74 timeout 20 span-serve -s st --archive none -l 127.0.0.1:0
	[ "$stderr" = "span-serve: none: cannot open it: Not a directory" ]
}

@test "span-serve: what is appended is in the next answer" {
	spans 3 | span-store append st
	start
	ask "${url}healthz"
	before=$(jq .spans <<<"$output")
	[ "$before" = "$(span-query -s st -c --spans)" ]
	span-gen --seed 2 -n 50 | span-store append st
	ask "${url}healthz"
	[ "$(jq .spans <<<"$output")" = "$(span-query -s st -c --spans)" ]
	[ "$(jq .spans <<<"$output")" -gt "$before" ]
	id=$(span-query -s st --limit 1 -o ids)
	ask "${url}api/traces/$id"
	[ "$(jq -r '.data[0].traceID' <<<"$output")" = "$id" ]
	stop
}

@test "span-serve: health can be asked for silence and room" {
	spans | span-store append st
	start
	ask "${url}healthz?silence=24h&free=1"
	[ "$status" = 200 ]
	ask "${url}healthz?silence=1ns"
	[ "$status" = 503 ]
	[ "$(jq -r .status <<<"$output")" = 'no span has arrived for too long' ]
	ask "${url}healthz?free=9000000000000000000"
	[ "$status" = 503 ]
	ask "${url}healthz?silence=5"
	[ "$status" = 400 ]
	[ "$(jq -r '.errors[0].msg' <<<"$output")" = \
		"unable to parse param 'silence': time: missing unit in duration \"5\"" ]
	mv st away
	ask "${url}healthz"
	[ "$status" = 503 ]
	ask "${url}metrics"
	grep -qx 'span_store_up 0' <<<"$output"
	mv away st
	ask "${url}healthz"
	[ "$status" = 200 ]
	stop
}

@test "span-serve: metrics count what was asked, and are as Prometheus wants" {
	spans | span-store append st
	start
	ask "${url}healthz"
	ask "${url}healthz"
	ask "${url}nothing?<script>"
	ask "${url}metrics"
	grep -qx 'span_serve_requests_total{path="/healthz",code="200"} 2' <<<"$output"
	grep -qx 'span_serve_requests_total{path="other",code="404"} 1' <<<"$output"
	grep -qx 'span_serve_request_duration_seconds_count 3' <<<"$output"
	grep -qx "span_store_spans $(span-query -s st -c --spans)" <<<"$output"
	run ! grep script <<<"$output"
	if command -v promtool; then
		promtool check metrics <<<"$output"
	fi
	stop
}

@test "span-serve: a base path is before all others" {
	spans | span-store append st
	start --base-path /jaeger/
	[[ $url = *:"$port"/jaeger/ ]]
	ask "${url}metrics"
	[ "$status" = 200 ]
	ask "http://127.0.0.1:$port/metrics"
	[ "$status" = 404 ]
	ask "http://127.0.0.1:$port/jaegermetrics"
	[ "$status" = 404 ]
	ask "http://127.0.0.1:$port/healthz"
	[ "$status" = 200 ]
	ask "http://127.0.0.1:$port/jaeger?x=1"
	[ "$status" = 301 ]
	grep -qx 'Location: /jaeger/?x=1' <<<"$headers"
	stop
}

@test "span-serve: TLS with a certificate and its key" {
	command -v openssl >/dev/null || skip "no openssl"
	openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem \
		-days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 \
		2>/dev/null
	openssl genrsa -out other.pem 2048 2>/dev/null
	spans | span-store append st
	start --tls-cert cert.pem --tls-key key.pem
	[[ $url = https://* ]]
	ask --cacert cert.pem "${url}healthz"
	[ "$status" = 200 ]
	run ! curl -sS -m 5 "http://127.0.0.1:$port/healthz"
	ask --cacert cert.pem "${url}healthz"
	[ "$status" = 200 ]
	stop
	run --separate-stderr -2 span-serve -s st --tls-cert cert.pem \
		--tls-key other.pem
	[[ $stderr = "span-serve: cannot use the TLS certificate and key: "* ]]
	run --separate-stderr -74 span-serve -s st --tls-cert cert.pem \
		--tls-key missing.pem
	[ "$stderr" = "span-serve: cannot open missing.pem: No such file or directory" ]
}

@test "span-serve: names and passwords" {
	spans | span-store append st
	$python -W ignore -c 'import crypt
print("# who may")
print("ann:" + crypt.crypt("secret", crypt.mksalt(crypt.METHOD_SHA256)))
print()
print("bob:" + crypt.crypt("p:w d", crypt.mksalt(crypt.METHOD_SHA512)))' >users
	start --auth users
	ask "${url}metrics"
	[ "$status" = 401 ]
	grep -qx 'WWW-Authenticate: Basic realm="span-serve", charset="UTF-8"' \
		<<<"$headers"
	for good in ann:secret 'bob:p:w d' ann:secret; do
		ask -u "$good" "${url}metrics"
		[ "$status" = 200 ]
	done
	for bad in ann:Secret ann: bob:secret eve:secret : ann:secretsecret; do
		ask -u "$bad" "${url}metrics"
		[ "$status" = 401 ]
	done
	for header in 'Basic' 'Basic !!!' 'Bearer YW5uOnNlY3JldA==' 'Basic YW5u' \
		'Basic YW5uOnNlY3JldAA='; do
		ask -H "Authorization: $header" "${url}metrics"
		[ "$status" = 401 ]
	done
	ask "${url}healthz"
	[ "$status" = 200 ]
	stop
	for origin in https://x.example '*'; do
		start --auth users --cors-origin "$origin"
		ask -u ann:secret -H 'Origin: https://x.example' "${url}metrics"
		[ "$status" = 200 ]
		grep -qx 'Access-Control-Allow-Origin: https://x.example' <<<"$headers"
		code=0
		grep -qx 'Access-Control-Allow-Credentials: true' <<<"$headers" ||
			code=$?
		[ "$code" = "$([ "$origin" = '*' ] && echo 1 || echo 0)" ]
		stop
	done
}

certificate() {
	openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out "$1" \
		-days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 \
		2>/dev/null
}

user() {
	$python -W ignore -c 'import crypt, sys
print(sys.argv[1] + ":" + crypt.crypt(sys.argv[2], crypt.METHOD_SHA256))' "$@"
}

@test "span-serve: SIGHUP has certificate and passwords read again, bad ones are kept out" {
	command -v openssl >/dev/null || skip "no openssl"
	spans | span-store append st
	certificate first.pem
	cp first.pem cert.pem
	user ann secret >users
	start -v --tls-cert cert.pem --tls-key key.pem --auth users
	ask --cacert first.pem -u ann:secret "${url}metrics"
	[ "$status" = 200 ]
	certificate second.pem
	cp second.pem cert.pem
	user bob secret >users
	kill -HUP "$pid"
	wait_until grep -qx 'span-serve: read the passwords again' err
	grep -qx 'span-serve: read the certificate and its key again' err
	run ! curl -sS -m 5 --cacert first.pem "${url}healthz"
	ask --cacert second.pem -u ann:secret "${url}metrics"
	[ "$status" = 401 ]
	ask --cacert second.pem -u bob:secret "${url}metrics"
	[ "$status" = 200 ]
	echo nothing >cert.pem
	rm users
	kill -HUP "$pid"
	wait_until grep -q 'passwords stay as they were$' err
	grep -qE '^span-serve: warning: cannot use the TLS certificate and key: .*; the certificate and its key stay as they were$' err
	grep -qx 'span-serve: warning: cannot open users: No such file or directory; the passwords stay as they were' err
	ask --cacert second.pem -u bob:secret "${url}metrics"
	[ "$status" = 200 ]
	stop
}

@test "span-serve: SIGHUP ends nothing when there is nothing to read again" {
	spans | span-store append st
	start
	kill -HUP "$pid"
	ask "${url}healthz"
	[ "$status" = 200 ]
	stop
}

@test "span-serve: nothing is read of a body before it is known whose it is" {
	spans | span-store append st
	user ann secret >users
	start --auth users
	$python - "$port" <<-'END'
		import base64, socket, sys
		def ask(password, more=b""):
		    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 20)
		    pair = base64.b64encode(b"ann:" + password)
		    s.sendall(b"POST /api/transform HTTP/1.1\r\nHost: localhost\r\n"
		              b"Content-Length: 30000000\r\nAuthorization: Basic " + pair +
		              b"\r\n" + more + b"\r\n")
		    return s, s.recv(65536)
		expect = b"Expect: 100-continue\r\n"
		s, answer = ask(b"wrong")
		assert answer.startswith(b"HTTP/1.1 401 "), answer
		assert b"WWW-Authenticate: Basic" in answer, answer
		s, answer = ask(b"wrong", expect)
		assert answer.startswith(b"HTTP/1.1 401 "), answer
		s, answer = ask(b"secret", expect)
		assert answer.startswith(b"HTTP/1.1 100 "), answer
		s.sendall(b" " * 30000000)
		answer = s.recv(65536)
		assert answer.startswith(b"HTTP/1.1 400 "), answer
		# Who goes on sending all the same is cut off.
		s, answer = ask(b"wrong")
		try:
		    for i in range(30):
		        s.sendall(b" " * 1000000)
		except (ConnectionResetError, BrokenPipeError):
		    pass
		else:
		    sys.exit("all of it was read")
	END
	stop
}

@test "span-serve: a file of passwords must have hashes that take long" {
	spans | span-store append st
	for line in 'ann:secret' 'ann' ':$5$x$y' 'ann:$apr1$x$y' 'ann:$1$x$y' ''; do
		echo "$line" >users
		run --separate-stderr -2 span-serve -s st --auth users
		[[ $stderr = "span-serve: users: "* ]]
	done
	run --separate-stderr -74 span-serve -s st --auth missing
}

@test "span-serve: other pages may not, unless they are allowed to" {
	spans | span-store append st
	start
	ask -H 'Origin: https://x.example' "${url}healthz"
	[ "$status" = 200 ]
	run ! grep Access-Control <<<"$headers"
	ask -X POST -H 'Origin: https://x.example' "${url}nothing"
	[ "$status" = 403 ]
	ask -X POST -H "Origin: http://127.0.0.1:$port" "${url}nothing"
	[ "$status" = 404 ]
	ask -H 'Host: attacker.example' "${url}healthz"
	[ "$status" = 403 ]
	ask -H 'Host: [::1]:16686' "${url}healthz"
	[ "$status" = 200 ]
	stop
	start --cors-origin https://x.example --allow-host jaeger.local
	ask -H 'Origin: https://x.example' "${url}healthz"
	grep -qx 'Access-Control-Allow-Origin: https://x.example' <<<"$headers"
	ask -H 'Origin: https://y.example' "${url}healthz"
	run ! grep Access-Control <<<"$headers"
	grep -qx 'Vary: Origin' <<<"$headers"
	ask -X OPTIONS -H 'Origin: https://x.example' \
		-H 'Access-Control-Request-Method: POST' \
		-H 'Access-Control-Request-Headers: content-type' "${url}healthz"
	[ "$status" = 204 ]
	grep -qx 'Access-Control-Allow-Headers: content-type' <<<"$headers"
	ask -X POST -H 'Origin: https://x.example' "${url}nothing"
	[ "$status" = 404 ]
	ask -H 'Host: jaeger.local:1' "${url}healthz"
	[ "$status" = 200 ]
	stop
}

@test "span-serve: it serves the sockets of a service manager" {
	spans | span-store append st
	$python - 2>err 3>&- <<-'END' &
		import os, socket
		s = socket.create_server(("127.0.0.1", 0))
		os.dup2(s.fileno(), 3)
		os.set_inheritable(3, True)
		os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
		os.execlp("span-serve", "span-serve", "-s", "st")
	END
	pid=$!
	started+=("$pid")
	wait_until grep -q '^span-serve: http' err
	[ "$(wc -l <err)" = 1 ]
	ask "$(sed 's/^span-serve: //' err)healthz"
	[ "$status" = 200 ]
	stop
}

@test "span-serve: -v has a line for each request, with nothing raw in it" {
	spans | span-store append st
	start -v
	printf 'GET /healthz?\x1b[31m\xff HTTP/1.1\r\nHost: x\r\n\r\n' |
		send || true
	ask "${url}nothing?x=1"
	wait_until grep -qE 'GET /nothing\?x=1 404 19 B [0-9.]+[mun]?s$' err
	run ! grep -q $'\x1b' err
	stop
	tail -n 1 err >last
	grep -qxE 'span-serve: [12] requests, 0 failed, 0 cancelled, [0-9]+ bytes, 0 connections refused, [0-9.]+ s' last
}

@test "span-serve: -v tells how a request with a long target ended" {
	local long
	spans | span-store append st
	start -v
	long=$(printf '%03000d' 0)
	ask "${url}nothing?$long"
	[ "$status" = 404 ]
	wait_until grep -qE 'GET /nothing\?0+\.\.\. 404 19 B [0-9.]+[mun]?s$' err
	stop
}

@test "span-serve: -v tells why the store could not be read" {
	spans | span-store append st
	start -v
	mv st away
	touch st
	ask "${url}healthz"
	[ "$status" = 503 ]
	wait_until grep -qE 'GET /healthz 503 [0-9]+ B .*s \(st: cannot open it: Not a directory\)$' err
	stop
}

@test "span-serve: bad requests are refused, and harm nobody" {
	spans | span-store append st
	start
	for line in 'GET' 'GET /' 'GET / HTTP/9.9' $'\x16\x03\x01' \
		'GET healthz HTTP/1.1' 'GET http:// HTTP/1.1'; do
		printf '%s\r\nHost: localhost\r\n\r\n' "$line" | send
		[[ $status = 4* || $status = 5* || -z $status || $status = cut ]]
	done
	# Escapes that are none, zero bytes, ways out.
	for path in '%' '%zz' '%00' '..' '../../etc/passwd' '%2e%2e/%2e%2e/etc/passwd' \
		'..%2f..%2fetc%2fpasswd' '//' 'a//b' "$(printf '%4000d' 1)"; do
		ask --path-as-is -g "$url${path// /x}"
		[ "$status" = 404 ]
	done
	params=$(printf 'a=%.0s&' {1..250})
	ask "${url}healthz?$params"
	[ "$status" = 200 ]
	for n in 1500 10000; do
		params=$(printf "a=%.0s&" $(seq "$n"))
		ask "${url}healthz?$params"
		[ "$status" = 414 ]
	done
	{
		printf 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n'
		for i in {1..5000}; do
			printf 'X-Header-%s: something\r\n' "$i"
		done
		printf '\r\n'
	} | send
	echo "status $status"
	[[ $status = 4* || $status = cut || -z $status ]]
	ask "${url}healthz"
	[ "$status" = 200 ]
	stop
}

@test "span-serve: 1,000 idle connections harm nobody" {
	[ "$(ulimit -Hn)" -gt 2500 ] || skip "too few open files"
	ulimit -Sn "$(ulimit -Hn)"
	spans | span-store append st
	start
	$python - "$port" <<-'END'
		import http.client, socket, sys
		where = ("127.0.0.1", int(sys.argv[1]))
		idle = [socket.create_connection(where) for i in range(1000)]
		def get(c):
		    c.request("GET", "/healthz")
		    r = c.getresponse()
		    assert r.status == 200 and r.read()
		for i in range(20):
		    get(http.client.HTTPConnection(*where))
		for i in 0, 500, 999:
		    c = http.client.HTTPConnection(*where)
		    c.sock = idle[i]
		    get(c)
	END
	stop
}

@test "span-serve: more connections than --max-connections are told so" {
	spans | span-store append st
	start --max-connections 5
	$python - "$port" <<-'END'
		import socket, sys
		where = ("127.0.0.1", int(sys.argv[1]))
		open_ = [socket.create_connection(where) for i in range(5)]
		late = socket.create_connection(where)
		late.settimeout(10)
		answer = late.recv(4096)
		assert answer.startswith(b"HTTP/1.1 503 "), answer
		assert b"Retry-After: 1\r\n" in answer
		open_.pop().close()
		for i in range(1000):
		    s = socket.create_connection(where)
		    s.settimeout(10)
		    s.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
		    if s.recv(4096).startswith(b"HTTP/1.1 200 "):
		        break
		else:
		    sys.exit("no room")
	END
	stop
}

@test "span-serve: answers are whole while spans come, are sealed and expire" {
	spans | span-store append st
	start --threads 2
	(
		for i in {1..12}; do
			span-gen --seed "$i" -n 200 |
				span-store append -q --no-seal --rotate-size 64K st
			span-store seal -q --all st
			span-store expire -q --max-bytes 200K st
		done
		: >ended
	) &
	writer=$!
	$python - "$port" <<-'END'
		import http.client, json, os, sys, threading
		bad, asked = [], []
		def client():
		    c = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
		    def get(path):
		        c.request("GET", path)
		        r = c.getresponse()
		        body = r.read()
		        asked.append(path)
		        if r.status not in (200, 404):
		            bad.append((path, r.status, body[:200]))
		        return json.loads(body)
		    while not os.path.exists("ended") and not bad:
		        for t in get("/api/traces?limit=3&service=frontend")["data"]:
		            assert t["spans"], t
		            get("/api/traces/" + t["traceID"])
		        get("/api/services")
		threads = [threading.Thread(target=client) for i in range(4)]
		for t in threads: t.start()
		for t in threads: t.join()
		assert not bad, bad
		assert len(asked) > 20, len(asked)
	END
	wait "$writer"
	run ! grep -v '^span-serve: http' err
	stop
}

# A build of Jaeger UI as far as a server sees it.
ui() {
	mkdir -p ui/static/assets
	cat >ui/index.html <<-'END'
		<!doctype html><base href="/" />
		<script>
		  // JAEGER_CONFIG_JS
		  const DEFAULT_CONFIG = null;
		  const JAEGER_CONFIG = DEFAULT_CONFIG;
		  const JAEGER_VERSION = DEFAULT_VERSION;
		  const JAEGER_STORAGE_CAPABILITIES = DEFAULT_STORAGE_CAPABILITIES;
		</script>
	END
	echo 'alert(1)' >ui/static/assets/index-1a2b.js
	echo secret >secret
	ln -s ../secret ui/link
	ln -s .. ui/static/up
	echo hidden >ui/.hidden
}

@test "span-serve: --ui-dir serves a Jaeger UI, and its configuration" {
	spans | span-store append st
	ui
	echo '{"menu":[{"label":"</script><script>alert(1)"}]}' >config.json
	start --ui-dir ui --ui-config config.json --base-path /jaeger
	for page in '' search trace/abc...def 'search?service=a/b' dependencies; do
		ask "$url$page"
		[ "$status" = 200 ]
		grep -qx 'Content-Type: text/html; charset=utf-8' <<<"$headers"
		base=./
		[[ $page != trace/* ]] || base=./../
		grep -qF "<base href=\"$base\" />" <<<"$output"
		grep -qF 'JAEGER_CONFIG = {"menu":[{"label":"\u003c/script>\u003cscript>alert(1)"}]}' \
			<<<"$output"
		grep -qF 'JAEGER_VERSION = {"gitCommit":"","gitVersion":"spantools ' \
			<<<"$output"
		grep -qF 'CAPABILITIES = {"archiveStorage":false,"metricsStorage":true,' \
			<<<"$output"
	done
	ask "${url}static/assets/index-1a2b.js"
	[ "$output" = 'alert(1)' ]
	grep -qx 'Content-Type: text/javascript; charset=utf-8' <<<"$headers"
	etag=$(sed -n 's/^ETag: //p' <<<"$headers")
	ask -H "If-None-Match: $etag" "${url}static/assets/index-1a2b.js"
	[ "$status" = 304 ]
	[ -z "$output" ]
	echo 'alert(2)' >ui/static/assets/index-1a2b.js
	ask -H "If-None-Match: $etag" "${url}static/assets/index-1a2b.js"
	[ "$output" = 'alert(2)' ]
	ask "${url}api/nothing"
	[ "$status" = 404 ]
	ask "${url}healthz"
	[[ $output = '{"status":"ok"'* ]]
	stop
	echo 'function UIConfig() { return {}; }' >config.js
	start --ui-dir ui --ui-config config.js
	ask "$url"
	grep -q '^  function UIConfig() { return {}; }$' <<<"$output"
	stop
}

@test "span-serve: a Jaeger UI that looks for its place by a script is told it before" {
	spans | span-store append st
	ui
	sed -i 's,<base href="/" />,<html><head><script>find();</script></head>,' \
		ui/index.html
	start --ui-dir ui --base-path /jaeger
	ask "${url}trace/abc"
	grep -qF '<head><base href="./../" /><script>' <<<"$output"
	ask "${url}monitor"
	grep -qF '<head><base href="./" /><script>' <<<"$output"
	stop
}

@test "span-serve: nothing outside of --ui-dir can be asked for" {
	spans | span-store append st
	ui
	start --ui-dir ui
	for path in ../secret %2e%2e/secret ..%2fsecret static/../../secret link \
		static/up/secret static/up/ui/index.html .hidden "$PWD/secret" \
		static/assets%2findex-1a2b.js '%00' 'link%00.js' \
		"static/$(printf 'a/%.0s' {1..40})x"; do
		ask --path-as-is "$url$path"
		run ! grep -E 'secret|hidden|alert' <<<"$output"
	done
	ask "${url}static/assets"
	[ "$status" = 404 ]
	ask "${url}static/none.js"
	[ "$status" = 404 ]
	ask -X POST "$url"
	[ "$status" = 405 ]
	stop
}

@test "span-serve: what is no Jaeger UI, or no configuration, is told" {
	spans | span-store append st
	ui
	refuses '--ui-config goes with --ui-dir' span-serve -s st --ui-config x
	run --separate-stderr -74 span-serve -s st --ui-dir none
	[[ $stderr = "span-serve: cannot open none"* ]]
	mkdir other
	run --separate-stderr -74 span-serve -s st --ui-dir other
	[[ $stderr = "span-serve: cannot open other/index.html"* ]]
	echo '<html>' >other/index.html
	run --separate-stderr -2 span-serve -s st --ui-dir other
	[ "$stderr" = "span-serve: other/index.html is none of a build of Jaeger UI" ]
	for text in '[1]' '{' 'x'; do
		echo "$text" >config.json
		run --separate-stderr -65 span-serve -s st --ui-dir ui \
			--ui-config config.json
		[ "$stderr" = "span-serve: config.json is not an object of JSON" ]
	done
	sed -i /CONFIG_JS/d ui/index.html
	echo 'function UIConfig() {}' >config.js
	run --separate-stderr -2 span-serve -s st --ui-dir ui --ui-config config.js
	[ "$stderr" = "span-serve: ui/index.html has no place for a configuration" ]
}
