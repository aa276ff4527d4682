#!/usr/bin/env bats

load lib

setup_file() {
	make_input --seed 9 -n 3000
}

make_spans() {
	"$BUILD/tests/unit/make-spans"
}

# A line "NAME: TRACE STATE" of each span.
states() {
	span-query --spans -o jsonl "$@" |
		jq -r '"\(.name): \(.trace_state // "")"'
}

names() {
	span-query --spans -o '%(name)' | sort
}

# The sum of the weights of the roots in the span stream $1.
weights() {
	states --root "$1" | python3 -c '
import sys
total = 0
for line in sys.stdin:
    th = line.strip().partition("ot=th:")[2].ljust(14, "0")
    total += 2**56 / (2**56 - int(th, 16))
print(round(total))'
}

@test "span-sample: what is kept says for how many it stands" {
	make_spans >in <<'END'
{"t":"ffffffffffffffff","s":"1","name":"none"}
{"t":"ffffffffffffffff","s":"2","name":"lower","state":"ot=th:4"}
{"t":"ffffffffffffffff","s":"3","name":"higher","state":"ot=th:c"}
{"t":"ffffffffffffffff","s":"4","name":"others","state":"a=1, ot=x:y;th:2;z:1 ,b=2"}
{"t":"ffffffffffffffff","s":"5","name":"not a threshold","state":"ot=th:xyz,a=1"}
END
	span-sample -r 0.5 in | states >got
	diff -u - got <<'END'
none: ot=th:8
lower: ot=th:8
higher: ot=th:c
others: ot=th:8;x:y;z:1,a=1,b=2
not a threshold: ot=th:8,a=1
END
	span-sample -r 0.5 in | span-sample -r 0.5 | alike - <(span-sample -r 0.5 in)
}

@test "span-sample: statistics of a sample are about those of all" {
	span-sample -r 0.25 "$in" >some
	all=$(weights "$in")
	[ "$all" = 3000 ]
	# 750 of 3000 are kept, with a deviation of 24: 4 of them are 12.7 %.
	got=$(weights some)
	[ "$got" -gt 2620 ]
	[ "$got" -lt 3380 ]
	# span-stats weights by it.
	calls=$(span-stats --root -o json some | jq '[.. | .calls? // empty] | add')
	[ "$((calls - got))" -ge -2 ]
	[ "$((calls - got))" -le 2 ]
}

@test "span-sample: --like takes the decision of a client, and notes its bits" {
	while read -r id; do
		echo "{\"t\":\"$id\",\"s\":\"1\",\"name\":\"$id\"}"
	done >lines <<'END'
00000000000000017fffffffffffffff
00000000000000018000000000000000
0000000000000001ffffffffffffffff
80000000000000007fffffff00000000
END
	make_spans <lines >in
	span-sample -r 0.5 --like otel-python in | names >python
	diff -u - python <<'END'
00000000000000017fffffffffffffff
80000000000000007fffffff00000000
END
	span-sample -r 0.5 --like otel-js in | names >js
	diff -u - js <<'END'
0000000000000001ffffffffffffffff
END
	span-sample -r 0.5 --like otel-go in | names >go
	diff -u python go
	span-sample -r 0.5 --like otel-java in | names >java
	# The number without an opposite is below all.
	diff -u - java <<'END'
00000000000000018000000000000000
0000000000000001ffffffffffffffff
END
	span-sample -r 0.5 --like jaeger-go in | names >jaeger-go
	diff -u - jaeger-go <<'END'
00000000000000018000000000000000
END
	span-sample -r 0.5 --like jaeger-python in | names | diff -u python -
	# The same decision again, and one of who reads rv, change nothing.
	span-sample -r 0.5 --like otel-python in >once
	states once >state
	diff -u - state <<'END'
00000000000000017fffffffffffffff: ot=th:8;rv:80000000000000
80000000000000007fffffff00000000: ot=th:8;rv:80000000ffffff
END
	span-sample -r 0.5 --like otel-python once | cmp - once
	span-sample -r 0.5 once | cmp - once
}

