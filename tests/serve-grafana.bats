#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2030,SC2031
#
# The requests of Grafana's data sources for Jaeger and Zipkin, replayed: what
# they take for granted in the answers is there.
load lib

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	span-gen --seed 3 --traces 60 | span-store append -q st
	span-serve -s st -l 127.0.0.1:0 --base-path /tracing 2>err 3>&- &
	pid=$!
	wait_until grep -q '^span-serve: http' err
	url=$(sed -nE 's/^span-serve: (http.*)/\1/p' err)
}

teardown() {
	kill -KILL "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
}

# The answer to a path into got, its status into $status, its type into $type.
get() {
	local answer
	answer=$(curl -sS -m 20 --path-as-is -o got -w '%{http_code} %{content_type}' \
		"${url%/}$1")
	status=${answer%% *}
	type=${answer#* }
}

# What Go reads into an integer must not have a point or an exponent.
integers() {
	run -1 grep -E '"(startTime|duration|flags|timestamp|callCount)":[0-9-]*[.eE]' got
}

@test "serve-grafana: the health check and the form" {
	get /api/services
	[ "$status $type" = "200 application/json" ]
	[ "$(jq '.data | length' got)" = 13 ]
	get /api/services/cart/operations
	[ "$status" = 200 ]
	run -0 jq -r '.data | contains(["AddItem"])' got
	[ "$output" = true ]
	get /api/services/no%2Fsuch/operations
	[ "$status" = 200 ]
	[ "$(jq -c .data got)" = "[]" ]
}

@test "serve-grafana: a search, each trace of which has a first span" {
	get '/api/traces?service=cart&operation=AddItem&tags=%7B%22span.kind%22%3A%22server%22%7D&minDuration=1us&maxDuration=1.5h&limit=2&start=1767225600000000&end=1767225660000000&lookback=custom'
	[ "$status $type" = "200 application/json" ]
	[ "$(jq '.data | length' got)" = 2 ]
	run -0 jq '[.data[] | .spans[0].startTime, .processes[.spans[0].processID].serviceName] | all' got
	[ "$output" = true ]
	integers
	# What the user has typed may make no sense: the text is shown to him.
	get '/api/traces?service=cart&minDuration=5'
	[ "$status" = 400 ]
	run -0 jq -r '.errors[0].msg' got
	[ "$output" = "unable to parse param 'minDuration': time: missing unit in duration \"5\"" ]
}

@test "serve-grafana: a trace by id, whatever the form of the id and its times" {
	get '/api/traces?service=cart&limit=1&start=0'
	id=$(jq -r '.data[0].traceID' got)
	n=$(jq '.data[0].spans | length' got)
	first=$(printf %%%x "'${id:0:1}")
	for target in "$id" "${id^^}" "$first${id:1}" \
		"$id?start=1767225600000&end=1767225660000" \
		"$id?start=1767225600000000&end=1767225660000000"; do
		get "/api/traces/$target"
		[ "$status" = 200 ]
		[ "$(jq -r '.data[0].traceID' got)" = "$id" ]
		[ "$(jq '.data[0].spans | length' got)" = "$n" ]
		integers
	done
}

@test "serve-grafana: an unknown trace is 404, as it takes the first of the data" {
	get /api/traces/00000000000000000000000000000001
	[ "$status $type" = "404 text/plain; charset=utf-8" ]
	[ "$(cat got)" = '{"data":null,"total":0,"limit":0,"offset":0,"errors":[{"code":404,"msg":"trace not found"}]}' ]
}

# Its times are beside the query as they are, with a plus sign in the zone.
@test "serve-grafana: version 3: names, and a trace whose numbers are as Go reads them" {
	get /api/v3/services
	[ "$(jq '.services | length' got)" = 13 ]
	get '/api/v3/operations?service=cart'
	run -0 jq '[.operations[].name] | contains(["AddItem"])' got
	[ "$output" = true ]
	get '/api/traces?service=cart&limit=1&start=0'
	id=$(jq -r '.data[0].traceID' got)
	n=$(jq '.data[0].spans | length' got)
	get "/api/v3/traces/$id?start_time=2026-01-01T01:00:00+01:00&end_time=2026-01-01T02:00:00+01:00"
	[ "$status $type" = "200 application/json" ]
	[ "$(jq '[.result.resourceSpans[].scopeSpans[].spans[]] | length' got)" = "$n" ]
	run -0 jq '[.result.resourceSpans[] |
		(.resource.attributes[] | select(.key == "service.name") |
			.value.stringValue | length > 0),
		(.scopeSpans[].spans[] |
			(.startTimeUnixNano, .endTimeUnixNano | type == "string"),
			(.kind | type == "number"),
			(.events[]?.timeUnixNano | type == "string"),
			(.attributes[].value.intValue | type != "number"))] | all' got
	[ "$output" = true ]
	get /api/v3/traces/00000000000000000000000000000001
	[ "$status" = 404 ]
}

