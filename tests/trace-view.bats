#!/usr/bin/env bats

load lib

# A trace of the demo shop with a payment that failed, and others.
demo() {
	span-gen --topology "$SRC/examples/topology.json" --seed 1 -n 200
}

# 300 payments, of which every second with paypal fails, after 30 s but for
# one; a tag that says nothing, and one that is different each time.
payments() {
	jq -nc 'range(300) | . as $i | ($i % 5 == 0) as $paypal |
		($i % 10 == 0) as $fails | {
			trace_id: (100000 + $i | tostring), span_id: "00000000000000a1",
			parent_id: null, service: "payment", name: "POST /pay/\($i)",
			kind: "server", start_ns: (($i + 1) * 1000000000),
			duration_ns: (if $fails and $i > 0 then 30000000000 + $i * 100000
				else 40000000 + $i * 1000000 end),
			status: (if $fails then "error" else "unset" end),
			tags: {method: (if $paypal then "paypal" else "card" end),
				shop: "\($i % 7)", order: "\($i)"},
			process: {}, events: [], refs: []}' | span-decode --from jsonl
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	demo >in
	payments >patterns
}

# The same with the id of the failed span that comes first in the input.
failed_span() {
	span-query --spans --error -o jsonl in | jq -r .span_id | head -n 1
}

@test "trace-view: the waterfall, its critical path, on 80 columns and in ASCII" {
	run --separate-stderr -0 trace-view --utc --error --limit 1 in
	[ -z "$stderr" ]
	same trace-view.want
	run --separate-stderr -0 trace-view --utc --ascii --width 100 --error --limit 1 in
	same trace-view-ascii.want
}

@test "trace-view: a span whole, by the beginning of its id" {
	id=$(failed_span)
	run --separate-stderr -0 trace-view --utc --span "${id:0:9}" in
	same trace-view-span.want
	[[ $output = *"span       $id"* ]]
	alike <(trace-view --utc --span "$id" in) <(echo "$output")
	alike <(trace-view --utc --span "${id^^}" in) <(echo "$output")
}

@test "trace-view: a span that is not there is exit 1" {
	run --separate-stderr -1 trace-view --span 1234567890abcdef in
	[ -z "$output" ]
	[ "$stderr" = "trace-view: warning: there is no span 1234567890abcdef" ]
	run --separate-stderr -1 trace-view -q --span 1234567890abcdef in
	[ -z "$output$stderr" ]
	# one of two
	run --separate-stderr -0 trace-view --span "$(failed_span)" --span 00AB in
	[ "$stderr" = "trace-view: warning: there is no span 00AB" ]
	# what was not read may have it
	run --separate-stderr -65 trace-view --span 00AB <(head -c 5000 in)
	[ "${#stderr_lines[@]}" = 1 ]
	for id in zz '' 12345678901234567 0x1; do
		run -2 trace-view --span "$id" in
		[[ $output = *"--span: '$id' is no id of a span"* ]]
	done
}

@test "trace-view: errors say why, and only for what failed" {
	run --separate-stderr -0 trace-view --utc --errors in
	same trace-view-errors.want
	[ "$(grep -cE '^[0-9a-f]{32}  2026-' <<<"$output")" = "$(span-query -c --error in)" ]
	n=$(trace-view --errors in | grep -cE '^[^ ].*  [0-9a-f]{16}  \+')
	[ "$n" = "$(span-query -c --spans --error in)" ]
}

@test "trace-view: events count from the trace or from their span" {
	demo | span-query --spans -o jsonl | jq '.events | length' | awk '{n += $1} END {print n}' >want
	trace-view --events in | grep -cE '^  [+-]' | diff want -
	trace-view --events --relative span in | grep -cE '^  [+-]' | diff want -
	trace-view --events in >trace
	trace-view --events --relative span in >span
	run -1 diff -q trace span
}

@test "trace-view: a blank line stands before each span with events, in output of any size" {
	span-gen --seed 4 -n 3000 >many
	for options in --errors --events '--span a --span b --span c'; do
		# shellcheck disable=SC2086
		trace-view $options many >shown
		[ "$(stat -c %s shown)" -gt 200000 ]
		# Each of them begins with a name and an id, or has a line of it.
		spans=$(grep -cE '^[^ ].*  [0-9a-f]{16}  [+]|^span  ' shown)
		heads=$(grep -cE '^[0-9a-f]{32}  2026-' shown || true)
		[ "$(grep -c '^$' shown)" = $((spans - 1 + heads)) ]
	done
}

