#!/usr/bin/env bats

load lib

demo() {
	span-gen --topology "$SRC/examples/topology.json" --seed 1 "$@"
}

# Is standard input, a request a line, what Loki takes?
accepted() {
	/usr/bin/python3 "$SRC/tests/loki.py" check
}

# The lines that a query selects of the requests on standard input.
select_lines() {
	/usr/bin/python3 "$SRC/tests/loki.py" query "$1"
}

@test "trace-to-loki: requests of a small shop" {
	demo -n 12 >in
	run --separate-stderr -0 trace-to-loki -q in
	same trace-to-loki.want
	[ -z "$stderr" ]
	accepted <<<"$output"
}

@test "trace-to-loki: an entry for every span and every event" {
	demo -n 100 >in
	trace-to-loki -q in | jq -r '.streams[].values[] | .[0] + " " + .[2].trace_id + " " + .[2].span_id' |
		sort >entries
	span-query -o jsonl in |
		jq -r '.trace_id as $t | .span_id as $s | (.start_ns, .events[].time_ns) | "\(.) \($t) \($s)"' |
		sed 's/^\([0-9]*\)\.0 /\1 /' | sort >spans
	# jq 1.6 rounds times in ns, so compare them without.
	alike <(cut -d ' ' -f 2- spans | sort) <(cut -d ' ' -f 2- entries | sort)
	[ "$(trace-to-loki -q --per span in | jq -s '[.[].streams[].values | length] | add')" = \
		"$(span-query -c --spans in)" ]
	trace-to-loki -q --per event in | jq -r '.streams[].values[][1]' >lines
	[ "$(grep -c '' lines)" = "$(span-query -o jsonl in | jq -s '[.[].events | length] | add')" ]
	run -1 grep -v ' event=' lines
}

@test "trace-to-loki: failures have the level error, and a stack is one entry" {
	demo -n 300 >in
	trace-to-loki -q in | jq -r '.streams[] | select(.stream.level == "error") | .values[][1]' >errors
	trace-to-loki -q in | jq -r '.streams[] | select(.stream.level == "info") | .values[][1]' >others
	[ "$(grep -c ' duration=' errors)" = "$(span-query -c --spans --error in)" ]
	run -1 grep -E ' error=true|event=error' others
	run -1 grep -vE ' error=true|event=error' errors
	grep -q ' message="no answer within 2000 ms .* stack="java.net.SocketTimeoutException: no answer .*\\n\\tat com' errors
}

@test "trace-to-loki: without structured metadata the ids are in the line only" {
	demo -n 20 >in
	trace-to-loki -q --no-structured-metadata in >out
	accepted <out
	jq -e -s '[.[].streams[].values[] | length] | unique == [2]' out
	trace-to-loki -q in | jq -c 'del(.streams[].values[][2])' | diff - out
}

@test "trace-to-loki: what attacks stays inside its strings" {
	span-gen -p hostile --seed 1 -n 56 >in
	run --separate-stderr -0 bash -c 'trace-to-loki --batch-size 100k in >out'
	[[ $stderr = *" lines were cut to 256 KB"* ]]
	[[ $stderr = *" times do not fit Loki's and were clamped"* ]]
	[ "$(wc -l <out)" -gt 10 ]
	accepted <out
	run -1 grep -nP '[\x00-\x08\x0b-\x1f]' out
	jq -e -s '[.[].streams[].values[][1] | select(test("[\u0000-\u001f]"))] == []' out
	trace-to-loki -q --line json in >out
	accepted <out
	jq -r '.streams[].values[][1]' out | jq -e -s 'all(.[]; type == "object" and has("trace_id"))'
}

@test "trace-to-loki: an entry for every trace, with what it came to" {
	demo -n 200 --error-rate 0.1 >in
	trace-to-loki -q --per trace --line json in >out
	accepted <out
	jq -r '.streams[] | .stream.level as $l | .values[] | "\(.[2].trace_id) \($l) \(.[1])"' out | sort >traces
	[ "$(wc -l <traces)" = "$(span-query -c in)" ]
	alike <(cut -d ' ' -f 1 traces) <(span-query -o ids in | sort)
	alike <(grep -c ' error {' traces) <(span-query -c --error in)
	# The counts are those of the trace.
	id=$(span-query -o ids --error in | head -n 1)
	spans=$(span-query -c --spans --trace-id "$id" in)
	grep "^$id" traces | grep -F "\"spans\":$spans,"
}

