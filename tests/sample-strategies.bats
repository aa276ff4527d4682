#!/usr/bin/env bats

load lib

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
	cmp <(span-sample --strategies s.json in | span-query --spans -o ids) \
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
