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
	diff <(span-stats -o csv in) <(span-stats -o csv -s s)
	diff <(span-stats -o csv --unweighted in) <(span-stats -o csv --unweighted -s s)
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
	run -0 span-stats --buckets 2ms,10ms in
	[[ ${lines[2]} = *"<= 2.00ms"*" 2 "* ]]
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
				diff -u <(span-stats -o csv $how in) <(span-stats -o csv $how -s s)
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
	run ! grep -v 'use base unit "seconds" instead of "milliseconds"' said
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

@test "span-stats: totals of a store have each span once, run after run" {
	span-gen --seed 1 --spans 3000 >a
	span-gen --seed 2 --spans 3000 >b
	calls() { span-stats -o prometheus --totals t "$@" | grep -v '^#' | sort; }
	span-store append -q s a
	diff <(calls -s s) <(span-stats -o prometheus a | grep -v '^#' | sort)
	cp t before
	calls -s s >same
	diff same <(span-stats -o prometheus a | grep -v '^#' | sort)
	span-store append -q s b
	span-store seal -q --all s
	span-stats -o prometheus a b | grep -v '^#' | sort >want
	diff want <(calls -s s)
	diff want <(calls -s s)
	# A run that could not keep its totals says so, and writes nothing.
	cp before t
	run --separate-stderr -74 bash -c 'ulimit -f 0; trap "" XFSZ; span-stats -o prometheus --totals t -s s'
	[ -z "$output" ]
	cmp before t
	diff want <(calls -s s)
}

@test "span-stats: totals of files add up" {
	demo >in
	span-stats -o csv --totals t in | cut -d, -f1-4 >once
	span-stats -o csv --totals t in | cut -d, -f1-4 >twice
	diff <(span-stats -o csv in in | cut -d, -f1-4) twice
	diff <(span-stats -o csv in | cut -d, -f1-4) once
	run --separate-stderr -2 span-stats --totals t --by kind in
	[[ $stderr = "span-stats: t: a partial result of other options"* ]]
	span-store append -q s in
	run --separate-stderr -2 span-stats --totals t -s s
	[ "$stderr" = "span-stats: t: these are totals of a FILE, not of a store" ]
	head -c 100 t >torn
	run --separate-stderr -65 span-stats --totals torn in
	[[ $stderr = "span-stats: torn: bad partial result: "* ]]
}

@test "span-stats: partial results make what one run makes" {
	span-gen --seed 1 --spans 3000 >a
	span-gen --seed 2 --spans 2000 >b
	span-gen --seed 3 -p hostile -n 20 >c
	for how in "" "--step 1s" "--all-kinds --histogram --by kind,http.method"; do
		for f in a b c; do
			# shellcheck disable=SC2086
			span-stats --partial $how $f >$f.spm
		done
		for format in csv json; do
			# shellcheck disable=SC2086
			span-stats -o $format $how a b c >want
			# shellcheck disable=SC2086
			diff want <(span-stats --merge -o $format $how a.spm b.spm c.spm)
			# shellcheck disable=SC2086
			diff want <(cat c.spm a.spm b.spm | span-stats --merge -o $format $how)
		done
	done
	run --separate-stderr -2 span-stats --merge --by kind a.spm
	[[ $stderr = "span-stats: a.spm: a partial result of other options; "* ]]
	head -c 200 a.spm >torn
	run --separate-stderr -65 span-stats --merge torn
	run --separate-stderr -65 span-stats --merge a
	[ "$stderr" = "span-stats: a: bad partial result: it is none" ]
}

