#!/usr/bin/env bats
# tests/data/query.jsonl says which spans these tests are about.

# The files are written by the test and read by the program, or the other way
# round, never both.
# shellcheck disable=SC2094

load lib

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	"$BUILD/tests/unit/make-spans" <"$DATA/query.jsonl" >q.spans
	span-store append q.store q.spans
	gzip -c q.spans >q.spans.gz
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	q=$BATS_FILE_TMPDIR/q.spans
	store=$BATS_FILE_TMPDIR/q.store
}

# The ids that a search finds in the file, and in the store too, which must
# be the same: finds "4bf9 c0ffee" --service shop
finds() {
	local want=$1 from
	shift
	for from in "$q" "--store=$store"; do
		span-query -o ids "$@" "$from" |
			sed 's/^0*//; s/^\(....\).*/\1/' | tr '\n' ' ' >ids
		echo "$from: $(cat ids), want $want"
		[ "$(cat ids)" = "${want:+$want }" ]
	done
}

# The same for spans, by the last two digits of their ids.
finds_spans() {
	local want=$1 from
	shift
	for from in "$q" "--store=$store"; do
		span-query -o ids --spans "$@" "$from" | sed 's/.*://; s/^0*//' |
			tr '\n' ' ' >ids
		echo "$from: $(cat ids), want $want"
		[ "$(cat ids)" = "${want:+$want }" ]
	done
}

# ---- Output ----

@test "span-query: a table of traces" {
	run -0 span-query -o table "$q"
	same query-table.want
	run -0 span-query -o table -s "$store"
	same query-table.want
}

@test "span-query: a table of spans" {
	run -0 span-query -o table --spans "$q"
	same query-spans.want
}

@test "span-query: trees" {
	run -0 span-query -o tree "$q"
	same query-tree.want
	run -0 span-query -o tree -s "$store"
	same query-tree.want
	run --separate-stderr -2 span-query -o tree --spans "$q"
	[ "${stderr_lines[0]}" = "span-query: --spans and -o tree do not go together" ]
}

@test "span-query: what matches stands out in a tree" {
	span-query -o tree --service db "$q" >tree
	[ "$(grep -c ▸ tree)" = 1 ]
	grep -q '▸ db .*SELECT accounts' tree
}

@test "span-query: json as Jaeger's user interface takes it" {
	span-query -o json "$q" | same query-json.want -
	span-query -o json -s "$store" | same query-json.want -
	run -0 jq -c '[.data[] | .traceID, (.spans | length), (.processes | length)]' "$DATA/query-json.want"
	[ "$output" = '["4bf92f3577b34da6",5,3,"4bf0000000000001",2,2,"80f198ee56343ba864fe8b2a57d3eff7",1,1,"0000000000c0ffee",1,1]' ]
	/usr/bin/python3 -m json.tool "$DATA/query-json.want" >/dev/null
}

@test "span-query: json of matching spans has only those" {
	run -0 bash -c 'span-query -o json --spans --error "$1" |
		jq -c "[.data[].spans[].operationName]"' - "$q"
	[ "$output" = '["POST /charge","bank.call"]' ]
}

@test "span-query: json of nothing is json" {
	run -1 span-query -o json --service none "$q"
	[ "$output" = '{"data":[]}' ]
}

@test "span-query: jsonl" {
	span-query -o jsonl "$q" | same query-jsonl.want -
	run -0 bash -c 'span-query -o jsonl "$1" | jq -c .trace_id | sort -u | wc -l' - "$q"
	[ "$output" = 4 ]
	run -0 /usr/bin/python3 - "$DATA/query-jsonl.want" <<-'END'
		import json, sys
		for line in open(sys.argv[1]):
		    span = json.loads(line)
		print(span["tags"]["n"], type(span["tags"]["big"]).__name__)
	END
	[ "$output" = "9007199254740993 float" ]
}

@test "span-query: csv" {
	span-query -o csv "$q" | same query-csv.want -
	run -0 /usr/bin/python3 - "$DATA/query-csv.want" <<-'END'
		import csv, sys
		rows = list(csv.DictReader(open(sys.argv[1], newline="")))
		print(len(rows), rows[3]["tags"], rows[2]["events"], rows[8]["name"])
	END
	[ "$output" = "9 db.statement=\"SELECT * FROM accounts WHERE id = ?\" rows=1 1 '=cleanup \\x1b[31m*" ]
}

