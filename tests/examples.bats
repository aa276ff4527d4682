#!/usr/bin/env bats
# What is in examples/ works.

load lib

# What differs from run to run: port, process, uuid, time of arrival, seconds.
normal() {
	sed -E 's/(127\.0\.0\.1[: ])[0-9]+/\1PORT/; s/(kill -TERM) [0-9]+/\1 PID/
		s/^uuid .*/uuid      UUID/; s/^(arrived  ).*/\1TIME/
		s/[0-9]+\.[0-9]+ s$/0.0 s/; s/[0-9]+ syncs/N syncs/
		s/[0-9]+ frames/N frames/; s/^(spans +[0-9,]*[0-9]|logs  .* spans), .*/\1, SIZE/
		s/^disk .*/disk      DISK/
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
	for p in $(programs); do
		ln -s "$BUILD/bin/$p" bin/
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

@test "examples: units and crontab call programs with options that are there" {
	grep -hE '^(ExecStart(Pre)?=|[0-9*])' "$SRC"/examples/systemd/*.service \
		"$SRC"/examples/cron/* |
		grep -oE '(span|trace)-[a-z]+ [^|&]*' >calls
	grep -q 'span-store append' calls
	grep -q 'span-stats' calls
	[ "$(grep -c 'span-store seal' calls)" = 2 ]
	all=$(programs)
	while read -r program rest; do
		grep -qxF "$program" <<<"$all"
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

@test "examples: the crontab has what cron wants, and its commands work" {
	span-gen --seed 1 --spans 2000 | span-store append s
	span-store init -q --max-bytes 1 s
	sed -nE 's/^([0-9*/,-]+ ){5}//p' "$SRC/examples/cron/spans" >commands
	[ "$(wc -l <commands)" = 1 ]
	sed -i "s,/var/lib/spans,$PWD/s,g" commands
	run --separate-stderr -0 sh commands
	[ -z "$stderr" ]
	[[ ${lines[0]} = "sealed 1 log: 2,0"* ]]
	[[ ${lines[1]} = "removed 1 file, 2,0"* ]]
	run --separate-stderr -0 sh commands
	[ -z "$output$stderr" ]
}

@test "examples: the crontab for metrics counts each span once, and a metric leads back" {
	sed -nE 's/^([0-9*/,-]+ ){5}//p' "$SRC/examples/cron/metrics" >commands
	[ "$(wc -l <commands)" = 1 ]
	sed -i "s,/var/lib/,$PWD/,g" commands
	mkdir -p prometheus/node-exporter
	for seed in 1 2; do
		span-gen --seed $seed --spans 2000 --start 2026-11-22T1$seed:00:00Z >hour$seed
		span-store append -q spans hour$seed
		run --separate-stderr -0 sh commands
		[ -z "$output$stderr" ]
	done
	[ "$(stat -c %a prometheus/node-exporter/spans.prom)" = "$(printf %o $((0666 & ~$(umask))))" ]
	sort prometheus/node-exporter/spans.prom >got
	span-stats -o prometheus --metric-names otel-seconds hour1 hour2 | sort | diff - got
	# While another run has the totals nothing changes.
	span-store append -q spans hour1
	run --separate-stderr -75 flock spans-metrics.totals.lock sh commands
	[ "$stderr" = "span-stats: $PWD/spans-metrics.totals.lock: another process has it" ]
	sort prometheus/node-exporter/spans.prom | diff got -
	# The command of its comment, with a service that there is.
	service=$(grep -o 'service_name="[^"]*".*STATUS_CODE_ERROR' got | head -n 1 | cut -d'"' -f2)
	selector=$(sed -n "s/^# '\(.*\)'/\1/p" "$SRC/examples/cron/metrics")
	selector=${selector/cart/$service}
	[ "$(span-query --spans -c --matchers "$selector" hour1 hour2)" = \
		"$(awk '/_count.*'"service_name=\"$service\".*STATUS_CODE_ERROR"'/ { n += $2 } END { print n }' got)" ]
}

# Print every span of a store, in an order that does not depend on its files.
all_of() {
	span-query -s "$1" --spans -o jsonl | sort
}