@test "span-stats: partial results and totals keep to what was selected" {
	demo >in
	span-stats --partial --service cart --error in >a.spm
	span-stats --partial '{ kind = client }' in >b.spm
	span-stats --partial --all-kinds in >c.spm
	span-stats --partial --since 2020-01-01 in >d.spm
	# What they were made with holds, and need not be said again.
	diff <(span-stats -o csv --service cart --error in) <(span-stats -o csv --merge a.spm)
	span-stats -o csv --merge --service cart --error a.spm a.spm >/dev/null
	span-stats -o csv --merge --all-kinds c.spm >/dev/null
	span-stats -o csv --merge d.spm d.spm >/dev/null
	while IFS='|' read -r args theirs ours; do
		# shellcheck disable=SC2086
		run --separate-stderr -2 span-stats --merge $args
		[ "$stderr" = "span-stats: ${args##* }: it was made with $theirs, not with $ours" ]
	done <<-'END'
		a.spm d.spm|--kind=server --kind=consumer|--kind=server --kind=consumer --service=cart --error
		a.spm b.spm|--all-kinds --expression="{ kind = client }"|--kind=server --kind=consumer --service=cart --error
		d.spm c.spm|--all-kinds|--kind=server --kind=consumer
		--service mail a.spm|--kind=server --kind=consumer --service=cart --error|--kind=server --kind=consumer --service=mail
		--all-kinds d.spm|--kind=server --kind=consumer|--all-kinds
	END
	span-stats -q --totals t --service cart in >/dev/null
	cp t before
	run --separate-stderr -2 span-stats --totals t in
	[ "$stderr" = "span-stats: t: it was made with --kind=server --kind=consumer --service=cart, not with --kind=server --kind=consumer" ]
	run --separate-stderr -2 span-stats --totals t --service cart --all-kinds in
	cmp before t
	span-stats -q --totals t --service cart --until 2100-01-01 in >/dev/null
	run ! cmp -s before t
}

@test "span-stats: one run at a time has totals" {
	demo >in
	span-store append -q s in
	span-stats -q --totals t -s s >want
	cp t before
	for where in in "-s s"; do
		# shellcheck disable=SC2086
		run --separate-stderr -75 flock t.lock span-stats --totals t $where
		[ -z "$output" ]
		[ "$stderr" = "span-stats: $PWD/t.lock: another process has it" ]
		cmp before t
	done
	run --separate-stderr -0 flock -n t.lock true
	diff want <(span-stats -q --totals t -s s)
	[ ! -s t.lock ]
	# By a link to them it is the same lock.
	mkdir other
	ln -s ../t other/link
	run -75 flock t.lock span-stats --totals other/link -s s
	run --separate-stderr -74 span-stats --totals none/t in
	[[ $stderr = "span-stats: cannot open none/t.lock: "* ]]
}

@test "span-stats: a plot and pictures in a table show calls over time" {
	demo >in
	run --separate-stderr -0 span-stats -o plot --by service --step 100ms --utc in
	[ -z "$stderr" ]
	same span-stats-plot.want
	run --separate-stderr -0 span-stats --by service --step 200ms in
	same span-stats-step.want
	LC_ALL=C run -0 span-stats -o plot --value latency --by service --step 1s in
	run ! grep -P '[^\x00-\x7f]' <<<"$output"
	run --separate-stderr -2 span-stats -o plot in
	[ "${stderr_lines[0]}" = "span-stats: -o plot shows times: --step says of which length" ]
	run -0 span-stats -o plot --step 1s </dev/null
	[ -z "$output" ]
}

@test "span-stats: no line is wider than the terminal" {
	span-gen --seed 1 -n 300 --rate 10 >in
	for columns in 80 200; do
		for how in "" "--step 1s" "-o plot --step 100ms"; do
			script -qec "stty cols $columns; span-stats $how in" /dev/null </dev/null >out
			[ "$(wc -l <out)" -gt 10 ]
			[ "$(tr -d '\r' <out | wc -L)" -le $columns ]
		done
	done
}

