#!/usr/bin/env bats
# span-query --sort and --trace-id in a store: what columns tell of traces
# spares reading them, and the results are those of a stream.

load lib

# Segments, a closed log and an open one; traces that lie in several of these,
# and spans that are stored twice. The same in one stream.
make_store() {
	span-gen --seed 5 --spans 30000 --rate 100 \
		--start 2026-01-01T00:00:00Z >gen.spans
	span-query --spans -o spans --until 2026-01-01T00:00:07Z gen.spans >part1
	span-query --spans -o spans --since 2026-01-01T00:00:07Z \
		--service 'c*' gen.spans >part2
	span-query --spans -o spans --since 2026-01-01T00:00:07Z \
		--service '[!c]*' gen.spans >part3
	span-query --spans -o spans --error --until 2026-01-01T00:00:09Z \
		gen.spans >part4
	for part in 1 2 3 4; do
		span-store append --no-seal s "part$part"
		[ "$part" -gt 2 ] || span-store seal -q --all s
	done
	cat part1 part2 part3 part4 >all.spans
}

# The stream's results for the options $@, of which those of the store with each
# of the limits $1 are the first.
begin_as_a_stream() {
	local limits=$1 limit
	shift
	span-query --memory 1G --window 1h "$@" all.spans >want || [ $? = 1 ]
	for limit in $limits; do
		span-query --limit "$limit" "$@" -s s >got || [ $? = 1 ]
		head -n "$limit" want | diff -u - got
	done
}

# The same of each line that is read, of more options; all but one select some.
each_begins_as_a_stream() {
	local limits=$1 select words
	shift
	while read -r select; do
		eval "words=($select)"
		begin_as_a_stream "$limits" "$@" "${words[@]}"
		[ "$select" = "--service nobody" ] || [ -s got ]
	done
}

@test "sort: a store gives the same traces as a stream, in the same order" {
	make_store
	for sort in start duration spans errors; do
		each_begins_as_a_stream "1 20 400" -o ids --sort $sort \
			<<-'SELECT'

			--error
			--service payment
			--service nobody
			--max-duration 50us
			--tag user.id~^1
			'{ status = error } >> { .db.system != nil }'
			'{ name = "Charge" || .http.status_code = 500 }'
			'{ } | count() < 9'
		SELECT
	done
}

@test "sort: a store gives the same spans as a stream, in the same order" {
	make_store
	for sort in newest start duration; do
		each_begins_as_a_stream "1 20 3000" --spans -o jsonl \
			--sort $sort <<-'SELECT'

			--error
			--service nobody
			--tag user.id~^1 --min-duration 1ms
			--max-duration 50us
			--since 2026-01-01T00:00:03Z --until 2026-01-01T00:00:08Z
			'{ name = "Charge" || .http.status_code = 500 }'
		SELECT
	done
}

@test "sort: a limit that leaves results out is told, one that does not is not" {
	make_store
	n=$(span-query -c all.spans)
	for sort in start duration spans errors; do
		for limit in $((n - 1)) "$n"; do
			run -0 span-query --explain --sort $sort -o ids \
				--limit "$limit" -s s
			more=
			[ "$limit" = "$n" ] || more="; there are more"
			results=$(grep '^results' <<<"$output" | tr -d ,)
			[[ $results = *" $limit traces$more" ]]
		done
	done
}

@test "sort: few of the traces are read" {
	span-gen --seed 5 --spans 60000 >all.spans
	span-store append s all.spans
	span-store seal -q --all s
	for sort in start duration spans errors; do
		run -0 span-query --explain --sort $sort --limit 5 -o ids -s s
		decoded=$(sed -nE 's/^spans +([0-9,]+) decoded/\1/p' \
			<<<"$output" | tr -d ,)
		[ "$decoded" -lt 9000 ]
	done
	for sort in newest start duration; do
		run -0 span-query --explain --spans --sort $sort --limit 5 \
			-o ids -s s
		decoded=$(sed -nE 's/^spans +([0-9,]+) decoded/\1/p' \
			<<<"$output" | tr -d ,)
		[ "$decoded" -lt 9000 ]
	done
}

# How often the store was gone through.
scans_of() {
	span-query --explain -o ids -s s "$@" >explained || [ $? = 1 ]
	sed -nE 's/^scans +([0-9,]+)/\1/p' explained | tr -d ,
}

@test "sort: where few match, a store is not searched again and again" {
	span-gen --seed 5 --spans 60000 >all.spans
	span-store append --no-seal s all.spans
	for sort in start duration spans errors; do
		n=$(scans_of --sort $sort --limit 20 \
			'{ kind = server } >> { childCount > 40 }')
		[ "$n" -gt 2 ]
		[ "$n" -lt 25 ]
	done
	for sort in newest start duration; do
		for found in 0 1; do
			id=$(span-query --spans -o '%(tag:http.request_id)' \
				--has-tag http.request_id --limit 1 all.spans)
			[ $found = 1 ] || id=none
			n=$(scans_of --spans --sort $sort --limit 20 \
				--tag "http.request_id=$id")
			[ "$n" -gt 1 ]
			[ "$n" -lt 10 ]
		done
	done
}

@test "trace ids: the beginning of one is found without reading spans" {
	make_store
	while read -r id; do
		for n in 7 15 16 17 24 31 32; do
			span-query --trace-id "${id:0:n}" -o ids -s s >got
			[ "$(cat got)" = "$id" ]
		done
	done < <(span-query -o ids --limit 20 all.spans)
	for prefix in 0 a; do
		run --separate-stderr -2 span-query --trace-id $prefix -o ids \
			all.spans
		want=$stderr
		run --separate-stderr -2 span-query --trace-id $prefix -o ids -s s
		[ "$stderr" = "$want" ]
		[[ "$stderr" == *"more"* ]]
	done
	run --separate-stderr -1 span-query --trace-id 00000000000000001 -o ids -s s
}

@test "count: traces are counted by columns, each once" {
	make_store
	span-query -o ids --memory 1G --window 1h all.spans | sort -u | wc -l >want
	span-query -c -s s >got
	diff -u want got
	span-query -c --explain -s s >explained
	grep -qx 'spans *0 decoded' explained
	span-store seal -q --all s
	span-query -c -s s >got
	diff -u want got
	span-query -c --limit 7 -s s >got
	echo 7 >want
	diff -u want got
}
