#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# What Jaeger's query API answers over stores with awkward spans, and over
# realistic ones what the other programs say of the same. serve-ask is
# span-serve without its network.
load lib

NOW=1767225660000000000 # 2026-01-01T00:01:00Z
export NOW

ask() {
	"$BUILD/tests/unit/serve-ask" "$@"
}

check() {
	[ -d /usr/lib/python3/dist-packages/jsonschema ] ||
		skip "there is no python3-jsonschema"
	/usr/bin/python3 "$SRC/tests/schema-check.py" "$SRC/tests/schema/jaeger-$1.json" \
		"${@:2}"
}

# A store with what the file in tests/data has.
awkward() {
	span-decode --from jaeger-json "$DATA/serve-awkward.json" |
		span-store append -q awkward
}

# A store of a few hundred traces.
shop() {
	span-gen --seed 3 --traces 200 --skew-clock 5ms | span-store append -q shop
}

@test "serve-jaeger: an awkward trace is shown as Jaeger would" {
	awkward
	ask awkward '/api/traces/a1?prettyPrint=1' >got 2>status
	[ "$(cat status)" = "200 application/json" ]
	diff -u "$DATA/serve-awkward.want" got
}

@test "serve-jaeger: raw is what span-encode makes of the trace" {
	awkward
	# But that duplicates stay.
	ask awkward '/api/traces/a1?raw=true' >got
	[ "$(jq '.data[0].spans | length' got)" = 5 ]
	span-query -s awkward --trace-id a1 --spans -o spans |
		span-encode --to jaeger-json |
		jq -c '.data[0].spans |= unique' >want
	jq -c '.data[0].spans |= unique' got | diff -u want -
}

@test "serve-jaeger: circles, own parents and absurd times do no harm" {
	awkward
	ask awkward /api/traces/AB00000000000000000000000000000C >got
	check traces got
	jq -r '.data[0].spans[].operationName' got >names
	[ "$(paste -sd, names)" = "own parent,hen,egg" ]
	ask awkward '/api/traces?service=web&start=0' >got
	check traces got
	[ "$(jq '.data | length' got)" = 3 ]
}

@test "serve-jaeger: clocks that are off are told of, and not touched" {
	awkward
	ask awkward /api/traces/d4 | jq -r '.data[0].spans[].warnings[]?' >got
	[ "$(cat got)" = "clock skew adjustment disabled; not applying calculated delta of 35ms" ]
}

@test "serve-jaeger: answers about hostile spans are what their schemas say" {
	span-gen -p hostile --seed 5 --traces 60 | span-store append -q hostile
	awkward
	n=0
	for store in hostile awkward; do
		ask $store /api/services >names.$store
		[ "$(jq '.data | length' names.$store)" -gt 2 ]
		ask $store '/api/dependencies?lookback=1795341600000' >links.$store
		# A name with a NUL cannot be asked for.
		jq -r '.data[] | @uri | select(contains("%00") | not)' \
			names.$store | head -n 3 >services
		while read -r service; do
			n=$((n + 1))
			q="service=$service&start=0&end=99999999999999999&limit=5"
			ask $store "/api/services/$service/operations" >names.$n
			ask $store "/api/operations?service=$service" >kinds.$n
			ask $store "/api/traces?$q" >traces.$n
			[ "$(jq '.data | length' traces.$n)" -gt 0 ]
			ask $store "/api/traces?$q&raw=1" >traces.$n.raw
			ask $store "/api/deep-dependencies?service=$service&start=1" >paths.$n
			ask $store "/api/quality-metrics?service=$service&hours=999999" >quality.$n
		done <services
	done
	[ $n = 6 ]
	check names names.*
	check dependencies links.*
	check operations kinds.*
	check traces traces.*
	check paths paths.*
	check quality quality.*
}

@test "serve-jaeger: errors are what their schema says" {
	shop
	n=0
	for target in /api/traces '/api/traces?service=x&limit=-1' \
		/api/traces/zz /api/traces/1 '/api/dependencies?endTs=x' \
		'/api/traces?service=%00%FF&tags=%FF' /api/archive/1 \
		'/api/traces?service=x&tag=%1b%5b31m' /api/operations \
		'/api/services/%zz/operations' /api/quality-metrics; do
		n=$((n + 1))
		ask shop "$target" >error.$n 2>status
		run -0 cat status
		[[ $output = [45]??" text/plain; charset=utf-8" ]]
		[ "${output:0:3}" = "$(jq '.errors[0].code' error.$n)" ]
	done
	check error error.*
}