@test "span-stats: the SVG is well-formed, needs nothing, and names in it do no harm" {
	span-gen --seed 3 -p hostile -n 60 >in
	for value in rate ratio latency; do
		span-stats -o svg --all-kinds --step 1s --value $value in >out.svg
		/usr/bin/python3 -c 'import sys, xml.dom.minidom as m
d = m.parse("out.svg")
assert {e.tagName for e in d.getElementsByTagName("*")} <= {"svg", "title", "style", "rect", "text", "line", "polyline"}
assert len(d.getElementsByTagName("polyline")) == 8'
		run ! grep -iE 'href|script|url\(|@import|nan' out.svg
	done
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
	diff <(span-stats -o csv '{ kind = server } | quantile_over_time(duration, .9, 1) by(service, .http.method)' in) \
		<(span-stats -o csv --kind server --quantile 0.9,1 --by service,.http.method in)
	diff <(span-stats -o json '{ } | histogram_over_time(duration) by(name)' in) \
		<(span-stats -o json --all-kinds --histogram --by name in)
	[ "$(span-stats -o json '{ status = error } | rate()' in | jq -c '[.groups[] | [.labels, .calls]]')" = \
		"[[{},$(span-query --spans -c --status error in)]]" ]
	diff <(span-stats -o csv '{ kind = client } > { } | count_over_time() by(kind)' in) \
		<(span-stats -o csv --by kind '{ kind = client } > { }' in)
	while IFS='|' read -r column expression said; do
		run --separate-stderr -2 span-stats "${expression//;/|}" in
		[[ ${stderr_lines[0]} = "span-stats: expression, column $column: $said"* ]]
		[[ ${stderr_lines[2]} =~ ^\ *\^$ ]]
		[ ${#stderr_lines[2]} = $((column + 2)) ]
	done <<-'END'
		36|{ } ; quantile_over_time(duration, 2)|a number from 0 to 1 was expected
		7|{ } ; sum_over_time(duration)|sum_over_time() is a metrics function that is not supported
		8|({ } ; rate())|a metrics function comes last
		14|{ } ; rate() ; count() > 2|an operator, '|' or the end
		27|{ } ; histogram_over_time(name)|duration was expected
		17|{ } ; rate() by(1)|a field was expected
	END
	run --separate-stderr -2 span-stats '{ } | rate() by(trace:rootName)' in
	[[ ${stderr_lines[0]} = "span-stats: by(), column 1: there is no field"* ]]
	run --separate-stderr -2 span-stats --by kind '{ } | rate() by(name)' in
	[ "${stderr_lines[0]}" = "span-stats: --by and by() at once" ]
}

@test "span-stats: names that attack are harmless" {
	span-gen --seed 3 -p hostile -n 60 >in
	for format in table "plot --step 1h" "svg --step 1h" csv json; do
		# shellcheck disable=SC2086
		span-stats -o $format --all-kinds --by service,operation,status_message in >out
		[ -s out ]
		run ! grep -qP '[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8e\x8f\xaa-\xae]' out
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
	demo | head -c 30000 >torn
	run --separate-stderr -65 span-stats torn
	[ -z "$output" ]
	[[ $stderr =~ ^"span-stats: torn: bad frame at byte "[1-9][0-9]*": the input ends inside it"$ ]]
	run --separate-stderr -0 span-stats --skip-bad torn
	[[ $stderr = *"damaged bytes"* ]]
}

@test "span-stats: the example of a day by the hour gives the day" {
	span-gen --seed 1 -n 200 --rate 1 --start 'yesterday 11:58' |
		span-store append DIR
	sed -n '/^seq -w/,/^\.Ed/{/^\.Ed/d;s/\\e$/\\/;p}' \
		"$SRC/man/span-stats.1" >example
	bash example >got
	files=(./*.spm)
	[ ${#files[@]} = 24 ]
	span-stats -s DIR --since yesterday --until today >want
	grep -q checkout want
	diff -u <(tail -n +3 want) <(tail -n +3 got)
}

@test "span-stats: wrong usage is exit 2" {
	run --separate-stderr -2 span-stats -o wrong
	[[ ${stderr_lines[0]} = *"'wrong'"* ]]
	run --separate-stderr -2 span-stats --by service,servcie
	[[ ${stderr_lines[0]} = "span-stats: --by, column 9: there is no field 'servcie' of a span; an attribute is .servcie" ]]
	run --separate-stderr -2 span-stats --quantile 0.5,95
	[[ ${stderr_lines[0]} = "span-stats: --quantile: '95' is no number from 0 to 1" ]]
	run --separate-stderr -2 span-stats --buckets 2ms,1ms
	[[ ${stderr_lines[0]} = *"have to ascend" ]]
}

@test "span-stats: a full disk is exit 74, a closed pipe a silent 141" {
	demo >in
	run --separate-stderr -74 full_disk span-stats in
	[[ $stderr = *"No space left"* ]]
	run --separate-stderr -141 closed_pipe span-stats in
	[ -z "$stderr" ]
}
