#!/usr/bin/env bats

load lib

gen() {
	span-gen --seed 1 "$@"
}

@test "span-gen: the same seed makes the same bytes, another one others" {
	gen >a
	gen >b
	span-gen --seed 2 >c
	[ -s a ]
	cmp a b
	run -1 cmp -s a c
}

@test "span-gen: without a seed two runs differ, and -v tells the seed" {
	run --separate-stderr -0 bash -c 'span-gen -v >a'
	[[ $stderr =~ seed\ ([0-9]+) ]]
	span-gen --start @1 --seed "${BASH_REMATCH[1]}" >c
	span-gen --start @1 >b
	run -1 cmp -s c b
}

@test "span-gen: -v counts spans, traces and errors" {
	run --separate-stderr -0 bash -c 'span-gen --seed 1 -v -n 1000 >a'
	[[ $stderr =~ ^"span-gen: "1[0-9],[0-9]{3}" spans of 1,000 traces, "[0-9]{3}" errors, "[0-9,]+" bytes, seed 1, "[0-9.]+" s"$ ]]
	[[ $stderr = *" $(stat -c %s a | sed 's/...$/,&/;s/...,/,&/;s/^,//') bytes"* ]]
}

@test "span-gen: --traces, --spans and --duration end it" {
	run --separate-stderr -0 bash -c 'span-gen --seed 1 -v -n 3 >a'
	[[ $stderr = *" of 3 traces,"* ]]
	run --separate-stderr -0 bash -c 'span-gen --seed 1 -v --spans 1k >a'
	[[ $stderr = "span-gen: 1,0"* ]]
	run --separate-stderr -0 bash -c 'span-gen --seed 1 -v --rate 10 --duration 20s >a'
	[[ $stderr =~ " of "(1[6-9][0-9]|2[0-3][0-9])" traces," ]]
	run --separate-stderr -0 bash -c 'span-gen --seed 1 -v -n 0 >a'
	[[ $stderr = "span-gen: 0 spans of 0 traces,"* ]]
	[ ! -s a ]
}

@test "span-gen: --error-rate is met on average, and 0 and 1 exactly" {
	share() {
		span-gen --seed 1 -v -n 4000 --error-rate "$1" 2>&1 >/dev/null |
			tr -d , | awk '{ printf "%d\n", 1000 * $7 / $2 + 0.5 }'
	}
	[ "$(share 0)" = 0 ]
	[ "$(share 1)" = 1000 ]
	run share 0.02
	[ "$output" -ge 16 ]
	[ "$output" -le 24 ]
	run share 0.2
	[ "$output" -ge 160 ]
	[ "$output" -le 250 ]
}

@test "span-gen: --pace sends spans as they end, and stops on a signal" {
	mkfifo pipe
	span-gen --seed 1 --pace --rate 200 -v >pipe 2>log &
	pid=$!
	head -c 1000 <pipe >/dev/null
	ends 141 $pid
	span-gen --pace --rate 200 -v >out 2>log &
	pid=$!
	wait_until test -s out
	kill -TERM $pid
	ends 0 $pid
	grep -q ' spans of ' log
}

@test "span-gen: --print-topology prints JSON that --topology takes" {
	for p in shop deep wide; do
		span-gen -p $p --print-topology >t.json
		jq -e .services t.json >/dev/null
		gen -n 2 -p $p >a
		gen -n 2 --topology t.json >b
		gen -n 2 --topology - <t.json >c
		cmp a b
		cmp a c
	done
}

