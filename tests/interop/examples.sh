#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# examples.sh - the services of examples/clients send to the pipeline
#
# usage: examples.sh BUILD-TREE
#
# Each is installed into BUILD-TREE/clients/examples, asked for a book and a
# unicorn, and its traces are looked for with span-query; once more without the
# name of a service. Prints TAP.
set -u
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
src=$(cd "$here/../../examples/clients" && pwd)
work=$build/clients/examples
# shellcheck source=tests/interop/live.sh
. "$here/live.sh"

# found EXPECTED QUERY-ARGUMENT...: so many traces, within ten seconds. What
# is being written ends in the middle of a frame.
found() {
	local expected=$1 i
	shift
	for ((i = 0; i < 100; i++)); do
		[ "$(span-query "$@" -c "$dir/spans" 2>/dev/null)" = \
			"$expected" ] && return
		sleep 0.1
	done
	span-query -o tree "$dir/spans" | head -n 30 >"$dir/tree.err"
	return 1
}

# shop PROTOCOL SERVICE ROUTE VARIABLE COMMAND...: one run of a service;
# SERVICE is how its spans call it, VARIABLE tells it where PORT_OF is.
shop() {
	local protocol=$1 service=$2 route=$3 where=$4 address status=0
	shift 4
	start_pipe "$dir" --listen "$protocol:127.0.0.1:0" || status=1
	env "${where//PORT_OF/$(port_of "$protocol")}" PORT=0 timeout 60 "$@" \
		>"$dir/shop.out" 2>"$dir/shop.err" &
	shop=$!
	wait_for $shop '127.0.0.1:[1-9]' "$dir/shop.err" || status=1
	address=$(grep -oE '127\.0\.0\.1:[1-9][0-9]*' "$dir/shop.err" | head -n 1)
	curl -fsS "http://$address/order/book" >"$dir/curl.out" \
		2>"$dir/curl.err" || status=1
	curl -sS -o "$dir/curl.out" "http://$address/order/unicorn"
	ask || status=1
	kill $shop 2>/dev/null
	wait $shop
	stop_pipe && return $status
}

# The questions; what the tracing libraries add differs.
ask() {
	found 2 --service "$service" --operation "$route" &&
		found 2 --service "$service" --operation find_stock &&
		found 1 "{ name = \"$route\" } >> { name = \"find_stock\" &&
			span.item = \"book\" }" &&
		found 1 "{ name = \"find_stock\" } ~ { name = \"charge\" &&
			span.amount > 0 }" &&
		found 1 "{ name = \"$route\" } >> { span.item = \"unicorn\" &&
			event.item = \"unicorn\" }" &&
		found 1 "{ name = \"$route\" && span.http.status_code = 404 ||
			span.http.response.status_code = 404 }"
}

# language NAME PROTOCOL SERVICE ROUTE VARIABLE COMMAND...: SERVICE is what it is
# without a name.
language() {
	local name=$1 protocol=$2 unnamed=$3 route=$4 dir=$work/run
	shift 4
	if OTEL_SERVICE_NAME=shop shop "$protocol" shop "$route" "$@"; then
		say ok "examples/clients/$name"
	else
		say not "examples/clients/$name" "$dir"
	fi
	if (unset OTEL_SERVICE_NAME && shop "$protocol" "$unnamed" "$route" "$@")
	then
		say ok "examples/clients/$name without a name is $unnamed"
	else
		say not "examples/clients/$name without a name is $unnamed" "$dir"
	fi
}

if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
	say skip examples/clients/python "no python3 with venv"
elif install_pip python-venv "$src/python/requirements.txt"; then
	language python udp unknown_service '/order/<item>' \
		OTEL_EXPORTER_JAEGER_AGENT_PORT=PORT_OF \
		python-venv/bin/python -W ignore "$src/python/app.py"
else
	say skip examples/clients/python "pip cannot install it"
fi

if ! command -v npm >/dev/null; then
	say skip examples/clients/node "no npm"
elif install_npm node "$src/node/package.json"; then
	cp "$src"/node/*.js node
	language node jaeger-http unknown_service:node 'GET /order/:item' \
		OTEL_EXPORTER_JAEGER_ENDPOINT=http://127.0.0.1:PORT_OF/api/traces \
		node node/app.js
else
	say skip examples/clients/node "npm cannot install it"
fi

if ! command -v go >/dev/null; then
	say skip examples/clients/go "no go"
elif build_go go "$src/go"; then
	language go otlp-http unknown_service:client 'GET /order/{item}' \
		OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:PORT_OF go/client
else
	say skip examples/clients/go "go cannot build it"
fi

finish
