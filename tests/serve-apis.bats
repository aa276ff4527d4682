#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2030,SC2031
#
# api_v3, the monitor, our own API, Tempo's and Zipkin's: over hostile spans
# they are what their schemas say, over realistic ones what the other programs
# say of the same store.
load lib

python=/usr/bin/python3

teardown() {
	local pid
	for pid in "${started[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
	done
}

# Serve st at a free port: $url, with a slash at its end.
start() {
	span-serve -s st -l 127.0.0.1:0 2>err 3>&- &
	started+=("$!")
	wait_until grep -q '^span-serve: http' err
	url=$(sed -nE 's/^span-serve: (http.*)/\1/p' err)
}

# The answer to a path with parameters NAME=VALUE, into got: its status is 200.
get() {
	local path=$1 p args=()
	shift
	for p in "$@"; do
		args+=(--data-urlencode "$p")
	done
	curl -sS -m 20 -G -o got -w '%{http_code}' "$url$path" "${args[@]}" \
		>code
	[ "$(cat code)" = 200 ] || {
		head -c 300 got
		return 1
	}
}

# The same, which is refused with a status: the answer is in got.
refused() {
	local want=$1 out
	shift
	out=$(get "$@") && return 1
	[ "$(cat code)" = "$want" ] || echo "$(cat code): $out"
	[ "$(cat code)" = "$want" ]
}

# Values in each other take the validator deep.
matches() {
	$python -c 'import jsonschema' 2>/dev/null ||
		skip "there is no python3-jsonschema"
	$python -c 'import runpy, sys
sys.setrecursionlimit(50000)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0])' \
		"$SRC/tests/schema-check.py" "$SRC/tests/schema/$1.json" got
}

# 600 traces from ten o'clock on, most of them sealed.
shop() {
	span-gen --seed 5 --traces 500 --start 2026-01-01T10:00:00Z --rate 2 |
		span-store append -q st
	span-store seal -q --all st
	span-gen --seed 6 --traces 100 --start 2026-01-01T10:05:00Z --rate 2 |
		span-store append -q st
}

DAY=(query.startTimeMin=2026-01-01T00:00:00Z
	query.startTimeMax=2026-01-02T00:00:00Z)

@test "serve-apis: answers about hostile spans are what schemas say" {
	span-gen --profile hostile --seed 1 --traces 60 | span-store append -q st
	start
	get api/v3/services
	matches v3-services
	jq -r '.services[]' got | head -n 3 >services
	while read -r service; do
		get api/v3/operations "service=$service"
		matches v3-operations
	done <services
	get api/v3/traces query.startTimeMin=1970-01-01T00:00:00.000000001Z \
		query.startTimeMax=2262-01-01T00:00:00Z query.searchDepth=1000
	matches v3-traces
	get api/v3/trace-summaries query.startTimeMax=2262-01-01T00:00:00Z \
		query.startTimeMin=1970-01-01T00:00:00.000000001Z \
		query.searchDepth=1000
	matches v3-summaries
	[ "$(jq '.summaries | length' got)" -gt 20 ]
	get api/v3/dependencies startTime=1970-01-01T00:00:00.000000001Z \
		endTime=2262-01-01T00:00:00Z
	matches v3-dependencies
	get api/search 'q={}' limit=1000
	matches tempo-search
	get api/v2/search/tags
	matches tempo-tags
	get api/v2/search/tag/name/values
	matches tempo-values
	get api/v2/traces limit=1000 endTs=9000000000000 lookback=9000000000000
	matches zipkin-traces
	[ "$(jq length got)" -gt 20 ]
	get api/v2/dependencies endTs=9000000000000 lookback=9000000000000
	matches zipkin-dependencies
}

@test "serve-apis: the monitor counts what span-query finds" {
	shop
	start
	get api/metrics/calls service=frontend service=cart groupByOperation=1 \
		step=360000 ratePer=360000 lookback=0 endTs=1767261960000
	matches metrics
	jq -r '.metrics[] | [(.labels[1].value), (.labels[0].value),
		(.metricPoints[-1].gaugeValue.doubleValue * 360 | round)] | @tsv' \
		got | sort >calls
	[ -s calls ]
	span-query -s st --spans --kind server --service frontend \
		--service cart --since 2026-01-01T10:00:00Z \
		--until 2026-01-01T10:06:00Z -o jsonl >spans
	jq -r '[.service, .name] | @tsv' spans | sort | uniq -c |
		sed -E 's/^ *([0-9]+) (.*)$/\2\t\1/' | sort | diff -u - calls
	span-stats -s st --by service,operation --kind server -o csv \
		--service frontend --service cart \
		--since 2026-01-01T10:00:00Z --until 2026-01-01T10:06:00Z |
		sed 1d | cut -d, -f1-3 | tr -d '"\r' | tr , '\t' | sort |
		diff -u - calls
	get api/metrics/errors service=frontend service=cart step=360000 \
		ratePer=360000 lookback=0 endTs=1767261960000
	matches metrics
	jq -r '.metrics[] | [.labels[0].value,
		.metricPoints[-1].gaugeValue.doubleValue] | @tsv' got >errors
	jq -rs 'group_by(.service)[] | [.[0].service,
		([.[] | select(.status == "error" or .tags.error == true)] |
		length) / length] | @tsv' spans | diff -u - errors
	get api/metrics/latencies service=frontend quantile=0.95 step=360000 \
		ratePer=360000 lookback=0 endTs=1767261960000
	matches metrics
	jq -s --slurpfile got got '
		(map(select(.service == "frontend") | .duration_ns) | sort |
			.[(length * 0.95 | ceil) - 1] / 1e6) as $ms |
		$got[0].metrics[0].metricPoints[-1].gaugeValue.doubleValue |
		(. - $ms | fabs) <= $ms / 64' spans >near
	[ "$(cat near)" = true ]
}

