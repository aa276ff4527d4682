#!/usr/bin/env bats

load lib

# The demo shop, and the same with a version that asks the database in a loop,
# has a slow bank, a cache, and no mail.
setup() {
	cd "$BATS_TEST_TMPDIR" || return
	span-gen --topology "$SRC/examples/topology.json" --seed 1 -n 200 >in
	jq '(.services[] | select(.name == "cart").operations[] |
			select(.name == "Take")).calls[0].count = [8, 12] |
		(.services[] | select(.name == "payment").operations[] |
			select(.name == "POST bank")).self = "400ms" |
		(.services[] | select(.name == "payment").tags) = {"version": "1.5"} |
		(.services[] | select(.name == "web").operations[1].calls) |=
			(.[:2] + ["render"])' "$SRC/examples/topology.json" >new.json
	span-gen --topology new.json --seed 2 -n 200 >new
}

# Traces for `span-decode --from jsonl`: `traces FIRST LAST [CHILD NS [STATUS]]`,
# each a root of 10 ms with a child, if one is named.
traces() {
	jq -nc --argjson first "$1" --argjson last "$2" --arg child "${3-}" \
		--argjson ns "${4-0}" --arg status "${5-unset}" '
		def span(i; id; parent; name; ns; status):
			{trace_id: (i | tostring | ("0000000000000000" + .)[-16:]),
			span_id: ("000000000000000" + id), parent_id: parent, service: "web",
			name: name, kind: "server", start_ns: 1000, duration_ns: ns,
			status: status, tags: {}, process: {}, events: [], refs: []};
		range($first; $last + 1) |
			span(.; "1"; null; "root"; 10000000; "unset"),
			if $child == "" then empty
			else span(.; "2"; "0000000000000001"; $child; $ns; $status) end' |
		span-decode --from jsonl
}

ids() {
	span-query -o ids --operation 'POST /order' "$@"
}

@test "trace-diff: two traces of one file, by the beginning of their ids" {
	failed=$(ids --error in | head -n 1)
	good=$(ids in | grep -v "$failed" | head -n 1)
	run --separate-stderr -1 trace-diff "${failed:0:8}" "${good:0:8}" in
	[ -z "$stderr" ]
	same trace-diff.want
	# In whatever order files and ids come, from a store and from a pipe.
	span-store append -q s in
	alike <(trace-diff "$failed" "$good" in) <(trace-diff in "$failed" "$good")
	alike <(trace-diff "$failed" "$good" in) <(trace-diff -s s "$failed" "$good")
	alike <(trace-diff "$failed" "$good" in) <(trace-diff "$failed" "$good" <in)
}

@test "trace-diff: a trace does not differ from itself, and a file neither" {
	id=$(ids in | head -n 1)
	run --separate-stderr -0 trace-diff "$id" "$id" in
	[[ $output = *"0 of "*" paths differ" ]]
	run --separate-stderr -0 trace-diff in in
	[[ $output = *"0 of "*" paths differ" ]]
	run -0 trace-diff --all in in
	[ "$(grep -c '^  .*[0-9]' <<<"$output")" = "$(trace-diff -o json in in | jq '.paths | length')" ]
}

@test "trace-diff: three traces are two comparisons" {
	mapfile -t id < <(ids in | head -n 3)
	run -1 trace-diff -o json "${id[@]}" in
	jq -se --arg a "${id[0]}" --arg b "${id[1]}" --arg c "${id[2]}" \
		'map([.a.name, .b.name]) == [[$a, $b], [$a, $c]]' <<<"$output"
}

