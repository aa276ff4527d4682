#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2030,SC2031
# trace-to-loki from logs to traces, and from a trace to its log lines.

load lib

python=/usr/bin/python3

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	unset LOKI_ORG_ID LOKI_USERNAME LOKI_PASSWORD LOKI_BEARER_TOKEN LOKI_BEARER_TOKEN_FILE
	started=()
}

teardown() {
	local pid
	for pid in "${started[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
	done
}

serve() {
	mkdir "$1"
	"$python" "$SRC/tests/loki.py" serve "$@" 3>&- 2>"$1.err" &
	started+=($!)
	disown
	wait_until test -s "$1/port"
	url=http://127.0.0.1:$(<"$1/port")
}

a=4bf92f3577b34da6a3ce929d0e0e4736
b=00f067aa0ba902b7

# A log of several programs.
write_log() {
	cat <<-END
		2026-01-01T00:00:00.100Z INFO payment traceId=$a spanId=$b charging
		2026-01-01T00:00:00Z INFO nothing of a trace, though 1234567890abcdef
		{"time":"2026-01-01T00:00:00.2Z","level":"error","msg":"boom\\nat x","trace_id":"$a","code":5}
		127.0.0.1 - - "GET / HTTP/1.1" 200 traceparent: "00-$a-$b-01"
		ts=1767225600.4 level=info msg="a b" trace.id=c0ffee
		WARN [0123456789abcdef0123456789abcdef] bare
		WARN 00000000000000000000000000000000 x0123456789abcdef0123456789abcde00 none
	END
}