@test "serve-grafana: Zipkin: its lists of services, spans and traces, and a trace" {
	# It asks for no time: what is old is not found.
	span-gen --seed 4 --traces 60 --start -5m | span-store append -q st
	get /api/v2/services
	[ "$status $type" = "200 application/json" ]
	[ "$(jq 'length' got)" = 13 ]
	get '/api/v2/spans?serviceName=cart'
	run -0 jq 'contains(["AddItem"])' got
	[ "$output" = true ]
	get '/api/v2/traces?serviceName=cart&spanName=AddItem'
	[ "$status" = 200 ]
	# A trace is called by its root, and how long that took.
	run -0 jq 'length > 0 and all(.[]; map(select(has("parentId") | not)) |
		length > 0 and (.[0] | (.name | length > 0) and .duration > 0))' got
	[ "$output" = true ]
	id=$(jq -r '.[0][0].traceId' got)
	get "/api/v2/trace/$id"
	[ "$status" = 200 ]
	run -0 jq --arg id "$id" 'length > 0 and all(.[]; .traceId == $id and
		(.id | test("^[0-9a-f]{16}$")) and
		(.timestamp, .duration | type == "number" and . == floor) and
		(.kind | IN(null, "CLIENT", "SERVER", "PRODUCER", "CONSUMER")) and
		(.localEndpoint.serviceName | length > 0) and
		all(.tags[]?; type == "string") and
		all(.annotations[]?; .value and .timestamp == (.timestamp | floor)))' got
	[ "$output" = true ]
	run -1 grep -E '"(timestamp|duration|port)":[0-9-]*[.eE]' got
	get /api/v2/trace/00000000000000000000000000000001
	[ "$status" = 404 ]
}

@test "serve-grafana: the graph of services" {
	get '/api/dependencies?endTs=1767225660000&lookback=604800000'
	[ "$status" = 200 ]
	[ "$(jq -c .errors got)" = null ]
	run -0 jq '.data | length > 5 and all(.[]; .parent != .child)' got
	[ "$output" = true ]
	integers
}

# What the data source of Tempo asks for, which is another one.

@test "serve-grafana: Tempo: the health check, and what it speaks" {
	get /api/echo
	[ "$status" = 200 ]
	[ "$(cat got)" = echo ]
	get /api/status/buildinfo
	[ "$status $type" = "200 application/json" ]
	run -0 jq -r .version got
	[[ $output =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]]
}

@test "serve-grafana: Tempo: keys and values to choose from, by scope and type" {
	get '/api/v2/search/tags?limit=5000&start=1767225600&end=1767232800'
	[ "$status $type" = "200 application/json" ]
	run -0 jq -c '[.scopes[].name] | contains(["resource", "span", "intrinsic"])' got
	[ "$output" = true ]
	get '/api/v2/search/tag/resource.service.name/values?limit=5000&q=%7Bspan%3Akind%3Dserver%7D'
	run -0 jq -c '[.tagValues[] | select(.value == "cart")]' got
	[ "$output" = '[{"type":"string","value":"cart"}]' ]
	# The name is escaped twice.
	get '/api/v2/search/tag/span%253Akind/values?limit=5000'
	run -0 jq -c '[.tagValues[].type] | unique' got
	[ "$output" = '["keyword"]' ]
}

@test "serve-grafana: Tempo: a search, whose numbers Go reads into 32 bits" {
	get '/api/search?q=%7Bresource.service.name%3D%22cart%22%20%26%26%20name%3D%22AddItem%22%7D&limit=2&spss=2&start=1767225600&end=1767232800'
	[ "$status $type" = "200 application/json" ]
	[ "$(jq '.traces | length' got)" = 2 ]
	run -0 jq 'all(.traces[]; (.durationMs | . >= 0 and . < 4294967296 and . == floor) and
		(.startTimeUnixNano | type == "string") and (.traceID | length >= 16) and
		(.spanSets[0].spans | length >= 1 and length <= 2) and
		(.spanSets[0].matched >= 1) and .serviceStats.cart.spanCount >= 1)' got
	[ "$output" = true ]
	# What is typed may make no sense: the text is shown.
	get '/api/search?q=%7B%20x%20%3D'
	[ "$status $type" = "400 text/plain; charset=utf-8" ]
	run -0 grep -c '^invalid TraceQL query: ' got
	get '/api/search?q=%7B%7D%20%7C%20rate()'
	[ "$status" = 400 ]
}

@test "serve-grafana: Tempo: a trace as protobuf, and in version 2 in its envelope" {
	get '/api/search?limit=1'
	id=$(jq -r '.traces[0].traceID' got)
	get "/api/traces/$id"
	n=$(jq '.data[0].spans | length' got)
	curl -sS -m 20 -H 'Accept: application/protobuf' -o one \
		"${url%/}/api/traces/$id?start=1767225600&end=1767232800"
	run -0 bash -c 'span-decode --from otlp-proto one | span-query --spans -c'
	[ "$output" = "$n" ]
	get "/api/v2/traces/$id"
	[ "$status $type" = "200 application/json" ]
	[ "$(jq '[.trace.resourceSpans[].scopeSpans[].spans[]] | length' got)" = "$n" ]
	get /api/v2/traces/00000000000000000000000000000001
	[ "$status" = 404 ]
}

@test "serve-grafana: Tempo: metrics are refused with a text that is shown" {
	for path in query_range query; do
		get "/api/metrics/$path?q=%7B%7D%7Crate()&start=1767225600&end=1767232800&step=60s"
		[ "$status $type" = "501 text/plain; charset=utf-8" ]
		run -0 grep -c '^TraceQL metrics are not supported by span-serve' got
	done
}
