#!/usr/bin/env bats
# span-query -o table and templates: where heads of spans tell all that is
# printed, a store decodes no more of them, and the results are the same.

load lib

# Trace 1: errors that an attribute alone tells, one that a text denies.
# Trace 2: two spans of one head that differ behind it, and one stored twice.
make_spans() {
	jq -n '
	def hex($n; $len): ("0" * $len + ($n | tostring))[-$len:];
	def text($v): {stringValue: $v};
	def span($trace; $id; $parent; $attrs): {
		traceId: hex($trace; 32), spanId: hex($id; 16),
		parentSpanId: (if $parent then hex($parent; 16) else "" end),
		name: "step \($id)", kind: 2,
		startTimeUnixNano: "176722560000000000\($id % 10)",
		endTimeUnixNano: "1767225601000000000",
		attributes: [$attrs | to_entries[] | {key, value}]};
	{resourceSpans: [{
		resource: {attributes: [{key: "service.name",
			value: text("shop")}]},
		scopeSpans: [{spans: [
			(span(1; 11; null; {error: {boolValue: true}}),
			span(1; 12; 11; {error: text("true"), user: text("u1")}) |
				.status.code = 1),
			span(1; 13; 11; {error: text("false")}),
			(span(1; 14; 11; {}) + {status: {code: 2, message: "no"}}),
			span(2; 21; null; {user: text("u2")}),
			span(2; 22; 21; {attempt: {intValue: "1"}}),
			span(2; 22; 21; {attempt: {intValue: "2"}}),
			span(2; 23; 21; {user: text("u2")}),
			span(2; 23; 21; {user: text("u2")})
		]}]
	}]}' >spans.json
	span-decode --from otlp-json spans.json >all.spans
}

# The spans in a log, in a draft, in a segment, and in parts of several files.
make_stores() {
	make_spans
	span-store append --no-seal log all.spans
	cp -r log draft
	span-store seal -q draft
	span-store append --no-seal segment all.spans
	span-store seal -q --all segment
	for i in 1 2 3; do
		jq --argjson i "$i" '.resourceSpans[].scopeSpans[].spans |=
			[to_entries[] | select(.key % 3 == $i - 1).value]' \
			spans.json | span-decode --from otlp-json |
			span-store append --no-seal parts
		[ "$i" = 3 ] || span-store seal -q --all parts
	done
}

@test "heads: errors and spans are counted as those of whole spans" {
	make_stores
	cat >want <<-'EOF'
		step 11,4,3,true,ok,1,1
		step 21,4,0,false,unset,1,1
	EOF
	for store in log draft segment parts; do
		span-query -s "$store" --limit 5 -o tformat:"$(printf '%s,' \
			'%(operation)' '%(spans)' '%(errors)' '%(error)' \
			'%(status)' '%(services)')%(roots)" | sort >got
		diff -u want got
		span-query -s "$store" --limit 5 -o csv \
			--columns operation,spans,errors,error,status,services,roots |
			tr -d '\r"' | tail -n +2 | sort >got
		diff -u want got
		span-query -s "$store" --limit 5 -o table >got
		span-query --limit 5 -o table --window 1h all.spans >table
		diff -u table got
	done
}

@test "heads: what lies behind them is printed where it is asked for" {
	make_stores
	for store in log draft segment parts; do
		span-query -s "$store" --limit 5 -o csv --error \
			--columns operation,tags,errors | tr -d '\r' >got
		printf '%s\n' operation,tags,errors '"step 11","error=true",3' >want
		diff -u want got
		span-query -s "$store" --limit 5 --tag attempt=2 \
			-o '%(tag:user) %(spans)' >got
		echo 'u2 4' >want
		diff -u want got
		span-query -s "$store" --limit 5 --tag attempt=2 -o json |
			jq '.data[0].spans | length' >got
		echo 4 >want
		diff -u want got
	done
}

@test "heads: of generated traffic too the table is that of a stream" {
	span-gen --seed 8 --spans 12000 --rate 100 >all.spans
	span-query --spans -o spans --service 'c*' all.spans |
		span-store append --no-seal s
	span-store seal -q --all s
	span-query --spans -o spans --service '[!c]*' all.spans |
		span-store append --no-seal s
	while read -r select; do
		eval "set -- --limit 30 $select"
		span-query -o table --memory 1G --window 1h "$@" all.spans >want
		span-query -o table -s s "$@" >got
		diff -u want got
		[ "$(wc -l <got)" -gt 2 ]
	done <<-'SELECT'

		--error
		--service payment
		--service '*' --min-duration 1ms
		'{ status = error && .http.status_code >= 500 }'
		'{ .db.system != nil } | count() > 2'
	SELECT
}

# --explain counts what is read: attributes of the traces are not.
@test "heads: fewer bytes are unpacked for a table than for whole traces" {
	span-gen --seed 8 --spans 12000 --rate 100 | span-store append --no-seal s
	span-store seal -q --all s
	for format in table jsonl; do
		span-query -s s --explain --limit 20 --error -o "$format" |
			sed -n 's/^unpacked .* to //p' >"$format"
		[ -s "$format" ]
	done
	run diff table jsonl
	[ "$status" = 1 ]
}