@test "trace-to-loki: labels are named anew, and {app} | json | trace_id selects" {
	demo -n 100 >in
	id=$(span-query -o ids --service payment in | head -n 1)
	trace-to-loki -q --line json --label app=service.name in >json
	accepted <json
	jq -e -s '[.[].streams[].stream | keys[]] | unique == ["app", "deployment_environment", "level"]' json
	select_lines "{app=\"payment\"} | json | trace_id=\"$id\"" <json >got
	trace-to-loki -q --service payment --trace-id "$id" --line json in | jq -r '.streams[].values[][1]' >want
	[ -s want ]
	alike <(sort want) <(sort got)
	# As well in logfmt, and where Loki has no structured metadata.
	for form in json logfmt; do
		trace-to-loki -q --line "$form" --no-structured-metadata --label app=service.name in |
			select_lines "{app=\"payment\"} | $form | trace_id=\"$id\"" >got
		[ "$(wc -l <got)" = "$(wc -l <want)" ]
	done
	run ! select_lines '{service_name="payment"}' <<<''
}

@test "trace-to-loki: labels are tags of the process, else of the span" {
	demo -n 50 >in
	trace-to-loki -q --per span --label http.method --label kind=span.kind in >out
	accepted <out
	jq -e -s '[.[].streams[].stream.http_method] | unique == [null, "GET", "POST"]' out
	jq -e -s '[.[].streams[].stream.kind] | index("server") and index("client")' out
	alike <(select_lines '{http_method="POST", kind="server"}' <out | sort) \
		<(trace-to-loki -q --per span --tag http.method=POST --kind server in |
			jq -r '.streams[].values[][1]' | sort)
}

@test "trace-to-loki: streams beyond --max-streams share one, and that is said" {
	demo -n 100 >in
	run --separate-stderr -0 trace-to-loki --label url=http.url --max-streams 10 in
	[[ ${stderr_lines[0]} = "trace-to-loki: warning: more than 10 streams: label url has "*" values; entries of further streams get the value \"other\" (--max-streams)" ]]
	[ "$(grep -c 'more than' <<<"$stderr")" = 1 ]
	accepted <<<"$output"
	jq -e -s '[.[].streams[].stream] | unique | map(select(.service_name != "other")) | length == 10' <<<"$output"
	# Nothing is lost, and who sent it is in the line then.
	alike <(jq -c '.streams[].values[] | .[0] + .[2].span_id' <<<"$output" | sort) \
		<(trace-to-loki -q in | jq -c '.streams[].values[] | .[0] + .[2].span_id' | sort)
	select_lines '{service_name="other"}' <<<"$output" >other
	[ -s other ]
	run -1 grep -vE '^service=[a-z-]+ trace_id=' other
}

@test "trace-to-loki: lines for other shippers have time, level and service" {
	demo -n 12 >in
	trace-to-loki -o json in >json
	head -n 4 json | same trace-to-loki-json.want -
	trace-to-loki -o logfmt in >logfmt
	head -n 4 logfmt | same trace-to-loki-logfmt.want -
	[ "$(wc -l <json)" = "$(wc -l <logfmt)" ]
	[ "$(wc -l <json)" = "$(trace-to-loki -q in | jq -s '[.[].streams[].values | length] | add')" ]
	jq -r .time json | sort -c
	jq -e -s 'all(.[]; has("level") and has("service") and (.trace_id | length == 32))' json
	span-gen -p hostile --seed 1 -n 56 | trace-to-loki -q -o json | jq -e -s 'length > 100'
}

@test "trace-to-loki: a tag cannot pass for one of our own fields" {
	span-decode --from jaeger-json - <<-'END' >in
		{"data":[{"traceID":"1","spans":[{"traceID":"1","spanID":"2","operationName":"op","references":[],
		"startTime":1767225600000000,"duration":5,"tags":[
		{"key":"trace_id","type":"string","value":"beef"},{"key":"trace.id","type":"string","value":"beef"},
		{"key":"event","type":"string","value":"e"},{"key":"a b\"=c","type":"string","value":"x\ny=\"z\""}],
		"logs":[],"processID":"p"}],"processes":{"p":{"serviceName":"s\"},{\"x","tags":[]}}}]}
	END
	run --separate-stderr -0 trace-to-loki -q in
	accepted <<<"$output"
	[ "$(jq -r '.streams[].values[][1]' <<<"$output")" = \
		'trace_id=0000000000000001 span_id=0000000000000002 span=op duration=5us tag_trace_id=beef tag_trace.id=beef event=e a_b__c="x\ny=\"z\""' ]
	[ "$(jq -r '.streams[].stream.service_name' <<<"$output")" = 's"},{"x' ]
	trace-to-loki -q --line json in | jq -e '.streams[0].values[0][1] | fromjson | .trace_id == "0000000000000001" and .["a b\"=c"] == "x\ny=\"z\""'
}

@test "trace-to-loki: entries long before others of their stream are a warning" {
	demo -n 2 --start -10m >new
	demo -n 2 --start -3h >old
	run --separate-stderr -0 bash -c 'trace-to-loki --batch-size 1k new old >out'
	[[ $stderr =~ ^"trace-to-loki: warning: "[0-9]+" entries are more than an hour before others of their stream: by default Loki refuses them"$ ]]
	run --separate-stderr -0 bash -c 'trace-to-loki old new >out'
	[ -z "$stderr" ]
}

