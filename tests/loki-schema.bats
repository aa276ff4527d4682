#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Requests of trace-to-loki are what the schema of Loki's push API has.

load lib

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	/usr/bin/python3 -c 'import jsonschema' 2>/dev/null || skip "no python3-jsonschema"
}

# Standard input, a request a line, is by the schema.
is_valid() {
	/usr/bin/python3 -c '
import json, sys, jsonschema
v = jsonschema.Draft7Validator(json.load(open(sys.argv[1])))
n = 0
for line in sys.stdin:
    n += 1
    for e in v.iter_errors(json.loads(line)):
        sys.exit(f"request {n}: {list(e.absolute_path)}: {e.message[:200]}")
sys.exit(0 if n else "no requests")' "$DATA/loki-push.schema.json"
}

@test "loki-schema: a shop, in every form" {
	span-gen --seed 1 -n 100 >in
	for options in '' '--line json' '--per trace' '--per event --no-structured-metadata' \
		'--label http.method --label app=service.name' '--max-streams 3 --batch-size 10k'; do
		echo "$options"
		# shellcheck disable=SC2086
		trace-to-loki -q $options in >out
		is_valid <out
	done
}

@test "loki-schema: what attacks" {
	span-gen -p hostile --seed 1 -n 56 >in
	for options in '' '--line json' '--per trace' '--label db.statement --label x=span.kind'; do
		echo "$options"
		# shellcheck disable=SC2086
		trace-to-loki -q $options in >out
		is_valid <out
	done
}

@test "loki-schema: it refuses what Loki refuses" {
	good='{"streams":[{"stream":{"a":"b"},"values":[["1","x",{"trace_id":"1"}]]}]}'
	is_valid <<<"$good"
	is_valid <<<"${good/,\{\"trace_id\":\"1\"\}/}"
	wrong=0
	for change in 's/streams/stream/' 's/"a":"b"//' 's/"a"/"a.b"/' 's/"b"/""/' 's/"b"/1/' \
		's/"1","x"/1,"x"/' 's/"1","x"/"-1","x"/' 's/"1","x"/"1.5","x"/' 's/"x"/null/' \
		's/,"x".*}\]\]/]]/' 's/}\]\]/},1]]/' 's/"trace_id":"1"/"trace_id":1/' \
		's/trace_id/trace.id/' 's/"values":.*\]\]/"values":[]/' 's/"values"/"entries"/'; do
		echo "$change"
		bad=$(sed "$change" <<<"$good")
		[ "$bad" != "$good" ]
		run -1 is_valid <<<"$bad"
		[[ $output = 'request 1: '* ]]
		wrong=$((wrong + 1))
	done
	[ $wrong = 15 ]
	# More labels than Loki takes.
	run -1 is_valid <<<"${good/\"a\":\"b\"/$(printf '"a%d":"b",' {1..16} | sed 's/,$//')}"
}
