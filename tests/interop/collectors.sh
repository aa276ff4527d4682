#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# collectors.sh - span-send sends to servers of others
#
# usage: collectors.sh BUILD-TREE [FILE]
#
# Builds the collector of OpenTelemetry from the Go proxy, with its receivers
# for OTLP, Jaeger and Zipkin, and gets Zipkin from Maven Central, both into
# BUILD-TREE/clients/collectors; sends the spans of FILE, a span stream, to
# each of them by each protocol, and compares what they have. Prints TAP; what
# cannot be had is skipped with the reason.
set -u
build=$(cd "$1" && pwd)
spans=${2:+$(realpath "$2")}
here=$(cd "$(dirname "$0")" && pwd)
work=$build/clients/collectors
dir=$work/run
zipkin=io.zipkin:zipkin-server:3.5.1
# shellcheck source=tests/interop/live.sh
. "$here/live.sh"

# free_ports N: so many ports that nobody listens on, one a line.
free_ports() {
	/usr/bin/python3 - "$1" <<'PYTHON'
import socket
import sys
sockets = [socket.create_server(("127.0.0.1", 0))
           for _ in range(int(sys.argv[1]))]
for s in sockets:
    print(s.getsockname()[1])
PYTHON
}

write_config() {
	cat <<YAML
receivers:
  otlp:
    protocols:
      grpc: {endpoint: "127.0.0.1:$1"}
      http: {endpoint: "127.0.0.1:$2"}
  jaeger:
    protocols:
      thrift_http: {endpoint: "127.0.0.1:$3"}
      thrift_compact: {endpoint: "127.0.0.1:$4"}
  zipkin: {endpoint: "127.0.0.1:$5"}
exporters:
  file: {path: collected, flush_interval: 100ms}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp, jaeger, zipkin], exporters: [file]}
YAML
}

# start COMMAND...: a server in a fresh directory, until its log has READY.
start() {
	rm -rf "$dir"
	mkdir "$dir"
	[ ${#config[@]} = 0 ] || write_config "${config[@]}" >"$dir/config.yaml"
	(cd "$dir" && exec "$@") >"$dir/server.err" 2>&1 &
	server=$!
	wait_for "$server" "$ready" "$dir/server.err" 6000
}

# same_spans PROTOCOL [COMMAND...]: what the server has, fetched by COMMAND, is
# what was sent, within ten seconds.
same_spans() {
	local protocol=$1 end=$((SECONDS + 10))
	shift
	while [ $SECONDS -lt $end ]; do
		"${@:-true}" 2>"$dir/fetch.err" &&
			"$here/collected.py" "$protocol" sent "$dir/collected" \
				>"$dir/check.err" 2>&1 &&
			cat "$dir/check.err" && return
		sleep 0.2
	done
	return 1
}

# send URL: datagrams in small bursts, since a socket's usual buffer of the
# other side holds no more.
send() {
	local options=()
	[[ $1 != jaeger+udp:* ]] || options=(--batch 50 --rate 3000)
	timeout 60 span-send -v "${options[@]}" "$1" <spans \
		>"$dir/send.out" 2>"$dir/send.err"
}

stop() {
	kill -TERM "$server"
	wait "$server"
}

# collector PORT-NUMBER PROTOCOL URL: a run for a URL with the port of that
# number in the configuration.
collector() {
	local config ready='Everything is ready' name result=not
	name="$3 to the collector of OpenTelemetry"
	mapfile -t config < <(free_ports 5)
	start "$work/collector/client" --config config.yaml &&
		send "${3}127.0.0.1:${config[$1]}" &&
		same_spans "$2" && result=ok
	stop
	say $result "$name" "$dir"
}

# get_zipkin FILE: its program, 130 MB.
get_zipkin() {
	[ -s "$1" ] && return
	run_to_log maven mvn -q -B dependency:copy -Dmdep.stripVersion=true \
		"-Dartifact=$zipkin:jar:exec" "-DoutputDirectory=$work" &&
		mv "$work"/zipkin-server*.jar "$1"
}

zipkin_server() {
	local config=() ready='Serving HTTP' port ids result=not
	port=$(free_ports 1)
	ids=$(span-query -o ids spans | paste -sd ,)
	start env "QUERY_PORT=$port" java -Xmx256m -jar "$1" &&
		send "zipkin+http://127.0.0.1:$port" &&
		same_spans zipkin-server curl -fsS -o "$dir/collected" \
			"http://127.0.0.1:$port/api/v2/traceMany?traceIds=$ids" &&
		result=ok
	stop
	say $result "zipkin+http:// to Zipkin" "$dir"
}

if ! command -v span-send >/dev/null; then
	say skip "span-send to other servers" "it is not built"
	finish
fi
if [ "$spans" ]; then
	cp "$spans" spans
else
	span-gen --traces 100 --seed 5 --start -1m >spans
fi
spans-jsonl <spans >sent || exit 1

if ! command -v go >/dev/null; then
	say skip "the collector of OpenTelemetry" "no go"
elif LIMIT=600 build_go collector "$here/collector"; then
	collector 0 otlp otlp+grpc://
	collector 1 otlp otlp+http://
	collector 2 jaeger jaeger+http://
	collector 3 jaeger jaeger+udp://
	collector 4 zipkin zipkin+http://
else
	say skip "the collector of OpenTelemetry" "go cannot build it"
fi

if ! command -v java >/dev/null || ! command -v mvn >/dev/null; then
	say skip Zipkin "no java or no mvn"
elif get_zipkin "$work/zipkin.jar"; then
	zipkin_server "$work/zipkin.jar"
else
	say skip Zipkin "Maven cannot get it"
fi

finish
