#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# How many traces span-sample keeps is within what chance allows, and how it
# keeps to its memory.
#
# The test of a rate is the binomial one: of n traces with random ids that are
# kept with a chance of p, n p are, with a deviation of sqrt(n p (1 - p)). What is
# five deviations off or more would be chance once in 1.7 million runs. Sums of
# weights, 1 / p for each that is kept, have a deviation of sqrt(n (1 - p) / p).

load lib

# Traces of one span, and traces of three that are all open at once, since the
# first span of each comes before the last of any other.
setup_file() {
	cat >"$BATS_FILE_TMPDIR/one.json" <<-'END'
		{"services": [{"name": "web", "instances": 4, "operations": [
		  {"name": "GET /", "weight": 1}, {"name": "GET /x", "weight": 1}]}]}
	END
	cat >"$BATS_FILE_TMPDIR/open.json" <<-'END'
		{"services": [
		  {"name": "web", "instances": 20, "operations": [
		    {"name": "GET /", "weight": 1, "self": "20s", "sigma": 0.1, "calls": ["db:SELECT"]}]},
		  {"name": "db", "operations": [
		    {"name": "SELECT", "self": "5s", "sigma": 0.2}]}]}
	END
	span-gen --topology "$BATS_FILE_TMPDIR/one.json" --seed 1 -n 50000 \
		--output "$BATS_FILE_TMPDIR/one.spans"
	span-gen --topology "$BATS_FILE_TMPDIR/open.json" --seed 1 -n 20000 \
		--rate 20000 --output "$BATS_FILE_TMPDIR/open.spans"
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	one=$BATS_FILE_TMPDIR/one.spans
	open=$BATS_FILE_TMPDIR/open.spans
}

# within N P GOT: is it five deviations off at most? And what is, is told.
within() {
	awk -v n="$1" -v p="$2" -v got="$3" 'BEGIN {
		off = got - n * p
		sd = sqrt(n * p * (1 - p))
		printf "%d of %d at %s: %+.1f deviations\n", got, n, p, sd ? off / sd : off
		exit !(off * off <= 25 * sd * sd)
	}'
}

# How many spans span-sample keeps: kept FILE OPTION...
kept() {
	span-sample -v "${@:2}" "$1" 2>&1 >/dev/null |
		sed -nE 's/^span-sample: [0-9,]+ spans, ([0-9,]+) kept.*/\1/p' | tr -d ,
}

@test "sample-bounds: what is off by more than chance would be seen" {
	run -0 within 50000 0.1 5300
	run -1 within 50000 0.1 5400
	run -1 within 50000 0.1 4600
	run -1 within 50000 1 49999
	run -1 within 50000 0 1
}

@test "sample-bounds: a ratio keeps its share of random ids" {
	for p in 0 0.0001 0.001 0.01 0.1 0.3333333333333333 0.5 0.9 0.999 1; do
		within 50000 $p "$(kept "$one" -r $p)"
	done
}

@test "sample-bounds: so does each decision of a client, and each salt" {
	for p in 0.01 0.25 0.75; do
		for who in otel-{python,js,go,java} jaeger-{python,go}; do
			echo "$who"
			within 50000 $p "$(kept "$one" -r $p --like "$who")"
		done
		for salt in a b ''; do
			echo "salt '$salt'"
			within 50000 $p "$(kept "$one" -r $p --hash-salt "x$salt")"
		done
	done
	# Two salts know nothing of each other: of what one keeps the other keeps
	# its share.
	span-sample -r 0.5 --hash-salt a --output half "$one"
	within "$(span-query --spans -c half)" 0.25 "$(kept half -r 0.25 --hash-salt b)"
}

@test "sample-bounds: whole traces have the share, too, of each operation" {
	span-sample --wait 1s -r 0.2 --output some "$one"
	for operation in 'GET /' 'GET /x'; do
		within "$(span-query --spans -c --operation "$operation" "$one")" 0.2 \
			"$(span-query --spans -c --operation "$operation" some)"
	done
}

@test "sample-bounds: the weights of a sample add up to all" {
	for p in 0.05 0.5; do
		span-sample -r $p --output some "$one"
		calls=$(span-stats --by service -o csv --all-kinds some | sed 1d | cut -d, -f2)
		# In deviations of what is kept: each stands for 1 / p.
		within 50000 $p "$(awk "BEGIN { print $calls * $p }")"
	done
}