# A root of 90 ms with three children alike, one after the other, without a gap.
row_of_three() {
	local i
	one() {
		printf '{"trace_id":"a1","span_id":"%s","parent_id":%s,"service":"a","name":"%s","kind":"client","start_ns":%s,"duration_ns":%s,"status":"unset","tags":{},"process":{"host.name":"h"},"events":[],"refs":[]}\n' "$@"
	}
	one 01 null root 1800000000000000000 90000000
	for i in 0 1 2; do
		one 1$i '"01"' step $((1800000000000000000 + i * 30000000)) 30000000
	done
}

@test "trace-view: a line for several spans shows the critical path of all of them" {
	row_of_three | span-decode --from jsonl >three
	run -0 trace-view --ascii three
	[[ ${lines[3]} =~ "step x3"[^#=]*'#'+$ ]]
	[[ ${lines[2]} =~ [^=#]=+$ ]]
	[ "$(tr -cd '#' <<<"${lines[3]}" | wc -c)" -ge \
		"$(tr -cd '=' <<<"${lines[2]}" | wc -c)" ]
}

@test "trace-view: durations whose sum is beyond all times stay the longest, and lines as wide" {
	span-decode --from jsonl >ages <<-'EOF'
		{"trace_id":"a1","span_id":"1","parent_id":null,"service":"a","name":"root","kind":"server","start_ns":5,"duration_ns":18446744073709551610,"status":"unset","tags":{},"process":{},"events":[],"refs":[]}
		{"trace_id":"a1","span_id":"2","parent_id":"1","service":"a","name":"step","kind":"client","start_ns":5,"duration_ns":9000000000000000000,"status":"unset","tags":{},"process":{},"events":[],"refs":[]}
		{"trace_id":"a1","span_id":"3","parent_id":"1","service":"a","name":"step","kind":"client","start_ns":5,"duration_ns":9000000000000000000,"status":"unset","tags":{},"process":{},"events":[],"refs":[]}
		{"trace_id":"a1","span_id":"4","parent_id":"1","service":"a","name":"step","kind":"client","start_ns":18446744073709551615,"duration_ns":18446744073709551615,"status":"unset","tags":{},"process":{},"events":[],"refs":[]}
	EOF
	run --separate-stderr -0 trace-view --ascii ages
	[[ ${lines[3]} = *"step x3 "*" 213504d "* ]]
	run -0 trace-view --columns operation,self,duration --ascii ages
	[[ ${lines[4]} = *"step x3 "*" 208333d "*" 213504d "* ]]
	run -0 trace-view --no-fold --ascii ages
	[[ ${lines[3]} = *"step "*" 104167d "* ]]
	run -1 grep -qP '^.{81}' <<<"$output"
}

@test "trace-view: --ascii writes nothing else, and keeps its columns" {
	/usr/bin/python3 - >foreign.jsonl <<-'PY'
		import json
		for i, name in enumerate(['Zürich', '日本語' * 20, 'e\u0301', 'a', '\U0001f600']):
		    print(json.dumps({'trace_id': 'a1', 'span_id': '%x' % (i + 1), 'parent_id': '1' if i else None,
		        'service': name, 'name': name, 'kind': 'client', 'start_ns': 1800000000000000000,
		        'duration_ns': 1000000, 'status': 'error', 'status_message': name, 'tags': {name: name, 'é': 1},
		        'process': {name: name}, 'events': [{'time_ns': 1800000000000000000, 'name': name,
		        'fields': {name: 'ä\nö'}}], 'refs': []}))
	PY
	span-decode --from jsonl foreign.jsonl >foreign
	for options in '' --events --errors '--span 0' '--find Z' '--columns service,.é,id' \
		--findings; do
		# shellcheck disable=SC2086
		run -0 trace-view --ascii $options foreign
		run -1 grep -qP '[^\x00-\x7f]' <<<"$output"
		# shellcheck disable=SC2086
		LC_ALL=C run -0 trace-view $options foreign
		run -1 grep -qP '[^\x00-\x7f]' <<<"$output"
	done
	for i in {2..9}; do
		sed "s/\"a1\"/\"a$i\"/; s/\"error\"/\"ok\"/; s/: 1}/: $i}/" foreign.jsonl
	done | span-decode --from jsonl | cat foreign - >foreign9
	for options in --findings '--error-patterns --min-support 1 --max-q 1'; do
		# shellcheck disable=SC2086
		run -0 trace-view --ascii $options foreign9
		[[ $output = *'\u'* ]]
		run -1 grep -qP '[^\x00-\x7f]' <<<"$output"
	done
	trace-view --ascii foreign >shown
	grep -q '^Z\\u00fcrich  *Z\\u00fcrich .*!' shown
	run -1 grep -qP '^.{81}' shown
	# the bars of all lines begin at one column
	grep -E ' 1.00ms [#=]+$' shown | awk '{ print index($0, " 1.00ms ") }' >at
	[ "$(wc -l <at) $(sort -u at | wc -l)" = '5 1' ]
}

# N spans of one trace: a root, each hundredth a child of it, others below.
large_trace() {
	awk -v n="$1" 'BEGIN { for (i = 1; i <= n; i++)
		printf "{\"trace_id\":\"a1\",\"span_id\":\"%x\",\"parent_id\":%s,\"service\":\"s%d\",\"name\":\"op %d\",\"kind\":\"server\",\"start_ns\":18000000000%08d0,\"duration_ns\":%d,\"status\":\"unset\",\"tags\":{\"a.key\":\"%032d\",\"another\":%d},\"process\":{\"host.name\":\"h\"},\"events\":[],\"refs\":[]}\n",
			i, i == 1 ? "null" : sprintf("\"%x\"", i % 100 ? i - i % 100 + (i > 100 ? 0 : 1) : 1),
			i % 7, i % 11, i, i == 1 ? 2000000 : 500, i, i }' |
		span-decode --from jsonl
}

@test "trace-view: a trace of 100,000 spans is one trace" {
	large_trace 100000 >large
	run --separate-stderr -0 trace-view --depth 2 large
	[ -z "$stderr" ]
	[ "$(grep -c ' 100,000 spans ' <<<"$output")" = 1 ]
	[ "$(grep -c ' spans ' <<<"$output")" = 1 ]
	run --separate-stderr -0 trace-view --memory 64M --depth 2 large
	[[ $stderr = *"1 trace was cut for want of memory; see --memory" ]]
}

@test "trace-view: siblings that are alike are one line, unless asked otherwise" {
	all=$(span-query -c --spans in)
	lines() {
		grep -cE ' \+?[0-9.]+[a-z]* +[0-9.]+[a-z]+ ' || true
	}
	[ "$(trace-view --no-fold --no-critical in | lines)" = "$all" ]
	trace-view --no-critical in >folded
	[ "$(lines <folded)" -lt "$all" ]
	trace-view --no-critical --no-fold --fold in | diff folded -
	[ "$(trace-view --no-critical --fold --no-fold in | lines)" = "$all" ]
	# a line that stands for several stands for all of them
	[ "$(grep -oE '×[0-9]+' folded | tr -d '×' | awk -v n="$(lines <folded)" \
		'{n += $1 - 1} END {print n}')" = "$all" ]
}

@test "trace-view: --depth hides, and says how much" {
	all=$(span-query -c --spans in)
	trace-view --depth 1 --no-fold --no-critical in >one
	shown=$(grep -cE ' [+]0 ' one)
	[ "$shown" = "$(span-query -c in)" ]
	[ "$(grep -oE '[^ ] [+][0-9]+ ' one | cut -d + -f 2 | awk -v n="$shown" '{n += $1} END {print n}')" = "$all" ]
}

@test "trace-view: --find marks the spans that hold a text, in any case" {
	run --separate-stderr -0 trace-view --no-fold --find 'CHARGE' in
	marked=$(grep -c '^▸' <<<"$output")
	span-query --spans -o jsonl in | grep -ic charge >want
	[ "$marked" = "$(cat want)" ]
	run -1 trace-view --find 'no such text' in
}

@test "trace-view: the critical path is that of another program" {
	span-gen --seed 2 -n 300 >shop
	trace-view --width 1000 --no-fold shop | sed -nE \
		's/^critical path: ([^,]*) [^ ]+ (\(.*%\)).*/\1 \2/p' | sed 's/, .*//' >got
	span-query -o jsonl shop | /usr/bin/python3 "$SRC/tests/critical-path.py" |
		diff - got
	[ "$(wc -l <got)" -gt 10 ]
}

@test "trace-view: clocks are corrected up to a limit, and the span says so" {
	cat >skewed.jsonl <<-'EOF'
		{"trace_id":"00000000000000a1","span_id":"0000000000000001","parent_id":null,"service":"a","name":"call","kind":"client","start_ns":1800000000010000000,"duration_ns":100000000,"status":"unset","tags":{},"process":{"host.name":"h1"},"events":[],"refs":[]}
		{"trace_id":"00000000000000a1","span_id":"0000000000000002","parent_id":"0000000000000001","service":"b","name":"serve","kind":"server","start_ns":1800000000000000000,"duration_ns":50000000,"status":"unset","tags":{},"process":{"host.name":"h2"},"events":[],"refs":[]}
	EOF
	span-decode --from jsonl skewed.jsonl >skewed
	trace-view --span 0000000000000002 --adjust-clock 1s skewed >moved
	grep -q ' +25.0ms$' moved
	grep -q 'spantools.clock_skew_ns  35000000$' moved
	trace-view --span 0000000000000002 --adjust-clock 10ms skewed >refused
	grep -q 'spantools.clock_skew_refused_ns  35000000$' refused
	run -1 grep -q clock_skew <(trace-view --span 0000000000000002 skewed)
}

@test "trace-view: spans that were asked for stand out with other times too" {
	marked() {
		trace-view --utc --no-fold --no-critical --operation 'SELECT *' "$@" in |
			grep '^▸'
	}
	span-query --spans -c --operation 'SELECT *' in >want
	marked | wc -l | diff want -
	marked --adjust-clock 1s >moved
	wc -l <moved | diff want -
	run -1 grep -v SELECT moved
}

@test "trace-view: names that attack are shown as escapes" {
	span-gen --seed 3 -p hostile -n 60 >hostile
	for options in '' --events --errors '--find a'; do
		# shellcheck disable=SC2086
		trace-view $options hostile >shown || [ $? = 1 ]
		run -1 grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]' shown
	done
}

@test "trace-view: an empty stream shows nothing and is exit 1" {
	run --separate-stderr -1 trace-view /dev/null
	[ -z "$output$stderr" ]
}

@test "trace-view: torn input is an error, after what came before it" {
	head -c 20000 in >torn
	run --separate-stderr -65 trace-view torn
	[[ $stderr = *"torn: "* ]]
	[ -n "$output" ]
}

@test "trace-view: columns are those that were chosen, a tag among them" {
	run --separate-stderr -0 trace-view --utc --width 120 --error --limit 1 \
		--columns operation,kind,status,self,critical,.http.status_code,id in
	same trace-view-columns.want
	run -0 trace-view --width 40 --columns service,.http.url,id,self,duration --limit 1 in
	run -1 grep -qP '^.{41}' <<<"$output"
	run -2 trace-view --columns service,nothing in
	[[ $output = *"no column 'nothing': "* ]]
	run -2 trace-view --columns service --html in
	run -2 trace-view --columns .http.url,id,.http.url in
	[[ $output = *"column '.http.url' twice"* ]]
	run -2 trace-view --columns "$(printf '.k,%.0s' {1..16})id" in
}

# Traces a1 to a4, of a span each: a1 links to a2 and a3, a2 to a1 and itself,
# a3 to a4, and a4 to one that is not there.
linked() {
	local n
	for n in 1 2 3 4; do
		case $n in
		1) set -- a2 a3 ;;
		2) set -- a1 a2 ;;
		3) set -- a4 ;;
		4) set -- b9 ;;
		esac
		jq -nc --arg n "$n" '{trace_id: "a\($n)", span_id: $n, parent_id: null,
			service: "s\($n)", name: "op \($n)", kind: "consumer",
			start_ns: 18000000000, duration_ns: 1000000, status: "unset",
			tags: {}, process: {}, events: [], refs: [$ARGS.positional[] |
			{type: "link", trace_id: ., span_id: "1", tags: {}}]}' --args "$@"
	done | span-decode --from jsonl
}

