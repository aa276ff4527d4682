#!/usr/bin/env bats
# span-query --explain: how a search was done.

load lib

# Three segments, each of another hour, and a log. Each is so much smaller than
# the one before that they are not merged.
setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	local spans hour=0
	for spans in 36000 12000 4000; do
		span-gen --seed $hour --start "2026-01-01T0$hour:00:00Z" \
			--spans $spans >part.spans
		cat part.spans >>all.spans
		span-store append -q --no-seal s part.spans
		span-store seal -q --all s
		hour=$((hour + 1))
	done
	[ "$(span-store stat -o json s | jq .segments)" = 3 ]
	span-gen --seed 3 --start 2026-01-01T03:00:00Z --spans 2000 >log.spans
	span-store append -q --no-seal s log.spans
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return
}

# The plan; the row NAME; of --explain with these arguments.
plan() {
	span-query -s s --explain "$@" | sed '/^$/,$d'
}

row() {
	local name=$1
	shift
	span-query -s s --explain "$@" | sed -n "s/^$name  *//p"
}

@test "query-explain: what a store is asked for" {
	{
		while read -r line; do
			echo "\$ $line"
			eval "plan -c --limit 5 $line" || true
		done <<-'END'
			--service payment --service cart --operation 'GET *'
			--operation '~^GET' --min-duration 2ms --max-duration 1s
			--since 2026-01-01T00:00:00Z --until 2026-01-01T01:00:00Z --error
			--tag http.status_code=500 --tag 'a!=b' --root
			--trace-id 11111111111111111111111111111111 --trace-id 22222222222222222222222222222222
			--orphans
			'{ }'
			'{ .a = 1 }'
			'{ span.http.status_code >= 500 && span.http.status_code < 600 }'
			'{ .load > 0.5 && .load <= 2.5 }'
			'{ resource.host.name =~ "web.*" }'
			'{ event.message = "x" || duration > 5s }'
			'{ .a != nil && .b != "x" }'
			'{ status = error } >> { .db.system != nil } | count() > 2'
		END
	} >explain.got
	diff -u "$DATA/query-explain.want" explain.got
}

@test "query-explain: what was passed over by time, name and id" {
	run -0 row segments -c --since 2026-01-01T01:30:00Z --until 2026-01-01T02:30:00Z
	[ "$output" = '1 read, 2 passed over' ]
	run -0 row logs -c --spans --until 2026-01-01T00:30:00Z
	[ "$output" = '0 read, 1 passed over' ]
	run -0 row segments -c --spans --service nobody
	[ "$output" = '0 read, 3 passed over' ]
	run -0 row blocks -c --spans --service nobody
	[ -z "$output" ]
	id=$(span-query -s s -o ids --until 2026-01-01T00:30:00Z --limit 1)
	run -0 row segments --trace-id "$id"
	[ "$output" = '1 read, 2 passed over' ]
	run -0 row blocks --trace-id "$id"
	[[ $output = '1 read, '* ]]
}

@test "query-explain: the newest traces leave old segments unread" {
	run -0 span-query -s s --explain -o table --limit 5 --error
	[[ $output = *'results    5 traces with '*'; there are more'* ]]
	[[ $output = *'scans      2'* ]]
	frames=$(span-store stat -o json s | jq '.files[] | select(.state != "sealed") | .frames')
	[[ $output = *"frames     "*" read of logs, "* ]]
	[ "$(row frames -c --spans --error | cut -d ' ' -f 1)" = "$frames" ]
	run -0 row segments -o table --limit 5 --error
	[[ $output = *' 6 passed over' || $output = *' 5 passed over' ]]
}

@test "query-explain: frames of a log are counted where shapes are asked" {
	local frames expression='{ name = "nothing" } | count() > 1'
	frames=$(span-store stat -o json s | jq '.files[] | select(.state != "sealed") | .frames')
	[ "$frames" -ge 2 ]
	run -0 row frames -c --spans "$expression"
	[ "${output%% *}" = "$frames" ]
	run -0 row logs -c --spans "$expression"
	[[ $output = '1 read, '* ]]
}

