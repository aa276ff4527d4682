#!/usr/bin/env bats
# Columns, templates and names of files; tests/data/query.jsonl says which
# spans these tests are about.

load lib

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	"$BUILD/tests/unit/make-spans" <"$DATA/query.jsonl" >q.spans
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	q=$BATS_FILE_TMPDIR/q.spans
}

@test "query-output: columns of a table of traces and of spans" {
	run -0 span-query --columns start,trace_id,duration,spans,errors "$q"
	diff -u - <(cat <<<"$output") <<-'END'
		start                    trace_id                          duration   spans  errors
		2026-11-22 10:00:00.000  4bf92f3577b34da6                     1.24s       5       2
		2026-11-22 10:00:02.000  4bf0000000000001                    95.0ms       2       0
		2026-11-22 10:00:03.000  80f198ee56343ba864fe8b2a57d3eff7    7.00ms       1       0
		2026-11-22 10:00:04.000  0000000000c0ffee                     30.0s       1       0
	END
	run -0 span-query --spans --service payment --columns span_id,service,operation,tag:provider,status "$q"
	diff -u - <(cat <<<"$output") <<-'END'
		span_id           service           operation         tag:provider      status
		0000000000000003  payment           POST /charge      paypal            error
		0000000000000004  payment           bank.call                           error
		0000000000000012  payment           POST /charge      card              unset
	END
}