@test "trace-diff: sets differ in what was planted, and say how sure that is" {
	run --separate-stderr -1 trace-diff in new
	[ -z "$stderr" ]
	same trace-diff-sets.want
	run -1 trace-diff -o json in new
	changes() {
		jq -r --arg s "$1" --arg o "$2" '.paths[] |
			select(.service == $s and .operation == $o) | .changes | join(" ")' <<<"$output"
	}
	[ "$(changes cart 'SELECT article')" = count ]
	[ "$(changes payment 'POST bank')" = duration ]
	[[ $(changes mail 'order confirmed') = removed ]]
	[ "$(jq '[.paths[] | select(.operation == "render")] | map(.changes) | add | unique' -c <<<"$output")" = '["added"]' ]
	jq -e '.paths[] | select(.operation == "POST bank") | .q_duration < 0.01' <<<"$output"
	jq -e '[.paths[] | select(.operation == "POST bank") | .attributes[] |
		select(.key == "version")] | length == 1 and .[0].a.spans == 0 and .[0].b.traces == 33' <<<"$output"
}

@test "trace-diff: expressions choose two sets of one store" {
	cat in new | span-store append -q s
	run -1 --separate-stderr trace-diff -s s -o json --a '{ .http.status_code = 504 }' \
		--b '{ name = "POST /order" && status != error }'
	jq -e '.a.traces == 7 or .a.traces > 7' <<<"$output"
	jq -e '[.paths[] | select(.operation == "POST bank") | .changes | index("errors")] | any' <<<"$output"
	# An option besides holds for both sides.
	run -2 trace-diff -s s --service nobody --a '{ true }' --b '{ true }'
	[[ $output = *"there is no trace for '{ true }'"* ]]
	run -2 trace-diff -s s --a '{ true }'
	run -2 trace-diff -s s -e '{ true }' --a '{ true }' --b '{ true }'
}

@test "trace-diff: traces that are on both sides are told of" {
	a='{ kind = server && duration > 20ms }'
	b='{ name = "POST /order" }'
	span-query -o ids "$a" new | sort >a
	span-query -o ids "$b" new | sort >b
	both=$(comm -12 a b | wc -l)
	[ "$both" -gt 1 ]
	run --separate-stderr trace-diff --a "$a" --b "$b" new
	[ "$status" -le 1 ]
	[ "$stderr" = "trace-diff: warning: of $(wc -l <a) and $(wc -l <b) traces $both are on both sides, which makes these alike" ]
	run --separate-stderr trace-diff -q --a "$a" --b "$b" new
	[ "$status" -le 1 ]
	[ -z "$stderr" ]
	run --separate-stderr trace-diff --a "$b" --b '{ rootName != "POST /order" }' new
	[ "$status" -le 1 ]
	[ -z "$stderr" ]
	# Of FILEs that is what they are for: one may be the other, redacted.
	run -0 --separate-stderr trace-diff new new
	[ -z "$stderr" ]
}

@test "trace-diff: what is below the threshold is no difference" {
	changed() {
		trace-diff -o json "$@" in new | jq '[.paths[].changes[]] | map(select(. == "duration")) | length'
	}
	[ "$(changed)" -ge 1 ]
	[ "$(changed --threshold 5s)" = 0 ]
	[ "$(changed --threshold 100000%)" = 0 ]
	[ "$(changed --threshold 20%,5ms)" -ge 1 ]
	[ "$(changed --max-q 0.000000000000001)" -le "$(changed)" ]
	# What was not said stays, and one after the other is as with a comma.
	alike <(trace-diff --threshold 20% --threshold 5ms in new) \
		<(trace-diff --threshold 5ms,20% in new)
	for limit in x 5 -3% 20%,x % 20%,30% 1ms,2ms 1%,1ms,1%; do
		run -2 trace-diff --threshold "$limit" in new
	done
	run -2 trace-diff --threshold 20% --threshold 30% in new
	[[ ${lines[0]} = *"two percentages"* ]]
}

@test "trace-diff: thresholds of 0 are that" {
	traces 1 1 child 5000000 >a
	traces 1 1 child 5000001 >b
	run -0 trace-diff a b
	run -1 trace-diff --threshold 0%,0 a b
	# Nothing of sets is as sure as that.
	traces 1 9 child 5000000 >a
	traces 1 9 child 9000000 >b
	run -1 trace-diff a b
	run -0 trace-diff --max-q 0 a b
}