@test "query-explain: results are those of the search, and so is the status" {
	local how traces spans
	traces=$(span-query -s s --error -c)
	spans=$(span-query -s s --error -c --spans)
	while read -ra how; do
		run -0 row results --error "${how[@]}"
		[[ ${how[*]} = *--spans* ]] && traces=$spans
		[ "$(tr -d , <<<"${output%% *}")" = "$traces" ]
	done <<-'END'
		-c
		-o ids
		-o table
		-c --spans
		--spans
	END
	run -1 span-query -s s --explain --service nobody
	[[ $output = *'results    0 traces with 0 spans'* ]]
	[[ $output != *'first result'* ]]
}

@test "query-explain: shapes of traces are asked, with the same result" {
	local expr
	while read -r expr; do
		for what in -c '-c --spans'; do
			# shellcheck disable=SC2086
			span-query $what "$expr" all.spans log.spans >want
			# shellcheck disable=SC2086
			span-query -s s $what "$expr" >got
			diff -u want got
			[ "$(cat got)" -gt 0 ]
		done
		[[ $(row shapes -c "$expr") = *" of traces asked" ]]
		[[ $(row shapes -c --spans "$expr") = *" of traces asked" ]]
	done <<'END'
{ status = error } >> { .db.system != nil }
{ resource.service.name = "gateway" } > { status = error }
{ .db.system != nil } | by(span:parentID) | count() > 4
{ status = error } | count() > 3
{ kind = server } !< { kind = client }
END
	expr='{ status = error } >> { .db.system != nil }'
	for what in '--since 2026-01-01T00:05:00Z' '--until 2026-01-01T01:01:00Z' \
		'--since 2026-01-01T01:00:00Z --until 2026-01-01T02:00:30Z'; do
		# shellcheck disable=SC2086
		span-query -c --spans $what "$expr" all.spans log.spans >want
		# shellcheck disable=SC2086
		span-query -s s -c --spans $what "$expr" >got
		diff -u want got
		[ "$(cat got)" -gt 0 ]
		# shellcheck disable=SC2086
		[[ $(row shapes -c $what "$expr") = *" of traces asked" ]]
	done
	# What needs values is asked of the traces themselves, and so are options.
	[ -z "$(row shapes -c '{ duration > 1ms } > { status = error }')" ]
	[ -z "$(row shapes -c --error '{ status = error } | count() > 3')" ]
}

@test "query-explain: nothing of what was found is printed" {
	run -0 span-query -s s --explain -o jsonl --error --limit 3
	[[ $output != *traceID* && $output != *'{'* ]]
	[[ $(row store) = *' spans in 3 segments and 1 log' ]]
	[[ $(row time) = *'; open after '*', first result after '* ]]
}

@test "query-explain: streams and files" {
	run -0 span-query --explain --error all.spans
	[ "${lines[0]}" = 'all spans of a stream are judged' ]
	[[ $output = *'input      52,0'*' spans'* ]]
	[[ $output != *segments* ]]
	run -65 --separate-stderr span-query --explain <<<nonsense
	[ -z "$output" ]
	[[ $stderr = *'standard input'* ]]
}

@test "query-explain: what was typed reaches a terminal escaped" {
	run -1 span-query -s s --explain --tag $'k\e[31m=v\e]0;x\a' \
		-e $'{ .a = "\e[2J" }'
	[[ $output != *$'\e'* && $output != *$'\a'* ]]
	[[ $output = *'\x1b[31m'* ]]
}

@test "query-explain: what it does not go with" {
	for option in -q -l -L --follow --cursor=c; do
		run -2 --separate-stderr span-query --explain "$option" all.spans
		[[ ${stderr_lines[0]} = *'--explain goes with no '* ]]
	done
	[ ! -e c ]
}
