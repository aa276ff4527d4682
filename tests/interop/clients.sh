#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# clients.sh - live clients send to span-capture and span-decode
#
# usage: clients.sh BUILD-TREE [NAME...]
#
# Installs clients from npm, PyPI and the Go proxy into BUILD-TREE/clients,
# runs each against `span-capture | span-decode` on a free port of the
# loopback, and compares what it was told with what came out. Prints TAP; what
# cannot be installed is skipped with the reason. With NAMEs, only clients
# whose name begins with one of them run.
set -u
build=$(cd "$1" && pwd)
shift
only=("$@")
here=$(cd "$(dirname "$0")" && pwd)
src=$here/clients
work=$build/clients
# shellcheck source=tests/interop/live.sh
. "$here/live.sh"

wanted() {
	local name
	[ ${#only[@]} = 0 ] && return
	for name in "${only[@]}"; do
		[[ $1 == "$name"* ]] && return
	done
	return 1
}

# client NAME PROTOCOL COMMAND...: run it, told the port in $PORT.
client() {
	local name=$1 protocol=$2 dir=$work/run
	shift 2
	wanted "$name" || return
	if ! start_pipe "$dir" --listen "$protocol:127.0.0.1:0"; then
		stop_pipe
		say not "$name" "$dir"
		return
	fi
	PORT=$(port_of "$protocol") timeout 60 "$@" >"$dir/told" \
		2>"$dir/client.err"
	status=$?
	stop_pipe || status=1
	if [ $status = 0 ] && spans-jsonl <"$dir/spans" >"$dir/got" &&
		/usr/bin/python3 "$src/check.py" "$dir/told" "$dir/got"; then
		say ok "$name"
	else
		say not "$name" "$dir"
	fi
	grep -h 'messages in' "$dir/decode.err" | sed 's/^/# /'
}

# sampler NAME COMMAND...: it asks for strategies.json.
sampler() {
	local name=$1 dir=$work/run
	shift
	wanted "$name" || return
	if start_pipe "$dir" --listen sampling:127.0.0.1:0 \
		--strategies "$src/strategies.json" &&
		PORT=$(port_of sampling) timeout 60 "$@" <"$src/sampling.tsv" \
			>"$dir/told" 2>"$dir/client.err" &&
		stop_pipe &&
		/usr/bin/python3 "$src/check_sampling.py" "$src/sampling.tsv" \
			"$dir/told"; then
		say ok "$name"
	else
		stop_pipe
		say not "$name" "$dir"
	fi
}

node_clients() {
	local name gzip protocol
	for name in udp http; do
		[ $name = udp ] && protocol=udp || protocol=jaeger-http
		client "npm jaeger-client, $name" "$protocol" \
			node jaeger-node.js $name
		client "npm @opentelemetry/exporter-jaeger, $name" "$protocol" \
			node otel-node.js jaeger-$name
	done
	client "npm @opentelemetry/exporter-zipkin" zipkin \
		node otel-node.js zipkin
	for name in v1 v2; do
		client "npm zipkin, JSON $name" zipkin node zipkin-node.js $name
	done
	for gzip in "" gzip; do
		for name in http proto grpc; do
			[ $name = grpc ] && protocol=otlp-grpc || protocol=otlp-http
			client "npm @opentelemetry/exporter-trace-otlp-$name${gzip:+, $gzip}" \
				"$protocol" node otel-node.js \
				"otlp-$name" ${gzip:+"$gzip"}
		done
	done
	sampler "npm jaeger-client, remote sampler" \
		node sampler-node.js jaeger
	sampler "npm @opentelemetry/sampler-jaeger-remote" \
		node sampler-node.js otel
}

# Those from Jaeger's days need libraries of those days.
python_jaeger_clients() {
	local python=(jaeger-venv/bin/python -W ignore)
	local name=opentelemetry-exporter
	client "PyPI jaeger-client, udp" udp "${python[@]}" "$src/jaeger-python.py"
	client "PyPI $name-jaeger-thrift, udp" udp \
		"${python[@]}" "$src/otel-python.py" jaeger-udp
	client "PyPI $name-jaeger-thrift, http" jaeger-http \
		"${python[@]}" "$src/otel-python.py" jaeger-http
	client "PyPI $name-jaeger-proto-grpc" jaeger-grpc \
		"${python[@]}" "$src/otel-python.py" jaeger-grpc
	client "PyPI py-zipkin 0.20, V1_THRIFT" zipkin \
		"${python[@]}" "$src/zipkin-python.py" V1_THRIFT
	sampler "PyPI jaeger-client, remote sampler" \
		"${python[@]}" "$src/sampler-python.py"
}

python_otel_clients() {
	local python=(otel-venv/bin/python -W ignore)
	local name=opentelemetry-exporter
	local gzip encoding
	for gzip in "" gzip; do
		client "PyPI $name-otlp-proto-http${gzip:+, $gzip}" otlp-http \
			"${python[@]}" "$src/otel-python.py" otlp-http ${gzip:+"$gzip"}
		client "PyPI $name-otlp-proto-grpc${gzip:+, $gzip}" otlp-grpc \
			"${python[@]}" "$src/otel-python.py" otlp-grpc ${gzip:+"$gzip"}
	done
	client "PyPI $name-zipkin-json" zipkin \
		"${python[@]}" "$src/otel-python.py" zipkin-json
	for encoding in V1_JSON V2_JSON V2_PROTO3; do
		client "PyPI py-zipkin, $encoding" zipkin \
			"${python[@]}" "$src/zipkin-python.py" "$encoding"
	done
}

go_clients() {
	local name gzip protocol
	for name in udp http; do
		[ $name = udp ] && protocol=udp || protocol=jaeger-http
		client "Go jaeger-client-go, $name" "$protocol" \
			go/client jaeger-client $name
		client "Go otel/exporters/jaeger, $name" "$protocol" \
			go/client jaeger-$name
	done
	for gzip in "" gzip; do
		for name in http grpc; do
			client "Go otlptrace$name${gzip:+, $gzip}" otlp-$name \
				go/client otlp-$name ${gzip:+"$gzip"}
		done
	done
	client "Go otel/exporters/zipkin" zipkin go/client zipkin
	sampler "Go jaeger-client-go, remote sampler" go/client sampler jaeger
	sampler "Go contrib/samplers/jaegerremote" go/client sampler otel
}

if ! command -v npm >/dev/null; then
	say skip "clients of npm" "no npm"
elif install_npm . "$src/package.json"; then
	cp "$src"/*.js .
	node_clients
else
	say skip "clients of npm" "npm cannot install them"
fi

if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
	say skip "clients of PyPI" "no python3 with venv"
else
	if install_pip jaeger-venv "$src/requirements-jaeger.txt"; then
		python_jaeger_clients
	else
		say skip "Jaeger's clients of PyPI" "pip cannot install them"
	fi
	if install_pip otel-venv "$src/requirements-otel.txt"; then
		python_otel_clients
	else
		say skip "today's clients of PyPI" "pip cannot install them"
	fi
fi

if ! command -v go >/dev/null; then
	say skip "clients for Go" "no go"
elif build_go go "$src/go"; then
	go_clients
else
	say skip "clients for Go" "go cannot build them"
fi

finish