@test "trace-diff: what is gone differs by more than any threshold" {
	traces 1 9 child 5000000 >a
	traces 1 9 >b
	for limit in 100% 500% 100000%,1h; do
		run -1 trace-diff --threshold "$limit" a b
		grep -q '^- .*child' <<<"$output"
	done
	run -1 trace-diff --threshold 100% <(traces 1 1 child 1) <(traces 1 1)
}

@test "trace-diff: sets that are too small are shown, and are no verdict" {
	traces 1 5 >a
	traces 1 20 child 5000000 >b
	run --separate-stderr -2 trace-diff a b
	[ "$stderr" = "trace-diff: too few traces to tell: it takes 8 on each side" ]
	grep -q '^+ .*child' <<<"$output"
	[[ $output = *"may be chance: tests take 8 traces on each side" ]]
	run --separate-stderr -2 trace-diff -o json a b
	jq -e '.sets and (.tested | not) and .changed == 1' <<<"$output"
	# In numbers nothing differs, which is no verdict either.
	run -2 trace-diff a a
	# From eight on it is one.
	traces 1 8 >a
	run -1 trace-diff a b
	run -0 trace-diff a a
}

@test "trace-diff: the part that fails counts, not how many" {
	traces 1 1 child 5000000 error >a
	cp a b
	run -0 trace-diff a b
	# Two calls that both fail, and one that does: only the count differs.
	{ cat b && traces 1 1 child 5000000 error; } | span-query -o jsonl |
		jq -c 'if .name == "child" then ., (.span_id = "0000000000000003") else . end' |
		span-decode --from jsonl >two
	run -1 trace-diff -o json a two
	[ "$(jq -c '[.paths[].changes[]]' <<<"$output")" = '["count"]' ]
	traces 1 1 child 5000000 >good
	run -1 trace-diff a good
	[[ $output = *"errors: 1 of 1 -> 0 of 1"* ]]
	# Of sets failing traces are told.
	traces 1 9 child 5000000 error >a
	traces 1 9 child 5000000 >b
	run -1 trace-diff --max-q 1 a b
	[[ $output = *"errors: 9 of 9 -> 0 of 9 traces, q "* ]]
	run -0 trace-diff --max-q 1 a a
}

@test "trace-diff: a large trace is whole, and one that is cut is no verdict" {
	span-gen --seed 5 -n 3000 -p shop >many
	# All in one trace.
	span-query --spans -o jsonl many | jq -c '.trace_id = "0000000000000001"' |
		span-decode --from jsonl >large
	run -0 trace-diff large large
	[[ $output != *" traces,"* ]]
	run --separate-stderr -2 trace-diff --memory 1M large large
	[[ $stderr = *"cut for want of memory"*"nothing is said of traces that were cut"* ]]
	[ -z "$output" ]
}

@test "trace-diff: expressions choose two sets of a pipe" {
	a='{ .http.status_code = 200 }'
	b='{ name = "POST /order" && status != error }'
	trace-diff --a "$a" --b "$b" in >want || [ $? = 1 ]
	grep -q differ want
	cat in | { trace-diff --a "$a" --b "$b" || [ $? = 1 ]; } | diff want -
	cat in | { trace-diff --a "$a" --b "$b" - || [ $? = 1 ]; } | diff want -
	gzip -c in | { trace-diff --a "$a" --b "$b" || [ $? = 1 ]; } | diff want -
	{ trace-diff --a "$a" --b "$b" <in || [ $? = 1 ]; } | diff want -
	# With a store nobody waits for standard input.
	span-store append -q s in
	mkfifo fifo
	exec 7<>fifo
	timeout 20 trace-diff -s s --a "$a" --b "$b" <&7 >got || [ $? = 1 ]
	diff want got
	run -2 trace-diff --a "$a" --b "$b" <(cat in)
	[[ $output = *"cannot be read twice"* ]]
	run -2 trace-diff - - <in
	# Nor does anybody wait for it in vain.
	run -2 timeout 20 trace-diff -s s --a "$a" --b "$b" - <&7
	[[ $output = *"at once"* ]]
	exec 7>&-
	TMPDIR=/nowhere run -74 trace-diff --a "$a" --b "$b" < <(cat in)
}

