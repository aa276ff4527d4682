#!/usr/bin/env bats

load lib

demo() {
	span-gen --topology "$SRC/examples/topology.json" --seed 1 -n 200
}

# A file of spans that are 100 ms apart, from lines of JSON without ids:
# service, name, kind, status, duration_ms, [trace state].
made() {
	jq -c -R -s 'split("\n")[:-1] | to_entries[] | (.value | split(" ")) as $f
		| {trace_id: ("0000000000000000" + (.key + 1 | tostring))[-16:],
		   span_id: ("0000000000000000" + (.key + 1 | tostring))[-16:],
		   service: $f[0], name: $f[1], kind: $f[2],
		   start_ns: (1767225600000000000 + .key * 100000000),
		   duration_ns: ($f[4] | tonumber * 1000000),
		   status: $f[3], trace_state: ($f[5] // ""), tags: {}}' |
		span-decode --from jsonl
}

@test "span-stats: table, csv and json of a small shop" {
	demo >in
	for format in table csv json; do
		run --separate-stderr -0 span-stats -o $format in
		[ -z "$stderr" ]
		same span-stats-$format.want
	done
}

@test "span-stats: counts and quantiles are those of Python over the spans" {
	for args in "-n 300" "-n 200 --services 30" "-p deep -n 5" "-p wide -n 1"; do
		# shellcheck disable=SC2086
		span-gen --seed 2 --error-rate 0.1 $args >in
		span-query --spans -o jsonl in >in.jsonl
		for by in service,operation kind,error service,http.method; do
			echo "$args $by"
			span-stats --all-kinds -o json --by $by in >got
			/usr/bin/python3 "$SRC/tests/span-stats.py" in.jsonl got ${by/,/ }
		done
	done
}

@test "span-stats: servers and consumers count unless others are asked for" {
	demo >in
	kinds() {
		span-stats -o json --by kind "$@" in | jq -r '[.groups[].labels.kind] | sort | @csv' | tr -d '"'
	}
	[ "$(kinds)" = consumer,server ]
	[ "$(kinds --kind client)" = client ]
	[ "$(kinds -e '{ kind = producer }')" = producer ]
	[ "$(kinds --all-kinds)" = "$(span-query --spans -o jsonl in | jq -r '.kind // ""' | sort -u | paste -sd ,)" ]
	made >internal <<<"a x internal unset 1"
	run --separate-stderr -0 span-stats internal
	[ -z "$output" ]
	[ "$stderr" = "span-stats: warning: no span is of a server or a consumer; see --all-kinds" ]
}

@test "span-stats: rates are about the time of the input, or of the selection" {
	yes "a x server unset 0" | head -n 11 | made >in
	rate() { span-stats -o json "$@" in | jq '.groups[0] | [.calls, .rate]' -c; }
	[ "$(rate)" = "[11,11]" ]
	[ "$(rate --since 2026-01-01T00:00:00.5Z)" = "[6,12]" ]
	[ "$(rate --since 2026-01-01T00:00:00Z --until 2026-01-01T00:00:10Z)" = "[11,1.1]" ]
}

@test "span-stats: sampled spans count as many times as they stand for" {
	printf '%s\n' "a x server error 8 ot=th:c" "a x server unset 2" >lines
	made <lines >in
	run -0 span-stats -o csv in
	[[ ${lines[1]} = '"a","x",5,4,0.8,'* ]]
	[[ ${lines[1]} = *,6800000 ]]
	run -0 span-stats -o csv --unweighted in
	[[ ${lines[1]} = '"a","x",2,1,0.5,'* ]]
	span-store append -q s in
	alike <(span-stats -o csv in) <(span-stats -o csv -s s)
	alike <(span-stats -o csv --unweighted in) <(span-stats -o csv --unweighted -s s)
}

@test "span-stats: a histogram counts each bound into its bucket" {
	printf 'a x server unset %s\n' 1 2 3 10 11 >lines
	made <lines >in
	run -0 span-stats -o csv --buckets 2ms,10ms in
	[[ ${lines[0]} = *,le_2000000,le_10000000,le_inf ]]
	[[ ${lines[1]} = *,2,4,5 ]]
	run -0 span-stats -o json --histogram in
	jq -e '.groups[0].histogram | length == 17 and .[0] == {le_ns: 2000000, count: 2}
		and .[-1] == {le_ns: null, count: 5}' <<<"$output"
	run -0 span-stats --buckets 1ms,2ms,10ms,1s,2s in
	diff -u - <(echo "$output") <<-'END'
		service  operation  calls     rate  err %     p50     p95     p99
		a        x              5  12.17/s      0  2.98ms  10.9ms  10.9ms
		     duration      calls
		    <= 1.00ms          1  ████████████
		    <= 2.00ms          1  ████████████
		    <= 10.0ms          2  ████████████████████████
		     <= 1.00s          1  ████████████
	END
}

@test "span-stats: a store gives the same as the stream, sealed or not" {
	for args in "--rate 30" "-p wide --rate 1" "-p hostile --rate 30"; do
		echo "$args"
		rm -rf s
		# shellcheck disable=SC2086
		span-gen --seed 4 $args --spans 6000 >in
		span-store append --no-seal -q --rotate-size 300K s in
		at=$(span-query --spans -o jsonl in | jq -r .start | sort | sed -n 3000p)
		for sealed in no yes; do
			[ $sealed = no ] || span-store seal -q --all s
			for how in "" "--all-kinds --by service" "--since $at" \
				"--kind client --by kind,error,name" "--until $at --step 1m" \
				"--service ~^[a-p]" "--step 1s" "--histogram"; do
				# shellcheck disable=SC2086
				span-stats -o csv $how in >want
				# shellcheck disable=SC2086
				diff -u want <(span-stats -o csv $how -s s)
			done
		done
	done
}

@test "span-stats: groups are sorted, and the first of them shown" {
	demo >in
	span-stats -o csv --sort calls in | tail -n +2 | cut -d, -f3 >calls
	sort -rn -c calls
	span-stats -o csv --sort ratio in | tail -n +2 | cut -d, -f5 >ratio
	sort -rg -c ratio
	span-stats -o csv --sort name in | tail -n +2 | cut -d, -f1,2 | LC_ALL=C sort -c
	run --separate-stderr -0 span-stats --top 2 in
	[ ${#lines[@]} = 3 ]
	[[ $stderr = "span-stats: "*" more groups are not shown; see --top" ]]
}

@test "span-stats: an expression and the selection choose what is counted" {
	demo >in
	all=$(span-query --spans -c '{ duration > 20ms }' in)
	[ "$(span-stats -o json '{ duration > 20ms }' in | jq .spans)" = "$all" ]
	all=$(span-query --spans -c '{ kind = client } > { kind = server }' in)
	[ "$(span-stats -o json '{ kind = client } > { kind = server }' in | jq .spans)" = "$all" ]
	all=$(span-query --spans -c --error --kind server in)
	[ "$(span-stats -o json --error --kind server in | jq .spans)" = "$all" ]
}

# promtool has nothing to say, but that milliseconds are no base unit.
promtool_accepts() {
	command -v promtool >/dev/null || return 0
	promtool check metrics <"$1" >said 2>&1 || [ $? = 3 ]
	run -1 grep -v 'use base unit "seconds" instead of "milliseconds"' said
}

@test "span-stats: metrics for Prometheus, in the names of OpenTelemetry and Tempo" {
	demo >in
	for names in otel otel-seconds tempo; do
		span-stats -o prometheus --metric-names $names --by payment.method in >out
		promtool_accepts out
		[ $names = otel ] || [ ! -s said ]
	done
	grep -qxF 'traces_spanmetrics_calls_total{service="cart",span_name="Count",span_kind="SPAN_KIND_SERVER",status_code="STATUS_CODE_UNSET",payment_method=""} 70' out
	grep -qF 'traces_spanmetrics_latency_bucket{service="cart",span_name="Count",span_kind="SPAN_KIND_SERVER",status_code="STATUS_CODE_UNSET",payment_method="",le="0.002"} 70' out
	run -0 span-stats -o prometheus in
	grep -qxF 'traces_span_metrics_duration_milliseconds_count{service_name="mail",span_name="order confirmed",span_kind="SPAN_KIND_CONSUMER",status_code="STATUS_CODE_UNSET"} 43' <<<"$output"
	span-gen --seed 3 -p hostile -n 60 | span-stats -o prometheus --by status_message >out
	promtool_accepts out
	run -0 span-stats -o prometheus </dev/null
	[ -z "$output" ]
	run --separate-stderr -2 span-stats -o prometheus --by a.b,a_b.c,a.b_c in
	[[ $stderr = *"two fields have the label a_b_c"* ]]
	run --separate-stderr -2 span-stats -o prometheus --step 1m in
}

@test "span-stats: OpenMetrics has a span for each bucket" {
	demo >in
	span-stats -o openmetrics in >out
	[ "$(tail -n 1 out)" = "# EOF" ]
	grep -oE '^traces_span_metrics_duration_milliseconds_bucket.*service_name="mail".*le="50.0".* # .*' out >line
	[[ $(cat line) =~ trace_id=\"([0-9a-f]{32})\",span_id=\"([0-9a-f]{16})\"\}\ ([0-9.]+)$ ]]
	span-query --spans -o jsonl --trace-id "${BASH_REMATCH[1]}" in |
		jq -e --arg id "${BASH_REMATCH[2]}" --argjson ms "${BASH_REMATCH[3]}" \
			'select(.span_id == $id) | .service == "mail" and .duration_ns == $ms * 1000000'
	/usr/bin/python3 -c 'import prometheus_client' 2>/dev/null || return 0
	/usr/bin/python3 -c 'import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
assert len(list(parse(sys.stdin.read()))) == 2' <out
}

@test "span-stats: a plot and pictures in a table show calls over time" {
	demo >in
	run --separate-stderr -0 span-stats -o plot --by service --step 100ms --utc in
	[ -z "$stderr" ]
	same span-stats-plot.want
	run --separate-stderr -0 span-stats --by service --step 200ms in
	same span-stats-step.want
	LC_ALL=C run -0 span-stats -o plot --value latency --by service --step 1s in
	run -1 grep -P '[^\x00-\x7f]' <<<"$output"
	run --separate-stderr -2 span-stats -o plot in
	[ "${stderr_lines[0]}" = "span-stats: -o plot shows times: --step says of which length" ]
	run -0 span-stats -o plot --step 1s </dev/null
	[ -z "$output" ]
}

@test "span-stats: no line is wider than the terminal" {
	span-gen --seed 1 -n 300 --rate 10 >in
	for columns in 80 200; do
		for how in "" "--step 1s" "-o plot --step 100ms" \
			"--by service,operation,kind,http.method --all-kinds"; do
			script -qec "stty cols $columns; span-stats $how in" /dev/null </dev/null >out
			[ "$(wc -l <out)" -gt 10 ]
			[ "$(tr -d '\r' <out | wc -L)" -le $columns ]
		done
	done
}

@test "span-stats: the scale of a picture is in numbers that people read, and fits" {
	span-gen --seed 1 -n 300 --rate 100000 >fast
	run -0 span-stats --all-kinds -o plot --step 1ms --kind client '{ } | rate()' fast
	[[ ${lines[1]} =~ ^' '*[0-9]{2,3},[0-9]{3}/s' │' ]]
	span-stats --all-kinds -o svg --step 1ms --kind client '{ } | rate()' fast >svg
	grep -qE '>[0-9]{2,3},[0-9]{3}/s<' svg
	run -1 grep -F 'e+' svg
	for start in 1000000000 9000000000000000000; do
		echo '{"trace_id":"1","span_id":"1","service":"a","name":"b","kind":"server",' \
			'"start_ns":'$start',"duration_ns":1,"tags":{},"process":{}}'
	done | span-decode --from jsonl >rare
	run -0 span-stats -o plot --step 1000d rare
	[[ ${lines[1]} = '1.2e-08/s │'* ]]
	run -1 grep -E '^.{81}' <<<"$output"
}

@test "span-stats: a locale without UTF-8 gets ASCII, in columns" {
	printf '%s\n' 'Zürich ü server ok 10' 'b b server ok 10' |
		made >in
	LC_ALL=C run -0 span-stats in
	[[ ${lines[1]} = 'Z\u00fcrich  \u00fc '* ]]
	[[ ${lines[2]} = 'b            b          '* ]]
	LC_ALL=C run -0 span-stats -o plot --step 1s in
	[ "${lines[0]}" = 'Z\u00fcrich \u00fc: rate' ]
}

@test "span-stats: the SVG is well-formed, needs nothing, and names in it do no harm" {
	span-gen --seed 3 -p hostile -n 60 >in
	for value in rate ratio latency; do
		span-stats -o svg --all-kinds --step 1s --value $value in >out.svg
		/usr/bin/python3 -c 'import sys, xml.dom.minidom as m
d = m.parse("out.svg")
assert {e.tagName for e in d.getElementsByTagName("*")} <= {"svg", "title", "style", "rect", "text", "line", "polyline"}
assert len(d.getElementsByTagName("polyline")) == 8'
		run -1 grep -iE 'href|script|url\(|@import|nan' out.svg
	done
	demo >in
	run --separate-stderr -0 span-stats -o svg --all-kinds --step 1s in
	groups=$(($(span-stats -o csv --all-kinds in | wc -l) - 1))
	[ "$stderr" = "span-stats: $((groups - 8)) more groups are not shown; see --sort" ]
	run --separate-stderr -0 span-stats -o svg --top 8 --all-kinds --step 1s in
	[ -z "$stderr" ]
}

@test "span-stats: memory is bounded whatever it is grouped by" {
	span-gen --seed 1 --spans 200000 >in
	run --separate-stderr -0 span-stats --all-kinds --by span_id -o json in
	[[ $stderr = "span-stats: warning: "*" spans are beyond 131072 rows, "* ]]
	[ "$(jq -c '[(.groups | length), .spans + .left_out]' <<<"$output")" = \
		"[131072,$(span-query --spans -c in)]" ]
}

@test "span-stats: a metrics function of TraceQL says what is counted by what" {
	demo >in
	alike <(span-stats -o csv '{ kind = server } | quantile_over_time(duration, .9, 1) by(service, .http.method)' in) \
		<(span-stats -o csv --kind server --quantile 0.9,1 --by service,.http.method in)
	alike <(span-stats -o json '{ } | histogram_over_time(duration) by(name)' in) \
		<(span-stats -o json --all-kinds --histogram --by name in)
	[ "$(span-stats -o json '{ status = error } | rate()' in | jq -c '[.groups[] | [.labels, .calls]]')" = \
		"[[{},$(span-query --spans -c --status error in)]]" ]
	alike <(span-stats -o csv '{ kind = client } > { } | count_over_time() by(kind)' in) \
		<(span-stats -o csv --by kind '{ kind = client } > { }' in)
	spans=$(span-query --spans -o jsonl --kind server in)
	span-store append -q s in
	span-store seal -q --all s
	for what in "min min" "max max" "sum add" "avg add/length|floor"; do
		read -r name filter <<<"$what"
		want=$(jq -rs "map(.duration_ns) | $filter" <<<"$spans")
		for where in in "-s s"; do
			# shellcheck disable=SC2086
			span-stats -o json "{ kind = server } | ${name}_over_time(duration)" $where |
				jq -e --argjson want "$want" --arg name "${name/avg/mean}_ns" \
					'.groups[0] | .[$name] == $want and .mean_ns and (has("p50_ns") | not)'
		done
	done
	[ "$(span-stats -o csv '{ } | max_over_time(duration)' in | head -n 1)" = \
		calls,errors,error_ratio,rate,max,mean ]
	run -0 span-stats -o plot --step 1s '{ kind = server } | sum_over_time(duration)' in
	[ "${lines[0]}" = sum ]
	run -0 span-stats '{ kind = server } | min_over_time(duration) by(service)' in
	[[ ${lines[0]} =~ "err %     min"$ ]]
	for fields in span:name=name span:kind=kind span:status=status \
		span:duration=duration statusMessage=status_message \
		span:statusMessage=status_message span:id=span_id trace:id=trace_id \
		span:parentID=parent_id '."http.method"=http.method' \
		'span."http.method"=span.http.method'; do
		alike <(span-stats -o csv "{ } | rate() by(${fields%=*})" in | tail -n +2) \
			<(span-stats -o csv --all-kinds --by "${fields#*=}" in | tail -n +2)
	done
	for field in parent.name event.name link.a instrumentation.a; do
		refuses "by(): '$field' is no field of a span or its process" \
			span-stats "{ } | rate() by($field)" in
	done
	while IFS='|' read -r column expression said; do
		run --separate-stderr -2 span-stats "${expression//;/|}" in
		[[ ${stderr_lines[0]} = "span-stats: expression, column $column: $said"* ]]
		[[ ${stderr_lines[2]} =~ ^\ *\^$ ]]
		[ ${#stderr_lines[2]} = $((column + 2)) ]
	done <<-'END'
		36|{ } ; quantile_over_time(duration, 2)|a number from 0 to 1 was expected
		7|{ } ; topk(10)|topk() is a metrics function that is not supported
		8|({ } ; rate())|a metrics function comes last
		14|{ } ; rate() ; count() > 2|an operator, '|' or the end
		27|{ } ; histogram_over_time(name)|duration was expected
		17|{ } ; rate() by(1)|a field was expected
	END
	run --separate-stderr -2 span-stats '{ } | rate() by(trace:rootName)' in
	[[ ${stderr_lines[0]} = "span-stats: by(): there is no field 'trace:rootName' of a span"* ]]
	run --separate-stderr -2 span-stats --by kind '{ } | rate() by(name)' in
	[ "${stderr_lines[0]}" = "span-stats: --by and by() at once" ]
}

@test "span-stats: the time of a stream is that of all its spans, however they are chosen" {
	demo >in
	times() {
		span-stats -o json "$@" | jq -c '[.from, .to]'
	}
	want=$(times in)
	[[ $want = '["2026-01-01T'* ]]
	for how in "--service mail" "-e {.nothing=1}" "-e {kind=consumer}>{}" \
		"--trace-id $(span-query -o ids --limit 1 in)"; do
		# shellcheck disable=SC2086
		[ "$(times $how in)" = "$want" ]
		# shellcheck disable=SC2086
		[ "$(times $how - <in)" = "$want" ]
	done
}

@test "span-stats: spans of other kinds are counted one by one, of a store too" {
	demo >in
	span-store append -q s in
	span-store seal -q --all s
	all=$(span-query --spans -c in)
	for where in in "-s s"; do
		# shellcheck disable=SC2086
		run --separate-stderr -0 span-stats -v $where
		[[ $stderr =~ ^"span-stats: "([0-9]+)" spans counted, "([0-9]+)" of other kinds, 6 groups, " ]]
		[ $((BASH_REMATCH[1] + BASH_REMATCH[2])) = "$all" ]
	done
}

@test "span-stats: sums of durations are exact beyond 64 bits" {
	for i in {1..7}; do
		echo "{\"trace_id\":\"$i\",\"span_id\":\"$i\",\"service\":\"a\",\"name\":\"x\",\"kind\":\"server\",\"start_ns\":$i,\"duration_ns\":5000000000000000000}"
	done | span-decode --from jsonl >in
	span-store append -q --no-seal s in
	for sealed in no yes; do
		[ $sealed = no ] || span-store seal -q --all s
		for where in in "-s s"; do
			# shellcheck disable=SC2086
			[ "$(span-stats -o csv $where | tail -n 1 | cut -d, -f10)" = 5000000000000000000 ]
			# shellcheck disable=SC2086
			span-stats -o prometheus --metric-names tempo $where |
				grep -q '^traces_spanmetrics_latency_sum.* 35000000000$'
		done
	done
	span-stats --partial in >a.spm
	[ "$(span-stats --merge -o csv a.spm a.spm | tail -n 1 | cut -d, -f10)" = 5000000000000000000 ]
}

@test "span-stats: a count that cannot grow is told" {
	made >in <<-'END'
		a x server unset 1 ot=th:ffffffffffffff
		a x server unset 1 ot=th:ffffffffffffff
	END
	span-stats --partial in >a.spm
	run --separate-stderr -0 span-stats --merge a.spm
	[ -z "$stderr" ]
	for _ in {1..16}; do
		span-stats --merge --partial a.spm a.spm >b.spm
		mv b.spm a.spm
	done
	run --separate-stderr -0 span-stats --merge a.spm
	[ "$stderr" = "span-stats: warning: a count is above 281474976710655, and shown as that; see --unweighted" ]
	[[ ${lines[1]} = *" 281,474,976,710,656 "* ]]
}

@test "span-stats: the picture of a long time shows the greatest of steps that share a column" {
	# One call in each step, but for three in the last of the first three.
	for i in {1..36}; do
		echo "a x server unset 1"
	done | made >in
	run -0 span-stats --by service --step 100ms in
	[[ ${lines[1]} = *"  ████████████" ]]
	run -0 span-stats --by service --step 70ms in
	[[ ${lines[1]} = *"  ████████████" ]]
}

@test "span-stats: any step and any time make a plot" {
	made >in <<-'END'
		a x server unset 1
		a x server unset 1
	END
	# The first and the last time that there is.
	span-decode --from jsonl >ends <<-'END'
		{"trace_id":"1","span_id":"1","service":"a","name":"x","kind":"server","start_ns":0,"duration_ns":1}
		{"trace_id":"2","span_id":"2","service":"a","name":"x","kind":"server","start_ns":18446744073709551615,"duration_ns":0}
	END
	for input in in ends; do
		for step in 1ns 1ms 213000d; do
			echo "$input $step"
			run --separate-stderr -0 span-stats -o plot --step $step $input
			[ ${#lines[@]} = 8 ]
			[[ ${lines[1]} = *"/s │"*"█"* ]]
			[[ ${lines[7]} = *" in steps of "* && ${lines[7]} != *", 0 in"* ]]
			run --separate-stderr -0 span-stats --step $step $input
			[[ ${lines[1]} = *█* ]]
			span-stats -o svg --step $step $input >svg
			[ "$(grep -c 'text-anchor="\(start\|end\)">[0-9]*-.*Z</text>' svg)" = 2 ]
			run -1 grep -E 'nan|inf' svg
		done
	done
	grep -q '>2554-07-21T23:34:33Z</text>' svg
}

@test "span-stats: labels that Prometheus keeps for itself are exported ones" {
	span-decode --from jsonl >in <<-'END'
		{"trace_id":"1","span_id":"1","service":"a","name":"x","kind":"server","start_ns":1,"duration_ns":1,"tags":{"le":"5","__name__":"n","__x":"y"}}
		{"trace_id":"2","span_id":"2","service":"a","name":"x","kind":"server","start_ns":1,"duration_ns":1,"tags":{"le":"6","__name__":"n","__x":"y"}}
	END
	span-stats -o prometheus --by .le,.__name__,span.__x in >out
	promtool_accepts out
	grep -qF ',exported_le="5",exported___name__="n",exported___x="y",le="2"} 1' out
	line=$(grep -F 'exported_le="5"' out | grep bucket | head -n 1)
	[ "$(span-query --spans -c --matchers "$line" in)" = 1 ]
	[ "$(span-query --spans -c --matchers "${line/'le="2"'/'le="0"'}" in)" = 0 ]
	refuses "--by: two fields have the label exported_le" \
		span-stats -o prometheus --by .le,.exported_le in
}

@test "span-stats: bounds of OpenMetrics are numbers in its canonical form" {
	made >in <<<"a x server unset 1"
	bounds() {
		span-stats -o openmetrics --metric-names "$1" --buckets "$2" in |
			sed -nE 's/.*le="([^"]*)".*/\1/p' | paste -sd ' '
	}
	[ "$(bounds otel-seconds 1ns,15us,100us,2s,300h)" = "1e-09 1.5e-05 0.0001 2.0 1.08e+06 +Inf" ]
	[ "$(bounds otel 1us,2ms,15s,1000s)" = "0.001 2.0 15000.0 1e+06 +Inf" ]
}

@test "span-stats: durations are grouped by what they are, not by how they are shown" {
	printf 'a x server unset %s\n' 1.0001 1.0002 1.0002 >lines
	made <lines >in
	[ "$(span-stats -o csv --by duration in | tail -n +2 | cut -d, -f1,2 | sort | paste -sd ' ')" = \
		'"1000100",1 "1000200",2' ]
	alike <(span-stats -o csv --by duration in) \
		<(span-stats -o csv '{ kind = server } | rate() by(duration)' in)
}

@test "span-stats: a histogram of samples rounds as the table does" {
	made >in <<<"a x server unset 1 ot=th:6"
	run -0 span-stats --histogram in
	[[ ${lines[1]} =~ " 2 " ]]
	[[ ${lines[3]} = *"<= 2.00ms          2 "* ]]
}

@test "span-stats: long names are written without being held in memory" {
	[ "${SANITIZERS:-no}" != yes ] || skip "sanitizers take their own"
	jq -nc '("n" * 60000) as $n | range(400) | {trace_id: "1", span_id: "1",
		service: "a", name: "\($n)\(.)", kind: "server", start_ns: ., duration_ns: 1}' |
		span-decode --from jsonl >in
	# 19 lines a name in the output, which is 460 MB.
	limited() {
		ulimit -v 200000
		span-stats -o openmetrics in
	}
	limited | wc -c >size
	[ "${PIPESTATUS[0]}" = 0 ]
	[ "$(<size)" -gt 400000000 ]
}

@test "span-stats: names that attack are harmless" {
	span-gen --seed 3 -p hostile -n 60 >in
	for format in table "plot --step 1h" "svg --step 1h" csv json; do
		# shellcheck disable=SC2086
		span-stats -o $format --all-kinds --by service,operation,status_message in >out
		[ -s out ]
		run -1 grep -qP '[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8e\x8f\xaa-\xae]' out
	done
	jq . out >/dev/null
}

@test "span-stats: empty input is no group" {
	run --separate-stderr -0 span-stats </dev/null
	[ -z "$output$stderr" ]
	run -0 span-stats -o json </dev/null
	jq -e '.groups == [] and .spans == 0' <<<"$output"
}

@test "span-stats: torn input is an error with its place" {
	tells_torn span-stats
}

@test "span-stats: wrong usage is exit 2" {
	refuses "*'wrong'*" span-stats -o wrong
	refuses "a FILE and --store at once: 'file'" span-stats -s store '{ }' file
	refuses "*--wrong*" span-stats --wrong
	refuses "--by, column 9: there is no field 'servcie' of a span; an attribute is .servcie" \
		span-stats --by service,servcie
	refuses "--by, column 14: 'service' is there twice" span-stats --by service,.a.b,service
	refuses "--quantile: '95' is no number from 0 to 1" span-stats --quantile 0.5,95
	refuses "--quantile: p50 is there twice" span-stats --quantile 0.5 --quantile .50
	refuses "quantile_over_time(): p90 is there twice" \
		span-stats '{ } | quantile_over_time(duration, .9, 0.90)'
	refuses "*have to ascend" span-stats --buckets 2ms,1ms
	refuses "--step: a time above 0 is needed" span-stats --step 0
	refuses "-o plot shows times: --step says of which length" span-stats -o plot
}

@test "span-stats: an option that would do nothing is refused" {
	while IFS='|' read -r args said; do
		# shellcheck disable=SC2086
		refuses "$said" span-stats $args </dev/null
	done <<-'END'
		-o prometheus --top 3|-o prometheus goes with no --top
		-o openmetrics --sort name|-o openmetrics goes with no --sort
		-o prometheus --quantile 0.5|-o prometheus goes with no --quantile
		-o prometheus --step 1m|-o prometheus has no times, and goes with no --step
		--value rate|--value is for -o plot and svg
		-o csv --metric-names tempo|--metric-names is for -o prometheus and openmetrics
		-o plot --step 1s --histogram|-o plot goes with no --histogram
		-o svg --step 1s --buckets 1s|-o svg goes with no --buckets
		-o plot --step 1s --value ratio --quantile .9|--value ratio goes with no --quantile
		--partial -o csv|--partial writes a partial result, and no csv
		--partial --sort name|--partial goes with no --sort
		--partial --top 3|--partial goes with no --top
		--partial --quantile .9|--partial goes with no --quantile
	END
	refuses "--quantile, and a function that says what is shown of durations" \
		span-stats --quantile .9 '{ } | avg_over_time(duration)'
	span-store init s
	refuses "--totals of a store go with no --limit" span-stats --totals t -s s --limit 3
	# What metrics have anyway may be said.
	demo >in
	alike <(span-stats -o prometheus --by http.method in) \
		<(span-stats -o prometheus --by service,http.method in)
}

@test "span-stats: a full disk is exit 74, a closed pipe a silent 141" {
	demo >in
	run --separate-stderr -74 full_disk span-stats in
	[[ $stderr = *"No space left"* ]]
	run --separate-stderr -141 closed_pipe span-stats in
	[ -z "$stderr" ]
}