@test "trace-view: linked traces are shown below, each once, from a store and from files" {
	linked >links
	span-store append -q store links
	trace-view --utc --follow-links --service s1 links >got 2>warnings
	same trace-view-links.want - <got
	[ "$(cat warnings)" = "trace-view: warning: 1 linked trace is not here" ]
	trace-view -q --utc --follow-links --service s1 -s store | diff got -
	trace-view -q --utc --follow-links --service s1 <links | diff got -
	# Those that are shown anyway are not shown again.
	trace-view -q --follow-links links | grep -c '^linked from' | diff - <(echo 0)
	run -0 trace-view -q --follow-links --html --service s1 links
	[ "$(grep -o '"note":"linked from' <<<"$output" | wc -l)" = 3 ]
	run -2 trace-view --follow-links --events links
}

# Trace 1 links to N others, of which all but two are there; the last of them
# come in parts when memory is short.
fan() {
	awk -v n="$1" 'BEGIN {
		printf "{\"trace_id\":\"1\",\"span_id\":\"1\",\"parent_id\":null,\"service\":\"s\",\"name\":\"root\",\"kind\":\"server\",\"start_ns\":1000,\"duration_ns\":10,\"status\":\"unset\",\"tags\":{},\"process\":{},\"events\":[],\"refs\":["
		for (i = 2; i <= n + 1; i++)
			printf "%s{\"type\":\"link\",\"trace_id\":\"%x\",\"span_id\":\"1\",\"tags\":{}}", (i > 2 ? "," : ""), i
		print "]}"
		for (i = 2; i < n; i++)
			printf "{\"trace_id\":\"%x\",\"span_id\":\"1\",\"parent_id\":null,\"service\":\"l\",\"name\":\"op\",\"kind\":\"server\",\"start_ns\":1000,\"duration_ns\":10,\"status\":\"unset\",\"tags\":{},\"process\":{},\"events\":[],\"refs\":[]}\n", i
	}' | span-decode --from jsonl
}