@test "trace-to-loki: requests end near the batch size" {
	demo -n 200 >in
	trace-to-loki -q --batch-size 16k in >out
	accepted <out
	[ "$(wc -l <out)" -gt 5 ]
	[ "$(awk '{ if (length($0) > m) m = length($0) } END { print m }' out)" -lt 20000 ]
	alike <(trace-to-loki -q in | jq -c '.streams[].values[]' | sort) \
		<(jq -c '.streams[].values[]' out | sort)
}

@test "trace-to-loki: old entries are a warning, new ones are not" {
	demo -n 10 >old
	run --separate-stderr -0 bash -c 'trace-to-loki old >out'
	[[ $stderr =~ ^"trace-to-loki: warning: "[0-9]+" entries are older than 7 days: by default Loki refuses them"$ ]]
	demo -n 10 --start -1h >new
	run --separate-stderr -0 bash -c 'trace-to-loki -v new >out'
	[[ $stderr =~ ^"trace-to-loki: "[0-9]+" spans, "[0-9]+" events and 0 traces in 1 requests, "[0-9.]+" s"$ ]]
}

@test "trace-to-loki: entries of the future are a warning" {
	demo -n 2 --start @$(($(date +%s) + 3600)) >late
	run --separate-stderr -0 bash -c 'trace-to-loki late >out'
	[[ $stderr =~ ^"trace-to-loki: warning: "[0-9]+" entries are more than 10 minutes in the future: by default Loki refuses them"$ ]]
}

@test "trace-to-loki: a request goes out when no more input comes" {
	mkfifo pipe
	trace-to-loki -q --batch-wait 10ms <pipe >out &
	pid=$!
	exec 7>pipe
	demo -n 1 >&7
	wait_until test -s out
	accepted <out
	exec 7>&-
	ends 0 $pid
}

@test "trace-to-loki: selection, and a store" {
	demo -n 100 >in
	trace-to-loki -q --service payment in >out
	jq -e -s '[.[].streams[].stream.service_name] | unique == ["payment"]' out
	span-store append store in
	diff <(trace-to-loki -q --service payment -s store) out
}

@test "trace-to-loki: empty input is empty output" {
	run --separate-stderr -0 trace-to-loki </dev/null
	[ -z "$output$stderr" ]
}

@test "trace-to-loki: torn input is an error after what came before" {
	demo -n 200 | head -c 30000 >torn
	run --separate-stderr -65 trace-to-loki -q torn
	[[ $stderr = "trace-to-loki: torn: bad frame at byte "*": the input ends inside it" ]]
	accepted <<<"$output"
}

@test "trace-to-loki: wrong usage is exit 2" {
	run --separate-stderr -2 trace-to-loki --per service
	run --separate-stderr -2 trace-to-loki --batch-size 0
	[ "${stderr_lines[0]}" = "trace-to-loki: --batch-size is not from 1 to 512M" ]
	refuses "--max-streams needs at least 1" trace-to-loki --max-streams 0
	refuses "--line, --label and * go with requests only" trace-to-loki -o json --line json
	refuses "--line, --label and * go with requests only" trace-to-loki -o logfmt --label a=b
	refuses "--label: '7=x' has no name that a label may have" trace-to-loki --label 7=x
	refuses "--label: '__name__=x' has no name *" trace-to-loki --label __name__=x
	refuses "--label: 'a\"=x' has no name *" trace-to-loki --label 'a"=x'
	refuses "--label: 'a=' names no tag" trace-to-loki --label a=
	refuses "--label: 'a_b=c' is there twice" trace-to-loki --label a.b --label a_b=c
	many=$(printf -- '--label l%d=k ' {1..14})
	# shellcheck disable=SC2086
	refuses "--label: Loki takes 15 labels at most" trace-to-loki $many
	run --separate-stderr -2 trace-to-loki --wrong
	run -0 trace-to-loki --help
}

@test "trace-to-loki: labels have no character that Loki takes for an error" {
	printf '{"t":"1","s":"1","service":"a\xff\xef\xbf\xbdb","name":"c"}\n' |
		"$BUILD/tests/unit/make-spans" >in
	run --separate-stderr -0 trace-to-loki -q in
	[ "$(jq -r '.streams[0].stream.service_name' <<<"$output")" = "a??b" ]
	accepted <<<"$output"
}

@test "trace-to-loki: a full disk is exit 74, a closed pipe a silent 141" {
	demo >in
	run --separate-stderr -74 full_disk trace-to-loki -q in
	[[ $stderr = *"No space left"* ]]
	run --separate-stderr -141 closed_pipe trace-to-loki in
	[ -z "$stderr" ]
}
