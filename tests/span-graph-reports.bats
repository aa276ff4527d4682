#!/usr/bin/env bats

load lib

demo() {
	span-gen --topology "$SRC/examples/topology.json" --seed 1 -n 200
}

# spans LINE...: a span each, "SERVICE ID PARENT", of one trace; MORE has
# members for all of them.
spans() {
	local service id parent
	while read -r service id parent; do
		printf '{"trace_id":"1","span_id":"%s","service":"%s","name":"op%s","start_ns":%d,"duration_ns":5' \
			"$id" "$service" "$id" "0x$id"
		[ -z "$parent" ] || printf ',"parent_id":"%s"' "$parent"
		printf '%s}\n' "${MORE-}"
	done < <(printf '%s\n' "$@") | span-decode --from jsonl
}

@test "span-graph: saved graphs of parts add up to the graph of all" {
	for seed in 1 2 3; do
		span-gen --seed $seed -n 200 >$seed.spans
		span-graph --peers --by operation --partial --output $seed.graph $seed.spans
	done
	for format in json csv dot; do
		span-graph --peers --by operation --memory 1G -o $format 1.spans 2.spans 3.spans >want
		span-graph --merge -o $format 3.graph 1.graph 2.graph | diff want -
		cat 1.graph 2.graph 3.graph | span-graph --merge -o $format | diff want -
	done
	# Sums of sums, and of a store.
	span-graph --merge --partial 1.graph 2.graph >half
	span-graph --merge -o dot half 3.graph | diff want -
	span-store append -q s 1.spans
	span-graph --partial -s s --output s.graph
	span-graph -s s -o csv >want
	span-graph --merge -o csv s.graph | diff want -
}

@test "span-graph: a saved graph that is damaged is an error with its place" {
	demo | span-graph --partial >good
	cp good bad
	printf X | dd of=bad bs=1 seek=100 conv=notrunc status=none
	run --separate-stderr -65 span-graph --merge good bad
	[ -z "$output" ]
	[[ $stderr = "span-graph: bad: at byte "*": bad graph: its checksum is another one" ]]
	head -c 200 good >torn
	run --separate-stderr -65 span-graph --merge torn
	[[ $stderr = "span-graph: torn: at byte "*": bad graph: it ends inside a value" ]]
	demo >in
	run --separate-stderr -65 span-graph --merge in
	[[ $stderr = *"bad graph: "* ]]
	demo | span-graph --partial --self-edges >other
	run --separate-stderr -2 span-graph --merge good other
	[[ $stderr = *"counted with different options"* ]]
	run --separate-stderr -2 span-graph --diff good other
	run --separate-stderr -2 span-graph --merge --peers good
	run --separate-stderr -2 span-graph --partial -o csv in
}

@test "span-graph: the difference of two graphs is a gate" {
	demo >old
	span-gen --topology "$SRC/examples/topology.json" --seed 1 -n 200 --error-rate 0.2 |
		span-query --spans --not-tag 'span.kind=consumer' -o spans >new
	run --separate-stderr -0 span-graph --diff old old
	[ "$output" = "0 added, 0 removed, 0 changed, 3 alike" ]
	run --separate-stderr -1 span-graph --diff old new
	[ -z "$stderr" ]
	[ "${lines[0]}" = "changed  web -> cart (sync): more errors" ]
	[ "${lines[2]}" = "removed  web -> mail (async)" ]
	[[ ${lines[3]} = "         43 calls, 0 errors, p50 "* ]]
	awk 'length > 80 { exit 1 }' <<<"$output"
	[[ $output = *"0 added, 1 removed, 2 changed, 0 alike" ]]
	run --separate-stderr -1 span-graph --diff -v old new
	[[ ${stderr_lines[0]} = "span-graph: old: 200 traces, "*" services, 3 edges, "*" s" ]]
	[[ ${stderr_lines[1]} = "span-graph: new: "*" traces, "*" services, 2 edges, "*" s" ]]
	run --separate-stderr -1 span-graph --diff new old
	[[ $output = *"added    web -> mail (async)"*"1 added, 0 removed, 2 changed, 0 alike" ]]
	# What only got better is no reason to stop.
	run -0 span-graph --diff --edges sync new old
	[[ $output = *"fewer errors"* ]]
	run -0 span-graph --diff --diff-errors 1 --edges sync --diff-latency 99 old new
	run -0 span-graph --diff --min-calls 1000 old new
	run -1 span-graph --diff -o json old new
	jq -e '.removed == 1 and .calls[0].changes == ["more errors"] and .calls[1].after == null' <<<"$output"
	span-graph --partial old >old.graph
	run -0 span-graph --diff old.graph old
	run -1 span-graph --diff old.graph <(span-graph --partial new)
	run -1 span-graph --diff -o dot old new
	grep -c 'color="#c9190b", .*style=dashed' <<<"$output"
	! command -v dot || dot -Tplain <<<"$output" >/dev/null
	run --separate-stderr -2 span-graph --diff old
	run --separate-stderr -2 span-graph --diff -o csv old new
	run --separate-stderr -2 span-graph --diff --diff-errors -1 old new
}