@test "trace-view: linked traces are counted as they are, in parts and at limits" {
	fan 900 >fan
	run --separate-stderr -0 trace-view -v --follow-links --service s fan
	[ "$(grep -c '^linked from 0000000000000001, span 0000000000000001$' <<<"$output")" = 898 ]
	[ "${stderr_lines[0]}" = "trace-view: warning: 2 linked traces are not here" ]
	[[ ${stderr_lines[1]} = "trace-view: 899 traces, 899 spans in "* ]]
	[ "${#stderr_lines[@]}" = 2 ]
	# a span has 1,024 references at most, which is more than are shown
	fan 1010 >fan
	run --separate-stderr -0 trace-view --follow-links --service s fan
	[ "$(grep -c '^linked from' <<<"$output")" = 1000 ]
	[ "$stderr" = "trace-view: warning: the first 1000 linked traces are shown: there are more" ]
	# a linked trace that comes in parts is one, and is not missed
	jq -nc '{trace_id: "a1", span_id: "1", parent_id: null, service: "s", name: "root",
		kind: "server", start_ns: 1000, duration_ns: 10, status: "unset", tags: {}, process: {},
		events: [], refs: [{type: "link", trace_id: "a2", span_id: "1", tags: {}}]},
		(range(20000) | {trace_id: "a2", span_id: "\(. + 1)", parent_id: null, service: "l", name: "op",
		kind: "server", start_ns: (1000 + .), duration_ns: 10, status: "unset",
		tags: {a: "0123456789", b: "0123456789"}, process: {}, events: [], refs: []})' |
		span-decode --from jsonl >parts
	run --separate-stderr -0 trace-view --memory 4M --follow-links --service s --depth 1 parts
	[ "$(grep -c '^linked from' <<<"$output")" -gt 1 ]
	[ "$stderr" = "trace-view: warning: 1 trace was cut for want of memory; see --memory" ]
	# levels: a chain of twelve
	for i in {1..12}; do
		jq -nc --arg i "$i" '{trace_id: "c\($i)", span_id: "1", parent_id: null, service: "s\($i)",
			name: "op", kind: "server", start_ns: 1000, duration_ns: 10, status: "unset", tags: {},
			process: {}, events: [], refs: ([range(2) | {type: "link",
			trace_id: "c\(($i | tonumber) + 1)", span_id: "\(. + 1)", tags: {}}])}'
		jq -nc --arg i "$i" '{trace_id: "c\($i)", span_id: "2", parent_id: "1", service: "s\($i)",
			name: "op", kind: "server", start_ns: 1000, duration_ns: 10, status: "unset", tags: {},
			process: {}, events: [], refs: [{type: "link",
			trace_id: "c\(($i | tonumber) + 1)", span_id: "1", tags: {}}]}'
	done | span-decode --from jsonl >chain
	run --separate-stderr -0 trace-view --follow-links --service s1 chain
	[ "$(grep -c '^linked from .*, span 0000000000000001 and 1 more$' <<<"$output")" = 8 ]
	[ "$stderr" = "trace-view: warning: links are followed for 8 levels: there are more" ]
	run --separate-stderr -0 trace-view --follow-links --service s5 chain
	[ "$stderr" = "trace-view: warning: 1 linked trace is not here" ]
}

