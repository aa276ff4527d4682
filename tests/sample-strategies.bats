#!/usr/bin/env bats

load lib

teardown() {
	[ -z "${pid:-}" ] || kill -9 "$pid" 2>/dev/null || true
}

# Traces of one span each: COUNT of each SERVICE,...; OPERATION; one each 10 ms.
traces() {
	awk -v n="$1" -v service="$2" -v name="$3" \
		-v seed="$(($(cksum <<<"$2 $3" | cut -d' ' -f1) % 100000))" '
	BEGIN {
		srand(seed)
		m = split(service, services, ",")
		for (i = 0; i < n * m; i++)
			printf "{\"t\":\"%06x%06x%04x\",\"s\":\"1\"," \
				"\"at\":%d,\"ms\":1,\"service\":\"%s\"," \
				"\"name\":\"%s\"}\n",
				rand() * 16777215, rand() * 16777215, i,
				int(i / m) * 10, services[i % m + 1], name
	}' | "$BUILD/tests/unit/make-spans"
}

# "COUNT SERVICE OPERATION" of the spans on standard input.
counts() {
	span-query --spans -o '%(service) %(name)' | sort | uniq -c |
		sed 's/^ *//'
}

@test "span-sample: Jaeger's strategies, by service and operation" {
	cat >s.json <<'END'
{"default_strategy": {"type": "probabilistic", "param": 0,
  "operation_strategies": [
    {"operation": "health", "type": "probabilistic", "param": 0},
    {"operation": "buy", "type": "probabilistic", "param": 1}]},
 "service_strategies": [
  {"service": "web", "type": "probabilistic", "param": 1},
  {"service": "cart", "type": "probabilistic", "param": 0,
   "operation_strategies": [
    {"operation": "health", "type": "probabilistic", "param": 1}]}]}
END
	for service in web cart other; do
		for operation in health buy look; do
			traces 5 $service $operation
		done
	done >in
	span-sample --strategies s.json in | counts >got
	diff -u - got <<'END'
5 cart buy
5 cart health
5 other buy
5 web buy
5 web look
END
}

@test "span-sample: Jaeger's strategies limit each service by itself" {
	cat >s.json <<'END'
{"default_strategy": {"type": "ratelimiting", "param": 2},
 "service_strategies": [
  {"service": "web", "type": "ratelimiting", "param": 5},
  {"service": "none", "type": "probabilistic", "param": 0}]}
END
	# 200 in 1990 ms: those of a second at once, and then one by one.
	traces 200 web,cart,shop,none a >in
	span-sample --strategies s.json in >kept
	counts <kept >got
	diff -u - got <<'END'
5 cart a
5 shop a
14 web a
END
	# A condition beside them takes no place.
	span-sample --strategies s.json --keep '{ resource.service.name = "web" }' \
		in | counts >got
	grep -x '200 web a' got
	grep -x '5 cart a' got
}

@test "span-sample: of a share of Jaeger's strategies about as many are kept" {
	echo '{"default_strategy": {"type": "probabilistic", "param": 0.25}}' \
		>s.json
	traces 4000 web a >in
	n=$(span-sample --strategies s.json in | span-query -c)
	# 5 standard deviations
	[ "$n" -gt 863 ]
	[ "$n" -lt 1137 ]
	alike <(span-sample --strategies s.json in | span-query --spans -o ids) \
		<(span-sample -r 0.25 in | span-query --spans -o ids)
	# Who is not named, without a default: a thousandth.
	echo '{}' >s.json
	n=$(span-sample --strategies s.json in | span-query -c) || true
	[ "$n" -lt 15 ]
}

