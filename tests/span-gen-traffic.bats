#!/usr/bin/env bats
# What span-gen makes, seen through span-query: the figures that tests and
# benchmarks rely on, and the rules that traces obey.

load lib

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	span-gen --seed 1 -n 400 --output shop.spans
	span-query --spans -o jsonl shop.spans >shop.jsonl
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	shop=$BATS_FILE_TMPDIR/shop
}

# Spans of standard input as JSON, in the order in which they came.
spans() {
	span-query --spans -o jsonl
}

@test "span-gen: a small topology, span by span" {
	run --separate-stderr -0 bash -c 'span-gen --seed 3 -n 4 --topology "$1" |
		span-query --spans -o jsonl' - "$SRC/examples/topology.json"
	same span-gen.want
}

@test "span-gen: the shop has its services, processes and operations" {
	jq -s -c '[map(.service), map(.process.hostname), map([.service, .name])] | map(unique | length)' \
		"$shop.jsonl" >counts
	[ "$(cat counts)" = "[13,32,87]" ]
}

@test "span-gen: the shop has its size: spans a trace, tags, events, errors" {
	jq -s 'length as $n | {
		trace: ($n / (map(.trace_id) | unique | length)),
		tags: ((map(.tags | length) | add) / $n),
		process: ((map(.process | length) | add) / $n),
		events: ((map(.events | length) | add) / $n),
		errors: ((map(select(.status == "error")) | length) / $n),
		stacks: (map(.events[].fields.stack // empty) | unique | length)
	}' "$shop.jsonl" >figures
	cat figures
	jq -e '.trace > 13 and .trace < 15 and .tags > 9.5 and .tags < 10.5
		and .process > 6 and .process < 9 and .events > 0.45 and .events < 0.6
		and .errors > 0.016 and .errors < 0.024 and .stacks > 25' figures
}

@test "span-gen: the shop is no easy data: 70 bytes a span through gzip" {
	n=$(wc -l <"$shop.jsonl")
	[ "$(gzip -6 -c "$shop.jsonl" | wc -c)" -ge $((70 * n)) ]
	[ "$(stat -c %s "$shop.spans")" -le $((140 * n)) ]
}

@test "span-gen: ids are of full length and differ" {
	jq -r .span_id "$shop.jsonl" | sort >ids
	[ -z "$(uniq -d ids)" ]
	run -1 grep -vE '^[0-9a-f]{16}$' ids
	jq -r .trace_id "$shop.jsonl" | sort -u >traces
	[ "$(wc -l <traces)" = 400 ]
	run -1 grep -vE '^[0-9a-f]{32}$' traces
}

@test "span-gen: calls lie inside their callers, what follows begins after" {
	# jq rounds nanoseconds to 256 of them.
	jq -s 'INDEX(.span_id) as $by | [.[] | select(.parent_id) | $by[.parent_id] as $p
		| (.start_ns - $p.start_ns) as $from
		| if .refs == [] then $from >= -512 and $from + .duration_ns <= $p.duration_ns + 512
		  else .refs[0].type == "follows_from" and .refs[0].span_id == .parent_id
			and $from >= $p.duration_ns - 512 end] | {ok: all, n: length}' "$shop.jsonl" >inside
	jq -e '.ok and .n > 5000' inside
	jq -s -e 'all(.[]; .start_ns as $s | .duration_ns as $d
		| all(.events[]; .time_ns >= $s - 512 and .time_ns <= $s + $d + 512))' "$shop.jsonl"
}

@test "span-gen: an error has a cause: by itself, or one of its calls" {
	jq -s -e '[.[] | select(.status == "error")] | length > 60 and all(.[];
		.tags.error == true and .events[-1].fields.event == "error"
		and (.events[-1].fields | has("message")))' "$shop.jsonl"
	# Who says that a call failed has a failing child.
	jq -s -e '(map(select(.status == "error" and .parent_id) | {(.parent_id): true}) | add) as $caused
		| all(.[] | select(.status == "error" and (.events[-1].fields.message | test(" of [a-z]+ failed$")));
			$caused[.span_id])' "$shop.jsonl"
}

@test "span-gen: spans come as they end, interleaved, in batches of a process" {
	jq -r '"\(.process.hostname) \(.start_ns + .duration_ns | floor) \(.trace_id)"' "$shop.jsonl" >sent
	# The ends of each process only grow, but for what jq rounds.
	awk '$2 + 1024 < last[$1] { bad++ } { last[$1] = $2 } END { exit bad > 0 }' sent
	# Runs of one process are batches.
	awk '$1 != p { runs++; p = $1 } END { exit !(NR / runs > 8 && NR / runs < 41) }' sent
	[ "$(head -n 100 sent | cut -d ' ' -f 3 | sort -u | wc -l)" -gt 10 ]
}