@test "serve-apis: a search of api_v3 finds what span-query finds" {
	shop
	start
	get api/v3/trace-summaries "${DAY[@]}" query.serviceName=cart \
		query.searchDepth=30
	matches v3-summaries
	jq -r '.summaries[].traceId' got >ids
	span-query -s st --service cart --limit 30 -o ids >want
	[ "$(wc -l <want)" = 30 ]
	diff -u <(sed 's/^0\{16\}//' ids) want
	get api/v3/trace-summaries "${DAY[@]}" query.searchDepth=1000 \
		'query.filter={"op":"and","args":[
			{"call":{"op":"eq","args":[
				{"field":{"level":"span","name":"status"}},
				{"scalar":{"value":"error"}}]}},
			{"call":{"op":"gt","args":[
				{"field":{"level":"span","name":"duration"}},
				{"scalar":{"value":"5ms"}}]}}]}'
	jq -r '.summaries[].traceId' got | sed 's/^0\{16\}//' | sort >ids
	[ -s ids ]
	span-query -s st -e '{ status = error && duration > 5ms }' -o ids |
		sort | diff -u - ids
}

@test "serve-apis: a trace of api_v3 has the spans of the store" {
	shop
	start
	id=$(span-query -s st --limit 1 -o ids)
	get "api/v3/traces/$id"
	matches v3-traces
	jq -c .result got | span-decode --from otlp-json |
		span-query --spans -o ids | sort >ids
	span-query -s st --trace-id "$id" --spans -o ids | sort | diff -u - ids
	get api/v3/traces "${DAY[@]}" query.searchDepth=1000
	matches v3-traces
	jq -c .result got | span-decode --from otlp-json |
		span-query --spans --count >count
	[ "$(cat count)" = "$(span-query -s st --spans --count)" ]
}

@test "serve-apis: /api/spans is span-query" {
	shop
	start
	get api/spans service=cart error since=2026-01-01T10:00:30Z
	span-query -s st --spans --service cart --error -o jsonl \
		--since 2026-01-01T10:00:30Z | cmp - got
	get api/spans 'q={ duration > 50ms }' format=csv sort=duration limit=7
	span-query -s st --spans -e '{ duration > 50ms }' -o csv \
		--sort duration --limit 7 | cmp - got
	get api/spans traces tag=http.method=GET format=ids sort=newest limit=9
	span-query -s st --tag http.method=GET -o ids --sort newest --limit 9 |
		cmp - got
	get api/spans format=json limit=5 kind=client
	span-query -s st --spans --kind client --limit 5 -o json | cmp - got
	get api/spans format=spans
	span-query -o jsonl --spans got | sort >all
	span-query -s st --spans -o jsonl | sort | cmp - all
}

@test "serve-apis: Tempo's search and Zipkin's find what span-query finds" {
	shop
	start
	get api/search 'q={ status = error } | count() > 1' limit=1000
	matches tempo-search
	jq -r '.traces[].traceID' got | sort >ids
	[ -s ids ]
	span-query -s st -e '{ status = error } | count() > 1' -o ids | sort |
		diff -u - ids
	get api/v2/traces serviceName=cart annotationQuery=error limit=1000 \
		endTs=1767268800000 lookback=86400000
	matches zipkin-traces
	jq -r '.[][0].traceId' got | sort >ids
	[ -s ids ]
	span-query -s st --service cart --error -o ids | sort | diff -u - ids
	get "api/v2/traces/$(head -n 1 ids)"
	matches tempo-trace
	get api/v2/dependencies endTs=1767268800000 lookback=86400000
	matches zipkin-dependencies
	jq -r '.[] | [.parent, .child, .callCount] | @tsv' got | sort >links
	span-graph -s st -o json | jq -r '.calls | group_by([.parent, .child])[] |
		[.[0].parent, .[0].child, (map(.calls) | add)] | @tsv' | sort |
		diff -u - links
}

@test "serve-apis: errors say what is wrong and where" {
	shop
	start
	refused 400 api/spans 'q={ duration > "slow" }'
	[ "$(jq .column got)" = 12 ]
	refused 400 api/v3/traces "${DAY[@]}" 'query.filter={"op":"x"}'
	matches v3-error
	refused 404 api/v3/traces/ffff
	matches v3-error
	refused 404 api/v2/trace/ffff
	refused 404 api/v2/traces/ffff
	refused 400 api/search 'q={'
	refused 400 api/metrics/calls
}