@test "span-sample: a mistake in a strategies file is an error with its line" {
	printf '{"service_strategies": [\n {"service": "a"},\n {"service": "b", "type": "probabilistic", "param": 2}]}' >s.json
	run --separate-stderr -65 span-sample --strategies s.json </dev/null
	[ "$stderr" = "span-sample: s.json: line 3: service_strategies[1]: a probability is 0 to 1" ]
	printf '{"a":\n}' >s.json
	run --separate-stderr -65 span-sample --strategies s.json </dev/null
	[ "$stderr" = "span-sample: s.json: no JSON at line 2, column 1" ]
	run --separate-stderr -74 span-sample --strategies missing </dev/null
	[[ $stderr = "span-sample: cannot open missing"* ]]
	: >empty
	run --separate-stderr -65 span-sample --strategies empty </dev/null
	[ "$stderr" = "span-sample: empty: no JSON at line 1, column 1" ]
	echo '{"default_strategy": {"type": "magic"}}' >s.json
	run --separate-stderr -0 span-sample --strategies s.json </dev/null
	[ "$stderr" = "span-sample: warning: s.json: default_strategy: unknown type, neither 'probabilistic' nor 'ratelimiting': the default is taken" ]
	run --separate-stderr -2 span-sample --strategies s.json --preset lab
	[ "${stderr_lines[0]}" = "span-sample: --policy and --preset go with no other policy" ]
	echo '{"policies": [{"type": "strategies"}]}' >p.json
	run --separate-stderr -2 span-sample --policy p.json </dev/null
	[ "${stderr_lines[0]}" = "span-sample: p.json: line 1: 'strategies' is no type of a policy" ]
}

# The shares in a file of strategies: "OPERATION SHARE".
shares() {
	jq -r '.service_strategies[].operation_strategies[] |
		"\(.operation) \(.param)"' "$1"
}

@test "span-sample: --bands gives operations shares by their load" {
	# 100/s, 2/s; the interval is 10 s.
	traces 4000 web busy >in
	span-sample --bands '<5/s=1,<50/s=0.5,else=0.1' \
		--write-strategies s.json in >kept
	shares s.json >got
	echo 'busy 0.1' | diff -u - got
	# All of the first interval, of the 30 s after it a tenth.
	n=$(span-query -c kept)
	[ "$n" -gt 1215 ]
	[ "$n" -lt 1385 ]
	traces 20 web quiet >in
	span-sample --bands '<5/s=1,else=0.1' in | cmp - in
}

@test "span-sample: --target keeps so many traces of each operation" {
	# 50/s each for 200 s, and a minute is an interval.
	traces 10000 web,cart a >in
	echo '{"policies": [{"type": "adaptive", "target": "2/s", "initial": 0.5, "interval_s": 10}]}' >p.json
	span-sample --policy p.json --write-strategies s.json in >kept
	jq -r '.service_strategies[] |
		"\(.service) \(.operation_strategies[0].param)"' s.json |
		tr '\n' ' ' >got
	# 100/s each: two of them are 0.02.
	awk '{exit !($2 > 0.014 && $2 < 0.026 && $4 > 0.014 && $4 < 0.026)}' got
	run --separate-stderr -0 span-sample --target 1/s -v in
	[[ $stderr = *"span-sample: adaptive: "*" traces kept, "* ]]
}

@test "span-sample: --state goes on where the last run ended" {
	traces 4000 web a >in
	bands='<5/s=1,<50/s=0.5,else=0.1'
	span-sample --bands "$bands" --state f in >first
	jq -e '.operations | length == 1 and .[0].p == 0.1' f
	[ "$(jq .carried_ns f)" -gt 9000000000 ]
	span-sample --bands "$bands" --state f in >second
	[ "$(span-query -c first)" -gt 1200 ]
	[ "$(span-query -c second)" -lt 500 ]
	# An empty run changes nothing.
	cp f before
	span-sample --bands "$bands" --state f </dev/null
	cmp f before
	# Other rules take what is there.
	span-sample --target 1/s --state f </dev/null
	jq -e '.operations[0].p == 0.1' f
}