@test "span-graph: cycles, hubs and paths" {
	# a calls b calls c calls a; c calls d.
	i=0
	for s in a b c a:c d:c; do
		i=$((i + 1))
		case $s in *:*) parent=3 ;; *) parent=$((i - 1)) ;; esac
		printf '{"trace_id":"1","span_id":"%d","parent_id":"%d","service":"%s","name":"op%d","start_ns":%d,"duration_ns":5}\n' \
			$i $parent "${s%:*}" $i $i
	done | sed 's/"parent_id":"0",//' | span-decode --from jsonl >in
	run --separate-stderr -0 span-graph --cycles in
	[ -z "$stderr" ]
	[ "${lines[0]}" = "a, b, c" ]
	[ "${lines[1]}" = "    a -> b (sync): 1 call, 0 errors" ]
	[ ${#lines[@]} = 4 ]
	run -0 span-graph --cycles -o json in
	jq -e '[.cycles[].nodes[].service] == ["a", "b", "c"]' <<<"$output"
	jq -e '[.cycles[].calls[] | .parent + .child] == ["ab", "bc", "ca"]' <<<"$output"
	run -0 span-graph --cycles <(demo)
	[ -z "$output" ]
	run -0 span-graph --hubs in
	[ "${lines[0]}" = "c: called by 1 (1 call), calls 2 (2 calls)" ]
	[ ${#lines[@]} = 4 ]
	span-graph --hubs -o json in | jq -e '.hubs | length == 4'
	run -0 span-graph --paths c in
	[ "${lines[0]}" = "1 call in 1 trace, 0000000000000001: a > b > c > a" ]
	[ "${lines[1]}" = "1 call in 1 trace, 0000000000000001: a > b > c > d" ]
	run -0 span-graph --paths d --by operation in
	[ "$output" = "1 call in 1 trace, 0000000000000001: a op1 > b op2 > c op3 > d op5" ]
	span-graph --paths d -o json in | jq -e '.dependencies[0].path | map(.service) == ["a", "b", "c", "d"]'
	run --separate-stderr -2 span-graph --paths x -o csv in
	run --separate-stderr -2 span-graph --cycles --hubs in
	run --separate-stderr -2 span-graph -o text in
	# Names that attack stay in their line.
	span-gen --seed 3 -p hostile -n 60 >hostile
	for report in --cycles --hubs; do
		span-graph --by operation --peers $report hostile | tr -d '\n' >text
		run -1 env LC_ALL=C grep -aqP '[\x00-\x1f\x7f]|\xe2\x80[\xaa-\xae]' text
	done
}

@test "span-graph: the lines of a text fit 80 columns, or the terminal" {
	span-gen --seed 1 -n 2000 >old
	span-gen --seed 2 -n 2000 --error-rate 0.2 >new
	for report in "--hubs old" "--paths inventory old" "--diff old new"; do
		# shellcheck disable=SC2086
		span-graph --by operation $report >text || [ $? = 1 ]
		run -1 grep -E '.{81}' text
		grep -E '^ +(calls [0-9]|-> |.* > |more errors$)' text
		# Wider they are the same words, and fewer lines.
		COLUMNS=300 script -qec "span-graph --by operation $report" /dev/null </dev/null |
			tr -d '\r' >wide
		grep -E '.{81}' wide
		alike <(tr -s ' \n' '\n' <text) <(tr -s ' \n' '\n' <wide)
	done
	# A name of one word has a line of its own.
	name=$(printf 'n%.0s' {1..50})
	printf '{"trace_id":"1","span_id":"%d",%s"service":"%s","name":"%s","start_ns":1,"duration_ns":1}\n' \
		1 '' "$name" "${name//n/o}" 2 '"parent_id":"1",' b 'x y' |
		span-decode --from jsonl >in
	run -0 span-graph --hubs --by operation in
	diff -u - <(echo "$output") <<-END
		b x y: called by 1 (1 call), calls 0 (0 calls)
		$name
		    ${name//n/o}: called by 0 (0 calls),
		    calls 1 (1 call)
	END
}

@test "span-graph: what was saved is whole, and has its options" {
	demo >in
	span-graph --partial in >whole
	span-graph --partial --by operation in >operations
	for late in "--service web" "--since 1h" "--error" "-s s" "--skip-bad" "--limit 1" \
		"--sort start" "--memory 1G" "--by service" "--peers"; do
		# shellcheck disable=SC2086
		run --separate-stderr -2 span-graph --merge $late whole
		[[ ${stderr_lines[0]} = "span-graph: --merge "* ]]
	done
	for late in "--service web" "--by operation" "--self-edges" "--peers" "--links"; do
		# shellcheck disable=SC2086
		run --separate-stderr -2 span-graph --diff $late whole whole
		[[ ${stderr_lines[0]} = "span-graph: whole "* ]]
	done
	run --separate-stderr -2 span-graph --diff --by service in operations
	run --separate-stderr -2 span-graph --diff in operations
	[ "$stderr" = "span-graph: in and operations were counted with different options" ]
	run --separate-stderr -2 span-graph --diff --window 1h whole whole
	run --separate-stderr -2 span-graph --diff -s s whole whole
	run -0 span-graph --diff --by operation in operations
	run -0 span-graph --diff operations in
}

@test "span-graph: an hour without its saved graph is an error" {
	demo | span-graph --partial >good
	: >empty
	run --separate-stderr -65 span-graph --merge good empty
	[ -z "$output" ]
	[ "$stderr" = "span-graph: empty: there is no saved graph in it" ]
	run --separate-stderr -65 span-graph --merge <empty
	[ "$stderr" = "span-graph: standard input: there is no saved graph in it" ]
	run --separate-stderr -65 span-graph --diff good <(:)
	# One without any calls was counted.
	span-graph --partial <empty >quiet
	span-graph --merge -o csv good quiet | alike <(span-graph --merge -o csv good) -
}

@test "span-graph: saved graphs may be packed, and come from standard input" {
	demo >in
	span-graph --partial in >saved
	gzip -k saved
	span-graph -o csv in >want
	span-graph --merge -o csv saved.gz | diff want -
	span-graph --merge -o csv - <saved | diff want -
	for side in saved in; do
		run --separate-stderr -0 span-graph --diff - in <"$side"
		[ "$output" = "0 added, 0 removed, 0 changed, 3 alike" ]
		run --separate-stderr -0 span-graph --diff in - <"$side"
		[ "$output" = "0 added, 0 removed, 0 changed, 3 alike" ]
	done
	run -0 span-graph --diff in - < <(cat saved)
	run --separate-stderr -2 span-graph --diff - - <in
}

@test "span-graph: a gate does not open by a name that is not there" {
	demo >in
	run --separate-stderr -2 span-graph --diff --focus nosuch in in
	[ -z "$output" ]
	[ "$stderr" = "span-graph: no such service in either graph" ]
	run -0 span-graph --diff --focus web in in
	# What was not there before is new.
	spans "web 1" "mail 2 1" >old
	spans "web 1" "mail 2 1" "cart 3 1" >new
	run -1 span-graph --diff --focus cart old new
	[ "${lines[0]}" = "added    web -> cart (sync)" ]
	: >none
	run --separate-stderr -0 span-graph --diff none none
	[ "$stderr" = "span-graph: warning: there are no calls to compare" ]
	run --separate-stderr -1 span-graph --paths nosuch in
	[ -z "$output" ]
	[ "$stderr" = "span-graph: warning: no such service in the graph" ]
	run --separate-stderr -1 span-graph --paths nosuch -o json in
	[ -z "$output" ]
}

@test "span-graph: options that would do nothing are wrong usage" {
	demo >in
	for args in "--diff-errors 1" "--diff-latency 1" "--diff-calls 1" "--depth 1" \
		"--focus web --depth 0" "--partial -o csv" "--partial --top 1" "--partial --weighted" \
		"--hubs --self-edges" "--paths web --focus web" "--paths web --edges sync" \
		"--paths web --self-edges" "--paths web --peers" "--paths web --links" \
		"--paths web --weighted" "--cycles -o dot" "--hubs -o csv"; do
		# shellcheck disable=SC2086
		run --separate-stderr -2 span-graph $args in
		[[ ${stderr_lines[0]} = "span-graph: "*"-"* ]]
		[ "${stderr_lines[1]}" = "usage: span-graph [OPTION...] [FILE...]" ]
	done
	for value in "--diff-errors -1" "--diff-latency -0.1" "--diff-calls -1" "--top 1"; do
		# shellcheck disable=SC2086
		run --separate-stderr -2 span-graph --diff $value in in
	done
}

@test "span-graph: only the paths with most calls, on request" {
	demo >in
	span-graph --paths web in >all
	[ "$(wc -l <all)" -gt 2 ]
	run --separate-stderr -0 span-graph --paths web -v in
	[[ $stderr = "span-graph: 200 traces, $(wc -l <all) paths, "*" s" ]]
	span-graph --paths web --top 2 in | alike <(head -n 2 all) -
	span-graph --paths web --top 0 in | diff all -
	awk '$1 >= 87' all >want
	span-graph --paths web --min-calls 87 in | diff want -
	span-graph --paths web --top 1 -o json in | jq -e '.dependencies | length == 1'
	span-graph --paths web --min-calls 1000 -o json in | jq -e '.dependencies == []'
	run -0 span-graph --paths web --min-calls 1000 in
	[ -z "$output" ]
}

@test "span-graph: a path may begin where a parent is missing" {
	spans "a 1" "b 2 1" "c 3 2" "b 5 4" "c 6 5" >in
	run -0 span-graph --paths c in
	[ "${lines[0]}" = "1 call in 1 trace, 0000000000000001: a > b > c" ]
	[ "${lines[1]}" = "1 call in 1 trace, 0000000000000001: b > c" ]
	[ ${#lines[@]} = 2 ]
}

@test "span-graph: who calls itself is a cycle, when that counts" {
	spans "a 1" "a 2 1" "b 3 2" "c 4 3" "b 5 4" >in
	run -0 span-graph --cycles in
	[ "${lines[0]}" = "b, c" ]
	[ ${#lines[@]} = 3 ]
	run -0 span-graph --cycles --self-edges in
	[ "${lines[3]}" = a ]
	[ "${lines[4]}" = "    a -> a (sync): 1 call, 0 errors" ]
	[ ${#lines[@]} = 5 ]
	span-graph --cycles --self-edges -o json in |
		jq -e '[.cycles[].nodes | map(.service)] == [["b", "c"], ["a"]]'
}

@test "span-graph: many cycles take no more time than one" {
	# a calls b calls a, in 32,000 pairs of services. Who looks at all edges
	# for each of them needs more than two seconds.
	awk 'BEGIN { for (i = 0; i < 32000; i++) for (k = 0; k < 3; k++)
		printf "{\"trace_id\":\"%x\",\"span_id\":\"%d\",\"parent_id\":\"%d\",\"service\":\"%s%d\",\"name\":\"x\",\"start_ns\":%d,\"duration_ns\":1}\n",
			i + 1, k + 1, k, k % 2 ? "b" : "a", i, k + 1 }' |
		sed 's/"parent_id":"0",//' | span-decode --from jsonl >in
	(
		ulimit -t 2
		span-graph --cycles in
	) >out
	[ "$(wc -l <out)" = 96000 ]
	[ "$(span-graph --cycles -o json in | jq '.cycles | length')" = 32000 ]
}

@test "span-graph: the text of a large cycle is short" {
	# 200 services that call each other around.
	awk 'BEGIN { for (i = 1; i <= 201; i++)
		printf "{\"trace_id\":\"1\",\"span_id\":\"%d\",\"parent_id\":\"%d\",\"service\":\"s%03d\",\"name\":\"x\",\"start_ns\":%d,\"duration_ns\":1}\n",
			i, i - 1, i % 200, i }' |
		sed 's/"parent_id":"0",//' | span-decode --from jsonl >in
	run -0 span-graph --cycles in
	[[ ${lines[0]} = "s000, s001, "*"s012," ]]
	[ "${lines[1]}" = "  s013, s014, s015, s016, s017, s018, s019 and 180 more" ]
	[ "${lines[101]}" = "    s099 -> s100 (sync): 1 call, 0 errors" ]
	[ "${lines[102]}" = "    and 100 more" ]
	[ ${#lines[@]} = 103 ]
	span-graph --cycles -o json in |
		jq -e '.cycles | length == 1 and (.[0] | [.nodes, .calls] | map(length)) == [200, 200]'
}

@test "span-graph: the hours of a day add up to the day, as the manual does it" {
	day=$(date -d yesterday +%F)
	# A trace an hour, from the first to the last nanosecond, over a boundary.
	for at in 00:00:00Z 05:00:00Z 12:59:59.999999999Z 23:59:59.999999999Z; do
		printf '{"trace_id":"%s","span_id":"1","service":"a","name":"x","start":"%sT%s","duration_ns":1}\n' \
			"${at//[^0-9]/}" "$day" "$at"
		printf '{"trace_id":"%s","span_id":"2","parent_id":"1","service":"b","name":"x","start":"%sT%s","duration_ns":1}\n' \
			"${at//[^0-9]/}" "$day" "$at"
	done >in.jsonl
	printf '{"trace_id":"125959999999999","span_id":"3","parent_id":"1","service":"c","name":"x","start":"%sT13:00:01Z","duration_ns":1}\n' "$day" >>in.jsonl
	span-decode --from jsonl in.jsonl | span-store append -q DIR
	sed -n '/^seq -w/,/^\.Ed/p' "$SRC/man/span-graph.1" |
		sed 's/\\e$/\\/; s/ | dot.*/ -o json/; /^\.Ed/d' >commands
	[ "$(wc -l <commands)" = 3 ]
	bash -e commands >got
	span-graph -s DIR -o json | diff - got
	jq -e '[.calls[].calls] == [4, 1]' got
}

@test "span-graph: hubs and cycles say of what type a node is" {
	MORE=',"kind":"client","tags":{"db.system":"pg","peer.service":"mail"}' spans "web 9" >db
	spans "web 1" "mail 2 1" >service
	run -0 span-graph --hubs --peers db service
	[ "${lines[0]}" = "web: called by 0 (0 calls), calls 2 (2 calls)" ]
	[ "${lines[1]}" = "mail: called by 1 (1 call), calls 0 (0 calls)" ]
	[ "${lines[2]}" = "mail (database): called by 1 (1 call), calls 0 (0 calls)" ]
	span-graph --hubs --peers -o json db service |
		jq -e '[.hubs[] | [.service, .type]] == [["web", "service"], ["mail", "service"], ["mail", "database"]]'
	span-graph --hubs -o json service | jq -e '.hubs[0] | has("type") | not'
}

@test "span-graph: on a terminal it says that there is nothing" {
	demo >in
	command -v script >/dev/null || skip "no script"
	shown() { script -qec "span-graph $1" /dev/null | tr -d '\r'; }
	[ "$(shown "--cycles in")" = "span-graph: no cycles" ]
	[[ $(shown "</dev/null") = "span-graph: no calls"* ]]
	[[ $(shown "-o csv in") != *"no calls"* ]]
	[ "$(shown "--paths web --min-calls 9999 in")" = "span-graph: no path has so many calls" ]
}
