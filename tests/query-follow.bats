#!/usr/bin/env bats
# New traces of a store: span-query --cursor and --follow.

load lib

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	"$BUILD/tests/unit/make-spans" <"$DATA/query.jsonl" >q.spans
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	q=$BATS_FILE_TMPDIR/q.spans
}

# Append a trace of one span, or the next span of one: trace 7 [SPAN [NAME]]
trace() {
	printf '{"t":"%s","s":"%s","service":"a","name":"%s"}\n' "$1" "${2-1}" "${3-b}" |
		"$BUILD/tests/unit/make-spans" | span-store append -q st
}

# What a run with the cursor finds: news "1 2" --service a
news() {
	local want=$1
	shift
	span-query -s st --cursor c --window 1ns -o ids "$@" >ids || [ $? = 1 ]
	sed -i 's/^0*//' ids
	echo "$(tr '\n' ' ' <ids), want $want"
	[ "$(tr '\n' ' ' <ids)" = "${want:+$want }" ]
}

# ---- --cursor ----

@test "query-follow: a cursor finds each new trace once" {
	trace 1
	trace 2
	news "1 2"
	news ""
	trace 3
	news "3"
	news ""
	# More of a trace that was told is not told.
	trace 2 2
	trace 4
	news "4"
}

@test "query-follow: a cursor survives seal, merge and expiry" {
	trace 1
	trace 2
	news "1 2"
	span-store seal -q --all st
	news ""
	trace 3
	span-store seal -q --all st
	trace 4
	span-store seal -q --all st
	news "3 4"
	trace 5
	news "5"
	trace 6
	trace 7
	# One segment with what was told and what was not.
	span-store seal -q --all st
	news "6 7"
	news ""
	span-store expire -q --max-bytes 1 st
	trace 8
	news "8"
	rm -rf st
	trace 9
	run --separate-stderr -2 span-query -s st --cursor c
	[ "${stderr_lines[0]}" = "span-query: cursor c: it belongs to another store" ]
}

@test "query-follow: a trace that is not complete is told by a later run" {
	trace 1
	run --separate-stderr -1 span-query -v -s st --cursor c --window 1h -o ids
	[ -z "$output" ]
	[ "${stderr_lines[0]}" = "span-query: 1 matching trace is not complete yet" ]
	grep -q '^waiting 00000000000000000000000000000001 ' c
	trace 1 2
	span-store seal -q --all st
	span-query -s st --cursor c --window 1ns -o '%(spans)' >got
	[ "$(cat got)" = 2 ]
	news ""
}

@test "query-follow: a cursor is about what the search finds" {
	span-store append -q st "$q"
	news "4bf92f3577b34da6" --error
	news ""  --error
	# Another search with the same cursor sees only what is new.
	news ""
	span-query -s st --cursor d --window 1ns --spans -o ids --error >ids
	[ "$(tr '\n' ' ' <ids)" = "4bf92f3577b34da6:0000000000000003 4bf92f3577b34da6:0000000000000004 " ]
	[ "$(span-query -s st --cursor e --window 1ns -c)" = 4 ]
	[ "$(span-query -s st --cursor f --window 1ns -c --spans --service payment)" = 3 ]
	[ "$(span-query -s st --cursor g --window 1ns -c --orphans)" = 1 ]
	span-query -s st --cursor h --window 1ns -o table >got
	[ "$(wc -l <got)" = 5 ]
	span-query -s st --cursor i --window 1ns -o json | jq -c '.data | length' >got
	[ "$(cat got)" = 4 ]
	span-query -s st --cursor j --window 1ns | span-query -c --spans >got
	[ "$(cat got)" = 9 ]
	run -1 span-query -s st --cursor i --window 1ns -o json
	[ "$output" = '{"data":[]}' ]
}

@test "query-follow: a cursor moves on only when all was written" {
	trace 1
	news "1"
	trace 2
	cp c before
	run --separate-stderr -74 full_disk span-query -s st --cursor c --window 1ns -o ids
	run --separate-stderr -141 closed_pipe span-query -s st --cursor c --window 1ns -o ids
	run --separate-stderr -74 span-query -s st --cursor c --window 1ns -o ids --output no/dir
	cmp c before
	news "2"
	[ -z "$(find . -name '*.tmp')" ]
}