@test "query-output: a table of columns is cut to the terminal" {
	run -0 script -qec "stty cols 60; span-query --columns duration_ms,operation,tags $q" /dev/null
	for line in "${lines[@]}"; do
		line=${line%$'\r'}
		[ ${#line} -le 60 ]
	done
	[[ $output = *…* ]]
}

@test "query-output: columns of CSV, a line a trace or a line a span" {
	run -0 span-query -o csv --columns trace_id,service,tag:user,duration_ms,spans,start "$q"
	diff -u - <(tr -d '\r' <<<"$output") <<-'END'
		trace_id,service,"tag:user",duration_ms,spans,start
		4bf92f3577b34da6,"shop","ann",1240,5,2026-11-22T10:00:00.000000000Z
		4bf0000000000001,"shop","bob",95,2,2026-11-22T10:00:02.000000000Z
		80f198ee56343ba864fe8b2a57d3eff7,"shop","",7,1,2026-11-22T10:00:03.000000000Z
		0000000000c0ffee,"cron","",30000,1,2026-11-22T10:00:04.000000000Z
	END
	run -0 span-query -o csv --spans --service cron --columns parent_id,name,events,process "$q"
	[ "${lines[1]%$'\r'}" = '0000000000000030,"'"'"'=cleanup \x1b[31m*",0,"hostname=web-1"' ]
	run -0 span-query -o csv --no-csv-safe --spans --service cron --columns name "$q"
	[ "${lines[1]%$'\r'}" = '"=cleanup \x1b[31m*"' ]
}

@test "query-output: all fields have a value" {
	run -0 span-query --columns help
	fields=$(awk '!/^tag:/ { print $1 }' <<<"$output")
	[[ $output = *"tag:KEY "* ]]
	for f in $fields; do
		run -0 span-query -o "%($f)" --service shop --limit 1 "$q"
		echo "$f: $output"
		[ ${#lines[@]} = 1 ] || [ "$f" = parent_id ] || [ "$f" = status_message ]
		grep -qwF -- "$f" "$SRC/man/span-query.1"
	done
	all=$(tr '\n' , <<<"$fields")tag:user
	run -0 span-query -o csv --columns "$all" --trace-id 4bf9 --utc "$q"
	[ "${lines[1]%$'\r'}" = '4bf92f3577b34da6,0000000000000001,,"shop","POST /checkout","POST /checkout",server,unset,"",true,2026-11-22T10:00:00.000000000Z,1795341600000000000,2026-11-22T10:00:01.240000000Z,1795341601240000000,1.24s,1240,1240000,1240000000,5,3,2,0,1,0,"http.method=POST http.status_code=500 http.url=""/checkout?id=7"" user=ann","hostname=web-1 version=1.4","ann"' ]
}

@test "query-output: templates of traces and of spans" {
	run -0 span-query -o '%(trace_id): %(service)/%(operation) %(duration_ms)' --limit 2 "$q"
	[ "${lines[0]}" = "0000000000c0ffee: cron/=cleanup \\x1b[31m* 30000" ]
	[ "${lines[1]}" = "80f198ee56343ba864fe8b2a57d3eff7: shop/GET / 7" ]
	run -0 span-query --spans --format='%(span_id) %(kind) %(duration_us) %(tag:items)%%' --kind internal "$q"
	[ "$output" = "0000000000000002 internal 41500 3%" ]
	run -0 env TZ=Asia/Tokyo span-query -o '%(start) %(end_ns)' --service cron "$q"
	[ "$output" = "2026-11-22 19:00:04.000 1795341634000000000" ]
	run -0 env TZ=Asia/Tokyo span-query --utc -o '%(start)' --service cron "$q"
	[ "$output" = "2026-11-22T10:00:04.000000000Z" ]
}

@test "query-output: widths of a template" {
	run -0 span-query --spans --service db -o '[%<(5)%(service)|%>(5)%(service)|%><(5)%(service)|%<(6,trunc)%(operation)|%>(2)%(operation)]' "$q"
	[ "$output" = "[db   |   db| db  |SELEC…|SELECT accounts]" ]
	run -0 span-query --spans --service db -o '%(service)%x2d%x41%n%(kind)' "$q"
	[ "${lines[*]}" = "db-A server" ]
}

@test "query-output: format: is between lines, tformat: after each" {
	span-query -o 'format:%(spans)' "$q" >got
	printf '5\n2\n1\n1' | cmp - got
	span-query -o 'tformat:%(spans)' "$q" >got
	printf '5\n2\n1\n1\n' | cmp - got
	span-query -z -o 'format:%(spans)' "$q" >got
	printf '5\0002\0001\0001' | cmp - got
	span-query -o 'tformat:x' "$q" >got
	printf 'x\nx\nx\nx\n' | cmp - got
}

@test "query-output: a zero byte ends ids, names and templates" {
	span-query -z -o ids --service db "$q" >got
	printf '4bf92f3577b34da6\0' | cmp - got
	span-query -z -o ids --spans --service db "$q" >got
	printf '4bf92f3577b34da6:0000000000000005\0' | cmp - got
	span-query -z -o '%(service)' --service db --spans "$q" >got
	printf 'db\0' | cmp - got
	span-query -lz "$q" >got
	printf '%s\0' "$q" | cmp - got
	run --separate-stderr -2 span-query -z -o csv "$q"
	[ "${stderr_lines[0]}" = "span-query: -z goes with -o ids, templates, -l and -L" ]
}

@test "query-output: mistakes in templates and columns have their place" {
	while IFS='|' read -r option value want; do
		run --separate-stderr -2 span-query "$option" "$value" "$q"
		echo "$stderr"
		[ "${stderr_lines[0]}" = "span-query: $want" ]
		run --separate-stderr -2 span-query --spans "$option" "$value" "$q"
		[[ ${stderr_lines[0]} = "span-query: $option: "* ]]
	done <<-'END'
		--format|%(trace_id) %(nope)|--format: template, column 15: unknown field 'nope'
		--format|%(trace_id|--format: template, column 2: the bracket is not closed
		--format|%|--format: template, column 1: a % is %(field), %<(N), %>(N), %><(N), %n, %xHH or %%
		--format|a%zb|--format: template, column 2: a % is %(field), %<(N), %>(N), %><(N), %n, %xHH or %%
		--format|%x4|--format: template, column 1: a % is %(field), %<(N), %>(N), %><(N), %n, %xHH or %%
		--format|%<20%(name)|--format: template, column 3: a width in brackets is missing
		--format|%<(0)%(name)|--format: template, column 4: a width is 1 to 1000
		--format|%<(1001)%(name)|--format: template, column 4: a width is 1 to 1000
		--format|%<(99999999999999999999)%(name)|--format: template, column 4: a width is 1 to 1000
		--format|%<(20,mtrunc)%(name)|--format: template, column 6: the bracket is not closed
		--format|%<(20)%n%(name)|--format: template, column 1: no field follows a width
		--format|%<(20)%>(9)%(name)|--format: template, column 1: no field follows a width
		--format|%<(20)|--format: template, column 1: no field follows a width
		--format|%()|--format: template, column 3: unknown field ''
		--format|%(tag:)|--format: template, column 3: unknown field 'tag:'
		--format|tabel|--format: 'tabel' is none of spans, table, json, jsonl, csv, ids, tree
		--columns|trace_id,nope|--columns: columns, column 10: there is no 'nope'; see --columns help
		--columns||--columns: columns, column 1: there is no ''; see --columns help
	END
	run --separate-stderr -2 span-query --spans -o '%(spans)' "$q"
	[ "${stderr_lines[0]}" = "span-query: --format: template, column 3: no field of a span, but of a trace: 'spans'" ]
	run --separate-stderr -2 span-query --spans --columns name,spans "$q"
	[ "${stderr_lines[0]}" = "span-query: --columns: columns, column 6: spans have no 'spans'; see --columns help" ]
	run --separate-stderr -2 span-query --columns "$(printf 'name,%.0s' {1..64})name" "$q"
	[[ ${stderr_lines[0]} = *"too many from 'name'"* ]]
	run --separate-stderr -2 span-query --columns name -o json "$q"
	[ "${stderr_lines[0]}" = "span-query: --columns goes with -o table and -o csv" ]
}

@test "query-output: names of files with and without a match" {
	span-query --service cron "$q" >cron.spans
	span-query --service db "$q" >db.spans
	: >empty.spans
	run -0 span-query -l --service cron cron.spans db.spans empty.spans
	[ "$output" = cron.spans ]
	run -0 span-query -L --service cron cron.spans db.spans empty.spans
	[ "${lines[*]}" = "db.spans empty.spans" ]
	run -1 span-query -l --service none cron.spans db.spans
	[ -z "$output" ]
	run -1 span-query -L cron.spans db.spans
	[ -z "$output" ]
	run -0 span-query -l --orphans cron.spans db.spans
	[ "$output" = cron.spans ]
	run -0 span-query -l <cron.spans
	[ "$output" = "(standard input)" ]
	run -0 span-query -l - db.spans <cron.spans
	[ "${lines[*]}" = "(standard input) db.spans" ]
	# A total, not one a file.
	run -0 span-query -c cron.spans db.spans cron.spans
	[ "$output" = 2 ]
	run --separate-stderr -74 span-query -l cron.spans none.spans
	[ "$stderr" = "span-query: cannot open none.spans: No such file or directory" ]
	span-store append x.store cron.spans
	run --separate-stderr -2 span-query -l -s x.store
	[ "${stderr_lines[0]}" = "span-query: -l and -L are about FILEs, not about a store" ]
	run --separate-stderr -2 span-query -l -c cron.spans
	[ "${stderr_lines[0]}" = "span-query: -l and -L go with no -c, -o or --columns" ]
	run --separate-stderr -2 span-query -lL cron.spans
	[ "${stderr_lines[0]}" = "span-query: -l and -L do not go together" ]
}

@test "query-output: bars are relative to the longest that is shown" {
	run -0 span-query -o table --limit 20 "$q"
	[[ ${lines[1]} = *"30.0s     1    1     ██████" ]]
	run -0 span-query -o table --limit 20 --trace-id 4bf9 "$q"
	[[ ${lines[1]} = *"1.24s     5    3   2 ██████" ]]
	for line in "${lines[@]}"; do
		[ ${#line} -le 80 ]
	done
	run -0 env COLUMNS=120 script -qec "stty cols 120; span-query --color never $q" /dev/null
	[[ ${lines[1]} = *"30.0s     1    1     █████████████████"* ]]
	run -0 env LC_ALL=C span-query -o table --limit 1 "$q"
	[[ ${lines[1]} = *" ======" ]]
}

@test "query-output: a full disk and a closed pipe" {
	for format in '%(service)' 'format:%(service)'; do
		run --separate-stderr -74 full_disk span-query -o "$format" "$q"
		[ "$stderr" = "span-query: cannot write: No space left on device" ]
		run --separate-stderr -141 closed_pipe span-query -o "$format" "$q"
		[ -z "$stderr" ]
	done
	run --separate-stderr -74 full_disk span-query -l "$q"
	run --separate-stderr -74 full_disk span-query --columns help
}
