#!/usr/bin/env bats

load lib

setup_file() {
	make_input --seed 7 -n 2000
}

# How many spans of how many a -v line says were kept.
kept() {
	tr -d , <<<"$1" | awk '{ print $4 }'
}

@test "span-sample: 0 keeps nothing and 1 everything, byte for byte" {
	span-sample -r 0 "$in" >none
	[ ! -s none ]
	span-sample -r 1 "$in" >all
	cmp "$in" all
}

@test "span-sample: -v counts what was kept and dropped" {
	run --separate-stderr -0 bash -c 'span-sample -v -r 0.25 "$1" >out' - "$in"
	[[ $stderr =~ ^"span-sample: "([0-9,]+)" spans, "([0-9,]+)" kept ("[0-9.]+" %), "([0-9,]+)" dropped, "[0-9.]+" s"$ ]]
	n_in=${BASH_REMATCH[1]//,/} n_kept=${BASH_REMATCH[2]//,/}
	[ $((n_kept + ${BASH_REMATCH[3]//,/})) = "$n_in" ]
	run --separate-stderr -0 bash -c 'span-sample -v -r 1 out >/dev/null'
	[ "$(kept "$stderr")" = "$n_kept" ]
}

@test "span-sample: a smaller ratio keeps a subset, the same one changes nothing" {
	span-sample -r 0.5 "$in" >half
	run --separate-stderr -0 bash -c 'span-sample -v -r 0.5 half >again'
	[[ $stderr = *"(100.00 %)"* ]]
	run --separate-stderr -0 bash -c 'span-sample -v -r 0.2 "$1" >a' - "$in"
	direct=$(kept "$stderr")
	run --separate-stderr -0 bash -c 'span-sample -v -r 0.2 half >b'
	[ "$(kept "$stderr")" = "$direct" ]
}

@test "span-sample: selected spans are sampled, the others dropped" {
	run --separate-stderr -0 bash -c 'span-sample -v -r 1 --service cart "$1" >out' - "$in"
	[ "$(kept "$stderr")" -gt 0 ]
	[[ $stderr != *"(100.00 %)"* ]]
	run --separate-stderr -0 bash -c 'span-sample -v -r 1 --service gateway out >none'
	[ ! -s none ]
}

@test "span-sample: the decision is that of the last 56 bits of the trace id" {
	span-query -o ids "$in" | sort >traces
	[ "$(wc -l <traces)" = 2000 ]
	# (1 - P) * 2^56 in hexadecimal, and the P.
	while read -r threshold ratio; do
		awk -v t="$threshold" 'substr($1, 19) >= t' traces >want
		span-sample -r "$ratio" "$in" | span-query -o ids | sort >got
		diff want got
	done <<'END'
80000000000000 0.5
c0000000000000 0.25
e6666666666666 0.1
fd70a3d70a3d71 0.01
00000000000000 1
END
}

@test "span-sample: about the right share, and traces stay whole" {
	span-sample -r 0.3 "$in" >out
	kept=$(span-query -c out)
	# 600 of 2000; the deviation of a binomial is 20.5.
	[ "$kept" -gt 500 ]
	[ "$kept" -lt 700 ]
	span-query -o ids out | sort >traces
	span-query -o csv --spans "$in" | sort >all
	span-query -o csv --spans out | sort >some
	grep -Ff traces all >whole
	alike <(grep -vE '^(trace_id|"trace_id)' some) <(grep -vE '^(trace_id|"trace_id)' whole)
}

@test "span-sample: a trace state with ot=rv brings the randomness" {
	# With 0.5 the first of the last 14 digits decides: from 8 on.
	low=f000000000000000ff7fffffffffffff high=000000000000000000f0000000000000
	"$BUILD/tests/unit/make-spans" >in <<END
{"t":"$low","s":"1","name":"low id"}
{"t":"$high","s":"2","name":"high id"}
{"t":"$low","s":"3","name":"low id, high rv","state":"ot=rv:80000000000000"}
{"t":"$high","s":"4","name":"high id, low rv","state":"ot=rv:7fffffffffffff"}
{"t":"$low","s":"5","name":"low id, high rv among others","state":"dd=x=1, ot=th:8;rv:ffffffffffffff;x:1 ,b=2"}
{"t":"$high","s":"6","name":"high id, low rv of another","state":"xot=rv:00000000000000,dd=rv:00000000000000"}
{"t":"$high","s":"7","name":"high id, short rv","state":"ot=rv:0000000000000"}
{"t":"$high","s":"8","name":"high id, long rv","state":"ot=rv:000000000000000"}
{"t":"$high","s":"9","name":"high id, capitals","state":"ot=rv:0000000000000A"}
END
	span-sample -r 0.5 in | span-query --spans -o jsonl | jq -r .name >kept
	diff - kept <<'END'
high id
low id, high rv
low id, high rv among others
high id, low rv of another
high id, short rv
high id, long rv
high id, capitals
END
}

@test "span-sample: spans are marked in place as they are one by one" {
	for ratio in 0.2 0.5 0.8; do
		span-sample -r $ratio "$in" | span-query --spans -o jsonl >fast
		span-sample -r $ratio --dropped rest "$in" |
			span-query --spans -o jsonl >each
		grep -q 'ot=th:' each
		cmp fast each
	done
	span-sample -r 0.8 "$in" >once
	alike <(span-sample -r 0.6 once | span-query --spans -o jsonl) \
		<(span-sample -r 0.6 --dropped rest once |
			span-query --spans -o jsonl)
}

@test "span-sample: several files and standard input" {
	span-sample -r 0.1 "$in" >one
	span-sample -r 0.1 - <"$in" >dash
	cmp one dash
	cat one one >two
	span-sample -r 0.1 "$in" "$in" >both
	run --separate-stderr -0 bash -c 'span-sample -v -r 1 two >/dev/null'
	want=$(kept "$stderr")
	run --separate-stderr -0 bash -c 'span-sample -v -r 1 both >/dev/null'
	[ "$(kept "$stderr")" = "$want" ]
}

@test "span-sample: --metrics-file counts the decisions" {
	span-sample -r 0 --metrics-file m.prom "$in"
	grep -qx 'span_sample_spans_total{decision="kept"} 0' m.prom
	grep -qE '^span_sample_spans_total\{decision="dropped"\} [1-9]' m.prom
	[ "$(grep -c '^# TYPE' m.prom)" = 1 ]
}

@test "span-sample: empty input is empty output" {
	run --separate-stderr -0 span-sample -r 0.5 </dev/null
	[ -z "$output$stderr" ]
}

@test "span-sample: torn input is an error with its place" {
	head -c 1000 "$in" >torn
	run --separate-stderr -65 span-sample -r 1 torn
	[ "$stderr" = "span-sample: torn: bad frame at byte 0: the input ends inside it" ]
	run --separate-stderr -0 bash -c 'span-sample -r 1 --skip-bad torn >out'
	[ ! -s out ]
	[[ $stderr = *"damaged bytes"* ]]
}

@test "span-sample: wrong usage is exit 2" {
	while IFS='|' read -r args text; do
		# shellcheck disable=SC2086
		run --separate-stderr -2 span-sample $args
		[ "${stderr_lines[0]}" = "span-sample: $text" ]
		[ -z "$output" ]
	done <<'END'
|--ratio P, or another policy, is needed
-r 1.5|--ratio is not from 0 to 1
--ratio=-0.1|--ratio is not from 0 to 1
-r nan|--ratio: 'nan' is not a number
-r 1 --per service|--per goes with --rate
--rate 5|--rate: '5' is not like 5/s, 10/m or 100/h
--rate -1/s|--rate: '-1/s' is not like 5/s, 10/m or 100/h
--rate 5/d|--rate: '5/d' is not like 5/s, 10/m or 100/h
--policy x -r 1|--policy and --preset go with no other policy
--preset lab --keep-errors|--policy and --preset go with no other policy
--preset home|--preset: 'home' is none of lab, production
-r 1 --like x|--like: 'x' is none of consistent, otel-python, otel-js, otel-go, otel-java, jaeger-python, jaeger-go
-r 1 --like otel-js --hash-salt x|--like and --hash-salt at once
-r 1 --wait 0|--wait and --memory are above 0
-r 1 --memory 0|--wait and --memory are above 0
-r 1 --dropped -|--dropped - needs --output FILE
--keep {|the options: line 2: expression, column 2: a field or a value was expected, not the end
END
}

@test "span-sample: a full disk is exit 74, a closed pipe a silent 141" {
	run --separate-stderr -74 full_disk span-sample -r 1 "$in"
	[[ $stderr = *"No space left"* ]]
	run --separate-stderr -141 closed_pipe span-sample -r 0.5 "$in"
	[ -z "$stderr" ]
}

@test "span-sample: a lone span passes through a pipe that stays open" {
	mkfifo pipe
	span-sample -r 1 <pipe >out &
	pid=$!
	exec 7>pipe
	span-gen --seed 1 -n 1 >&7
	wait_until test -s out
	exec 7>&-
	ends 0 $pid
	run -0 span-sample --help
}
