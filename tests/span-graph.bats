#!/usr/bin/env bats

load lib

demo() {
	span-gen --topology "$SRC/examples/topology.json" --seed 1 -n 200
}

@test "span-graph: a small shop in every format" {
	demo >in
	for format in dot json csv matrix mermaid graphml cytoscape grafana jaeger prometheus; do
		run --separate-stderr -0 span-graph -o $format in
		[ -z "$stderr" ]
		same span-graph-$format.want
	done
}

# The calls among the spans of standard input, counted from JSON by jq.
count_calls() {
	span-query --spans -o jsonl | jq -r -s '
		INDEX("\(.trace_id) \(.span_id)") as $by
		| [.[] | select(.parent_id) | . as $child | $by["\(.trace_id) \(.parent_id)"]
			| select(. and .service != $child.service)
			| {edge: [.service, $child.service,
				if $child.kind == "consumer" or .kind == "producer" then "async" else "sync" end],
			   error: (if $child.status == "error" then 1 else 0 end)}]
		| group_by(.edge)[] | .[0].edge[:2] + [length, (map(.error) | add)] + .[0].edge[2:] | @csv'
}

@test "span-graph: counts are those of jq over the spans" {
	for args in "-n 300" "-n 200 --services 30" "-p deep -n 5" "-p wide -n 1"; do
		# shellcheck disable=SC2086
		span-gen --seed 2 --error-rate 0.1 $args >in
		span-graph -o csv in | tail -n +2 | cut -d , -f 1-4,9 | tr -d '"' >got
		count_calls <in | tr -d '"' >want
		echo "$args"
		[ -s want ]
		diff want got
	done
}

@test "span-graph: dot is the default, and input order does not matter" {
	demo | span-graph >whole
	diff -u "$DATA/span-graph-dot.want" whole
	demo | span-sample -r 0.5 >half
	demo >in
	demo | span-query --spans --sort duration -o spans >sorted
	diff -u whole <(span-graph --window 1h sorted)
}

@test "span-graph: spans that are there twice count twice" {
	demo >in
	span-graph -o json in in | jq -c 'del(.calls[].mean_ns)' >twice
	span-graph -o json in | jq -c 'del(.calls[].mean_ns)
		| walk(if type == "number" then 2 * . else . end)
		| .calls[] |= (.p50_ns /= 2 | .p95_ns /= 2 | .p99_ns /= 2)' >once
	diff -u once twice
	span-store append -q s in in
	span-graph -o json -s s | jq -c 'del(.calls[].mean_ns)' | diff -u once -
}

@test "span-graph: Graphviz draws it, also names that attack" {
	command -v dot >/dev/null || skip "no Graphviz"
	span-gen --seed 3 -p hostile -n 60 | span-graph >hostile.dot
	run --separate-stderr -0 dot -Tplain hostile.dot
	[ -z "$stderr" ]
	grep -c '^node' <<<"$output" >drawn
	grep -cE '^	n[0-9]+ \[' hostile.dot >written
	cmp drawn written
	grep -c '^edge' <<<"$output" >drawn
	grep -cE '^	n[0-9]+ -> n[0-9]+ \[' hostile.dot >written
	cmp drawn written
	# No name leaves its line or its quotes.
	run -1 grep -vE '^(digraph services \{|\}|	(rankdir=LR;|(node|edge) \[.*\];|n[0-9]+( -> n[0-9]+)? \[label=".*\];))$' hostile.dot
}

@test "span-graph: self edges are left out unless asked for" {
	demo >in
	span-graph -o csv in >others
	run -1 grep -E '^"(.*)","\1",' others
	span-graph -o csv --self-edges in | grep -E '^"(.*)","\1",' >self
	[ "$(wc -l <self)" = 3 ]
}

@test "span-graph: spans without their parents are orphans, not calls" {
	demo | span-sample -r 1 --service payment >in
	run --separate-stderr -0 span-graph -v -o csv in
	[ "$output" = parent,child,calls,errors,p50,p95,p99,mean,kind ]
	[[ $stderr =~ (4[0-9])" traces, "[0-9]+" spans (0 roots, "([0-9]+)" orphans)," ]]
	[ "${BASH_REMATCH[1]}" = "${BASH_REMATCH[2]}" ]
}

