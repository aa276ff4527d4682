#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2030,SC2031
#
# The requests of Grafana's Jaeger data source, replayed: what it takes for
# granted in the answers is there.
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

@test "serve-grafana: the graph of services" {
	get '/api/dependencies?endTs=1767225660000&lookback=604800000'
	[ "$status" = 200 ]
	[ "$(jq -c .errors got)" = null ]
	run -0 jq '.data | length > 5 and all(.[]; .parent != .child)' got
	[ "$output" = true ]
	integers
}