@test "trace-view: links to follow cannot be found in a pipe" {
	run --separate-stderr ! bash -c "cat <(true) /dev/stdin | trace-view --follow-links --service s1" < <(linked)
	[[ $stderr = *"a pipe cannot be read again"* ]]
	[[ $output = *"s1 op 1"* ]]
}

@test "trace-view: options that do not go together are wrong usage" {
	run -2 trace-view --span 1 --events in
	run -2 trace-view --events --errors in
	run -2 trace-view --find x --errors in
	run -2 trace-view --find '' in
	run -2 trace-view --relative nothing in
	# what would do nothing
	run -2 trace-view --relative trace in
	[[ $output = *"--relative goes with --span, --events or --errors"* ]]
	for options in '--depth 2 --events' '--no-fold --errors' '--no-critical --span 1' \
		'--depth 2 --findings' '--no-fold --error-patterns' '--no-critical --findings' \
		'--no-fold --html' '--width 100 --html' '--width 100 --svg' '--ascii --html' \
		'--ascii --svg' '--width 100 --findings -o json' '--ascii --findings -o json' \
		'--depth 0' '--width 0' '--width 1001'; do
		# shellcheck disable=SC2086
		run -2 trace-view $options in
		option=${options%% *}
		[[ $output = "trace-view: "*"$option"* ]]
	done
	run -0 trace-view --events --width 100 --ascii in
	run -0 trace-view --svg --no-fold --no-critical --depth 2 in
}