@test "span-query: csv without protection from spreadsheets" {
	run -0 bash -c 'span-query -o csv --no-csv-safe --service cron "$1" | tail -n 1' - "$q"
	[[ $output = *',"=cleanup \x1b[31m*",'* ]]
}

@test "span-query: csv of nothing is the names" {
	run -1 bash -c 'span-query -o csv --service none "$1"' - "$q"
	[ "${#lines[@]}" = 1 ]
	[[ $output = trace_id,span_id,* ]]
}

@test "span-query: ids of traces and of spans" {
	run -0 span-query -o ids "$q"
	[ "${lines[*]}" = "4bf92f3577b34da6 4bf0000000000001 80f198ee56343ba864fe8b2a57d3eff7 0000000000c0ffee" ]
	run -0 span-query -o ids --spans --service payment "$q"
	[ "${lines[*]}" = "4bf92f3577b34da6:0000000000000003 4bf92f3577b34da6:0000000000000004 4bf0000000000001:0000000000000012" ]
}

@test "span-query: a span stream, which is searched again" {
	span-query --service db "$q" >trace.spans
	run -0 span-query -c --spans trace.spans
	[ "$output" = 5 ]
	span-query --spans --service db "$q" >span.spans
	run -0 span-query -c --spans span.spans
	[ "$output" = 1 ]
	span-query --spans "$q" | cmp - "$q"
}

@test "span-query: -c counts traces, with --spans spans" {
	for from in "$q" "--store=$store" "$q.gz"; do
		[ "$(span-query -c "$from")" = 4 ]
		[ "$(span-query -c --spans "$from")" = 10 ]
		[ "$(span-query -c --service shop "$from")" = 3 ]
		[ "$(span-query -c --spans --error "$from")" = 2 ]
		run -1 span-query -c --service none "$from"
		[ "$output" = 0 ]
	done
}

@test "span-query: -q is the exit status only" {
	for from in "$q" "--store=$store"; do
		run -0 span-query -q --service db "$from"
		[ -z "$output" ]
		run -1 span-query -q --service db --error "$from"
		[ -z "$output" ]
	done
}

@test "span-query: -q does not read on after a match" {
	mkfifo in
	exec 9<>in
	cat "$q" >&9
	run -0 timeout 20 span-query -q in
	exec 9<&-
}

@test "span-query: -v ends with counts" {
	run --separate-stderr -0 span-query -v -c --error "$q"
	[[ $stderr =~ ^"span-query: 1 traces, 0 spans out of 10 in "[0-9.]+" s"$ ]]
}

# ---- On a terminal ----

@test "span-query: on a terminal it is a table, without a match a sentence" {
	run -0 script -qec "span-query $q --color never" /dev/null
	tr -d '\r' <<<"$output" | sort >got
	sort "$DATA/query-terminal.want" | diff - got
	run -1 script -qec "span-query $q --service none" /dev/null
	[ "${output%$'\r'}" = "span-query: nothing matches" ]
}