@test "sample-bounds: 20,000 traces are open at once, and none is split" {
	span-sample --preset production --wait 1m --memory 64M -v "$open" >kept 2>err
	if grep 'memory is full' err; then false; fi
	grep -E '^span-sample: 60,000 spans, ' err
	if grep 'late spans' err; then false; fi
	span-query --spans -o '%(trace_id)' kept | sort | uniq -c | awk '{ print $1 }' |
		sort | uniq -c >sizes
	cat sizes
	[ "$(awk '{ print $2 }' sizes)" = 3 ]
	# All that have an error, and a tenth of the others.
	failing=$(span-query --memory 1G --window 1h -c --error "$open")
	within $((20000 - failing)) 0.1 $(($(awk '{ print $1 }' sizes) - failing))
}

# sampled SIZE FILE: with so many MiB, the process takes no more than these and
# 8, and each span is kept or dropped. $early is how many traces were decided
# early.
sampled() {
	/usr/bin/time -o memory -f %M span-sample --preset production --wait 1h \
		--memory "$1M" -v "$2" >kept 2>err
	cat memory err
	[ "$SANITIZERS" ] || [ "$(cat memory)" -le $(($1 * 1024 + 8192)) ]
	early=$(sed -nE 's/.*warning: ([0-9]+) traces? w.* decided before .*/\1/p' err)
	sed -nE 's/^span-sample: ([0-9,]+) spans, ([0-9,]+) kept.* ([0-9,]+) dropped.*/\1 \2 \3/p' err |
		tr -d , >counts
	read -r n_in n_kept n_dropped <counts
	[ $((n_kept + n_dropped)) = "$n_in" ]
	[ "$(span-query --spans -c kept)" = "$n_kept" ]
}

@test "sample-bounds: what is full keeps to its memory, and counts what it did early" {
	for size in 1 4; do
		sampled $size "$open"
		[ "$early" -gt 1000 ]
		[ "$n_in" = 60000 ]
	done
}

# spans N TRACE TAG PROCESS: N spans in one, five or as many traces; TAG and
# PROCESS are formats of the number of a span.
spans() {
	awk -v n="$1" -v trace="$2" -v tag="$3" -v process="$4" 'BEGIN {
		for (i = 1; i <= n; i++) {
			id = trace == "five" ? i % 5 + 1 : trace == "own" ? i : "a"
			printf "{\"t\":\"" id "\",\"s\":\"%d\"", i
			printf ",\"ms\":1,\"service\":\"web\",\"name\":\"GET /\""
			printf ",\"tags\":{\"k\":\"" tag "\"}", i
			printf ",\"process\":{\"host\":\"" process "\",\"n\":1}}\n", i
		}
	}' | "$BUILD/tests/unit/make-spans"
}

@test "sample-bounds: huge traces, small ones, long texts: none takes more" {
	text=%d$(head -c 30000 /dev/zero | tr '\0' x)
	while read -r n trace tag process; do
		spans "$n" "$trace" "${tag/TEXT/$text}" "$process" >in
		for size in 2 8; do
			sampled $size in
			[ "$early" -gt 0 ]
			[ "$n_in" = "$n" ]
		done
	done <<'END'
20000 one %d host
30000 five %d host
70000 own x host
1000 own TEXT host
20000 own %d host%d
END
}

@test "sample-bounds: a few traces that stay open do not keep the memory of many" {
	# Of eight spans one belongs to a trace that goes on to the end.
	awk 'BEGIN {
		for (i = 1; i <= 80000; i++)
			printf "{\"t\":\"%s\",\"s\":\"%d\",\"at\":%d,\"ms\":1,\"service\":\"web\",\"name\":\"GET /\"}\n",
				i % 8 ? i : "a" i % 1600, i, i
	}' | "$BUILD/tests/unit/make-spans" >in
	/usr/bin/time -o memory -f %M span-sample --preset lab --wait 10s \
		--memory 4M -v in >kept 2>err
	cat memory err
	if grep 'memory is full' err; then false; fi
	[ "$SANITIZERS" ] || [ "$(cat memory)" -le $((4 * 1024 + 8192)) ]
	alike <(span-query --spans -o '%(span_id)' in | sort) \
		<(span-query --spans -o '%(span_id)' kept | sort)
}
