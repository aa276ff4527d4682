#!/usr/bin/env bats

load lib

demo() {
	span-gen --topology "$SRC/examples/topology.json" --seed 1 "$@"
}

# Is standard input, a request a line, what Loki takes? By Loki's rules, as
# far as jq can say.
accepted() {
	jq -e -s '
		def sorted: . == sort;
		length > 0 and all(.[];
			keys == ["streams"]
			and (.streams | map(.stream) | length == (unique | length))
			and all(.streams[];
				keys == ["stream", "values"]
				and (.stream | (keys - ["deployment_environment", "level", "service_name", "service_namespace"]) == []
					and has("service_name")
					and all(.[]; type == "string" and length > 0 and utf8bytelength <= 2048))
				and (.values | length > 0
					and (map(.[0] | ("0" * (20 - length)) + .) | sorted)
					and all(.[]; (.[0] | type == "string" and test("^[0-9]{1,19}$"))
						and (.[1] | type == "string" and utf8bytelength <= 262144)
						and (.[2] // {} | all(.[]; type == "string"))
						and length <= 3))))'
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
	diff -u <(cut -d ' ' -f 2- spans | sort) <(cut -d ' ' -f 2- entries | sort)
	[ "$(trace-to-loki -q --per span in | jq -s '[.[].streams[].values | length] | add')" = \
		"$(span-query -c --spans in)" ]
	trace-to-loki -q --per event in | jq -r '.streams[].values[][1]' >lines
	[ "$(grep -c '' lines)" = "$(span-query -o jsonl in | jq -s '[.[].events | length] | add')" ]
	run ! grep -v ' event=' lines
}

@test "trace-to-loki: failures have the level error, and a stack is one entry" {
	demo -n 300 >in
	trace-to-loki -q in | jq -r '.streams[] | select(.stream.level == "error") | .values[][1]' >errors
	trace-to-loki -q in | jq -r '.streams[] | select(.stream.level == "info") | .values[][1]' >others
	[ "$(grep -c ' duration=' errors)" = "$(span-query -c --spans --error in)" ]
	run ! grep -E ' error=true|event=error' others
	run ! grep -vE ' error=true|event=error' errors
	grep -q ' message="no answer within 2000 ms .* stack="java.net.SocketTimeoutException: no answer .*\\n\\tat com' errors
}

@test "trace-to-loki: without structured metadata the ids are in the line" {
	demo -n 20 >in
	trace-to-loki -q --no-structured-metadata in >out
	accepted <out
	jq -r '.streams[].values[][1]' out >lines
	run ! grep -vE '^trace_id=[0-9a-f]{32} span_id=[0-9a-f]{16} span=' lines
	jq -e -s '[.[].streams[].values[] | length] | unique == [2]' out
}

@test "trace-to-loki: what attacks stays inside its strings" {
	span-gen -p hostile --seed 1 -n 56 >in
	run --separate-stderr -0 bash -c 'trace-to-loki --batch-size 100k in >out'
	[[ $stderr = *" lines were cut to 256 KB"* ]]
	[[ $stderr = *" times do not fit Loki's and were clamped"* ]]
	[ "$(wc -l <out)" -gt 10 ]
	accepted <out
	run ! grep -nP '[\x00-\x08\x0b-\x1f]' out
	jq -e -s '[.[].streams[].values[][1] | select(test("[\u0000-\u001f]"))] == []' out
}

@test "trace-to-loki: requests end near the batch size" {
	demo -n 200 >in
	trace-to-loki -q --batch-size 16k in >out
	accepted <out
	[ "$(wc -l <out)" -gt 5 ]
	[ "$(awk '{ if (length($0) > m) m = length($0) } END { print m }' out)" -lt 20000 ]
	diff <(trace-to-loki -q in | jq -c '.streams[].values[]' | sort) \
		<(jq -c '.streams[].values[]' out | sort)
}

@test "trace-to-loki: old entries are a warning, new ones are not" {
	demo -n 10 >old
	run --separate-stderr -0 bash -c 'trace-to-loki old >out'
	[[ $stderr =~ ^"trace-to-loki: warning: "[0-9]+" entries are older than 7 days: by default Loki refuses them"$ ]]
	demo -n 10 --start -1h >new
	run --separate-stderr -0 bash -c 'trace-to-loki -v new >out'
	[[ $stderr =~ ^"trace-to-loki: "[0-9]+" spans and "[0-9]+" events in 1 requests, "[0-9.]+" s"$ ]]
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
	run --separate-stderr -2 trace-to-loki --per trace
	run --separate-stderr -2 trace-to-loki --batch-size 0
	[ "${stderr_lines[0]}" = "trace-to-loki: --batch-size is not from 1 to 512M" ]
	run --separate-stderr -2 trace-to-loki --wrong
	run -0 trace-to-loki --help
}

@test "trace-to-loki: a full disk is exit 74, a closed pipe a silent 141" {
	demo >in
	run --separate-stderr -74 full_disk trace-to-loki -q in
	[[ $stderr = *"No space left"* ]]
	run --separate-stderr -141 closed_pipe trace-to-loki in
	[ -z "$stderr" ]
}
