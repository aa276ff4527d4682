#!/usr/bin/env bats
# What is in examples/ works.

load lib

# What differs from run to run: port, process, uuid, time of arrival, seconds.
normal() {
	sed -E 's/(127\.0\.0\.1[: ])[0-9]+/\1PORT/; s/(kill -TERM) [0-9]+/\1 PID/
		s/^uuid .*/uuid      UUID/; s/^(arrived  ).*/\1TIME/
		s/[0-9]+\.[0-9]+ s$/0.0 s/; s/[0-9]+ syncs/N syncs/
		s/[0-9]+ frames/N frames/; s/^size .*/size      SIZE/
		s/ \([0-9]+ bytes\),/ (N bytes),/'
}

@test "examples: the demo shows what it always shows" {
	"$SRC/examples/demo.sh" >out 2>err
	cat err
	[ ! -s err ]
	normal <out | same demo.want -
}

@test "examples: the demo fails when a program of it does" {
	mkdir bin
	for p in $PROGRAMS; do
		ln -s "$BUILD/$p" bin/
	done
	mkdir -p tests/bench
	ln -s "$BUILD/tests/bench/udp-send" tests/bench/
	rm bin/span-graph
	printf '#!/bin/sh\nexit 3\n' >bin/span-graph
	chmod +x bin/span-graph
	BUILD=$PWD run -3 "$SRC/examples/demo.sh"
	rm bin/span-decode
	ln -s /bin/false bin/span-decode
	BUILD=$PWD run -1 "$SRC/examples/demo.sh"
}

@test "examples: systemd takes the units" {
	command -v systemd-analyze >/dev/null || skip "no systemd-analyze"
	for unit in "$SRC"/examples/systemd/*; do
		echo "$unit"
		run -0 systemd-analyze verify "$unit"
		[ -z "$output" ]
	done
}

@test "examples: units call programs with options that are there" {
	grep -h '^ExecStart=' "$SRC"/examples/systemd/*.service |
		grep -oE '(span|trace)-[a-z]+ [^|]*' >calls
	grep -q 'span-store append' calls
	while read -r program rest; do
		[[ " $PROGRAMS " = *"/$program "* ]]
		verb=${rest%% *}
		[[ $verb != -* ]] || verb=''
		# shellcheck disable=SC2086
		"$program" $verb --help >help
		for option in $(grep -oE -- '--[a-z-]+' <<<"$rest"); do
			echo "$program $verb $option"
			grep -qE -- "^ .*${option}[ =[]" help
		done
	done <calls
}