@test "span-gen: times are microseconds unless asked otherwise" {
	jq -s -e 'all(.[]; .duration_ns % 1000 == 0)' "$shop.jsonl"
	jq -s -e 'all(.[]; .start | test("000Z$"))' "$shop.jsonl"
	span-gen --seed 1 -n 5 --nanoseconds | spans | jq -s -e 'any(.[]; .duration_ns % 1000 != 0)'
}

@test "span-gen: --skew-clock moves each process by a constant" {
	span-gen --seed 1 -n 100 | spans | jq -r '"\(.span_id) \(.process.hostname) \(.start_ns / 1000 | round)"' | sort >true
	span-gen --seed 1 -n 100 --skew-clock 2s | spans | jq -r '"\(.span_id) \(.start_ns / 1000 | round)"' | sort >off
	join true off | awk '{ d = $4 - $3
		if (!($2 in first)) { first[$2] = d; n++ }
		if (d - first[$2] > 1 || first[$2] - d > 1 || d > 2000000 || d < -2000000) bad++
		if (d > 1000000 || d < -1000000) far++
		if (d > 0) early++; else late++
	} END { exit !(NR > 1000 && n > 25 && !bad && far && early && late) }'
}

@test "span-gen: --services leaves out services, or copies them" {
	names() {
		span-gen --seed 1 -n 400 --services "$1" | spans | jq -r .service | sort -u
	}
	names 3 >names3
	[ "$(xargs <names3)" = "catalogue frontend gateway" ]
	names 20 >names20
	[ "$(wc -l <names20)" = 20 ]
	grep -qx gateway-2 names20
	run -1 grep -q orders-2 names20
}

@test "span-gen: --start and --rate set the times" {
	span-gen --seed 1 -n 200 --rate 10 --start 2026-11-22T10:00:00Z | spans >out
	jq -r 'select(.parent_id == null) | .start' out | sort >starts
	[ "$(head -n 1 starts)" = 2026-11-22T10:00:00.000000000Z ]
	[[ $(tail -n 1 starts) > 2026-11-22T10:00:15 ]]
	[[ $(tail -n 1 starts) < 2026-11-22T10:00:25 ]]
	# Without a seed the last trace starts about now.
	span-gen -n 200 --rate 10 | span-query -c --since 60s >recent
	[ "$(cat recent)" = 200 ]
}

@test "span-gen: deep is chains of hundreds, wide has thousands of children" {
	span-gen --seed 1 -p deep -n 3 | spans |
		jq -s -c 'group_by(.trace_id)[] | [length, (map(.parent_id) | unique | length)]' >chains
	[ "$(wc -l <chains)" = 3 ]
	# As many different parents as spans: each has one child, but for the last.
	jq -e '.[0] >= 100 and .[0] <= 800 and .[0] == .[1]' chains
	span-gen --seed 1 -p wide -n 2 | spans | jq -r '.parent_id // empty' |
		sort | uniq -c | sort -rn | awk '{ print $1 }' | head -n 2 >children
	[ "$(tail -n 1 children)" -ge 1000 ]
	[ "$(head -n 1 children)" -le 4001 ]
}

@test "span-gen: hostile has all that it promises, and is a sound stream" {
	span-gen --seed 1 -p hostile -n 56 -v 2>log | spans >out
	[ "$(wc -l <out)" = "$(sed 's/^span-gen: \([0-9,]*\) spans .*/\1/; s/,//' log)" ]
	for text in '"trace_id":"0000000000000000"' '"span_id":"0000000000000000"' \
		'"start_ns":18446744073709551615' '"duration_ns":18446744073709551615' \
		'{"\$double":"NaN"}' '{"\$double":"-Infinity"}' '{"\$bytes":' \
		'"type":"link"' '"marks":' '"name":""' '\\u0000' \
		'\\u001b' '"trace_state":' '"dropped_tags":4294967295' \
		'9223372036854775807' ':null' '"tags_list":'; do
		echo "$text"
		grep -q -- "$text" out
	done
	[ "$(sort out | uniq -d | wc -l)" -gt 10 ]
	# As many tags and events as a span may have.
	jq -s -e '[.[].tags_list // [] | length] | max == 1024' out
	jq -s -e '[.[].events | length] | max == 1000' out
	jq -s -e 'any(.[]; .span_id == .parent_id)' out
	# The deepest value: 64 arrays and maps.
	jq -s -e '[.[] | .tags.deep // empty | [paths | length] | max] | max >= 63' out
	# A text of 64 KiB.
	jq -s -e '[.[].name | length] | max == 65536' out
}