@test "trace-to-loki --grep: ids of traces in a log, each once, for span-query" {
	write_log >app.log
	run --separate-stderr -0 trace-to-loki --grep app.log
	[ "$output" = "$a
0000000000c0ffee
0123456789abcdef0123456789abcdef" ]
	[ -z "$stderr" ]
	gzip app.log
	echo "$output" >want
	alike <(trace-to-loki --grep app.log.gz) want
	alike <(zcat app.log.gz | trace-to-loki --grep -) want
	run --separate-stderr -1 trace-to-loki --grep - <<<'no id is here'
	[ -z "$output$stderr" ]
	span-gen --topology "$SRC/examples/topology.json" --seed 1 -n 20 >in
	id=$(span-query -o ids in | sed -n 3p)
	echo "error in $id" >one
	ids=$(trace-to-loki --grep one)
	alike <(span-query -o ids --trace-id "$ids" in) <(echo "$id")
}

@test "trace-to-loki --grep: an id is there as soon as its line is" {
	mkfifo pipe
	trace-to-loki --grep - <pipe >out &
	pid=$!
	exec 7>pipe
	echo "trace_id=$a" >&7
	wait_until grep -q "$a" out
	exec 7>&-
	ends 0 $pid
}

@test "trace-to-loki --logs: the lines of a trace, as they are" {
	write_log >app.log
	run --separate-stderr -0 trace-to-loki --logs app.log "$a"
	alike <(sed -n '1p;3,4p' app.log) <(echo "$output")
	run -0 trace-to-loki --logs app.log c0ffee "00-0123456789abcdef0123456789abcdef-$b-01"
	alike <(sed -n '5,6p' app.log) <(echo "$output")
	run --separate-stderr -1 trace-to-loki --logs app.log c0ffe
	[ -z "$output$stderr" ]
	# A long line is searched to its end.
	{
		head -c 3000000 /dev/zero | tr '\0' x
		echo " trace_id=$a"
	} >long
	[ "$(trace-to-loki --grep long)" = "$a" ]
}

@test "trace-to-loki --logql: prints the query that selects" {
	span-gen --topology "$SRC/examples/topology.json" --seed 1 -n 50 >in
	id=$(span-query -o ids --service payment in | head -n 1)
	run --separate-stderr -0 trace-to-loki --logql --line json --label app=service.name "$id"
	[ "$output" = "{app=~\".+\"} | json | trace_id=\"$id\"" ]
	trace-to-loki -q --line json --label app=service.name in |
		"$python" "$SRC/tests/loki.py" query "$output" | sort >got
	trace-to-loki -q --line json --trace-id "$id" in | jq -r '.streams[].values[][1]' | sort >want
	[ -s want ]
	diff want got
	run -0 trace-to-loki --logql c0ffee
	[ "$output" = '{service_name=~".+"} | logfmt | trace_id=~"(0{16})?0000000000c0ffee"' ]
	run --separate-stderr -2 trace-to-loki --logql 'x"}'
	[ -z "$output" ]
}

@test "trace-to-loki --fetch: the lines of a trace come back from Loki" {
	span-gen --topology "$SRC/examples/topology.json" --seed 1 -n 50 --start -10m >in
	id=$(span-query -o ids --service payment in | head -n 1)
	serve log --tenant t
	export LOKI_ORG_ID=t
	trace-to-loki --push "$url" in
	# A service logs the id in the line only, another one too.
	now=$(date +%s)000000000
	printf '{"streams":[{"stream":{"service_name":"bank"},"values":[["%s","paid for %s"],["%s","paid for %s"]]}]}' \
		"$now" "$id" "$now" "$a" |
		curl -sf -H 'X-Scope-OrgID: t' -H 'Content-Type: application/json' --data-binary @- "$url/loki/api/v1/push"
	run --separate-stderr -0 trace-to-loki --fetch "$url" "$id"
	[ -z "$stderr" ]
	jq -r .line <<<"$output" | sort >got
	{
		echo "paid for $id"
		trace-to-loki -q --trace-id "$id" in | jq -r '.streams[].values[][1]'
	} | sort >want
	diff want got
	jq -r .timestamp <<<"$output" | sort -c
	jq -e -s 'map(.labels.service_name) | unique | length > 2' <<<"$output"
	jq -e -s 'all(.[]; .labels | has("in_line") | not)' <<<"$output"
	# What came back can be searched as a log.
	echo "$output" >fetched
	alike <(trace-to-loki --logs fetched "$id") fetched
	run --separate-stderr -1 trace-to-loki --fetch "$url" --since -2h --until -1h "$id"
	run --separate-stderr -1 trace-to-loki --fetch "$url" beef
	[ -z "$output$stderr" ]
	LOKI_ORG_ID=u run --separate-stderr -69 trace-to-loki --fetch "$url" "$id"
	[ "$stderr" = "trace-to-loki: $url: HTTP 401: no org id" ]
}

@test "trace-to-loki --fetch: an answer that is none is the peer's error" {
	mkdir bad
	# shellcheck disable=SC2016
	"$python" - bad 3>&- <<-'END' &
		import http.server, os, sys
		class H(http.server.BaseHTTPRequestHandler):
		    def do_GET(self):
		        body = b'{"data":{"result":[{"stream":{"a":5}'
		        self.send_response(200)
		        self.send_header("Content-Length", str(len(body)))
		        self.end_headers()
		        self.wfile.write(body)
		    def log_message(self, *a):
		        pass
		s = http.server.HTTPServer(("127.0.0.1", 0), H)
		open(sys.argv[1] + "/tmp", "w").write(str(s.server_address[1]))
		os.rename(sys.argv[1] + "/tmp", sys.argv[1] + "/port")
		s.serve_forever()
	END
	started+=($!)
	disown
	wait_until test -s bad/port
	run --separate-stderr -69 trace-to-loki --fetch "http://127.0.0.1:$(<bad/port)" "$a"
	[[ $stderr = "trace-to-loki: http://127.0.0.1:"*": no answer of Loki's: byte "* ]]
	[ -z "$output" ]
}

@test "trace-view --logs: lines stand among the events of their spans" {
	span-decode --from jaeger-json - <<-END >in
		{"data":[{"traceID":"$a","spans":[
		{"traceID":"$a","spanID":"1","operationName":"GET /","references":[],"startTime":1767225600000000,
		"duration":500000,"tags":[],"logs":[],"processID":"p"},
		{"traceID":"$a","spanID":"$b","operationName":"pay","references":[{"refType":"CHILD_OF",
		"traceID":"$a","spanID":"1"}],"startTime":1767225600050000,"duration":300000,"tags":[],
		"logs":[{"timestamp":1767225600150000,"fields":[{"key":"event","type":"string","value":"charged"}]}],
		"processID":"p"}],"processes":{"p":{"serviceName":"shop","tags":[]}}}]}
	END
	write_log >app.log
	run --separate-stderr -0 trace-view --logs app.log in
	same trace-view-logs.want
	[ -z "$stderr" ]
	run --separate-stderr -0 trace-view -v --logs app.log in
	[ "${stderr_lines[0]}" = "trace-view: app.log: 2 lines are of other traces" ]
	# A trace without lines is as it was.
	alike <(trace-view --events in) <(trace-view --logs /dev/null in)
	trace-view --logs app.log --span "$b" in | grep -A3 'log$' | grep -F "charging"
	trace-view --html --logs app.log in >page
	grep -qF 'charging' page
}

@test "trace-view --logs: lines move with the clock of their span" {
	span-decode --from jaeger-json - <<-END >in
		{"data":[{"traceID":"$a","spans":[
		{"traceID":"$a","spanID":"1","operationName":"GET /","references":[],"startTime":1767225600000000,
		"duration":500000,"tags":[],"logs":[],"processID":"p"},
		{"traceID":"$a","spanID":"$b","operationName":"pay","references":[{"refType":"CHILD_OF",
		"traceID":"$a","spanID":"1"}],"startTime":1767225610000000,"duration":300000,"tags":[],"logs":[],
		"processID":"q"}],"processes":{
		"p":{"serviceName":"shop","tags":[{"key":"host.name","type":"string","value":"a"}]},
		"q":{"serviceName":"bank","tags":[{"key":"host.name","type":"string","value":"b"}]}}}]}
	END
	echo "2026-01-01T00:00:10.2Z trace_id=$a span_id=$b paid" >log
	trace-view --logs log in | grep -E '^  \+10\.2s +log$'
	trace-view --logs log --adjust-clock 1h in | grep -E '^  \+300ms +log$'
}

@test "trace-view --logs: what Loki gave back, and hostile lines" {
	span-gen --topology "$SRC/examples/topology.json" --seed 1 -n 50 --start -10m >in
	id=$(span-query -o ids --service payment in | head -n 1)
	serve log
	trace-to-loki --push "$url" --per event in
	trace-to-loki --fetch "$url" "$id" >fetched
	trace-view --logs - --trace-id "$id" in <fetched >shown
	[ "$(grep -c ' log$' shown)" = "$(wc -l <fetched)" ]
	[ "$(wc -l <fetched)" -gt 0 ]
	{
		printf 'trace_id=%s \e[31m\x00\xff ' "$id"
		for i in {1..2000}; do printf 'trace_id=%032x ' "$i"; done
	} >rude
	run -0 trace-view --logs rude --trace-id "$id" in
	[[ $output != *$'\e'* ]]
	refuses "--logs goes with *" trace-view --logs rude --svg in
	refuses "--logs goes with *" trace-view --logs rude --findings in
	run --separate-stderr -74 trace-view --logs nothere in
}

@test "trace-to-loki: wrong usage of what reads logs" {
	refuses "one of --logql, --grep, --logs and --fetch at a time" trace-to-loki --grep a --logs b
	refuses "of which trace? Its id is needed" trace-to-loki --logql
	refuses "--grep takes no ids: 'x'" trace-to-loki --grep a x
	refuses "--logs takes no spans *" trace-to-loki --logs a --service x 1
	refuses "--fetch takes no spans *" trace-to-loki --fetch http://x --service x 1
	refuses "--grep takes no spans *" trace-to-loki --grep a -s store
	refuses "--logs takes no spans *" trace-to-loki --logs a --since 1h 1
	refuses "--logql takes no spans *" trace-to-loki --logql -o json 1
	refuses "--tenant does not go with --logs" trace-to-loki --logs a --tenant b 1
	run --separate-stderr -74 trace-to-loki --grep nothere
	run --separate-stderr -74 full_disk trace-to-loki --logql 1
	run --separate-stderr -141 closed_pipe trace-to-loki --logql 1
}