@test "span-query: a terminal shows 20 results and says so" {
	for i in {1..25}; do
		echo '{"t":"'"$i"'","s":"1","at":'"$i"',"service":"a","name":"b"}'
	done | "$BUILD/tests/unit/make-spans" >many.spans
	run -0 script -qec "span-query --color never many.spans" /dev/null
	[ ${#lines[@]} = 22 ]
	[[ ${lines[1]} = *"  25          a b "* ]]
	[ "${lines[21]%$'\r'}" = "span-query: only the newest 20 are shown; --limit 0 shows all" ]
	run -0 script -qec "span-query --limit 0 -o ids many.spans" /dev/null
	[ ${#lines[@]} = 25 ]
	run -0 script -qec "span-query --limit 3 -o ids many.spans" /dev/null
	[ ${#lines[@]} = 3 ]
}

@test "span-query: colours only where they are wanted" {
	run -0 span-query -o table "$q"
	[[ $output != *$'\e'* ]]
	run -0 span-query -o table --color always "$q"
	[[ $output = *$'\e['* ]]
	run -0 env TERM=xterm script -qec "span-query $q" /dev/null
	[[ $output = *$'\e['* ]]
	run -0 env TERM=xterm NO_COLOR=1 script -qec "span-query $q" /dev/null
	[[ $output != *$'\e'* ]]
	run -0 env TERM=dumb script -qec "span-query $q" /dev/null
	[[ $output != *$'\e'* ]]
}

@test "span-query: nothing binary to a terminal" {
	run -2 script -qec "span-query -o spans $q" /dev/null
	[[ $output = "span-query: this is no output for a terminal"* ]]
}

@test "span-query: names from the network cannot act on a terminal" {
	for format in table tree json jsonl csv ids; do
		run -0 span-query -o "$format" "$q"
		[[ $output != *$'\e'* ]]
	done
}

@test "span-query: times are local, or UTC" {
	run -0 env TZ=Asia/Tokyo span-query -o table --service cron "$q"
	[[ ${lines[1]} = "11-22 19:00:04 "* ]]
	run -0 env TZ=Asia/Tokyo span-query -o table --utc --service cron "$q"
	[[ ${lines[1]} = "11-22 10:00:04 "* ]]
}

@test "span-query: --output replaces a file, but not after an error" {
	echo old >ids
	span-query -o ids --service db --output ids "$q"
	[ "$(cat ids)" = 4bf92f3577b34da6 ]
	head -c 500 "$q" >cut.spans
	run -65 span-query -o ids --output ids cut.spans
	[ "$(cat ids)" = 4bf92f3577b34da6 ]
}

# ---- Conditions ----

@test "span-query: all conditions hold on the same span" {
	finds "4bf9" --service payment --error
	finds "" --service shop --error
	finds "" --service db --tag http.method=POST
	finds "4bf9" --service shop --tag http.method=POST --min-duration 1s
	finds "" --service cron --max-duration 1s
}

@test "span-query: services and operations by name, glob and regex" {
	finds "4bf9 4bf0" --service payment
	finds "" --service pay
	finds "4bf9 4bf0 c0ff" --service 'pay*' --service cron
	finds "4bf9" --service '[cd]b'
	finds "4bf9 c0ff" --service '~^(db|cron)$'
	finds "4bf9 4bf0" --operation 'POST /checkout'
	finds "80f1" --operation 'GET*'
	finds "4bf9 4bf0" --operation '~(?i)charge'
	finds "4bf9 4bf0" --service shop --operation 'POST *'
}

@test "span-query: tags of spans, processes and events" {
	finds "4bf9 c0ff" --tag hostname=web-1
	finds "4bf9" --tag exception.type=TimeoutError
	finds "4bf9" --tag event=exception
	finds "80f1" --tag '"quoted key"="a b"'
	finds "4bf9" --tag 'error http.status_code=500'
	finds_spans "3" --tag 'error http.status_code=500'
	finds_spans "1 3" --tag http.status_code=500
	finds_spans "4" --tag load=72.5
	finds_spans "4" --tag retry=2 --tag error=true
	finds_spans "2" --tag cached=false
	finds_spans "31" --tag big=500 --tag n=9007199254740993 --tag blob=6162
}

@test "span-query: tags that are not so, and by regex" {
	finds_spans "12" --service payment --tag provider!=paypal --tag provider~
	finds_spans "4 12" --service payment --tag 'provider!=paypal'
	finds "4bf9" --tag 'db.statement~"^SELECT .* FROM accounts"'
	finds "4bf9" --tag 'exception.message~"no answer after \d+ ms"'
	finds_spans "5 31" --tag 'span.kind!~client|internal hostname!~^(web-2|pay) user!~.'
}

@test "span-query: tags that must not hold, and keys that must be there" {
	finds_spans "4 12" --service payment --not-tag provider=paypal
	finds_spans "4" --service payment --not-tag provider~
	finds_spans "3 4" --not-tag error=false --not-tag http.method~
	finds_spans "3 4 12" --service payment --not-tag 'http.status_code=200 provider=paypal'
	finds_spans "11 12 21 21" --has-tag http.status_code --not-tag http.status_code=500
	finds_spans "3 12" --has-tag provider
	finds_spans "21 21" --has-tag 'quoted key'
	finds_spans "" --has-tag provider --has-tag user
	finds "4bf9 4bf0" --has-tag provider
	[ "$(span-query -c --spans --has-tag provider -s "$store")" = 2 ]
	[ "$(span-query -c --spans --not-tag provider~ -s "$store")" = 8 ]
}

@test "span-query: kind and status" {
	finds_spans "2" --kind internal
	finds_spans "2 4" --kind internal --kind CLIENT
	finds_spans "3 4" --status error
	finds_spans "1 5 11 12 21 21" --kind server --status unset
	finds_spans "1 3 5 11 12 21 21" --kind server --status unset --status error --status ok
	[ "$(span-query -c --spans --kind server -s "$store")" = 7 ]
}

@test "span-query: roots and orphans" {
	finds_spans "1 11 21 21" --root
	finds_spans "11 21 21" --root --max-duration 1s
	finds "4bf9 4bf0 80f1" --root
	finds "80f1 4bf0" --root --limit 2
	finds "4bf9" --root --tag user=ann
	finds_spans "31" --orphans
	finds "c0ff" --orphans
	finds "c0ff" --orphans --limit 1
	finds "" --orphans --service shop
	finds "c0ff" --orphans --sort duration
	for from in "$q" "--store=$store"; do
		[ "$(span-query -c --orphans "$from")" = 1 ]
		[ "$(span-query -c --spans --orphans "$from")" = 1 ]
		[ "$(span-query -c --spans --root "$from")" = 4 ]
		span-query -q --orphans "$from"
		run -1 span-query -q --orphans --service shop "$from"
	done
}

@test "span-query: orphans with a limit and an order of spans" {
	for i in 1 2 3; do
		echo '{"t":"'$i'","s":"1","at":'$i',"ms":'$((9 - i))',"service":"a","name":"root"}'
		echo '{"t":"'$i'","s":"2","p":"1","at":'$((100 + i))',"service":"a","name":"child"}'
		echo '{"t":"'$i'","s":"3","p":"9","at":'$((50 + i))',"ms":'$i',"service":"a","name":"orphan"}'
	done | "$BUILD/tests/unit/make-spans" >orphans.spans
	span-store append orphans.store orphans.spans
	for from in orphans.spans -sorphans.store; do
		run -0 span-query --orphans --spans -o ids $from
		[ "${lines[*]}" = "0000000000000001:0000000000000003 0000000000000002:0000000000000003 0000000000000003:0000000000000003" ]
		run -0 span-query --orphans --spans -o ids --limit 2 $from
		[ "${lines[*]}" = "0000000000000003:0000000000000003 0000000000000002:0000000000000003" ]
		run -0 span-query --orphans --spans -o ids --sort start $from
		[ "${lines[0]}" = "0000000000000001:0000000000000003" ]
		run -0 span-query --orphans -o ids --limit 2 $from
		[ "${lines[*]}" = "0000000000000003 0000000000000002" ]
	done
	# Filters that see single spans judge whole traces for it too.
	span-sample -r 1 --orphans orphans.spans | span-query -c --spans >n
	[ "$(cat n)" = 3 ]
	[ "$(trace-to-loki -q --orphans orphans.spans | wc -c)" -gt 0 ]
}

@test "span-query: derived tags" {
	finds_spans "2" --tag span.kind=internal
	finds_spans "3 4" --tag error=true
	finds_spans "3 4" --tag status=error
	finds_spans "3 4" --tag otel.status_code=ERROR
	finds_spans "12" --tag error=false --service payment
}

@test "span-query: times and durations" {
	finds "80f1 c0ff" --since 2026-11-22T10:00:03Z
	finds "4bf9 4bf0" --until 2026-11-22T10:00:03Z
	finds "80f1" --since @1795341603 --until 2026-11-22T10:00:03.001Z
	finds_spans "2" --min-duration 41.5ms --max-duration 41500us
	# The trace is whole although half of it starts before.
	[ "$(span-query -c --spans "$q" --since @1795341600.065 --until @1795341601)" = 2 ]
	span-query "$q" --since @1795341600.065 --until @1795341601 >whole.spans
	[ "$(span-query -c --spans whole.spans)" = 5 ]
}

@test "span-query: times as people type them" {
	export TZ=Europe/Berlin
	finds "80f1 c0ff" --since '2026-11-22 11:00:03'
	finds "4bf9 4bf0" --until 2026-11-22T10:00:03Z --since 2026-11-22
	finds "80f1" --around '2026-11-22 11:00:03+-1ms'
	finds "80f1" --around '@1795341603±1ms'
	finds "" --since today
	finds "" --until '2026-11-22 00:00'
	run --separate-stderr -2 span-query --since tomorrow "$q"
	[[ ${stderr_lines[0]} = "span-query: --since: 'tomorrow' is no time (like 15m, 14:30, "* ]]
	run --separate-stderr -2 span-query --around 14:30 "$q"
	[ "${stderr_lines[0]}" = "span-query: --around: '14:30' is no time with its surroundings (like 14:30+-5m)" ]
	run --separate-stderr -2 span-query --around 14:30+-5m --until now "$q"
	[ "${stderr_lines[0]}" = "span-query: --around does not go together with --since and --until" ]
}

@test "span-query: a regex that would never end is an error within a second" {
	printf '{"t":"1","s":"1","service":"%s","name":"x"}' "$(printf '%060d' 0 | tr 0 a)b" |
		"$BUILD/tests/unit/make-spans" >aaa.spans
	start=$(date +%s%N)
	run --separate-stderr -65 span-query --service '~(a+)+$' aaa.spans
	[ "$stderr" = "span-query: regular expression '(a+)+\$' takes too many steps" ]
	[ $(($(date +%s%N) - start)) -lt 2000000000 ]
}

@test "span-query: conditions that cannot be read" {
	while IFS='|' read -r option value want; do
		run --separate-stderr -2 span-query "$option" "$value" "$q"
		echo "$stderr"
		[ "${stderr_lines[0]}" = "span-query: $want" ]
		[ -z "$output" ]
	done <<-'END'
		--tag|k="a|tag condition 'k="a', column 3: the quote is not closed
		--tag|=v|tag condition '=v', column 1: a key is missing
		--tag|k~(|tag condition 'k~(', column 3: regular expression, column 2: missing closing parenthesis
		--service|~a(|service: regular expression, column 3: missing closing parenthesis
		--tag|http.url=GET /a|tag condition 'http.url=GET /a', column 14: a value with blanks needs quotes, a key alone is written /a=true
		--trace-id|xyz|trace id 'xyz', column 1: 1 to 32 hex digits were expected, or a traceparent, b3 or uber-trace-id, or a link to a trace
		--trace-id|https://j/search|no trace id is in the link 'https://j/search'
		--trace-id|trace_id=1 trace_id=2|several trace ids are in 'trace_id=1 trace_id=2'
		--kind|servr|'servr' is no kind of a span
		--status|bad|'bad' is no status of a span
		--has-tag||the key of a tag is missing
		--max-duration|0|--max-duration must be above 0
		--sort|size|--sort: 'size' is none of newest, start, duration, spans, errors
	END
	run --separate-stderr -2 span-query --min-duration 2s --max-duration 1s "$q"
	[ "$stderr" = "span-query: the longest duration is below the shortest" ]
	run --separate-stderr -2 span-query --since 5m --until 10m "$q"
	[ "$stderr" = "span-query: the time range ends before it begins" ]
	run --separate-stderr -2 span-query --spans --sort spans -o ids "$q"
	[ "$stderr" = "span-query: the order is one of traces, not of spans" ]
}

# ---- Trace ids ----

@test "span-query: a trace by its id" {
	finds "4bf9" --trace-id 4bf92f3577b34da6
	finds "4bf9" --trace-id 00000000000000004BF92F3577B34DA6
	finds "c0ff" --trace-id c0ffee
	finds "80f1" --trace-id 80f198ee56343ba864fe8b2a57d3eff7
	finds "4bf0 c0ff" --trace-id 4bf0000000000001 --trace-id c0ffee
	finds "" --trace-id 64fe8b2a57d3eff7
	run -1 span-query --trace-id 1 "$q"
}

@test "span-query: a trace by what has its id" {
	id=80f198ee56343ba864fe8b2a57d3eff7 span=0000000000000021
	finds "80f1" --trace-id 80F198EE-5634-3BA8-64FE-8B2A57D3EFF7
	finds "80f1" --trace-id "00-$id-$span-01"
	finds "80f1" --trace-id "b3: $id-$span-1"
	finds "80f1" --trace-id "$id%3A$span%3A0%3A1"
	finds "4bf9" --trace-id "$(span-query -o ids --spans --service db "$q")"
	finds "c0ff" --trace-id "https://jaeger.example/trace/c0ffee?uiFind=1"
	finds "80f1" --trace-id "https://grafana.example/explore?panes=%7B%22a%22:%7B%22queries%22:%5B%7B%22query%22:%22$id%22%7D%5D%7D%7D"
	finds "80f1" --trace-id "level=warn traceID=$id took=2s"
	for p in span-graph span-sample\ -r1 trace-to-loki; do
		# shellcheck disable=SC2086
		$p -q --trace-id "00-$id-$span-01" "$q" >out
		[ -s out ]
	done
}

@test "span-query: a trace by the beginning of its id" {
	finds "4bf9" --trace-id 4bf9
	finds "80f1" --trace-id 8
	finds "80f1" --trace-id 80f198ee56343ba8
	finds "" --trace-id 4bf92f3577b34da60
	finds "" --trace-id 4bf9 --service cron
	finds_spans "3 4" --trace-id 4bf9 --error
}

@test "span-query: an id that no trace has finds no spans either, in any order" {
	for from in "$q" "--store=$store"; do
		for how in "" --sort=newest "--sort=duration --limit=1" -c; do
			# shellcheck disable=SC2086
			run --separate-stderr -1 span-query --spans -o ids $how \
				--trace-id dead "$from"
			[ "${output:-0}" = 0 ]
			[ -z "$stderr" ]
		done
	done
}

@test "span-query: a beginning that several have is wrong usage and names them" {
	for from in "$q" "--store=$store"; do
		run --separate-stderr -2 span-query -o ids --trace-id 4bf "$from"
		[ "$stderr" = "span-query: trace id 4bf is ambiguous: 4bf0000000000001, 4bf92f3577b34da6" ]
		[ -z "$output" ]
	done
}

@test "span-query: the exact id goes before those that begin with it" {
	printf '{"t":"%s","s":"1","service":"a","name":"b"}\n' \
		"ab00000000000001" "ab" "ab00000000000002" |
		"$BUILD/tests/unit/make-spans" >ab.spans
	span-store append ab.store ab.spans
	for from in ab.spans -sab.store; do
		run -0 span-query -o ids --trace-id ab "$from"
		[ "$output" = 00000000000000ab ]
	done
}

# ---- Limit and order ----

@test "span-query: --limit keeps the newest, newest first" {
	finds "c0ff 80f1" --limit 2
	finds "4bf0 4bf9" --limit 2 --service payment
	finds_spans "31 21 21" --limit 3
	finds "4bf9 4bf0 80f1 c0ff" --limit 0
}

@test "span-query: --sort is over all that match" {
	finds "c0ff 80f1 4bf0 4bf9" --sort newest
	finds "4bf9 4bf0 80f1 c0ff" --sort start
	finds "c0ff 4bf9 4bf0 80f1" --sort duration
	finds "4bf9 4bf0 c0ff 80f1" --sort spans
	finds "4bf9 c0ff 4bf0 80f1" --sort errors
	finds "4bf9" --sort spans --limit 1
	finds_spans "31 1 3" --sort duration --limit 3
}

@test "span-query: ties are in the order of ids" {
	for t in 3 1 2; do
		echo '{"t":"'$t'","s":"1","service":"a","name":"b"}'
	done | "$BUILD/tests/unit/make-spans" >ties.spans
	span-store append ties.store ties.spans
	for from in ties.spans -sties.store; do
		for sort in newest start duration spans errors; do
			run -0 span-query -o ids --sort $sort --limit 2 $from
			[ "${lines[*]}" = "0000000000000001 0000000000000002" ]
		done
	done
}

# ---- Sources ----

@test "span-query: files, standard input and gzip" {
	[ "$(span-query -c --spans "$q" "$q")" = 20 ]
	[ "$(span-query -c "$q" "$q")" = 4 ]
	[ "$(span-query -c <"$q")" = 4 ]
	[ "$(span-query -c --spans - "$q.gz" <"$q")" = 20 ]
	# shellcheck disable=SC2002 # a pipe is the point
	[ "$(cat "$q.gz" | span-query -c --spans)" = 10 ]
}

@test "span-query: an empty stream and an empty store have no match" {
	run -1 span-query </dev/null
	[ -z "$output" ]
	: >empty
	run -1 span-query -c empty
	[ "$output" = 0 ]
	span-store append empty.store empty
	run -1 span-query -c -s empty.store
	[ "$output" = 0 ]
	run -1 span-query --trace-id 1 --sort duration -s empty.store
}

@test "span-query: SPAN_STORE is for want of other input" {
	[ "$(SPAN_STORE=$store span-query -c </dev/null)" = 4 ]
	: >empty
	run -1 env SPAN_STORE="$store" span-query -c empty
	run -1 bash -c 'SPAN_STORE=$1 span-query -c <empty' - "$store"
	run -1 bash -c ': | SPAN_STORE=$1 span-query -c' - "$store"
	run -74 env SPAN_STORE=none span-query -c </dev/null
}

@test "span-query: a file and a store at once is wrong usage" {
	run --separate-stderr -2 span-query -s "$store" "$q"
	[ "${stderr_lines[0]}" = "span-query: a FILE and --store at once: '$q'" ]
}

@test "span-query: what is not there" {
	run --separate-stderr -74 span-query none.spans
	[ "$stderr" = "span-query: cannot open none.spans: No such file or directory" ]
	run --separate-stderr -74 span-query -s none
	[ "$stderr" = "span-query: none: no such store" ]
}

@test "span-query: a payload stream is told from a span stream" {
	span-capture -r "$DATA/real-clients.pcap" >x.payload
	run --separate-stderr -65 span-query x.payload
	[ "$stderr" = "span-query: x.payload: bad frame at byte 0: a payload stream, which span-decode reads" ]
}

@test "span-query: a trace is not judged by the part of it that is in the time" {
	"$BUILD/tests/unit/make-spans" >early.spans <<-'END'
		{"t":"1","s":"1","at":0,"ms":1,"service":"a","name":"root"}
		{"t":"2","s":"1","at":0,"ms":1,"service":"a","name":"root"}
	END
	"$BUILD/tests/unit/make-spans" >late.spans <<-'END'
		{"t":"1","s":"2","p":"1","at":600000,"ms":1,"service":"b","name":"child"}
		{"t":"3","s":"1","at":600000,"ms":1,"service":"b","name":"root"}
	END
	for part in early late; do
		span-store append -q --no-seal "$part" "$part.spans"
		span-store seal -q --all "$part"
	done
	mv early st
	span-store import -q st late
	[ "$(span-store stat -o json st | jq .segments)" = 2 ]
	at=$(span-query --spans -o json early.spans |
		jq -r '.. | .startTime? // empty' | head -n 1)
	for until in "--until @$((at / 1000000 + 60))" "--since @$((at / 1000000 + 60))"; do
		for query in '{ } | count() = 2' '{ } | count() = 1' \
			'{ name = "root" } > { name = "child" }' \
			'{ name = "root" } !>> { name = "child" }'; do
			# shellcheck disable=SC2086
			span-query -c --spans $until -s st "$query" >got || [ $? = 1 ]
			# shellcheck disable=SC2086
			span-query -c --spans $until --window 1d "$query" \
				early.spans late.spans >want || [ $? = 1 ]
			echo "$until $query: $(cat got)"
			diff -u want got
		done
	done
}

@test "span-query: a torn file is an error with its name and offset" {
	"$BUILD/tests/unit/make-spans" >two.spans <<-'END'
		{"t":"1","s":"1","service":"a","name":"b"}
	END
	size=$(stat -c %s two.spans)
	{
		cat two.spans
		head -c 500 "$q"
	} >torn.spans
	run --separate-stderr -65 span-query -o ids "$q" torn.spans "$q"
	[ "$stderr" = "span-query: torn.spans: bad frame at byte $size: the input ends inside it" ]
	# What came before it is found all the same.
	[ "${lines[*]}" = "4bf92f3577b34da6 4bf0000000000001 80f198ee56343ba864fe8b2a57d3eff7 0000000000c0ffee 0000000000000001" ]
	run --separate-stderr -65 span-query -o table torn.spans
	[ "${#lines[@]}" = 2 ]
}

@test "span-query: --skip-bad passes over damage and says so" {
	{
		cat "$q"
		echo damage
		cat "$q"
	} >bad.spans
	run --separate-stderr -65 span-query -c --spans bad.spans
	run --separate-stderr -0 span-query -c --spans --skip-bad bad.spans
	[ "$output" = 20 ]
	[ "$stderr" = "span-query: warning: bad.spans: skipped 7 damaged bytes in 1 place" ]
}

@test "span-query: a full disk and a closed pipe" {
	for format in spans table json csv; do
		run --separate-stderr -74 full_disk span-query -o $format "$q"
		[ "$stderr" = "span-query: cannot write: No space left on device" ]
		run --separate-stderr -141 closed_pipe span-query -o $format "$q"
		[ -z "$stderr" ]
	done
}

@test "span-query: results of a stream do not wait for its end" {
	mkfifo in
	span-query -o ids --service db <in >out &
	pid=$!
	exec 9>in
	cat "$q" >&9
	wait_until grep -q 4bf92f3577b34da6 out
	exec 9>&-
	ends 0 $pid
}

# ---- Windows and memory ----

@test "span-query: a stream's trace is complete after the window" {
	for ((i = 0; i < 40; i++)); do
		echo '{"t":"1","s":"'$i'","at":'$((i * 1000))',"service":"a","name":"b"}'
		echo '{"t":"2'$i'","s":"1","at":'$((i * 1000 + 500))',"service":"a","name":"b"}'
	done | sed '3,59{/"t":"1"/d}' | "$BUILD/tests/unit/make-spans" >gap.spans
	run -0 span-query -o table --trace-id 00000000000000000000000000000001 gap.spans
	[ ${#lines[@]} = 3 ]
	run -0 span-query -o table --window 1m --trace-id 00000000000000000000000000000001 gap.spans
	[ ${#lines[@]} = 2 ]
	span-store append gap.store gap.spans
	run -0 span-query -o table --trace-id 00000000000000000000000000000001 -s gap.store
	[ ${#lines[@]} = 2 ]
}

@test "span-query: traces that are cut for want of memory are counted" {
	span-gen --seed 3 -n 400 | span-query --spans --sort start --memory 1G >sorted.spans
	run --separate-stderr -0 span-query -c sorted.spans
	[ "$output" = 400 ]
	run --separate-stderr -0 span-query -o table --memory 100K sorted.spans
	[ ${#lines[@]} -gt 401 ]
	[[ $stderr =~ ^"span-query: warning: "[0-9]+" traces were cut for want of memory; see --memory"$ ]]
	run --separate-stderr -65 span-query -o ids --sort spans --memory 100K sorted.spans
	echo "$stderr"
	[[ $stderr = *"span-query: the results to put in order need more than "* ]]
}

@test "span-query: a store answers as its stream does" {
	span-gen --seed 4 -n 300 >gen.spans
	span-store append gen.store gen.spans
	while read -r -a options; do
		for format in ids jsonl; do
			span-query -o $format "${options[@]}" gen.spans >want || [ $? = 1 ]
			span-query -o $format "${options[@]}" -s gen.store >got || [ $? = 1 ]
			echo "${options[@]}"
			cmp want got
		done
	done <<-'END'
		--error
		--error --spans
		--service checkout --limit 7
		--min-duration 100ms --sort duration
		--operation ~GET --sort spans --limit 20
		--tag http.status_code=500 --sort errors
		--tag span.kind!=server --sort start
	END
}

# ---- The man page ----

@test "span-query: an id in the place of an expression is told its option" {
	id=4bf92f3577b34da6a3ce929d0e0e4736
	run --separate-stderr -2 span-query -s "$store" $id
	[ "${stderr_lines[-1]}" = "span-query: a trace is named by --trace-id $id" ]
	run --separate-stderr -2 span-query -s "$store" ${id:0:9}
	[[ $stderr != *--trace-id* ]]
}

@test "span-query: the examples of the man page run" {
	sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$SRC/man/span-query.1" |
		sed -n '/^\.Bd/,/^\.Ed/{//d;p}' |
		sed -e 's/\\e$/\\/; s/\\(aq/'"'"'/g; s/\\(dq/"/g' \
			-e "s|/var/lib/spans|$store|; s|day.spans.gz|$q.gz|" >examples
	grep -c span-query examples
	page-someone() { :; }
	export -f page-someone
	run --separate-stderr -0 bash -c 'set -x; . ./examples; exit 0'
	echo "$stderr"
	run -1 grep -v '^+' <<<"$stderr"
	[ "$(jq -r '.data[].traceID' trace.json)" = 4bf92f3577b34da6 ]
	[ "$(wc -l <failed.csv)" = 2 ]
}

@test "span-query: a start takes no time" {
	[ "${SANITIZERS:-no}" != yes ] || skip "sanitizers take their time"
	# CPU time, as others may be using the machine; in it is that of the shell.
	times=$(
		TIMEFORMAT='%3U %3S'
		{ time for ((i = 0; i < 100; i++)); do
			span-query --version >/dev/null
		done; } 2>&1
	)
	echo "$times s"
	[ "$(awk '{ print $1 + $2 < 1 }' <<<"$times")" = 1 ]
}