@test "span-graph: selected traces count whole, but for the time" {
	demo >in
	span-graph -o json --service payment in >p.json
	[ "$(jq '.roots' p.json)" = "$(jq '.calls[] | select(.child == "payment").calls' p.json)" ]
	jq -e '[.services[].service] == ["cart", "mail", "payment", "web"]' p.json
	# 2 seconds of traffic at 100 traces a second, in two halves.
	all=$(span-graph -o json in | jq -c .spans)
	middle=2026-01-01T00:00:01Z
	first=$(span-graph -o json --until $middle in | jq .spans)
	last=$(span-graph -o json --since $middle in | jq .spans)
	[ "$first" -gt 0 ]
	[ "$last" -gt 0 ]
	[ $((first + last)) = "$all" ]
}

# A store's graph is that of the stream, in every form and any time.
same_graph() {
	local store=$1 stream=$2 time
	for format in dot json csv; do
		alike <(span-graph --memory 1G -o $format "$stream") \
			<(span-graph -o $format -s "$store")
	done
	for time in "--since $3" "--until $3" "--since $3 --until $4"; do
		# shellcheck disable=SC2086
		alike <(span-graph --memory 1G -o json --self-edges $time "$stream") \
			<(span-graph -o json --self-edges $time -s "$store")
	done
}

@test "span-graph: a store gives the same as the stream, sealed or not" {
	rotate=300K
	for args in "--rate 30" "--rate 30 --topology $SRC/examples/topology.json" \
		"-p deep --rate 5" "-p wide --rate 1" "-p hostile --rate 30"; do
		echo "$args"
		rm -rf s
		# Hostile traces, in several files, have all that may differ.
		[[ $args != *hostile* ]] || rotate=64M
		# shellcheck disable=SC2086
		span-gen --seed 4 $args --spans 6000 >in
		at=$(span-query --spans -o jsonl in | jq -r .start | sort | sed -n "2000p;4000p")
		# shellcheck disable=SC2086
		{
			span-store append --no-seal -q --rotate-size $rotate s in
			same_graph s in $at
			span-store seal -q --all s
			same_graph s in $at
		}
	done
}

@test "span-graph: a store with segments, logs and a live log gives the same" {
	span-gen --seed 5 --spans 9000 --rate 100 >in
	mkfifo fifo acks
	span-store append --no-seal -q --rotate-size 200K --sync each --ack-fd 3 s <fifo 3>acks &
	pid=$!
	exec 7>fifo 8<acks
	cat in >&7
	n=0
	while [ "$n" -lt 9000 ]; do
		read -r -t 10 -u 8 _ _ _ _ count
		n=$((n + count))
	done
	[ -e s/00000002.log ]
	[ -n "$(find s -name "*.open")" ]
	at=$(span-query --spans -o jsonl in | jq -r .start | sort | sed -n "3000p;6000p")
	# shellcheck disable=SC2086
	same_graph s in $at
	span-store seal -q --all s
	[ -n "$(find s -name "*.seg")" ]
	# shellcheck disable=SC2086
	same_graph s in $at
	exec 7>&-
	ends 0 $pid
}

@test "span-graph: a stream is cut for want of memory, a store is not" {
	# The consumers' spans come late: their traces are cut before.
	span-gen --seed 1 --spans 40000 --rate 300000 >in
	span-store append --no-seal -q s in
	span-graph --memory 1G -o csv in >whole
	run --separate-stderr -0 span-graph --memory 100K -o csv in
	[[ $stderr = *" traces were cut for want of memory; see --memory" ]]
	calls() { sed -nE 's/^"checkout","notification",([0-9]+),.*/\1/p'; }
	[ "$(calls <<<"$output")" -lt "$(calls <whole)" ]
	run --separate-stderr -0 span-graph --memory 100K -o csv -s s
	[ -z "$stderr" ]
	same "$PWD/whole"
}