@test "trace-view: -v counts one as one" {
	run --separate-stderr -0 trace-view -v --trace-id a1 --depth 1 <(row_of_three | span-decode --from jsonl)
	[[ $stderr = *": 1 trace, 4 spans in "* ]]
	span-decode --from jsonl >dropped <<-'EOF'
		{"trace_id":"a1","span_id":"1","parent_id":null,"service":"a","name":"n","kind":"client","start_ns":5,"duration_ns":1,"status":"unset","tags":{"k":1},"dropped_tags":1,"process":{},"events":[],"dropped_events":1,"refs":[]}
	EOF
	run -0 trace-view --span 0 dropped
	[ "$(grep -c '  (1 more was dropped by the sender)' <<<"$output")" = 2 ]
	run -0 trace-view --html dropped
	[[ $output = *'"1 event was dropped by the sender"'*'"1 was dropped by the sender"'* ]]
}

@test "trace-view: a store shows the same as the stream" {
	span-store append -q s in
	alike <(trace-view --error in) <(trace-view --error -s s)
}

@test "trace-view: findings of a trace, with the spans that show them" {
	run --separate-stderr -0 trace-view --utc --findings --error --limit 1 in
	[ -z "$stderr" ]
	same trace-view-findings.want
	# All evidence is in the trace.
	trace-view --findings -o json --error --limit 1 in >found
	span-query --error --limit 1 --spans -o jsonl in | jq -r .trace_id >id
	jq -e --arg id "$(cat id)" '.trace_id == $id' found
	jq -r '.findings[] | .spans[], .parent_id | values' found | sort -u >named
	span-query --trace-id "$(cat id)" -o jsonl in | jq -r '.. | .span_id? // empty' |
		sort -u >there
	[ -s named ]
	[ -z "$(comm -23 named there)" ]
}

@test "trace-view: findings of many traces are counted and ranked" {
	run --separate-stderr -0 trace-view --findings in
	[ -z "$stderr" ]
	same trace-view-findings-many.want
	trace-view --findings -o json in >found
	[ "$(jq .traces found)" = 200 ]
	jq -e '[.groups[] | select(.kind == "n+1")] | .[0].service == "cart"' found
	jq -e '.groups | map(select(.kind == "error") | .time_ns) | . == (sort | reverse)' found
}