@test "query-follow: a cursor that cannot be written is an error" {
	trace 1
	run --separate-stderr -74 span-query -s st --cursor no/dir/c --window 1ns -o ids
	[[ $stderr = "span-query: cannot create no/dir/c."*"No such file or directory" ]]
	[ "$output" = 0000000000000001 ]
}

@test "query-follow: a cursor that is damaged or no cursor is refused" {
	trace 1
	news "1"
	cp c good
	sed -i s/told/tolt/ c
	run --separate-stderr -65 span-query -s st --cursor c
	[ "$stderr" = "span-query: cursor c: its checksum is wrong, or it goes on" ]
	head -c 20 good >c
	run --separate-stderr -65 span-query -s st --cursor c
	[ "$stderr" = "span-query: cursor c: the UUID of a store was expected" ]
	cp "$q" c
	run --separate-stderr -65 span-query -s st --cursor c
	[ "$stderr" = "span-query: cursor c: this is no cursor" ]
	: >c
	run --separate-stderr -65 span-query -s st --cursor c
	[ "$stderr" = "span-query: cursor c: it is empty" ]
	run --separate-stderr -74 span-query -s st --cursor .
	[ "$stderr" = "span-query: cannot read .: Is a directory" ]
}

@test "query-follow: damage in the store is told and passed over" {
	for i in 1 2 3; do
		trace $i
	done
	printf X | dd of=st/00000002.log bs=1 seek=230 conv=notrunc status=none
	run --separate-stderr -0 span-query -s st --cursor c --window 1ns -o ids
	[ "$stderr" = "span-query: warning: st/00000002.log: damaged near byte 128, it is passed over" ]
	[ "${lines[*]}" = "0000000000000001 0000000000000003" ]
	trace 4
	news "4"
}

@test "query-follow: what expired before a cursor came to it is told" {
	trace 1
	news "1"
	trace 2
	trace 3
	span-store seal -q --all st
	span-store expire -q --max-bytes 1 st
	trace 4
	run --separate-stderr -0 span-query -s st --cursor c --window 1ns -o ids
	[[ $stderr =~ ^"span-query: warning: c: spans that arrived after 20"[-0-9T:]+"Z expired before this run saw them: 2 frames of them are left out"$ ]]
	[ "$output" = 0000000000000004 ]
	# Nor is it told twice, nor what was seen, nor to those who see none of it.
	run --separate-stderr -1 span-query -s st --cursor c --window 1ns -o ids
	[ -z "$stderr" ]
	run --separate-stderr -0 span-query -s st --cursor first --window 1ns -o ids
	[ -z "$stderr" ]
}

@test "query-follow: a link to a cursor stays one" {
	mkdir dir
	ln -s dir/real c
	trace 1
	: >dir/real
	rm dir/real
	span-query -s st --cursor dir/real --window 1ns -o ids
	trace 2
	news "2"
	[ -L c ]
	news ""
}

# ---- --follow ----

# What a test that failed has left.
teardown() {
	[ -z "${pid-}" ] || kill -KILL "$pid" || true
}

# Follow in the background: its output is in the file out.
follow() {
	span-query --follow -s st --window 1ms "$@" >out 2>errors 3>&- &
	pid=$!
	# Its watch is there when it has caught the signal.
	wait_until caught
}

caught() {
	# SIGTERM is number 15: bit 14 of the caught signals.
	[ $((0x$(sed -n 's/^SigCgt:\t//p' "/proc/$pid/status") >> 14 & 1)) = 1 ]
}

stop() {
	local follower=$pid
	kill -TERM "$follower"
	pid=
	ends 0 $follower
	[ ! -s errors ]
}

@test "query-follow: traces are told when they are complete" {
	trace 1
	follow -o ids
	until grep -q 2$ out; do
		trace 2
		wait_until test -s out
	done
	trace 3
	wait_until grep -q 3$ out
	stop
	run -1 grep -q 1$ out
	[ "$(sort out | uniq -d)" = "" ]
}