@test "span-sample: --state is whole after a crash, and one run's at a time" {
	traces 3000 web a >in
	mkfifo pipe
	span-sample --bands '<5/s=1,else=0.1' --wait 1s --state f pipe >out &
	pid=$!
	exec 7>pipe
	cat in >&7
	wait_until test -s f
	run --separate-stderr -75 span-sample --target 1/s --state f </dev/null
	[ "$stderr" = "span-sample: f.lock: another process has it" ]
	kill -9 "$pid"
	exec 7>&-
	wait "$pid" || true
	jq -e '.operations | length == 1' f
	span-sample --bands '<5/s=1,else=0.1' --state f in >again
	jq -e '.operations[0].p == 0.1' f
}

@test "span-sample: what --write-strategies writes span-capture serves" {
	traces 4000 web 'GET /' >in
	echo '{}' >s.json
	span-capture -l sampling:127.0.0.1:0 --strategies s.json -v \
		>out 2>err 3>&- &
	pid=$!
	wait_until grep -q 'listening on sampling ' err
	port=$(sed -nE 's/.*listening on sampling .*:([0-9]+)$/\1/p' err)
	span-sample --bands '<5/s=1,else=0.25' --write-strategies s.json in >kept
	kill -HUP "$pid"
	wait_until grep -q 'read the strategies of 1 service' err
	curl -s "http://127.0.0.1:$port/sampling?service=web" >got
	kill "$pid"
	wait "$pid" || true
	jq -e '.operationSampling.perOperationStrategies ==
		[{"operation": "GET /",
		  "probabilisticSampling": {"samplingRate": 0.25}}]' got
}

@test "span-sample: what a client dropped already is not dropped again" {
	for i in {0..999}; do
		printf '{"t":"%x%04x","s":"1","at":%d,"ms":1,"service":"web","name":"a","tags":{"sampler.type":"probabilistic","sampler.param":0.1}}\n' \
			$((i * 7919 % 65536)) "$i" $((i * 50))
	done | "$BUILD/tests/unit/make-spans" >in
	# 20/s that stand for 200/s.
	span-sample --bands '<150/s=1,else=0.1' --write-strategies s.json in |
		span-query --spans -o jsonl |
		alike - <(span-query --spans -o jsonl in)
	shares s.json | grep -x 'a 0.1'
}

@test "span-sample: wrong usage of what adapts" {
	while IFS='|' read -r args want; do
		# shellcheck disable=SC2086
		run --separate-stderr -2 span-sample $args </dev/null
		[ "${stderr_lines[0]}" = "span-sample: $want" ] || {
			echo "$args: $stderr"
			false
		}
	done <<'END'
--target 1/s --bands else=1|--target and --bands at once
--target 0/s|--target: '0/s' is not like 1/s or 10/m
--target fast|--target: 'fast' is not like 1/s or 10/m
-r 0.5 --state f|--state and --write-strategies go with --target, --bands or such a policy
--keep-errors --write-strategies f|--state and --write-strategies go with --target, --bands or such a policy
--preset lab --target 1/s|--policy and --preset go with no other policy
--bands <5/s=1|--bands: '<5/s=1' is not like <50/s=1,<500/s=0.1,else=0.01
--target 1/s --state s --write-strategies s|--state and --write-strategies are the same FILE
END
	echo '{"policies": [{"type": "bands", "bands": "else=1"},
{"type": "adaptive", "target": "1/s"}]}' >p.json
	run --separate-stderr -2 span-sample --policy p.json </dev/null
	[ "${stderr_lines[0]}" = "span-sample: p.json: line 2: one policy can be adaptive, not two" ]
	echo nonsense >f
	run --separate-stderr -65 span-sample --target 1/s --state f </dev/null
	[ "$stderr" = "span-sample: f: it is no state of span-sample" ]
	grep -x nonsense f
	run --separate-stderr -74 span-sample --target 1/s \
		--write-strategies no/where </dev/null
}

@test "span-sample: strategies may go to a pipe, which stays one" {
	traces 10 web op >in
	mkfifo pipe
	exec 7<>pipe
	timeout 10 span-sample --target 1/s --write-strategies pipe in >out
	[ -p pipe ]
	span-sample --target 1/s --write-strategies want in >again
	head -c "$(stat -c %s want)" <&7 | diff want -
	exec 7<&-
	cmp out again
}