@test "span-gen: a mistake in a topology is named with its path" {
	while IFS='|' read -r json text; do
		printf '%s' "$json" >t.json
		run --separate-stderr -2 span-gen --topology t.json
		echo "$json: $stderr"
		[ "${stderr_lines[0]}" = "span-gen: t.json: $text" ]
		[ -z "$output" ]
	done <<'END'
{"services":|line 1, column 12: not JSON
[]|.: not an object
{}|.: no services
{"services":[{}]}|.services[0]: the service needs a name without ':'
{"services":[{"name":"a:b"}]}|.services[0]: the service needs a name without ':'
{"services":[{"name":"a","instances":0}]}|.services[0]: the service has no instances
{"services":[{"name":"a","instances":1.5}]}|.services[0].instances: not a whole number
{"services":[{"name":"a","operatons":[]}]}|.services[0]: unknown member "operatons"
{"services":[{"name":"a","operations":{}}]}|.services[0].operations: not a list
{"services":[{"name":"a","operations":[]}]}|no operation has a weight, so that traces start there
{"services":[{"name":"a","operations":[{"name":"x"}]}]}|no operation has a weight, so that traces start there
{"services":[{"name":"a","operations":[{"name":"x","kind":"sever"}]}]}|.services[0].operations[0]: no span kind "sever"
{"services":[{"name":"a","operations":[{"name":"x","self":"5 parsecs"}]}]}|.services[0].operations[0].self: '5 parsecs' is no duration (like 500us, 2s, 1h30m, 7d)
{"services":[{"name":"a","operations":[{"name":"x","self":5}]}]}|.services[0].operations[0].self: not a duration like "5ms"
{"services":[{"name":"a","operations":[{"name":"x","calls":["y"]}]}]}|"x" of service "a" calls "y", which is no operation
{"services":[{"name":"a","operations":[{"name":"x","calls":[{"to":"x","chance":2}]}]}]}|.services[0].operations[0].calls[0].chance: not a number from 0 to 1
{"services":[{"name":"a","operations":[{"name":"x","calls":[{"to":"x","count":[3,2]}]}]}]}|.services[0].operations[0].calls[0].count: not a number or [LO, HI] from 1 to 1000000
{"services":[{"name":"a","operations":[{"name":"x","tags":{"http.url":"/{id}"}}]}]}|.services[0].operations[0].tags["http.url"]: no value is called "id"
{"services":[{"name":"a","operations":[{"name":"x","tags":{"k":"{id"}}]}]}|.services[0].operations[0].tags.k: '{' without '}' (write {{ for a brace)
{"services":[{"name":"a","operations":[{"name":"x","tags":{"k":{"skew":[0,5]}}}]}]}|.services[0].operations[0].tags.k: not [LO, HI] from 1 to 9.0072e+15
{"services":[{"name":"a","operations":[{"name":"x","tags":{"k":{"choice":[]}}}]}]}|.services[0].operations[0].tags.k: nothing to choose from
{"services":[{"name":"a","operations":[{"name":"x","tags":{"k":{"choice":[1,2],"weights":[1]}}}]}]}|.services[0].operations[0].tags.k: as many weights as choices are needed
{"services":[{"name":"a","operations":[{"name":"x","tags":{"k":null}}]}]}|.services[0].operations[0].tags.k: not a value
{"services":[{"name":"a","use":["p"]}]}|.services[0].use: not the name of a tag set
{"values":{"b":{"value":"c"}},"services":[{"name":"a"}]}|.values.b: no value is called "c"
END
}

@test "span-gen: wrong usage is exit 2" {
	while IFS='|' read -r args text; do
		# shellcheck disable=SC2086
		run --separate-stderr -2 span-gen $args
		echo "$args: $stderr"
		[ "${stderr_lines[0]}" = "span-gen: $text" ]
		[ -z "$output" ]
	done <<'END'
--rate 0|--rate is not from 1e-6 to 1e9
--error-rate 1.5|--error-rate is not from 0 to 1
--pace --start @1|--pace starts now, --start makes no sense
-p hostile --services 3|the profile hostile has no topology
-p hostile --print-topology|the profile hostile has no topology
file|unexpected argument: 'file'
--services 5000|--services is not below 4097
END
	run --separate-stderr -2 span-gen --wrong
	run --separate-stderr -2 span-gen -p large
}

@test "span-gen: a missing topology file is exit 74" {
	run --separate-stderr -74 span-gen --topology none.json
	[[ $stderr = *none.json* ]]
}

@test "span-gen: a full disk is exit 74, a closed pipe a silent 141" {
	run --separate-stderr -74 full_disk span-gen --seed 1
	[[ $stderr = *"No space left"* ]]
	for p in shop hostile; do
		run --separate-stderr -141 closed_pipe span-gen --seed 1 -p $p
		[ -z "$stderr" ]
	done
}

@test "span-gen: --help names every option" {
	run -0 span-gen --help
	[[ $output = *--skew-clock* ]]
	run -74 full_disk span-gen --help
}
