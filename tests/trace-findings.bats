#!/usr/bin/env bats

load lib

# Spans from lines "TRACE ID PARENT NAME START END STATUS [TAGS]", times in ms,
# PARENT - for none, TAGS as JSON.
spans() {
	jq -Rc 'split(" ") as $f | ($f[7:] | join(" ")) as $tags |
		def id: ("0000000000000000" + .)[-16:];
		{trace_id: ($f[0] | id), span_id: ($f[1] | id),
			parent_id: (if $f[2] == "-" then null else $f[2] | id end),
			service: "web", name: $f[3], kind: "client",
			start_ns: ($f[4] | tonumber * 1000000),
			duration_ns: (($f[5] | tonumber) - ($f[4] | tonumber) | . * 1000000),
			status: $f[6],
			tags: (if $tags == "" then {} else $tags | fromjson end),
			process: {}, events: [], refs: []}' | span-decode --from jsonl
}

@test "findings: an error comes from the deepest span, behind others that say nothing" {
	spans <<-'EOS' >in
		a 1 - order 0 100 error {"http.status_code":500}
		a 2 1 step 0 90 unset
		a 3 2 query 0 80 error {"error.message":"deadlock 17"}
	EOS
	run -0 trace-view --findings in
	grep -A 1 '^error' <<<"$output" | diff - <(cat <<-'EOS'
		error     web query: deadlock 17
		          +0, 1 span above it failed too, span 0000000000000003
	EOS
	)
	[ "$(grep -c ^error <<<"$output")" = 1 ]
}

@test "findings: errors with another response are others, in a trace and over many" {
	spans <<-'EOS' >in
		a 1 - order 0 100 unset
		a 2 1 call 0 10 error {"http.status_code":500}
		a 3 1 call 20 30 error {"http.status_code":404}
		b 1 - order 0 100 unset
		b 2 1 call 0 10 error {"http.status_code":503,"error.message":"busy"}
	EOS
	run -0 trace-view --findings --trace-id a in
	[ "$(sed -n 's/^error *//p' <<<"$output")" = $'web call: HTTP 500\nweb call: HTTP 404' ]
	run -0 trace-view --findings -o json in
	[ "$(jq -r '.groups[] | select(.kind == "error") | .text' <<<"$output" | sort)" = \
		$'HTTP 404\nHTTP 500\nHTTP 503: busy' ]
}

@test "findings: a call that is tried again within a loop is told as both" {
	for i in 1 2 3 3 4 5; do
		echo "a 1$((++n)) 1 call ${n}0 ${n}9 $([ $n = 3 ] && echo error || echo unset)" \
			"{\"db.statement\":\"get $i\"}"
	done >calls
	{ echo 'a 1 - order 0 100 unset' && cat calls; } | spans >in
	run -0 trace-view --findings -o json in
	jq -e '.findings[] | select(.kind == "n+1") | .count == 5 and .failed == 0' <<<"$output"
	jq -e '.findings[] | select(.kind == "retry") | .count == 2 and .failed == 1' <<<"$output"
}

@test "findings: thresholds of 0 are that, and a share of nothing is none" {
	spans <<-'EOS' >in
		a 1 - order 0 1000 unset
		a 2 1 b 0 200 unset
		a 3 1 c 200 400 unset
		a 4 1 d 400 600 unset
		a 5 1 e 600 800 unset
		a 6 1 f 801 1000 unset
	EOS
	kinds() {
		trace-view --findings -o json "$@" in | jq -c '[.findings[].kind]'
	}
	[ "$(kinds)" = '["serial"]' ]
	[ "$(kinds --guilty-share 0)" = '["guilty","serial"]' ]
	[ "$(kinds --min-time 0 --min-share 0)" = '["serial","gap"]' ]
	run -2 trace-view --findings --repeat 0 in
	# Nothing takes any time; and what is saved is no part of the path.
	for i in 2 3 4 5 6; do
		echo "a $i 1 call 0 0 unset {\"db.statement\":\"get $i\"}"
	done | cat <(echo 'a 1 - order 0 0 unset') - | spans >in
	run -0 trace-view --findings -o json in
	jq -e '.findings[0] | .kind == "n+1" and .share == null' <<<"$output"
	run -0 trace-view --findings in
	[[ $output = *"+0, together 0, spans"* ]]
}