# Stores as archive.sh copies them, with rsync and without: two hosts into one.
archive() {
	local n=0 host
	for host in a b; do
		span-gen --seed "$1$((++n))" --spans 3000 | span-store append $host
		"$SRC/examples/archive.sh" $host at-$host
		[ "$(all_of $host)" = "$(all_of at-$host)" ]
		span-store verify at-$host
		# What is there already is not copied again.
		find at-$host -name '*.seg' -printf '%f %T@\n' >before
		"$SRC/examples/archive.sh" $host at-$host >out
		[ ! -s out ]
		find at-$host -name '*.seg' -printf '%f %T@\n' | diff before -
	done
	[ "$(span-store import all at-a at-b 2>&1)" = "copied 2 segments" ]
	span-store verify all
	[ "$(all_of all)" = "$({ all_of a && all_of b; } | sort)" ]
	[ -z "$(span-store import all at-a at-b 2>&1)" ]
}

@test "examples: archive.sh copies sealed stores, which can be merged" {
	command -v rsync >/dev/null || skip "no rsync"
	archive 1
}

@test "examples: archive.sh works without rsync" {
	mkdir bin
	for p in $(programs); do
		ln -s "$BUILD/bin/$p" bin/
	done
	for p in bash basename cat chmod cp diff find mkdir mv sed sort; do
		ln -s "$(command -v $p)" bin/
	done
	PATH=$PWD/bin archive 2
}

# Run the commands of a page in a directory that has examples/; trace-diff
# says by exit 1 that something differs.
investigate() {
	local line
	grep '^    \$ ' "$1" | while IFS= read -r line; do
		printf '%s\n' "${line#    }"
		bash -o pipefail -c "${line#    \$ }" || [ $? = 1 ] || echo "[exit $?]"
	done
}

# What investigations.md says below a question.
answer() {
	awk -v head="## $1" '/^## /{ shown = index($0, head) == 1 } shown' \
		examples/investigations.md
}

@test "examples: five investigations find what is wrong with the shop" {
	ln -s "$SRC/examples" examples
	sed -n 's/^    //p' examples/investigations.md >want
	investigate examples/investigations.md >got
	diff -u want <(sed '/^$/d' got)
	# The causes, which are in investigations.json, come first.
	answer 'Which' | grep -A 1 '^    guilty' | grep -q 'stock Reserve'
	answer 'Why' | grep -q '^    +  .*tax GET /rates .*new$'
	answer 'What did' | grep -A 1 '^    error' | grep -q 'payment Pay by paypal: no answer'
	answer 'What do' | grep -q 'payment payment.method=paypal$'
	answer 'What do' | grep -q 'failures took 3.00s'
	answer 'Who' | grep -A 1 '^    n+1' | grep -q 'orders List: SELECT \* FROM item'
}

@test "examples: investigate goes from an alert to the cause that was planted" {
	"$SRC/examples/investigate" >out 2>err
	[ ! -s err ]
	same investigate.want - <out
	# What is wrong is in the release that the script makes, and in the log.
	sed -n '/^# Cause/{n;p;}' out | grep -q "^inventory 1\.9\.0: .*stock-report holds 9 of 10"
}

@test "examples: investigate finds no cause where none was planted" {
	mkdir examples
	# The same script in a shop whose inventory has no fault.
	sed 's/1\.8\.2/1.8.3/; s/200us/201us/; s/"self": "2s"/"self": "2001ms"/' \
		"$SRC/examples/investigate.json" >examples/investigate.json
	sed 's/traffic 2 10:20 10m 0.03/traffic 2 10:20 10m 0.004/' \
		"$SRC/examples/investigate" >examples/investigate
	run --separate-stderr -1 bash examples/investigate
	[ "$stderr" = "investigate: there is no alert" ]
	# And with the errors that the release had besides.
	cp "$SRC/examples/investigate" examples
	run --separate-stderr -1 bash examples/investigate
	[ "$stderr" = "investigate: no release of payment is to blame" ]
	[[ $output != *'# Cause'* ]]
}
