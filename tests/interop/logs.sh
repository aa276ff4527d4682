#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# logs.sh - trace-to-loki and programs of others
#
# usage: logs.sh BUILD-TREE
#
# Builds VictoriaLogs, which has Loki's push API, from the Go proxy into
# BUILD-TREE/clients/logs, pushes the entries of some spans, also of those that
# attack, and compares what it has then. Gets Grafana's grammar of LogQL from npm,
# and asks it about the queries that trace-to-loki prints and its page shows.
# Prints TAP; what cannot be had is skipped with the reason.
set -u
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
work=$build/clients/logs
dir=$work/run
push=/insert/loki/api/v1/push
# shellcheck source=tests/interop/live.sh
. "$here/live.sh"

build_server() {
	cp "$here/logs/go.mod" go.mod
	run_to_log go go build -mod=mod -o server \
		github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs
}

# start: a server without entries; its address is in url.
start() {
	rm -rf "$dir"
	mkdir "$dir"
	./server -httpListenAddr=127.0.0.1:0 -storageDataPath="$dir/data" \
		-loki.disableMessageParsing >"$dir/server.err" 2>&1 &
	server=$!
	wait_for "$server" 'started server at' "$dir/server.err" || return
	url=$(sed -nE 's,.*started server at (http://[0-9.:]+)/$,\1,p' \
		"$dir/server.err")
}

stop() {
	kill -TERM "$server"
	wait "$server"
}

# taken NAME OPTION...: what trace-to-loki makes of "spans" with these options is
# what the server says it has.
taken() {
	local name=$1 result=not
	shift
	start && trace-to-loki -q "$@" spans >"$dir/sent" &&
		trace-to-loki -v --push "$url$push" "$@" spans \
			2>"$dir/push.err" &&
		grep -q ' 0 rejected, 0 dropped;' "$dir/push.err" &&
		curl -fsS "$url/internal/force_flush" &&
		curl -fsS "$url/select/logsql/query" -d 'query=*' \
			-o "$dir/taken" &&
		"$here/taken.py" "$dir/sent" "$dir/taken" \
			>"$dir/check.err" 2>&1 && result=ok
	stop
	# Of what the server said only warnings, if anything went wrong.
	sed -i '/\t\(warn\|error\)\t/!d' "$dir/server.err"
	say $result "$name" "$dir"
	[ $result = not ] || sed 's/^/# /' "$dir/check.err"
}

# queries: all forms that --logql has, and those of the page.
queries() {
	local line
	for line in logfmt json; do
		trace-to-loki --logql --line "$line" c0ffee \
			4bf92f3577b34da6a3ce929d0e0e4736
		trace-to-loki --logql --line "$line" --label app=service.name \
			4bf92f3577b34da6a3ce929d0e0e4736
	done
	grep '^{app=' "$here/../../man/trace-to-loki.1"
}

are_logql() {
	local result=not
	rm -rf "$dir"
	mkdir "$dir"
	cp "$here/logs/logql.js" .
	queries >"$dir/queries" && [ "$(wc -l <"$dir/queries")" = 8 ] &&
		node logql.js <"$dir/queries" >"$dir/check.err" 2>&1 &&
		result=ok
	say $result "queries are LogQL by Grafana's grammar" "$dir"
}

if ! command -v npm >/dev/null; then
	say skip "Grafana's grammar of LogQL" "no npm"
elif install_npm . "$here/logs/package.json"; then
	are_logql
else
	say skip "Grafana's grammar of LogQL" "npm cannot install it"
fi

if ! command -v go >/dev/null; then
	say skip VictoriaLogs "no go"
elif LIMIT=600 build_server; then
	span-gen --traces 200 --seed 5 --start -1m >spans || exit 1
	taken "spans and events, as logfmt"
	taken "spans and events, as JSON" --line json --label app=service.name
	taken "a line a trace, without structured metadata" --per trace \
		--no-structured-metadata
	taken "requests that are small" --batch-size 10k
	span-gen -p hostile --traces 56 --seed 5 --start -1m >spans || exit 1
	taken "spans that attack"
	taken "spans that attack, as JSON" --line json
else
	say skip VictoriaLogs "go cannot build it"
fi

finish