@test "span-graph: empty input is an empty graph" {
	run --separate-stderr -0 span-graph </dev/null
	[ -z "$stderr" ]
	[ "${lines[0]}" = "digraph services {" ]
	[ ${#lines[@]} = 5 ]
	run -0 span-graph -o json </dev/null
	jq -e '.services == [] and .calls == [] and .spans == 0' <<<"$output"
}

@test "span-graph: torn input is an error with its place" {
	tells_torn span-graph
	[[ $output = *"->"* ]]
}

@test "span-graph: wrong usage is exit 2" {
	refuses "*'svg'*" span-graph -o svg
	refuses "a FILE and --store at once: 'file'" span-graph -s store '{ }' file
	refuses "*--wrong*" span-graph --wrong
	run -0 span-graph --help
}

@test "span-graph: a full disk is exit 74, a closed pipe a silent 141" {
	demo >in
	run --separate-stderr -74 full_disk span-graph in
	[[ $stderr = *"No space left"* ]]
	run --separate-stderr -141 closed_pipe span-graph in
	[ -z "$stderr" ]
}

@test "span-graph: logs are read beside segments, with the same result" {
	span-gen --seed 1 --spans 30000 >a.spans
	span-gen --seed 2 --start 2026-01-01T00:01:00Z --spans 20000 >b.spans
	span-gen --seed 3 --start 2026-01-01T00:02:00Z --spans 20000 >c.spans
	span-store append -q --no-seal s a.spans
	span-store seal -q --all s
	span-store append -q --no-seal s b.spans
	span-store append -q --no-seal s c.spans
	[ "$(span-store stat -o json s | jq '[.segments, .closed] | @csv' -r)" = 1,2 ]
	span-graph -o csv --memory 1G a.spans b.spans c.spans >want
	span-graph -s s -o csv >got
	diff -u want got
	span-graph -s s -o csv --since 2026-01-01T00:01:30Z >got
	taskset -c "$(one_cpu)" span-graph -s s -o csv \
		--since 2026-01-01T00:01:30Z >want
	diff -u want got
	# damage is told, once, and costs the frame that has it
	log=$(echo s/*2.log)
	printf X | dd of="$log" bs=1 seek=1000000 conv=notrunc status=none
	run -0 --separate-stderr span-graph -s s -o csv
	[ "${#stderr_lines[@]}" = 1 ]
	[[ $stderr = "span-graph: warning: $log: damaged at byte "* ]]
	taskset -c "$(one_cpu)" span-graph -s s -o csv 2>/dev/null >want
	diff -u want - <<<"$output"
	[ "$(wc -l <want)" -gt 5 ]
}

# A processor that this process may use.
one_cpu() {
	taskset -pc $BASHPID | sed 's/.*[ ,-]//'
}

@test "span-graph: operations, and what has no spans, in every format" {
	demo >in
	for format in dot json csv mermaid; do
		run --separate-stderr -0 span-graph --by operation --peers -o $format in
		[ -z "$stderr" ]
		same span-graph-operations-$format.want
	done
	run --separate-stderr -2 span-graph --by operation -o jaeger in
}

@test "span-graph: calls of operations are those of an independent count" {
	span-gen --seed 7 -n 400 --error-rate 0.1 >in
	span-query --spans -o jsonl in >in.jsonl
	for by in service operation; do
		span-graph --by $by --peers -o csv in |
			python3 -c 'import csv, sys
for r in csv.DictReader(sys.stdin):
    print(r["parent"], r.get("parent_operation", ""), r["child"], r.get("child_operation", ""),
          r["child_type"], r["kind"], r["calls"], r["errors"], sep="|")' | sort >got
		python3 "$SRC/tests/graph-count.py" $by <in.jsonl | sort >want
		[ "$(wc -l <want)" -gt 10 ]
		diff -u want got
	done
}

@test "span-graph: every format is what its reader expects, also of names that attack" {
	span-gen --seed 3 -p hostile -n 60 >in
	for by in service operation; do
		for format in json cytoscape grafana; do
			span-graph --by $by --peers -o $format in | jq -e . >/dev/null
		done
		span-graph --by $by --peers -o prometheus in >metrics
		! command -v promtool || promtool check metrics <metrics
		span-graph --by $by --peers -o graphml in >xml
		! command -v xmllint || xmllint --noout xml
		span-graph --by $by --peers -o csv in | python3 -c 'import csv, sys
n = {len(r) for r in csv.reader(sys.stdin, strict=True)}
assert len(n) == 1, n'
		# No name leaves its label.
		span-graph --by $by --peers -o mermaid in >mermaid
		run -1 grep -vE '^(flowchart LR|	(subgraph s[0-9]+\[".*"\]|end|n[0-9]+(\[|\(\[|\[\[|\[\()"[^]["<>`\\|{}]*"(\]|\]\)|\]\]|\)\])|n[0-9]+ (-->|-\.->)\|"[0-9,a-z ]*"\| n[0-9]+|linkStyle [0-9]+ stroke:#[0-9a-f]*,stroke-width:[0-9.]*px))$' mermaid
		for format in dot json csv mermaid graphml cytoscape grafana prometheus; do
			# No control, and no character that turns the direction of text.
			span-graph --by $by --peers -o $format in | tr -d '\r\n\t' >text
			run -1 env LC_ALL=C grep -aqP '[\x00-\x1f\x7f]|\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]' text
		done
	done
}

@test "span-graph: links to other traces are edges" {
	cat >in.json <<'END'
{"resourceSpans":[
 {"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"batch"}}]},
  "scopeSpans":[{"spans":[
   {"traceId":"0000000000000000000000000000000b","spanId":"00000000000000b1","name":"run","startTimeUnixNano":"1000","endTimeUnixNano":"3000",
    "links":[{"traceId":"0000000000000000000000000000000a","spanId":"00000000000000a1"},
             {"traceId":"0000000000000000000000000000000c","spanId":"00000000000000c1"}]}]}]},
 {"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"web"}}]},
  "scopeSpans":[{"spans":[
   {"traceId":"0000000000000000000000000000000a","spanId":"00000000000000a1","name":"order","startTimeUnixNano":"500","endTimeUnixNano":"900"}]}]}]}
END
	span-decode --from otlp-json in.json >in
	run --separate-stderr -0 span-graph --links -o csv in
	[ "${lines[1]}" = '"web","batch",1,0,2000,2000,2000,2000,link' ]
	[ ${#lines[@]} = 2 ]
	[ "$stderr" = "span-graph: warning: 1 link leads to spans that are not there" ]
	span-store append -q s in
	run --separate-stderr -0 span-graph --links -o csv -s s
	[ ${#lines[@]} = 2 ]
	run -0 span-graph -o csv in
	[ ${#lines[@]} = 1 ]
}

@test "span-graph: sampled traces count as many as they stand for" {
	demo | span-query --spans -o jsonl | jq -c '.trace_state = "ot=th:c"' |
		span-decode --from jsonl >in
	span-graph -o json in | jq -c '.calls[] | [.calls * 4, .errors * 4, .p50_ns, .mean_ns]' >want
	[ "$(wc -l <want)" = 3 ]
	span-graph --weighted -o json in | jq -c '.calls[] | [.calls, .errors, .p50_ns, .mean_ns]' | diff want -
	span-store append -q s in
	span-graph --weighted -o json -s s | jq -c '.calls[] | [.calls, .errors, .p50_ns, .mean_ns]' | diff want -
}

@test "span-graph: only a part of it, on request" {
	span-gen --seed 1 -n 500 >in
	edges() { span-graph -o csv "$@" in | tail -n +2 | cut -d, -f 1-2 | tr -d '"'; }
	edges >all
	edges --focus payment --depth 1 >near
	grep -x -e '.*,payment' -e 'payment,.*' all | diff - near
	# Without a depth: everything on the way from the gateway to a payment.
	edges --focus payment >far
	grep -qx gateway,checkout far
	run -1 grep -x gateway,search far
	span-graph -o csv in | tail -n +2 | sort -t, -k3,3nr -s | head -n 3 | sort >want
	span-graph -o csv --top 3 in | tail -n +2 | sort | diff want -
	span-graph -o csv in | awk -F, 'NR == 1 || $3 >= 100' >want
	span-graph -o csv --min-calls 100 in | diff want -
	span-graph -o csv in | grep -E 'kind$|,async$' >want
	span-graph -o csv --edges async in | diff want -
	run --separate-stderr -1 span-graph --focus nothing in
	[ -z "$output" ]
	[ "$stderr" = "span-graph: warning: no such service in the graph" ]
	run --separate-stderr -2 span-graph --depth 1 in
	span-graph --focus payment --by operation -o json in | jq -e '.calls | length > 2'
}

@test "span-graph: what is named alike stays apart, but for Jaeger" {
	# A service mail, a queue, a database and something external of that name.
	i=0
	for tags in '"messaging.system":"kafka"' '"db.system":"pg"' '"x":"y"'; do
		i=$((i + 1))
		printf '{"trace_id":"%d","span_id":"1","service":"web","name":"a","kind":"producer","start_ns":1,"duration_ns":5,"tags":{%s,"peer.service":"mail"}}\n' $i "$tags"
	done >in.jsonl
	cat >>in.jsonl <<'END'
{"trace_id":"9","span_id":"1","service":"web","name":"a","kind":"producer","start_ns":1,"duration_ns":5}
{"trace_id":"9","span_id":"2","parent_id":"1","service":"mail","name":"b","kind":"consumer","start_ns":1,"duration_ns":5}
END
	span-decode --from jsonl in.jsonl >in
	[ "$(span-graph --peers -o csv in | tail -n +2 | wc -l)" = 4 ]
	span-graph --peers -o prometheus in >metrics
	[ "$(grep -c '^traces_service_graph_request_total{.*} 1$' metrics)" = 4 ]
	for type in queue database external service; do
		grep -q "^traces_service_graph_request_total{.*,server_type=\"$type\"} 1" metrics
	done
	span-graph -o prometheus in >metrics
	run -1 grep server_type metrics
	span-graph --peers -o jaeger in |
		jq -e '.data == [{parent: "web", child: "mail", callCount: 4}]'
}

@test "span-graph: histograms are those of a naive count" {
	# At, below and above each bound, and durations of everyday.
	{
		span-gen --seed 5 -n 300 | span-query --spans -o jsonl | jq .duration_ns
		span-graph -o prometheus <(demo) | grep -oE 'le="[0-9.]+"' | sort -u | tr -dc '0-9.\n' |
			awk '{ n = $1 * 1e9; printf "%.0f\n%.0f\n%.0f\n", n - 1, n, n + 1 }'
	} >durations
	[ "$(wc -l <durations)" -gt 1000 ]
	awk '{ printf "{\"trace_id\":\"%x\",\"span_id\":\"1\",\"service\":\"a\",\"name\":\"x\",\"start_ns\":1,\"duration_ns\":1}\n", NR
		printf "{\"trace_id\":\"%x\",\"span_id\":\"2\",\"parent_id\":\"1\",\"service\":\"b\",\"name\":\"x\",\"start_ns\":1,\"duration_ns\":%s}\n", NR, $1 }' durations |
		span-decode --from jsonl >in
	span-graph -o prometheus in | sed -nE 's/.*_bucket\{.*le="([0-9.]+)"\} ([0-9]+)$/\1 \2/p' >got
	[ "$(wc -l <got)" = 14 ]
	while read -r le n; do
		[ "$n" = "$(awk -v le="$le" '$1 < le * 1e9 + 0.5' durations | wc -l)" ]
	done <got
}

@test "span-graph: long names are written as they come, not kept all at once" {
	# 1,000 operations of a service with a name of 60 KB: 120 MB of edges.
	awk 'BEGIN { for (name = "s"; length(name) < 60000;) name = name name
		for (i = 1; i <= 1000; i++)
		printf "{\"trace_id\":\"1\",\"span_id\":\"%d\",\"parent_id\":\"%d\",\"service\":\"%s\",\"name\":\"x%d\",\"start_ns\":%d,\"duration_ns\":1}\n",
			i, i - 1, name, i, i }' |
		sed 's/"parent_id":"0",//' | span-decode --from jsonl >in
	mkfifo fifo
	for format in csv json cytoscape grafana graphml; do
		span-graph --by operation -o $format in >fifo &
		exec 7<fifo
		# It waits for who reads the rest.
		head -c 1 <&7 >/dev/null
		kb=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' /proc/$!/status)
		echo "$format: $kb kB"
		[ "$kb" -lt 100000 ]
		cat <&7 | tail -c 100 >/dev/null
		exec 7<&-
		ends 0 $!
	done
}