@test "serve-jaeger: a search finds what span-query finds, in its order" {
	shop
	while read -r query options; do
		ask shop "/api/traces?$query" | jq -r '.data[].traceID' >got
		eval "span-query -s shop --sort newest -o ids $options" >want || true
		diff -u want got
	done <<'END'
service=cart&limit=7 --service cart --limit 7
service=frontend&limit=1000 --service frontend
service=frontend&limit=5&minDuration=20ms --service frontend --limit 5 --min-duration 20ms
service=orders&tag=error:true --service orders --error
service=payment&tags=%7B%22span.kind%22:%22server%22%7D&limit=9 --service payment --tag span.kind=server --limit 9
service=payment&tag=span.kind:SERVER&limit=9 --service payment --kind server --limit 9
service=catalogue&tag=span.status:Error --service catalogue --status error
service=cart&tag=resource.deployment.environment:production&limit=9 --service cart --limit 9 '{ resource."deployment.environment" = "production" }'
service=cart&tag=resource.telemetry:none&tag=span.kind:server --service nobody
service=nobody --service nobody
service=gateway&start=1767225600500000&end=1767225600999999 --service gateway --since 2026-01-01T00:00:00.5Z --until 2026-01-01T00:00:01Z
END
}

@test "serve-jaeger: each trace of a search is the one that its id gives" {
	shop
	ask shop '/api/traces?service=checkout&limit=5' | jq -c '.data[]' >found
	[ "$(wc -l <found)" = 5 ]
	while read -r trace; do
		jq -r .traceID <<<"$trace" >id
		ask shop "/api/traces/$(cat id)" | jq -c '.data[0]' >one
		diff <(echo "$trace") one
	done <found
}

@test "serve-jaeger: dependencies are those of span-graph" {
	shop
	ask shop /api/dependencies | jq -c '.data[]' >got
	span-graph -s shop -o jaeger | jq -c '.data[]' >want
	[ -s want ]
	diff -u want got
}

@test "serve-jaeger: deep dependencies are the paths of span-graph" {
	shop
	ask shop '/api/deep-dependencies?service=orders' |
		jq -c '.dependencies[] | [.path, .calls]' | sort >got
	span-graph -s shop --paths orders --by operation -o json |
		jq -c '.dependencies[] | [.path, .calls]' | sort >want
	[ -s want ]
	diff -u want got
}

@test "serve-jaeger: quality counts the spans of a service" {
	awkward
	ask awkward '/api/quality-metrics?service=web&hours=1' >got
	check quality got
	# hen and egg are each other's parents, one of which is cut.
	run -0 jq -c '.metrics[] | select(.name == "Parents present") |
		[.passCount, .failureCount, .exemptionCount]' got
	[ "$output" = "[1,1,3]" ]
	# Spans of web alone.
	run -0 jq -c '.metrics[] | select(.name == "Span kinds") |
		[.passCount, .failureCount, .failureExamples[0].traceID]' got
	[ "$output" = '[1,4,"00000000000000d4"]' ]
	ask awkward '/api/quality-metrics?service=nobody' >got
	check quality got
	run -0 jq -r .bannerText.value got
	[ "$output" = "This service has no spans in this time." ]
	ask awkward '/api/quality-metrics?service=web&limit=1' >got
	run -0 jq -r .bannerText.value got
	[ "$output" = "Counted in the newest 1 traces of this service." ]
}

@test "serve-jaeger: OTLP comes back as Jaeger's JSON, and is not adjusted" {
	span-gen --seed 4 --traces 5 >spans
	span-encode --to otlp-json spans >otlp.json
	METHOD=POST ask /nonexistent /api/transform <otlp.json >got
	check traces got
	span-decode --from otlp-json otlp.json | span-encode --to jaeger-json >want
	for file in got want; do
		jq -S '[.data[] | .processes as $p | .spans[] |
			.process = $p[.processID] | del(.processID)] |
			sort_by(.spanID)' $file >$file.sorted
	done
	[ "$(jq length want.sorted)" -gt 20 ]
	diff -u want.sorted got.sorted
	n=0
	for body in '' '{' '[1' 'null' '{"resourceSpans":[1]}'; do
		n=$((n + 1))
		printf %s "$body" |
			METHOD=POST ask /nonexistent /api/transform >error.$n 2>status
		run -0 cat status
		echo "$body: $output"
		[[ $output = "400 text/plain"* ]]
	done
	check error error.*
}

@test "serve-jaeger: a large answer comes in pieces, and is whole" {
	shop
	ask shop '/api/traces?service=gateway&limit=1500' >got 2>status
	grep -Eq '^200 application/json in [0-9]+ pieces$' status
	span-query -s shop --service gateway --sort newest -o ids >want
	jq -r '.data[].traceID' got | diff -u want -
	ask shop '/api/traces?service=gateway&limit=1500&prettyPrint=1' 2>status |
		jq -c . >pretty
	jq -c . got | cmp - pretty
	grep -q pieces status
}

@test "serve-jaeger: what there is no room for is left out with a warning" {
	shop
	MAX_SPANS=50 ask shop '/api/traces?service=gateway&limit=20' >got
	check traces got
	[ "$(jq '[.data[].spans | length] | add' got)" = 50 ]
	run -0 jq -r '.data[-1].spans[0].warnings[]' got
	[[ $output = *"spans, showing first "*"what comes after this trace is left out"* ]]
}