@test "query-follow: with --since what is there is told first" {
	trace 1
	follow -o ids --since 2026-11-22
	wait_until grep -q 1$ out
	trace 2
	wait_until grep -q 2$ out
	stop
	[ "$(wc -l <out)" = 2 ]
}

@test "query-follow: through seal, merge and expiry" {
	trace 1
	follow -o '%(trace_id) %(spans)' --since 2026-11-22
	wait_until grep -q '1 1$' out
	for i in 2 3 4; do
		trace $i
		span-store seal -q --all st
		wait_until grep -q "$i 1$" out
	done
	span-store expire -q --max-bytes 1 st
	trace 5
	wait_until grep -q '5 1$' out
	stop
	[ "$(wc -l <out)" = 5 ]
}

@test "query-follow: matching spans come at once, and once" {
	trace 1
	follow --spans -o ids --operation match --since 2026-11-22
	for i in 1 2 3; do
		trace 7 $i match
		trace 7 9$i other
		wait_until grep -q ":000000000000000$i" out
		span-store seal -q --all st
	done
	stop
	[ "$(wc -l <out)" = 3 ]
}

@test "query-follow: orphans are judged when the trace is complete" {
	trace 1
	follow --spans --orphans -o ids --since 2026-11-22
	printf '{"t":"8","s":"1","service":"a","name":"b"}\n{"t":"8","s":"2","p":"1","service":"a","name":"b"}\n{"t":"8","s":"3","p":"5","service":"a","name":"b"}\n' |
		"$BUILD/tests/unit/make-spans" | span-store append -q st
	wait_until test -s out
	stop
	[ "$(cat out)" = "0000000000000008:0000000000000003" ]
}

@test "query-follow: a span stream goes on to the next program" {
	trace 1
	mkfifo pipe
	span-query -o ids --spans <pipe >got 3>&- &
	reader=$!
	follow --since 2026-11-22 -o spans --output pipe
	wait_until grep -q 1:0 got
	trace 2
	wait_until grep -q 2:0 got
	stop
	ends 0 $reader
}

@test "query-follow: json ends well, and a reader that goes away ends it" {
	trace 1
	follow --since 2026-11-22 -o json
	wait_until test -s out
	stop
	[ "$(jq '.data | length' out)" = 1 ]
	run --separate-stderr -141 closed_pipe span-query --follow -s st --window 1ms --since 2026-11-22 -o ids
	[ -z "$stderr" ]
}

@test "query-follow: waiting takes no time of a processor" {
	[ "${SANITIZERS:-no}" != yes ] || skip "sanitizers take their time"
	trace 1
	follow -o ids --since 2026-11-22
	wait_until grep -q 1$ out
	for i in 2 3 4 5; do
		trace $i
		wait_until grep -q "$i$" out
	done
	# In clock ticks of 10 ms.
	used=$(awk '{ print $14 + $15 }' "/proc/$pid/stat")
	stop
	echo "$used ticks"
	[ "$used" -lt 50 ]
}

@test "query-follow: what does not go together" {
	trace 1
	while IFS='|' read -r options want; do
		# shellcheck disable=SC2086
		run --separate-stderr -2 span-query -s st $options
		echo "$options: $stderr"
		[ "${stderr_lines[0]}" = "span-query: $want" ]
	done <<-'END'
		--follow -c|--follow goes with no -c, -q or --cursor
		--follow -q|--follow goes with no -c, -q or --cursor
		--follow --cursor c|--follow goes with no -c, -q or --cursor
		--cursor c -q|--cursor goes with no -q
		--follow --limit 5|--follow and --cursor go with no --limit or --sort
		--cursor c --sort duration|--follow and --cursor go with no --limit or --sort
		--follow -l|-l and -L go with no --follow or --cursor
	END
	for option in --follow --cursor=c; do
		run --separate-stderr -2 span-query $option "$q"
		[ "${stderr_lines[0]}" = "span-query: --follow and --cursor are about a store; of a FILE that grows: tail -c +1 -f FILE | span-query" ]
		run --separate-stderr -2 span-query $option <"$q"
	done
	[ ! -e c ]
}