@test "span-sample: --hash-salt is the decision of Jaeger's collector" {
	span-query -o '%(trace_id)' "$in" >ids
	python3 - >want <<'END'
def fnv(data):
    h = 0xcbf29ce484222325
    for b in data:
        h = (h ^ b) * 0x100000001b3 % 2**64
    return h

for line in open("ids"):
    data = b"pepper" + bytes.fromhex(line.strip().rjust(32, "0"))
    if fnv(data) < int(0.3 * 2**64):
        print(line, end="")
END
	sort -o want want
	[ -s want ]
	span-sample -r 0.3 --hash-salt pepper "$in" |
		span-query -o '%(trace_id)' | sort | diff - want
	span-sample -r 0.3 --hash-salt salt "$in" >salt
	span-sample -r 0.3 --hash-salt pepper "$in" >pepper
	run -1 cmp salt pepper
}

@test "span-sample: a decision by other bits multiplies what was before" {
	make_spans >in <<'END'
{"t":"1","s":"1","name":"x","state":"ot=th:8"}
END
	span-sample -r 0.5 --like otel-python in | states >got
	[ "$(cat got)" = "x: ot=th:c" ]
}

@test "span-sample: wishes of spans come first" {
	make_spans >in <<'END'
{"t":"1","s":"1","name":"wanted","tags":{"sampling.priority":1}}
{"t":"1","s":"2","p":"1","name":"below it"}
{"t":"ffffffffffffffff","s":"3","name":"refused","tags":{"sampling.priority":0}}
{"t":"ffffffffffffffff","s":"4","p":"3","name":"below that"}
{"t":"2","s":"5","name":"debug","flags":3}
{"t":"3","s":"6","name":"sampled","flags":1}
{"t":"4","s":"7","name":"a text is none","tags":{"sampling.priority":"1"}}
END
	span-sample -r 0.5 in | names >alone
	diff -u - alone <<'END'
below that
debug
wanted
END
	span-sample -r 0.5 --wait 1s -v in 2>err | names >whole
	diff -u - whole <<'END'
below it
debug
wanted
END
	grep -x 'span-sample: wish of a span: 2 traces kept, 1 dropped' err
	span-sample -r 0.5 in | states | grep -x 'wanted: '
}

