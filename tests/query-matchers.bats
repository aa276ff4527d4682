#!/usr/bin/env bats

load lib

demo() {
	span-gen --topology "$SRC/examples/topology.json" --seed 1 "$@"
}

# Each line of an exposition chooses as many spans as it says that there are.
come_back() {
	local line got
	grep -vE '^#|_sum\{' "$1" >lines
	[ -s lines ]
	while IFS= read -r line; do
		[[ $line =~ \}\ ([0-9]+)( |$) ]]
		got=$(span-query --spans -c --matchers "$line" "${@:2}") || true
		if [ "$got" != "${BASH_REMATCH[1]}" ]; then
			echo "$got spans, not those of ${line::400}"
			return 1
		fi
	done <lines
}

@test "matchers: each series of span-stats is taken back to the spans that it counts" {
	demo -n 60 >in
	span-store append -q s in
	for names in otel otel-seconds tempo; do
		span-stats -o prometheus --buckets 2ms,50ms --metric-names $names in >out
		come_back out in
		come_back out -s s
	done
	span-stats -o openmetrics --unweighted --buckets 5ms --by .payment.method,error,.http.status_code,resource.host.name in |
		grep -v '_total{' >out
	grep -q ' # {trace_id=' out
	come_back out in
	span-stats -o prometheus --buckets 5ms --by tag:http.method in | grep _count >out
	grep -q ',http_method="GET"} ' out
	come_back out -s s
}

@test "matchers: what attackers put into names and values comes back" {
	span-gen --seed 3 -p hostile -n 12 >in
	span-stats -o prometheus --unweighted --by status_message,.http.url in | grep '_total{' >out
	grep -qF '\\x1b' out
	come_back out in
	span-stats -o prometheus --unweighted --by trace_id in | grep '_total{' >out
	come_back out in
}

@test "matchers: a label is any attribute that becomes it" {
	demo -n 100 >in
	count() { span-query --spans -c "$@" in; }
	n=$(count --tag payment.method=card)
	[ "$n" -gt 0 ]
	for selector in '{payment_method="card"}' '{"payment.method"="card"}' '{payment_method=~"c.*d",}' \
		"calls_total{payment_method='card'}" '{payment_method!~"[^c].*",payment_method!=""}' \
		'{payment_method="card",job="node",instance="h:9100"}'; do
		[ "$(count --matchers "$selector")" = "$n" ]
	done
	[ "$(count --matchers '{payment_method=""}')" = "$(count --not-tag 'payment.method~.')" ]
	[ "$(count --matchers '{payment_method="ard"}' || true)" = 0 ]
}

@test "matchers: a selector goes with all other options, and several are alternatives" {
	demo -n 100 >in
	span-store append -q s in
	for where in in "-s s"; do
		count() {
			# shellcheck disable=SC2086
			span-query --spans -c "$@" $where || true
		}
		[ "$(count --matchers '{span_kind="server"}' --matchers '{span_kind="client"}')" = \
			"$(count --kind server --kind client)" ]
		[ "$(count --matchers '{span_kind="server"}' --service cart)" = "$(count --kind server --service cart)" ]
		[ "$(count --matchers '{service="cart"}' --service mail)" = 0 ]
		[ "$(count --matchers '{service_name=~"c.*"}' --error)" = "$(count --service '~^c' --error)" ]
		[ "$(count --matchers '{service="cart"}' -e '{ duration > 1ms }')" = \
			"$(count --service cart -e '{ duration > 1ms }')" ]
		[ "$(count --matchers '{service="cart"}' -e '{ duration > 1ms || status = error }')" = \
			"$(count --service cart -e '{ duration > 1ms || status = error }')" ]
		[ "$(count --matchers '{service="cart"}' -e '{ kind = client } > { kind = server }')" = \
			"$(count --service cart -e '{ kind = client } > { kind = server }')" ]
	done
	alike <(span-stats -o csv --matchers '{service="cart"}' -s s) <(span-stats -o csv --service cart in)
	alike <(span-query --matchers '{service="cart",status_code="error"}' -o ids -s s | sort) \
		<(span-query --service cart --status error -o ids in | sort)
}

@test "matchers: what a store can look for it looks for" {
	demo -n 100 | span-store append -q s
	run -1 span-query --explain -s s \
		--matchers 'x_seconds_bucket{service="cart",span_name="Count",method="GET",span_kind="SPAN_KIND_SERVER",le="0.5"}'
	[[ $output = *"it takes at most 500ms"* ]]
	[[ $output = *'the service is "cart"'* ]]
	[[ $output = *'the operation is "Count"'* ]]
	[[ $output = *'tag method is "GET"'* ]]
	[[ $output = *'tag span.kind is "server"'* ]]
	[[ $output = *"judges them one by one"* ]]
	run -0 span-query --explain -s s --matchers '{service="cart",span_name="Count"}'
	[[ $output = *"and no more: these match"* ]]
	run -1 span-query --explain -s s --matchers '{service!="cart",http_method="GET",span_name=~"C.*"}'
	[[ $output = *"looks at all spans"* ]]
}

@test "matchers: what is wrong is shown where it is" {
	while IFS='|' read -r column selector said; do
		run --separate-stderr -2 span-query --matchers "$selector" /dev/null
		[[ ${stderr_lines[0]} = "span-query: matchers, column $column: $said"* ]]
		[ "${stderr_lines[1]}" = "  $selector" ]
		[[ ${stderr_lines[2]} =~ ^\ *\^$ ]]
		[ ${#stderr_lines[2]} = $((column + 2)) ]
	done <<-'END'
		10|{service="a}|the quote is not closed
		4|{a=b}|a value in quotes was expected
		8|{a=~"b("}|regular expression, column 3: missing closing parenthesis
		1|sum(rate(a{b="c"}[5m]))|only the selector inside of a function is understood
		2|{le="0.5"}|le needs the name of its histogram
		4|up{job="node"}|no label here says anything of spans
	END
}