@test "trace-view: thresholds decide what stands out" {
	n_plus_1() {
		trace-view --findings -o json "$@" in | jq '[.groups[] | select(.kind == "n+1")] | length'
	}
	[ "$(n_plus_1)" = 1 ]
	[ "$(n_plus_1 --repeat 100)" = 0 ]
	gaps() {
		trace-view --findings -o json "$@" in | jq '[.groups[] | select(.kind == "gap")] | length'
	}
	[ "$(gaps)" -lt "$(gaps --min-time 1us --min-share 0.01)" ]
	run --separate-stderr -1 trace-view --findings --guilty-share 1 --repeat 100 \
		--min-time 1h --min-skew 1h '{ name = "render" }' --limit 1 in
	[[ $output = *"nothing stands out" ]]
	run -2 trace-view --repeat 3 in
	run -2 trace-view --findings --repeat 1 in
	run -2 trace-view --findings --min-share 2 in
	run -2 trace-view --findings --errors in
	run -2 trace-view -o json in
}

@test "trace-view: findings of names that attack are harmless, and of nothing are exit 1" {
	span-gen --seed 3 -p hostile -n 60 >hostile
	for id in $(span-query -o ids hostile | head -n 20); do
		trace-view --findings --trace-id "$id" hostile || [ $? = 1 ]
		trace-view --findings -o json --trace-id "$id" hostile >json || [ $? = 1 ]
		jq -e . json >/dev/null
	done >shown
	trace-view --findings hostile >>shown || [ $? = 1 ]
	run -1 grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]' shown
	[ "$(LC_ALL=C.UTF-8 wc -L <shown)" -le 120 ]
	run --separate-stderr -1 trace-view --findings /dev/null
	[ -z "$output$stderr" ]
}

@test "trace-view: error patterns name what was planted, and nothing else" {
	run --separate-stderr -0 trace-view --error-patterns patterns
	[ -z "$stderr" ]
	same trace-view-patterns.want
	trace-view --error-patterns -o json patterns >found
	jq -e '.failing == 30 and .rest == 270' found
	jq -e '.patterns[0] | .key == "method" and .value == "paypal" and
		.failing == 30 and .rest == 30' found
	jq -e '[.patterns[] | select(.key == "shop" or .key == "order")] == []' found
	jq -e '.durations | length == 1 and .[0].within == 29 and .[0].failures == 30' found
}

@test "trace-view: the statistics of patterns are those of exact fractions" {
	trace-view --error-patterns -o json --max-q 1 --min-support 1 patterns in >found
	/usr/bin/python3 - found <<-'EOF'
		import json, math, sys
		from fractions import Fraction
		d = json.load(open(sys.argv[1]))
		f, r = d["failing"], d["rest"]
		assert len(d["patterns"]) > 5
		for p in d["patterns"]:
		    a, b = p["failing"], p["rest"]
		    k = a + b
		    exact = float(Fraction(
		        sum(math.comb(f, i) * math.comb(r, k - i)
		            for i in range(a, min(f, k) + 1)), math.comb(f + r, k)))
		    assert math.isclose(p["p"], exact, rel_tol=1e-9), p
		    assert p["q"] >= p["p"]
		    assert p["odds_low"] < p["odds_ratio"] < p["odds_high"]
		    assert math.isclose(p["lift"], a / k / (f / (f + r)))
	EOF
}

@test "trace-view: without failures, or without the rest, there is no pattern" {
	run --separate-stderr -1 trace-view --error-patterns '{ .method = "card" }' patterns
	[[ ${lines[1]} = "no pattern" ]]
	run --separate-stderr -1 trace-view --error-patterns /dev/null
	[ -z "$output$stderr" ]
	run -2 trace-view --error-patterns --findings patterns
	run -2 trace-view --max-q 0.1 patterns
	run -2 trace-view --error-patterns --max-q 2 patterns
	run -2 trace-view --error-patterns --find x patterns
}

@test "trace-view: patterns of names that attack are harmless" {
	span-gen --seed 3 -p hostile -n 60 >hostile
	trace-view --error-patterns --max-q 1 --min-support 1 hostile >shown || [ $? = 1 ]
	run -1 grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]' shown
	trace-view -o json --error-patterns --max-q 1 --min-support 1 hostile | jq -e . >/dev/null
}