@test "findings and patterns: JSON of no trace is JSON" {
	run --separate-stderr -1 trace-view --findings -o json /dev/null
	jq -e '.traces == 0 and .groups == []' <<<"$output"
	run --separate-stderr -1 trace-view --error-patterns -o json /dev/null
	jq -e '.failing == 0 and .patterns == [] and .durations == []' <<<"$output"
}

# `calls FIRST N MS STATUS`: N traces of one call, with tags that they share.
calls() {
	for ((i = $1; i < $1 + $2; i++)); do
		echo "$i 1 - pay 0 $3 $4 $(
			[ "$4" = error ] && echo '{"a":1,"b":1,"c":1}' || echo '{}')"
	done
}

@test "patterns: what fails at once is no timeout, and there may be two of them" {
	{ calls 100 20 50 unset && calls 200 8 1 error; } | spans >in
	run -0 trace-view --error-patterns in
	[[ $output = *"web pay: failures that take one time"*"8 of 8 failures took 1.00ms"* ]]
	[[ $output != *"timeout"* ]]
	{ calls 100 20 50 unset && calls 200 12 1000 error && calls 300 8 30000 error; } |
		spans >in
	run -0 trace-view --error-patterns -o json in
	jq -e '.durations | map([.within, .failures, .time_ns, .timeout]) ==
		[[12, 20, 1000000000, true], [8, 20, 30000000000, true]]' <<<"$output"
	# A trace that is named took that time.
	id=$(jq -r '.durations[1].sample' <<<"$output")
	[ "$(trace-view --trace-id "$id" in | grep -c '30\.0s')" -gt 0 ]
}

@test "patterns: what is equally frequent is always in one order" {
	# Each of eight tags is in eight failing traces, which are others.
	for ((i = 0; i < 64; i++)); do
		echo "$((i + 100)) 1 - pay 0 $((i + 1)) error {\"tag$((i % 8))\":1}"
	done | cat - <(calls 200 64 50 unset) | spans >in
	trace-view --error-patterns in >first
	[ "$(sed -n 's/^  web \(tag.\)=1$/\1/p' first | tr '\n' ' ')" = \
		'tag0 tag1 tag2 tag3 tag4 tag5 tag6 tag7 ' ]
	for _ in 1 2 3 4; do
		trace-view --error-patterns in | diff first -
	done
}

@test "patterns: one is one" {
	calls 1 1 1 error | spans >in
	run -1 trace-view --error-patterns --min-support 0 in
	[[ $output = "1 of 1 trace fails; 4 tags and operations were tested"* ]]
	run -1 trace-view --error-patterns in
	[[ $output = "1 of 1 trace fails; 0 tags and operations were tested"* ]]
}

@test "patterns: no line is wider than it is told" {
	for i in {1..20}; do
		printf '{"trace_id":"%x","span_id":"1","service":"%s","name":"%s","kind":"client","start_ns":%s,' \
			"$i" "$(printf 'service%.0s' {1..9})" "$(printf 'operation%.0s' {1..9})" "${i}000000000"
		printf '"duration_ns":%s,"status":"%s","process":{},"tags":{"%s":"%s%s"}}\n' \
			"$((i > 10 ? 1000000 + i : 30000000000))" "$([ "$i" -gt 10 ] && echo ok || echo error)" \
			"$(printf 'key%.0s' {1..20})" "$(printf 'value%.0s' {1..20})" "$((i > 10))"
	done | span-decode --from jsonl >long
	for width in 80 120; do
		run -0 trace-view --error-patterns --width $width long
		[[ $output = *=valuevalue*': a timeout?'* ]]
		run -1 grep -E "^.{$((width + 1))}" <<<"$output"
	done
}

@test "patterns: durations are those of the deepest span, behind others that say nothing" {
	for ((i = 100; i < 110; i++)); do
		echo "$i 1 - order 0 4000 error"
		echo "$i 2 1 step 0 3000 unset"
		echo "$i 3 2 query 0 3000 error"
	done | cat - <(calls 200 20 50 unset) | spans >in
	[ "$(trace-view --error-patterns -o json in | jq -c '.durations | map(.operation)')" = '["query"]' ]
}
