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
	diff <(trace-diff "$failed" "$good" in) <(trace-diff in "$failed" "$good")
	diff <(trace-diff "$failed" "$good" in) <(trace-diff -s s "$failed" "$good")
	diff <(trace-diff "$failed" "$good" in) <(trace-diff "$failed" "$good" <in)
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
		select(.key == "version")] | length == 1 and .[0].a == 0' <<<"$output"
}

@test "trace-diff: expressions choose two sets of one store" {
	cat in new | span-store append -q s
	run -1 trace-diff -s s -o json --a '{ .http.status_code = 504 }' \
		--b '{ name = "POST /order" && status != error }'
	jq -e '.a.traces == 7 or .a.traces > 7' <<<"$output"
	jq -e '[.paths[] | select(.operation == "POST bank") | .changes | index("errors")] | any' <<<"$output"
	# An option besides holds for both sides.
	run -2 trace-diff -s s --service nobody --a '{ true }' --b '{ true }'
	[[ $output = *"there is no trace for '{ true }'"* ]]
	run -2 trace-diff -s s --a '{ true }'
	run -2 trace-diff -s s -e '{ true }' --a '{ true }' --b '{ true }'
	run -2 trace-diff --a '{ true }' --b '{ true }' -
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
	for limit in x 5 -3% 20%,x %; do
		run -2 trace-diff --threshold "$limit" in new
	done
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
		run ! grep -E "^.{$((width + 1))}" <(trace-diff --width $width in new)
	done
	trace-diff --color always in new | sed 's/\x1b\[[0-9]*m//g' >plain
	diff plain <(trace-diff in new)
	trace-diff --color always in new | grep -q $'^\x1b\[31m- '
}

@test "trace-diff: names that attack are shown as escapes" {
	span-gen --seed 3 -p hostile -n 60 >hostile
	span-gen --seed 4 -p hostile -n 60 >other
	trace-diff --all hostile other >shown || [ $? = 1 ]
	[ -s shown ]
	run ! grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]' shown
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