@test "span-sample: --dropped has the rest" {
	for how in '-r 0.3' '--keep-errors' '-r 0.3 --service cart'; do
		# shellcheck disable=SC2086
		span-sample $how --dropped rest "$in" >kept
		[ -s rest ]
		[ -s kept ]
		# shellcheck disable=SC2086
		selected=$(span-query -c --spans ${how#*-r 0.3} "$in") || true
		[ "$how" != --keep-errors ] || selected=$(span-query -c --spans "$in")
		n=$(($(span-query -c --spans kept) + $(span-query -c --spans rest)))
		[ "$n" = "$selected" ]
		[ -z "$(comm -12 <(span-query -o ids kept | sort) \
			<(span-query -o ids rest | sort))" ]
	done
	span-sample -r 0.3 --dropped - --output kept "$in" | cmp - \
		<(span-sample -r 0.3 --dropped /dev/stdout --output other "$in")
	run -2 script -qec "span-sample -r 0.3 --output kept --dropped - $in" \
		/dev/null
	[[ $output = "span-sample: --dropped: this is no output for a terminal"* ]]
	cp "$in" mine
	run --separate-stderr -2 span-sample -r 0.3 --dropped mine mine
	[ "${stderr_lines[0]}" = "span-sample: --dropped: mine is read" ]
	cmp "$in" mine
	run --separate-stderr -74 span-sample -r 0.3 --dropped no/where "$in"
	[[ $stderr = *"cannot open no/where"* ]]
	run --separate-stderr -74 bash -c \
		'span-sample -r 0.3 --dropped /dev/full "$1" >kept' - "$in"
}

@test "span-sample: errors, slow traces and expressions are kept, whole" {
	span-sample --keep-errors "$in" | span-query -o ids | sort >got
	span-query --error -o ids "$in" | sort | diff - got
	span-sample --keep-slower 100ms "$in" | span-query -o ids | sort >got
	span-query '{ traceDuration >= 100ms }' -o ids "$in" | sort >want
	diff want got
	[ -s want ]
	span-sample --keep-slower 0s "$in" | alike - <(span-sample --rate 1e9/s "$in")
	span-sample --keep '{ resource.service.name = "cart" } >> { kind = client }' \
		--keep '{ name = "no such" }' "$in" >kept
	span-query -o ids kept | sort >got
	span-query -o ids \
		'{ resource.service.name = "cart" } >> { kind = client }' "$in" |
		sort | diff - got
	[ -s got ]
	span-query -o csv --spans kept | sort >some
	grep -Ff got <(span-query -o csv --spans "$in") | sort |
		alike - <(grep -Ff got some)
}

@test "span-sample: what is certain stands for itself, the rest for more" {
	span-sample --preset production "$in" >kept
	span-query --error -o ids "$in" | sort >errors
	span-query -o jsonl --spans kept |
		jq -r '"\(.trace_id) \(.trace_state // "")"' | sort -u >states
	while read -r id state; do
		if grep -qx "$id" errors; then
			[ -z "$state" ]
		else
			[ "$state" = ot=th:e6666666666666 ]
		fi
	done <states
	[ "$(grep -c th: states)" -gt 100 ]
	[ "$(wc -l <errors)" = "$(span-query --error -c kept)" ]
	span-sample --preset lab "$in" | cmp - "$in"
}

# 40 traces, one each 50 ms, of two operations; their roots come last.
forty() {
	for i in {0..39}; do
		echo "{\"t\":\"$((i + 1))00\",\"s\":\"2\",\"p\":\"1\",\"at\":$((i * 50)),\"ms\":1,\"service\":\"db\",\"name\":\"get\"}"
		echo "{\"t\":\"$((i + 1))00\",\"s\":\"1\",\"at\":$((i * 50)),\"ms\":2,\"service\":\"web\",\"name\":\"op$((i % 4 == 3))\"}"
	done | make_spans
}

@test "span-sample: a rate keeps as many as it says, which stand for all" {
	forty >in
	# 5 at once, then one each 200 ms of the 1950.
	span-sample --rate 5/s in >kept
	n=$(span-query -c kept)
	[ "$n" = 14 ]
	[ "$(span-query -c --spans kept)" = 28 ]
	# All but those after the last that was kept.
	w=$(weights kept)
	[ "$w" -gt 36 ]
	[ "$w" -le 40 ]
	span-sample --rate 60/m in | span-query -c >n
	[ "$(cat n)" = 2 ]
	# Each operation of the root has its own.
	span-sample --rate 1/s --per operation in |
		span-query --root --spans -o '%(name)' | sort | uniq -c >got
	diff -uw - got <<'END'
2 op0
2 op1
END
	span-sample --rate 1/s --per service in | span-query -c >n
	[ "$(cat n)" = 2 ]
	# What is kept anyway takes no place, and stands for itself.
	span-sample --rate 1/s --keep '{ name = "op1" }' in |
		span-query --root --spans -o '%(name)' | sort | uniq -c >got
	diff -uw - got <<'END'
2 op0
10 op1
END
}

policy() {
	printf '%s\n' "$1" >p.json
	span-sample --policy p.json "${@:2}"
}

@test "span-sample: policies of a file" {
	forty >in
	while IFS='|' read -r want policies; do
		policy "{\"policies\":[$policies]}" in >kept
		got=$(span-query -c kept) || true
		[ "$want" = "$got" ] || { echo "$policies: $got, want $want"; false; }
	done <<'END'
40|{"type":"always"}
0|{"type":"error"}
40|{"type":"status","status":"unset"}
0|{"type":"status","status":"error"}
40|{"type":"latency","min_ms":2}
0|{"type":"latency","min_ms":2.5}
0|{"type":"latency","max_ms":1}
40|{"type":"latency","min_ms":1,"max_ms":2}
10|{"type":"traceql","expression":"{ name = \"op1\" }"}
10|{"type":"traceql","expression":"{ rootServiceName = \"web\" && rootName = \"op1\" }"}
30|{"type":"not","policies":[{"type":"traceql","expression":"{ name = \"op1\" }"}]}
0|{"type":"and","policies":[{"type":"always"},{"type":"error"}]}
10|{"type":"and","policies":[{"type":"always"},{"type":"traceql","expression":"{ name = \"op1\" }"}]}
40|{"type":"or","policies":[{"type":"error"},{"type":"always"}]}
3|{"type":"first","count":3}
6|{"type":"first","count":3,"per":"operation"}
2|{"type":"rare","rate":"1/h"}
13|{"type":"rate","rate":"5/s","burst":4}
2|{"type":"and","policies":[{"type":"rate","rate":"1/s"},{"type":"traceql","expression":"{ name = \"op1\" }"}]}
12|{"name":"a","type":"traceql","expression":"{ name = \"op1\" }"},{"name":"b","type":"rate","rate":"1/s"}
0|{"type":"ratio","ratio":0}
40|{"type":"ratio","ratio":1}
4|{"type":"composite","rate":"2/s","policies":[{"share":0.5,"type":"traceql","expression":"{ name = \"op1\" }"},{"share":0.5,"type":"always"}]}
END
}

@test "span-sample: a mistake in a policy file is an error with its line" {
	while IFS='|' read -r text want; do
		printf '%b' "$text" >p.json
		run --separate-stderr -2 span-sample --policy p.json </dev/null
		[ "${stderr_lines[0]}" = "span-sample: p.json: $want" ] || {
			echo "$text: $stderr"
			false
		}
	done <<'END'
|line 1: no JSON
{\n"policies": [\n\n}|line 4: no JSON
{"policies": []} x|line 1: no JSON
[]|line 1: the file is no object
{}|line 1: 'policies' is no list of some
{"policies": []}|line 1: 'policies' is no list of some
{"policies": [1]}|line 1: a policy is no object
{"polices": []}|line 1: 'polices' is not known here
{"policies": [\n{}]}|line 2: 'type' is needed, a text
{"policies": [\n{"type": "{"}]}|line 2: '{' is no type of a policy
{"policies": [\n{"type": "error"},\n{"type": "ratio"}]}|line 3: 'ratio' is needed
{"policies": [{"type":\n"ratio", "ratio": 2}]}|line 1: 'ratio' is no number from 0 to 1
{"policies": [\n{"type": "ratio", "ratio": 1, "ratio": 1}]}|line 2: 'ratio' is there twice
{"policies": [\n{"type": "ratio", "ratio": 1, "rate": "1/s"}]}|line 2: 'rate' is not known here
{"policies": [{"type": "rate", "rate": 5}]}|line 1: 'rate' is not like "5/s", "10/m" or "100/h"
{"policies": [{"type": "rate", "rate": "5/s", "per": "host"}]}|line 1: 'per' is none of all, service and operation
{"policies": [{"type": "rate", "rate": "5/s", "burst": 0}]}|line 1: 'burst' is no number from 1 to 1e+09
{"policies": [{"type": "first"}]}|line 1: 'count' is no whole number
{"policies": [{"type": "first", "count": 1.5}]}|line 1: 'count' is no whole number
{"policies": [{"type": "status", "status": "bad"}]}|line 1: 'status' is none of unset, ok and error
{"policies": [{"type": "latency"}]}|line 1: 'min_ms' or 'max_ms' is needed
{"policies": [{"type": "latency", "min_ms": 2, "max_ms": 1}]}|line 1: 'max_ms' is below 'min_ms'
{"policies": [{"type": "traceql"}]}|line 1: 'expression' is needed, a text
{"policies": [{"type": "not", "policies": [{"type":"error"}, {"type":"error"}]}]}|line 1: 'policies' is no list of one
{"policies": [{"type": "and", "policies": [\n{"type": "error", "name": "\\u001b"}]}]}|line 2: 'name' is no text of letters, digits, blanks, _, -, . and /
{"policies": [{"type": "error"}, {"type": "error"}]}|two policies have the name 'error': give them a 'name'
{"policies": [{"type": "error", "share": 1}]}|line 1: 'share' is not known here
{"policies": [\n{"type": "composite", "rate": "1/s", "policies": [\n{"type":"error"}]}]}|line 2: policy 1 of it has no 'share' of the rate above 0
{"policies": [\n{"type": "composite", "rate": "1/s", "policies": [\n{"type":"error", "share": 0.9}, {"type": "always", "share": 0.2}]}]}|line 2: the shares are 1.1, more than 1, together
END
	run --separate-stderr -74 span-sample --policy missing </dev/null
}

@test "span-sample: policies are nested 16 deep, and no deeper" {
	nested() {
		python3 -c '
import sys
n = int(sys.argv[1])
print("{\"policies\":[" + "{\"type\":\"and\",\"policies\":[" * n +
      "{\"type\":\"always\"}" + "]}" * n + "]}")' "$1"
	}
	policy "$(nested 16)" "$in" | alike - <(span-sample --policy <(
		echo '{"policies":[{"type":"always"}]}') "$in")
	run --separate-stderr -2 policy "$(nested 17)" "$in"
	[ "${stderr_lines[0]}" = "span-sample: p.json: line 1: more policies than can be" ]
	run --separate-stderr -2 policy "$(nested 2000)" "$in"
}

@test "span-sample: --explain says why" {
	make_spans >in <<'END'
{"t":"a1","s":"1","name":"x","status":"error"}
{"t":"a2","s":"2","name":"x"}
{"t":"ffffffffffffffff","s":"3","name":"x"}
{"t":"ffffffffffffffff","s":"4","p":"3","name":"x"}
END
	span-sample --keep-errors --explain in 2>err >out
	diff -u - err <<'END'
span-sample: 00000000000000a1 kept, error: 1 span
span-sample: 00000000000000a2 dropped, none: 1 span
span-sample: ffffffffffffffff dropped, none: 2 spans
END
	span-sample -r 0.5 --explain in 2>err >out
	diff -u - err <<'END'
span-sample: 00000000000000a1 dropped, ratio: 1 span
span-sample: 00000000000000a2 dropped, ratio: 1 span
span-sample: ffffffffffffffff kept, ratio: 2 spans
END
}

@test "span-sample: late spans follow what was decided" {
	make_spans >in <<'END'
{"t":"1","s":"1","at":0,"name":"kept","status":"error"}
{"t":"2","s":"2","at":0,"name":"dropped"}
{"t":"3","s":"3","at":400,"name":"later"}
{"t":"4","s":"4","at":800,"name":"later"}
{"t":"5","s":"5","at":1200,"name":"later"}
{"t":"1","s":"6","p":"1","at":10,"name":"late"}
{"t":"2","s":"7","p":"2","at":10,"name":"late and lost","status":"error"}
END
	span-sample --keep-errors --wait 1s -v --metrics-file m in 2>err |
		names >got
	diff -u - got <<'END'
kept
late
END
	grep -x 'span-sample: late spans: 1 kept, 1 dropped' err
	grep -x 'span_sample_late_spans_total{decision="kept"} 1' m
	grep -x 'span_sample_traces_total{decision="kept",policy="error"} 1' m
	grep -x 'span_sample_traces_total{decision="dropped",policy="none"} 4' m
}

@test "span-sample: full memory decides early, stays full, and is said" {
	span-sample --keep-errors --wait 1h --memory 1M -v "$in" >kept 2>err
	grep -E '^span-sample: warning: [0-9]+ traces were decided before they were complete: --memory is full$' err
	# What was decided holds: no trace is kept in part.
	span-query -o ids kept | sort >got
	span-query -o csv --spans "$in" | grep -cFf got >want
	span-query -c --spans kept >n
	diff want n
}

@test "span-sample: a trace of one small span waits in 200 bytes" {
	awk 'BEGIN {
		for (i = 0; i < 10000; i++)
			printf "{\"t\":\"%x\",\"s\":\"1\",\"ms\":1," \
				"\"service\":\"web\",\"name\":\"GET /\"}\n", i + 1
	}' | make_spans >in
	run --separate-stderr -0 bash -c \
		'span-sample --preset lab --wait 1h --memory 2500K in >out'
	[ -z "$stderr" ]
	run --separate-stderr -0 bash -c \
		'span-sample --preset lab --wait 1h --memory 1M in >out'
	[[ $stderr = *"--memory is full" ]]
}

@test "span-sample: a trace of a quiet stream is decided by the clock" {
	mkfifo pipe
	span-sample -r 1 --wait 100ms <pipe >out &
	pid=$!
	exec 7>pipe
	span-gen --seed 1 -n 1 >&7
	wait_until test -s out
	exec 7>&-
	ends 0 $pid
}

@test "span-sample: torn input gives what came before" {
	head -c 200000 "$in" >torn
	run --separate-stderr -65 bash -c 'span-sample --preset production torn >out'
	[ -s out ]
	span-query -c out
}

@test "span-sample: whole traces, empty input and a closed pipe" {
	run --separate-stderr -0 span-sample --keep-errors </dev/null
	[ -z "$output$stderr" ]
	run --separate-stderr -74 full_disk span-sample --rate 1000/s "$in"
	[[ $stderr = *"No space left"* ]]
	run --separate-stderr -141 closed_pipe span-sample --rate 1000/s "$in"
	[ -z "$stderr" ]
}