@test "trace-diff: options that would do nothing are refused" {
	mapfile -t id < <(ids in | head -n 2)
	run -2 trace-diff --max-q 0.1 "${id[@]}" in
	run -2 trace-diff --trace-id "${id[0]}" "${id[@]}" in
	run -2 trace-diff -o json --all in new
	run -2 trace-diff -o json --width 100 in new
}

@test "trace-diff: the statistics of sets are those of their traces" {
	trace-diff -o json --max-q 1 in new >found || [ $? = 1 ]
	span-query --spans -o jsonl in >a
	span-query --spans -o jsonl new >b
	/usr/bin/python3 "$SRC/tests/diff-check.py" found a b
}

@test "trace-diff: operations are templates of their names, unless told otherwise" {
	for n in 17 18; do
		jq -nc --arg n "$n" '{trace_id: ("00000000000000" + $n), span_id: "0000000000000001",
			parent_id: null, service: "a", name: ("GET /item/" + $n), kind: "server",
			start_ns: 1000, duration_ns: 5000, status: "unset", tags: {},
			process: {}, events: [], refs: []}' | span-decode --from jsonl >"$n"
	done
	run -0 trace-diff 17 18
	run -1 trace-diff --exact-names 17 18
	grep -q '^+ .*GET /item/18' <<<"$output"
	grep -q '^- .*GET /item/17' <<<"$output"
}

@test "trace-diff: fits the width it is told, in colour too" {
	for width in 60 80 200; do
		run -1 trace-diff --width $width in new
		run -1 grep -E "^.{$((width + 1))}" <<<"$output"
	done
	trace-diff --color always in new | sed 's/\x1b\[[0-9]*m//g' >plain
	diff plain <(trace-diff in new)
	trace-diff --color always in new | grep -q $'^\x1b\[31m- '
}

@test "trace-diff: a locale without UTF-8 gets ASCII, in the same width" {
	jq -nc '(1, 2) as $i | {trace_id: "a\($i)", span_id: "1", service: "Zürich",
		name: ("日本語" * 20), start_ns: 1800, duration_ns: ($i * 9000000),
		tags: {"é": "ß\($i)"}, process: {}}' |
		span-decode --from jsonl >foreign
	LC_ALL=C run -1 trace-diff a1 a2 foreign
	[[ $output = *'Z\u00fcrich \u65e5'*'~'*'\u00e9'* ]]
	run -1 grep -qP '[^\x00-\x7f]|^.{81}' <<<"$output"
}

@test "trace-diff: names that attack are shown as escapes" {
	span-gen --seed 3 -p hostile -n 60 >hostile
	span-gen --seed 4 -p hostile -n 60 >other
	trace-diff --all hostile other >shown || [ $? = 1 ]
	[ -s shown ]
	run -1 grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]' shown
	{ trace-diff -o json hostile other || [ $? = 1 ]; } | jq -e . >json
}

@test "trace-diff: what is not there, empty or torn is an error" {
	run -2 trace-diff 0123456789abcdef 1123456789abcdef in
	[[ $output = *"no trace"* ]]
	run -2 trace-diff nothing in
	[[ $output = *"no FILE and no id of a trace: 'nothing'"* ]]
	run -2 trace-diff "$(ids in | head -n 1)" in
	run -2 trace-diff in
	run -2 trace-diff
	run -2 trace-diff /dev/null in
	head -c 20000 in >torn
	run --separate-stderr -65 trace-diff in torn
	[[ $stderr = *"torn: "* ]]
}
